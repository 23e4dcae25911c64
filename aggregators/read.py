"""The one path from storage to figures, for the page, the API and the PDF: they can not disagree."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Generic, TypeVar

from sqlalchemy import Connection

from aggregators import packed
from aggregators.answers import answers, lacks_dates
from aggregators.domains import domains as all_domains
from aggregators.figures import (
    Dashboard,
    Evidence,
    Figure,
    LiveView,
    Scope,
    Scorecard,
    WorkspaceView,
)
from aggregators.held import Held
from aggregators.kept import BROKEN_SECONDS, KEPT_SECONDS, Changed, Kept, release
from aggregators.listing import Listing, Page, Request
from aggregators.live import live
from aggregators.measure import DAYS_SEEN, USAGE, Domain
from aggregators.packed import Tables
from aggregators.period import Ask, Period, Span
from aggregators.rollup import Place, Rolled, alone, roll
from aggregators.spans import BEFORE, NOW, SPRINT, Plan
from auth.viewer import Viewer
from settings import Settings
from storage import context, executive, listings
from storage.database import Database
from storage.executive import Asked, Glimpse, Packed, State

TRIES = 5
"""How often a reader follows figures that change while they are waited for; then they are read alone."""
Drawn = TypeVar("Drawn")
Failures = dict[int, str]
"""Why a workspace could not be read, by its id."""


class NotPlatformAdmin(PermissionError):
    """The viewer holds platform_admin nowhere."""


class NoSuchWorkspace(LookupError):
    """The viewer is no member of an active workspace with that slug."""


def read(
    database: Database, viewer: Viewer, ask: Ask, settings: Settings, held: Held | None = None
) -> Dashboard:
    """The dashboard of a viewer for a period: every domain, with its cards.

    Reads within one transaction on one state of the database; what is ``held`` of it is not read again.
    Raises NotPlatformAdmin, InvalidPeriod, and sqlalchemy's OperationalError when the database is away.
    """
    with context.as_viewer(database.reader, viewer, isolation="REPEATABLE READ") as connection:
        view = _view(connection, viewer, ask, settings)
        return _dashboard(_Source(connection, held), view, executive.state(connection), settings)


def version(database: Database, viewer: Viewer, ask: Ask, settings: Settings) -> str:
    """The version of what ``read`` gives now, without reading a row of any workspace. Raises as it."""
    with context.as_viewer(database.reader, viewer, isolation="REPEATABLE READ") as connection:
        return _view(connection, viewer, ask, settings).version


def read_kept(
    database: Database, viewer: Viewer, ask: Ask, settings: Settings, kept: Kept
) -> Dashboard:
    """As ``read``, computed once for everyone who may see the same. Scorecards have no facts."""
    look = _Look(database, viewer, ask, settings, kept)
    return replace(look.dashboard(look.version()), now=settings.now())


def draw_kept(
    database: Database,
    viewer: Viewer,
    ask: Ask,
    settings: Settings,
    kept: Kept,
    drawing: tuple[object, ...] | None,
    draw: Callable[[Dashboard], Drawn],
) -> Drawn:
    """What ``draw`` makes of what ``read_kept`` gives, made once for everyone who may see the same.
    ``drawing`` names it, with all that it depends on beside the dashboard, and without a name it is
    made each time; it must not look at the dashboard's ``now``. Nobody may change what comes back."""
    look = _Look(database, viewer, ask, settings, kept)
    if drawing is None:
        return draw(look.dashboard(look.version()))

    def make(asked: str) -> _Made[Drawn]:
        found = look.dashboard(asked)
        return _Made(draw(found), found.version, _seconds_kept(found))

    return look.once(lambda asked: f"drawing:{asked}:{drawing!r}", make, look.version()).what


@dataclass(frozen=True, slots=True)
class _Made(Generic[Drawn]):
    """What was made, of which version it is, and how long it may be kept for that."""

    what: Drawn
    version: str
    seconds: float


