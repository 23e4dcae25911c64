"""The one path from storage to the dashboard, for the page, the API and the PDF: they can not disagree."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import Connection

from aggregators.answers import answers, need_trend
from aggregators.catalogue import domains as all_domains
from aggregators.chosen.annotations import Annotation
from aggregators.chosen.changes import ChosenSettings
from aggregators.chosen.judging import AS_DECLARED, Judging
from aggregators.chosen.names import SPRINT_DAYS
from aggregators.pooling.dashboard import Dashboard, DashboardScope, Scorecard, SeenDays
from aggregators.pooling.plan import NOW, SPRINT, Plan
from aggregators.pooling.rollup import DomainRollup, assemble_nothing, roll
from aggregators.question import QuestionContext
from aggregators.vocabulary.domain import USAGE, Domain
from aggregators.vocabulary.period import Ask, Period
from reading.caching.dashboard_cache import release
from reading.caching.row_cache import RowCache
from reading.rows import Failures, RowSource, ScopeState, label
from reading.signals.whole.shown import with_whole
from settings import Settings
from storage import context
from storage.chosen import notes, store
from storage.database import Database
from storage.executive.scope import (
    ScopedWorkspace,
    ScopeFingerprint,
    newest_day,
    scope_fingerprint,
    scoped_workspaces,
)
from storage.viewer import Viewer


class NotPlatformAdmin(PermissionError):
    """The viewer holds platform_admin nowhere."""


def read(
    database: Database,
    viewer: Viewer,
    ask: Ask,
    settings: Settings,
    row_cache: RowCache | None = None,
) -> Dashboard:
    """The dashboard of a viewer for a period: every domain, with its cards.

    Reads within one transaction on one state of the database; rows in the ``row_cache`` are not read
    again. Raises NotPlatformAdmin, InvalidPeriod, and sqlalchemy's OperationalError when the database is
    away.
    """
    with context.as_viewer(database.reader, viewer, isolation="REPEATABLE READ") as connection:
        request = _resolve(connection, viewer, ask, settings)
        source = RowSource.over(connection, row_cache, request.state)
        workspaces = scoped_workspaces(connection)
        chosen = (
            store.in_scope(connection, workspaces) if request.has_settings else ChosenSettings()
        )
        noted: tuple[Annotation, ...] = ()
        if request.has_settings:
            noted = notes.in_scope(connection, workspaces, request.period.span)
        return _with_annotations(_dashboard(source, request, workspaces, settings, chosen), noted)


def version(database: Database, viewer: Viewer, ask: Ask, settings: Settings) -> str:
    """The version of the dashboard that ``read`` gives now, without reading a row of any workspace.
    Raises as ``read``."""
    with context.as_viewer(database.reader, viewer, isolation="REPEATABLE READ") as connection:
        return _resolve(connection, viewer, ask, settings).version


@dataclass(frozen=True, slots=True)
class CurrentVersion:
    """Version of a dashboard as it stands. ``lasting`` names what is asked whatever the snapshots say: two
    versions of equal ``lasting`` differ by snapshots alone. ``age`` is the seconds since a run over the
    workspaces last published; None where none ever has."""

    version: str
    lasting: str
    age: float | None


def current_version(
    database: Database, viewer: Viewer, ask: Ask, settings: Settings
) -> CurrentVersion:
    """Version of a viewer's dashboard as it stands now, without reading a row of any workspace. Raises as
    ``read``."""
    with context.as_viewer(database.reader, viewer, isolation="REPEATABLE READ") as connection:
        fingerprint = _fingerprint(connection, viewer)
        version = _resolve_fingerprint(fingerprint, ask, settings).version
        return CurrentVersion(
            version, _lasting_version(fingerprint, ask, settings), fingerprint.age
        )


def scope(database: Database, viewer: Viewer) -> tuple[str, ...]:
    """The slugs of the workspaces that count for a viewer now; none of their rows is read. Raises
    NotPlatformAdmin."""
    with context.as_viewer(database.reader, viewer) as connection:
        workspaces = scoped_workspaces(connection)
    if not workspaces:
        raise NotPlatformAdmin(viewer.email)
    return tuple(w.slug for w in workspaces if w.left_out is None)


@dataclass(frozen=True, slots=True)
class _ResolvedRequest:
    """A request for a dashboard, once the last snapshot day is known: which days, of which version, of a
    scope in which state, and whether anybody has ever chosen a setting."""

    as_of: date | None
    period: Period
    version: str
    state: ScopeState
    has_settings: bool


def _resolve(
    connection: Connection, viewer: Viewer, ask: Ask, settings: Settings
) -> _ResolvedRequest:
    return _resolve_fingerprint(_fingerprint(connection, viewer), ask, settings)


def _fingerprint(connection: Connection, viewer: Viewer) -> ScopeFingerprint:
    fingerprint = scope_fingerprint(connection)
    if not fingerprint.workspaces:
        raise NotPlatformAdmin(viewer.email)
    return fingerprint


def _resolve_fingerprint(
    fingerprint: ScopeFingerprint, ask: Ask, settings: Settings
) -> _ResolvedRequest:
    as_of = newest_day(fingerprint.last_day, fingerprint.common_day, fingerprint.whole_day)
    today = settings.now().date()
    period = ask.on(as_of or today - timedelta(days=1), today)
    version = _version(fingerprint, as_of, period, settings)
    state = fingerprint.fingerprint, fingerprint.watched_to, fingerprint.signals_version
    return _ResolvedRequest(as_of, period, version, state, fingerprint.settings_version > 0)


def _version(
    fingerprint: ScopeFingerprint, as_of: date | None, period: Period, settings: Settings
) -> str:
    """Changes when the scope, its snapshots, the period, the thresholds or the program do."""
    return _version_hash(settings, fingerprint, as_of, period)


def _lasting_version(fingerprint: ScopeFingerprint, ask: Ask, settings: Settings) -> str:
    """Changes as ``_version`` does, but for the snapshots."""
    changes = fingerprint.settings_version, fingerprint.signals_version
    return _version_hash(settings, fingerprint.lasting, changes, ask)


def _version_hash(settings: Settings, *parts: object) -> str:
    """Hash of the parts, of the settings that figures depend on and of the program."""
    zone, sprints = settings.zone.key, settings.sprint_days
    name, thresholds = settings.organisation, settings.thresholds
    hashed_parts = (*parts, thresholds, name, zone, sprints, release())
    return hashlib.sha256(repr(hashed_parts).encode()).hexdigest()[:32]


def _dashboard(
    source: RowSource,
    request: _ResolvedRequest,
    workspaces: Sequence[ScopedWorkspace],
    settings: Settings,
    chosen: ChosenSettings,
) -> Dashboard:
    inside = [w for w in workspaces if not w.left_out]
    failed: Failures = {}
    rolled: dict[str, DomainRollup] = {}
    answered: tuple = ()
    seen = SeenDays(0, None)
    # What held when the period ended: a target that is set today leaves last quarter's pack as it was.
    judging = Judging.on(request.period.end, chosen)
    declared = judging.domains(all_domains((), settings.thresholds))
    if request.as_of is not None:
        sprint_days = chosen.value(SPRINT_DAYS, request.period.end, settings.sprint_days)
        # Answers are told against the period before, whatever the figures are compared with.
        plan = Plan.of(request.period.plain, request.as_of, sprint_days)
        rolled, seen = _roll_up(source, inside, plan, request.as_of, declared, failed, judging)
        trends = _trends(source, request, inside, rolled)
        question_context = _question_context(plan, request, request.as_of, seen)
        answered = answers(rolled, question_context, trends)
        if question_context.is_compared_elsewhere:
            plan = Plan.of(request.period, request.as_of, sprint_days)
            rolled, _ = _roll_up(source, inside, plan, request.as_of, declared, failed, judging)
    return Dashboard(
        settings.organisation,
        settings.zone.key,
        request.as_of,
        max((w.computed_at for w in inside if w.computed_at), default=None),
        request.period,
        _scope(workspaces, failed),
        tuple(
            _scorecard(d, rolled.get(d.key), inside, request.period.days, seen) for d in declared
        ),
        answered,
        request.version,
        settings.now(),
    )


def _question_context(
    plan: Plan, request: _ResolvedRequest, as_of: date, seen: SeenDays
) -> QuestionContext:
    """Material for the answers, which are of the plan's comparison, whatever the request's is."""
    return QuestionContext(
        plan.spans[SPRINT],
        request.period.end,
        as_of,
        seen,
        is_compared_elsewhere=plan.period != request.period,
    )


def _roll_up(
    source: RowSource,
    workspaces: Sequence[ScopedWorkspace],
    plan: Plan,
    last: date,
    domains: Sequence[Domain],
    failed: Failures,
    judging: Judging = AS_DECLARED,
) -> tuple[dict[str, DomainRollup], SeenDays]:
    """Every domain over the workspaces that could be read, up to a day, and which days were looked at. Adds
    to ``failed``."""
    tables = source.tables(workspaces, plan, last, failed)
    labels = [label(w) for w in workspaces if w.workspace_id not in failed]
    days_seen = source.days_seen(tables, plan, last)
    slugs = {w.workspace_id: w.slug for w in workspaces if w.workspace_id not in failed}
    scatter = source.scatter(slugs, plan.period.previous.start)
    scatter = with_whole(source.connection, scatter)
    rolled = {
        d.key: roll(d, tables.by_name[d.table], labels, plan, days_seen, scatter, judging)
        for d in domains
    }
    return rolled, SeenDays(days_seen[NOW], tables.by_name[USAGE].last_day)


def _trends(
    source: RowSource,
    request: _ResolvedRequest,
    inside: Sequence[ScopedWorkspace],
    rolled: Mapping[str, DomainRollup],
) -> dict[str, DomainRollup]:
    """Domains whose answer needs it, over the last days one by one: a second reading."""
    domains = [rolled[key].domain for key in need_trend(rolled)]
    if request.as_of is None or not domains:
        return {}
    plan = Plan.trend(request.period.plain)
    return _roll_up(source, inside, plan, request.as_of, domains, {})[0]


def _with_annotations(dashboard: Dashboard, noted: tuple[Annotation, ...]) -> Dashboard:
    """The dashboard with what people noted on its days, each domain with what is about it."""
    if not noted:
        return dashboard
    scorecards = tuple(
        replace(s, annotations=tuple(a for a in noted if a.is_of(s.domain.key)))
        for s in dashboard.scorecards
    )
    return replace(dashboard, scorecards=scorecards, annotations=noted)


def _scope(workspaces: Sequence[ScopedWorkspace], failed: Failures) -> DashboardScope:
    inside = [w for w in workspaces if not w.left_out]
    reasons = sorted({w.left_out for w in workspaces if w.left_out})
    return DashboardScope(
        tuple(w.slug for w in inside),
        {w.slug: w.name for w in inside},
        {reason: tuple(w.name for w in workspaces if w.left_out == reason) for reason in reasons},
        tuple(w.slug for w in inside if w.workspace_id in failed),
        accents={w.slug: w.accent for w in inside if w.accent},
    )


def _scorecard(
    domain: Domain,
    rolled: DomainRollup | None,
    workspaces: Sequence[ScopedWorkspace],
    days: int,
    seen: SeenDays,
) -> Scorecard:
    if rolled is None:
        return Scorecard(domain, *assemble_nothing(domain, days), seen=seen)
    computed = [w.computed_at for w in workspaces if w.computed_at]
    last_days = [w.last_day for w in workspaces if w.last_day]
    return Scorecard(
        domain,
        rolled.figures,
        rolled.cards,
        max(computed, default=None),
        min(last_days, default=None),
        rolled.facts,
        seen,
    )
