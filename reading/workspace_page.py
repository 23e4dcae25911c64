"""A domain of a workspace, read in that workspace's own context: its page and its live figures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from aggregators.catalogue import domain as catalogued
from aggregators.chosen.changes import ChosenSettings
from aggregators.chosen.judging import Judging
from aggregators.pooling.dashboard import LiveView, SeenDays, WorkspaceView
from aggregators.pooling.plan import NOW, Plan
from aggregators.pooling.rollup import workspace_figures
from aggregators.vocabulary.domain import USAGE, Domain
from aggregators.vocabulary.measure import DAYS_SEEN
from aggregators.vocabulary.period import Ask, Period, Span
from reading.decoding import Tables
from reading.live import live
from reading.rows import label, own_tables
from reading.signals import open_signals
from settings import Settings
from storage import context
from storage.chosen import notes, store
from storage.database import Database
from storage.executive import memberships
from storage.executive.memberships import Membership
from storage.viewer import Viewer


class NotAMember(LookupError):
    """The viewer is no member of an active workspace with that slug."""


@dataclass(frozen=True, slots=True)
class OpenWorkspace:
    """A transaction in the context of one of the viewer's workspaces, the period there, and the
    workspace's last snapshot."""

    connection: Connection
    membership: Membership
    is_platform_admin: bool
    period: Period
    as_of: date | None
    computed_at: datetime | None


@contextmanager
def open_workspace(
    database: Database, viewer: Viewer, slug: str, ask: Ask, settings: Settings
) -> Iterator[OpenWorkspace]:
    """The workspace, open within the block. Raises NotAMember when the viewer is no member of an active
    workspace with that slug (its existence is not told), InvalidPeriod."""
    with context.as_viewer(database.web, viewer, isolation="REPEATABLE READ") as connection:
        membership, is_platform_admin = memberships.membership(connection, slug)
        if membership is None:
            raise NotAMember(slug)
        with context.enter(connection, context.WORKSPACE, membership.workspace_id):
            as_of, computed_at = memberships.last_snapshot(connection, membership.workspace_id)
            today = settings.now().date()
            period = ask.on(as_of or today - timedelta(days=1), today)
            yield OpenWorkspace(
                connection, membership, is_platform_admin, period, as_of, computed_at
            )


def read_workspace(
    database: Database, viewer: Viewer, slug: str, domain_key: str, ask: Ask, settings: Settings
) -> WorkspaceView:
    """A domain of a workspace: the figures of its card. Raises as ``open_workspace``, and KeyError
    for an unknown domain."""
    domain = catalogued(domain_key, settings.thresholds)
    with open_workspace(database, viewer, slug, ask, settings) as workspace:
        return _view(workspace, domain, settings, _chosen_settings(workspace))


def _chosen_settings(workspace: OpenWorkspace) -> ChosenSettings:
    membership = workspace.membership
    return store.for_workspace(workspace.connection, membership.workspace_id, membership.slug)


def read_live(
    database: Database, viewer: Viewer, slug: str, domain_key: str, ask: Ask, settings: Settings
) -> LiveView:
    """The figures from the records as they stand now, over the same number of days up to today (a
    custom range stays as it is), beside those of the snapshot. Raises as ``read_workspace``."""
    domain, now = catalogued(domain_key, settings.thresholds), settings.now()
    with open_workspace(database, viewer, slug, ask, settings) as workspace:
        snapshot = _view(workspace, domain, settings, _chosen_settings(workspace))
        span = workspace.period.span
        if workspace.period.preset:
            span = Span(now.date() - timedelta(days=workspace.period.days - 1), now.date())
        workspace_id = workspace.membership.workspace_id
        figures = live(workspace.connection, workspace_id, domain, span, now, settings)
    return LiveView(snapshot, figures, span, now)


def _seen_days(tables: Tables) -> SeenDays:
    """Days that the workspace was looked at."""
    usage = tables.by_name[USAGE]
    return SeenDays(int(usage.over[NOW][DAYS_SEEN].max(initial=0)), usage.last_day)


def _view(
    workspace: OpenWorkspace, declared: Domain, settings: Settings, chosen: ChosenSettings
) -> WorkspaceView:
    membership = workspace.membership
    judging = Judging.on(workspace.period.end, chosen)
    domain = judging.domain_of_workspace(judging.domain(declared), membership.slug)
    last_day = workspace.as_of or settings.now().date() - timedelta(days=1)
    plan = Plan.of(workspace.period, last_day, settings.sprint_days)  # which shows no sprints
    tables = own_tables(workspace.connection, membership, plan, last_day)
    scatter = open_signals.own_scatter(workspace.connection, membership, plan.period.previous.start)
    return WorkspaceView(
        membership.slug,
        membership.name,
        domain,
        workspace_figures(
            domain, tables.by_name[domain.table], label(membership), plan, scatter, judging
        ),
        workspace.period,
        workspace.as_of,
        workspace.computed_at,
        settings.zone.key,
        membership.role,
        workspace.is_platform_admin,
        membership.accent,
        settings.organisation,
        _seen_days(tables),
        notes.for_workspace(
            workspace.connection, membership.workspace_id, membership.slug, workspace.period.span
        ),
    )