@dataclass(frozen=True, slots=True)
class _Look:
    """A viewer's look at a period, at what is kept of it."""

    database: Database
    viewer: Viewer
    ask: Ask
    settings: Settings
    kept: Kept

    def version(self) -> str:
        # The connection goes back before anyone waits: fifty who wait must not hold fifty.
        return version(self.database, self.viewer, self.ask, self.settings)

    def dashboard(self, asked: str) -> Dashboard:
        def make(_asked: str) -> _Made[Dashboard]:
            given = self.database, self.viewer, self.ask, self.settings
            # The nodes of a cluster commit one after another: what is read between them is of no version.
            held = None if self.settings.distributed else self.kept.rows
            made = read(*given, held).without_facts()
            return _Made(made, made.version, _seconds_kept(made))

        return self.once(lambda asked: f"dashboard:{asked}", make, asked).what

    def once(
        self, key: Callable[[str], str], make: Callable[[str], _Made[Drawn]], asked: str
    ) -> _Made[Drawn]:
        """What is kept of a version, or is made now. What the data have changed under is kept for the
        version that it is of, and those who waited for it ask which that is."""

        for _ in range(TRIES):
            try:
                return self._once(key, make, asked)
            except Changed as changed:
                asked = changed.version
        return make(asked)

    def _once(
        self, key: Callable[[str], str], make: Callable[[str], _Made[Drawn]], asked: str
    ) -> _Made[Drawn]:
        def made() -> _Made[Drawn]:
            found = make(asked)
            if found.version != asked:
                self.kept.put(key(found.version), found, found.seconds)
            return found

        def life(found: _Made[Drawn]) -> float:
            return found.seconds if found.version == asked else 0.0

        def still() -> None:
            if (now := self.version()) != asked:
                raise Changed(now)

        return self.kept.once(key(asked), made, life, still)


def _seconds_kept(made: Dashboard) -> float:
    """How long one may be handed out for its version. One that a broken workspace is missing from only
    briefly, as its version does not change when it is mended; but without keeping it all readers would
    queue."""
    return BROKEN_SECONDS if made.scope.unavailable else KEPT_SECONDS


def scope(database: Database, viewer: Viewer) -> tuple[str, ...]:
    """The slugs of the workspaces that count for a viewer now; none of their rows is read. Raises
    NotPlatformAdmin."""
    with context.as_viewer(database.reader, viewer) as connection:
        states = executive.state(connection)
    if not states:
        raise NotPlatformAdmin(viewer.email)
    return tuple(s.slug for s in states if s.left_out is None)


@dataclass(frozen=True, slots=True)
class _View:
    """What a viewer is about to see: the last day, the period, and of which version."""

    as_of: date | None
    period: Period
    version: str


