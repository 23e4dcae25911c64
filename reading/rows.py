"""Snapshot rows of a plan, each workspace's read in its own context, and decoded into tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from aggregators.pooling.cards import WorkspaceLabel
from aggregators.pooling.plan import BEFORE, NOW, Plan
from aggregators.signal.scatter import Scatter
from aggregators.vocabulary.domain import USAGE
from aggregators.vocabulary.measure import DAYS_SEEN
from reading import decoding
from reading.caching.row_cache import RowCache
from reading.decoding import Tables
from reading.signals import open_signals
from storage.executive import encoded_rows, preset_rows
from storage.executive.encoded_rows import EncodedRows, Layout, RowsRequest
from storage.executive.memberships import Membership
from storage.executive.scope import ScopedWorkspace, days_seen

ScopeState = tuple[object, ...]
"""State of a scope: of two readings with an equal one, the watch has learned the same of its workspaces."""
Failures = dict[int, str]
"""Why a workspace could not be read, by its id."""


@dataclass(frozen=True, slots=True)
class RowSource:
    """The connection that a dashboard is read over, the row cache in front of it, if any, the order of the
    numbers in a row, and the state that the viewer's scope is in."""

    connection: Connection
    row_cache: RowCache | None
    layout: Layout
    state: ScopeState

    @classmethod
    def over(
        cls, connection: Connection, row_cache: RowCache | None, state: ScopeState
    ) -> RowSource:
        """The source over a connection, whose database says the order of the numbers now."""
        return cls(connection, row_cache, encoded_rows.number_layout(connection), state)

    def rows(
        self, workspaces: Sequence[ScopedWorkspace], plan: Plan, last: date, failed: Failures
    ) -> list[EncodedRows]:
        """Rows of each workspace that can be read, in the order of the workspaces; adds to ``failed``.
        Days of one's own are hardly ever asked for by two, so they do not go through the cache."""
        request = rows_request(plan, last, self.layout)
        cache = self.row_cache if plan.period.preset else None
        known = cache.find(request, workspaces) if cache else {}
        missing = [w.workspace_id for w in workspaces if w.workspace_id not in known]
        if missing:
            rows, errors = self._read(request, plan, missing, among=missing if known else None)
            failed |= errors | decoding.broken(rows)
            fresh: Sequence[EncodedRows] = [r for r in rows if r.workspace_id not in failed]
            if cache:
                fresh = cache.hold(request, workspaces, fresh)
            known |= {own.workspace_id: own for own in fresh}
        return [known[w.workspace_id] for w in workspaces if w.workspace_id in known]

    def _read(
        self,
        request: RowsRequest,
        plan: Plan,
        workspaces: Sequence[int],
        among: Sequence[int] | None,
    ) -> tuple[list[EncodedRows], dict[int, str]]:
        """Rows of some workspaces: as the night has packed them where it has, else as they stand.
        ``among`` is None where they are all that there are in scope."""
        if plan.period.preset is None or not plan.points:
            return encoded_rows.scoped_rows(self.connection, request, among)
        packed = preset_rows.packed(self.connection, plan.period.preset, request, among)
        ready = {rows.workspace_id for rows in packed}
        rest = [workspace for workspace in workspaces if workspace not in ready]
        if not rest:
            return packed, {}
        rows, errors = encoded_rows.scoped_rows(self.connection, request, rest if ready else among)
        return packed + rows, errors

    def tables(
        self, workspaces: Sequence[ScopedWorkspace], plan: Plan, last: date, failed: Failures
    ) -> Tables:
        """Rows of the workspaces that can be read, decoded; adds to ``failed``."""
        slugs = {w.workspace_id: w.slug for w in workspaces}
        rows = self.rows(workspaces, plan, last, failed)
        return decoding.tables(rows, slugs, plan, last, self.layout)

    def scatter(self, slugs: Mapping[int, str], first: date) -> Scatter:
        """Scatter that the watch has learned of workspaces, by id their slugs, for days from ``first``."""

        def read() -> Scatter:
            return open_signals.scope_scatter(self.connection, slugs)

        cache = self.row_cache
        learned = cache.scatter((self.state, *slugs), read) if cache else read()
        return open_signals.with_days(self.connection, learned, first)

    def days_seen(self, tables: Tables, plan: Plan, last: date) -> dict[str, int]:
        """Count of the days of the period, and of the one before, on which any workspace had a
        snapshot: known at once when one of them has every day, else counted."""
        counts = {}
        for label in (NOW, BEFORE):
            (span,) = plan.spans[label]
            most = tables.by_name[USAGE].over[label][DAYS_SEEN].max(initial=0)
            counts[label] = (
                span.days
                if most == span.days
                else days_seen(self.connection, span.start, min(span.end, last))
            )
        return counts


def rows_request(plan: Plan, last: date, layout: Layout) -> RowsRequest:
    """The rows of a plan up to a day: one that is still being written is not read."""
    days = sorted({min(border, last) for border in plan.borders})
    return RowsRequest(days, min(plan.period.end, last), plan.blocks, layout)


def own_tables(connection: Connection, membership: Membership, plan: Plan, last: date) -> Tables:
    """Tables of one workspace, in whose context the connection is; without any row when what is stored
    is broken."""
    slugs = {membership.workspace_id: membership.slug}
    layout = encoded_rows.number_layout(connection)
    request = rows_request(plan, last, layout)
    try:
        rows = [encoded_rows.own_rows(connection, membership.workspace_id, request)]
    except encoded_rows.WorkspaceUnreadable:
        rows = []
    return decoding.tables([] if decoding.broken(rows) else rows, slugs, plan, last, layout)


def label(workspace: ScopedWorkspace | Membership) -> WorkspaceLabel:
    """Slug, name and colour of a workspace, for its card."""
    return WorkspaceLabel(workspace.slug, workspace.name, workspace.accent)