def _view(connection: Connection, viewer: Viewer, ask: Ask, settings: Settings) -> _View:
    seen = executive.glimpse(connection)
    if not seen.workspaces:
        raise NotPlatformAdmin(viewer.email)
    as_of = _as_of(seen)
    today = settings.now().date()
    period = ask.on(as_of or today - timedelta(days=1), today)
    return _View(as_of, period, _version(seen, as_of, period, settings))


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the rows of a dashboard come from."""

    connection: Connection
    held: Held | None

    def rows(
        self, states: Sequence[State], plan: Plan, last: date, failed: Failures
    ) -> list[Packed]:
        """Those of each workspace that can be read, in the order of the workspaces; adds to ``failed``.
        Days of their own are hardly ever asked for by two, so they are not held."""
        asked = _asked(plan, last)
        held = self.held if plan.period.preset else None
        known = held.find(asked, states) if held else {}
        missing = [s.workspace_id for s in states if s.workspace_id not in known]
        if missing:
            found, wrong = executive.rows(self.connection, asked, missing if known else None)
            failed |= wrong | packed.broken(found)
            fresh: Sequence[Packed] = [o for o in found if o.workspace_id not in failed]
            if held:
                fresh = held.hold(asked, states, fresh)
            known |= {own.workspace_id: own for own in fresh}
        return [known[s.workspace_id] for s in states if s.workspace_id in known]


def _dashboard(
    source: _Source, view: _View, states: Sequence[State], settings: Settings
) -> Dashboard:
    inside = [s for s in states if not s.left_out]
    failed: Failures = {}
    rolled: dict[str, Rolled] = {}
    said: tuple = ()
    declared = all_domains((), settings.thresholds)
    if view.as_of is not None:
        plan = Plan.of(view.period, view.as_of, settings.sprint_days)
        rolled = _rolled(source, inside, plan, view.as_of, declared, failed)
        trend = _trend(source, view, inside, rolled) if lacks_dates(rolled) else None
        said = answers(rolled, plan.spans[SPRINT], trend)
    return Dashboard(
        settings.org_name,
        settings.time_zone,
        view.as_of,
        max((s.computed_at for s in inside if s.computed_at), default=None),
        view.period,
        _scope(states, failed),
        tuple(_scorecard(d, rolled.get(d.key), inside, view.period.days) for d in declared),
        said,
        view.version,
        settings.now(),
    )


def _as_of(seen: Glimpse) -> date | None:
    """The last day that a run over all workspaces has published, or that each of them has reached on its
    own: one workspace that is ahead makes no day of the organisation. Where no such run has ever been, the
    last day there is."""
    if seen.last_day is None or seen.common_day is None or seen.whole_day is None:
        return seen.last_day
    return min(seen.last_day, max(seen.common_day, seen.whole_day))


def _rolled(
    source: _Source,
    states: Sequence[State],
    plan: Plan,
    last: date,
    domains: Sequence[Domain],
    failed: Failures,
) -> dict[str, Rolled]:
    """Every domain over the workspaces that could be read, up to a day. Adds to ``failed``."""
    slugs = {s.workspace_id: s.slug for s in states}
    tables = packed.tables(source.rows(states, plan, last, failed), slugs, plan, last)
    places = [_place(s) for s in states if s.workspace_id not in failed]
    union = _union_seen(source.connection, tables, plan, last)
    return {d.key: roll(d, tables.by_name[d.table], places, plan, union) for d in domains}


def _asked(plan: Plan, last: date) -> Asked:
    """The rows of a plan up to a day: one that is still being written is not read."""
    days = sorted({min(border, last) for border in plan.borders})
    return Asked(days, min(plan.period.end, last), plan.blocks)


def _own_tables(
    connection: Connection, place: executive.Membership, plan: Plan, last: date
) -> Tables:
    """Those of one workspace; without any row when what is stored is broken."""
    slugs = {place.workspace_id: place.slug}
    try:
        own = executive.own_rows(connection, place.workspace_id, _asked(plan, last))
    except executive.Unreadable:
        return packed.tables([], slugs, plan, last)
    return packed.tables([] if packed.broken([own]) else [own], slugs, plan, last)


def _trend(
    source: _Source, view: _View, inside: Sequence[State], rolled: Mapping[str, Rolled]
) -> Rolled | None:
    """Compliance day by day. A second reading, which only an organisation without dates needs."""
    if view.as_of is None:
        return None
    domain, plan = rolled["compliance"].domain, Plan.trend(view.period)
    return _rolled(source, inside, plan, view.as_of, [domain], {})[domain.key]


def read_workspace(
    database: Database, viewer: Viewer, slug: str, domain_key: str, ask: Ask, settings: Settings
) -> WorkspaceView:
    """One domain of one workspace, in that workspace's own context: the figures of its card.

    Raises NoSuchWorkspace when the viewer is no member of an active workspace with that slug (its
    existence is not told), KeyError for an unknown domain, InvalidPeriod.
    """
    domain = _domain(domain_key, settings)
    with _inside(database, viewer, slug, ask, settings) as here:
        return _workspace(here, domain, settings)


def _workspace(here: _Inside, domain: Domain, settings: Settings) -> WorkspaceView:
    place, last_day = here.place, here.as_of or settings.now().date() - timedelta(days=1)
    plan = Plan.of(here.period, last_day, settings.sprint_days)
    tables = _own_tables(here.connection, place, plan, last_day)
    return WorkspaceView(
        place.slug,
        place.name,
        domain,
        alone(domain, tables.by_name[domain.table], _place(place), plan),
        here.period,
        here.as_of,
        here.computed_at,
        settings.time_zone,
        place.role,
        here.is_platform_admin,
        place.accent,
        settings.org_name,
    )


def read_live(
    database: Database, viewer: Viewer, slug: str, domain_key: str, ask: Ask, settings: Settings
) -> LiveView:
    """The figures from the records as they stand now, over the same number of days up to today (a
    custom range stays as it is), beside those of the snapshot. Raises as ``read_workspace``."""
    domain, now = _domain(domain_key, settings), settings.now()
    with _inside(database, viewer, slug, ask, settings) as here:
        snapshot = _workspace(here, domain, settings)
        span = here.period.span
        if here.period.preset:
            span = Span(now.date() - timedelta(days=here.period.days - 1), now.date())
        figures = live(here.connection, here.place.workspace_id, domain, span, now, settings)
    return LiveView(snapshot, figures, span, now)


def read_records(
    database: Database,
    viewer: Viewer,
    slug: str,
    domain_key: str,
    ask: Ask,
    settings: Settings,
    links: Mapping[str, str],
    asked: Request,
) -> Page:
    """A page of the records behind the figures, in the workspace's context. Raises as
    ``read_workspace``."""
    listing = _listing(domain_key)
    with _inside(database, viewer, slug, ask, settings) as here:
        scope = _listed(here, settings, listing.asked(links))
        found = listings.page(here.connection, domain_key, listing, scope, asked)
    return replace(found, span=here.period.span)


def each_record(
    database: Database,
    viewer: Viewer,
    slug: str,
    domain_key: str,
    ask: Ask,
    settings: Settings,
    links: Mapping[str, str],
    asked: Request,
) -> Iterator[tuple[object, ...]]:
    """All records that fit, streamed in one transaction. Raises as ``read_workspace``."""
    listing = _listing(domain_key)
    with _inside(database, viewer, slug, ask, settings) as here:
        scope = _listed(here, settings, listing.asked(links))
        yield from listings.every(here.connection, domain_key, listing, scope, asked)


def _domain(key: str, settings: Settings) -> Domain:
    return {d.key: d for d in all_domains((), settings.thresholds)}[key]


def _listing(key: str) -> Listing:
    found = {d.key: d.records for d in all_domains()}[key]
    if found is None:
        raise KeyError(key)
    return found


def _listed(here: _Inside, settings: Settings, links: Mapping[str, str]) -> listings.Scope:
    span, place = here.period.span, here.place
    return listings.Scope(
        place.workspace_id, span.start, span.end, settings.time_zone, settings.review_days, links
    )


@dataclass(frozen=True, slots=True)
class _Inside:
    """A transaction in the context of one of the viewer's workspaces, the period there, and the
    workspace's last snapshot."""

    connection: Connection
    place: executive.Membership
    is_platform_admin: bool
    period: Period
    as_of: date | None
    computed_at: datetime | None


@contextmanager
def _inside(
    database: Database, viewer: Viewer, slug: str, ask: Ask, settings: Settings
) -> Iterator[_Inside]:
    """Raises NoSuchWorkspace, InvalidPeriod."""
    with context.as_viewer(database.web, viewer, isolation="REPEATABLE READ") as connection:
        place, is_platform_admin = executive.membership(connection, slug)
        if place is None:
            raise NoSuchWorkspace(slug)
        with context.entered(connection, context.WORKSPACE, place.workspace_id):
            as_of, computed_at = executive.last_snapshot(connection, place.workspace_id)
            today = settings.now().date()
            period = ask.on(as_of or today - timedelta(days=1), today)
            yield _Inside(connection, place, is_platform_admin, period, as_of, computed_at)


def _place(state: State | executive.Membership) -> Place:
    return Place(state.slug, state.name, state.accent)


def _union_seen(connection: Connection, tables: Tables, plan: Plan, last: date) -> dict[str, int]:
    """On how many days of the period, and of the one before, any workspace had a snapshot: known at
    once when one of them has every day, else counted."""
    found = {}
    for label in (NOW, BEFORE):
        (span,) = plan.spans[label]
        most = tables.by_name[USAGE].over[label][DAYS_SEEN].max(initial=0)
        found[label] = (
            span.days
            if most == span.days
            else executive.days_seen(connection, span.start, min(span.end, last))
        )
    return found


def _scope(states: Sequence[State], failed: Failures) -> Scope:
    inside = [s for s in states if not s.left_out]
    reasons = sorted({s.left_out for s in states if s.left_out})
    return Scope(
        tuple(s.slug for s in inside),
        {s.slug: s.name for s in inside},
        {r: tuple(s.name for s in states if s.left_out == r) for r in reasons},
        tuple(s.slug for s in inside if s.workspace_id in failed),
        accents={s.slug: s.accent for s in inside if s.accent},
    )


def _scorecard(
    domain: Domain, rolled: Rolled | None, states: Sequence[State], days: int
) -> Scorecard:
    if rolled is None:
        nothing = {m.key: Figure(m, evidence=Evidence(days_expected=days)) for m in domain.measures}
        return Scorecard(domain, nothing)
    computed = [s.computed_at for s in states if s.computed_at]
    last_days = [s.last_day for s in states if s.last_day]
    return Scorecard(
        domain,
        rolled.figures,
        rolled.cards,
        max(computed, default=None),
        min(computed, default=None),
        min(last_days, default=None),
        rolled.facts,
    )


def _version(seen: Glimpse, as_of: date | None, period: Period, settings: Settings) -> str:
    """Changes when the scope, its snapshots, the period, the thresholds or the program do."""
    zone, sprints = settings.time_zone, settings.sprint_days
    parts = (seen, as_of, period, settings.thresholds, settings.org_name, zone, sprints, release())
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
