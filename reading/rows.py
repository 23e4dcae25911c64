"""Snapshot rows of a plan, each workspace's read in its own context, and decoded into tables."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Connection

from aggregators.pooling.cards import WorkspaceLabel
from aggregators.pooling.plan import BEFORE, NOW, Plan
from aggregators.pooling.presets.form import FORM
from aggregators.pooling.presets.unpacking import broken_values
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

log = logging.getLogger("vigilo.presets")

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

    def tables(
        self, workspaces: Sequence[ScopedWorkspace], plan: Plan, last: date, failed: Failures
    ) -> Tables:
        """Tables of the workspaces that can be read, in their order; adds to ``failed``. Days of one's own
        are hardly ever asked for by two, so they are neither packed nor held."""
        if plan.period.preset is not None and plan.points:
            return self._preset(workspaces, plan, last, failed)
        return self._as_they_stand(workspaces, plan, last, failed)

    def _as_they_stand(
        self, workspaces: Sequence[ScopedWorkspace], plan: Plan, last: date, failed: Failures
    ) -> Tables:
        """Tables made of the rows, by none of the values."""
        slugs = {w.workspace_id: w.slug for w in workspaces}
        rows = self._rows(rows_request(plan, last, self.layout), None, failed)
        by_id = {own.workspace_id: own for own in rows}
        ordered = [by_id[w.workspace_id] for w in workspaces if w.workspace_id in by_id]
        return decoding.tables(ordered, slugs, plan, last, self.layout)

    def _preset(
        self, workspaces: Sequence[ScopedWorkspace], plan: Plan, last: date, failed: Failures
    ) -> Tables:
        """Tables of a preset: each workspace's value from the cache, else as the night has packed it, else
        made of its rows."""
        request = preset_request(plan, last, self.layout)
        values = self.row_cache.find(request.name, workspaces) if self.row_cache else {}
        missing = [w.workspace_id for w in workspaces if w.workspace_id not in values]
        if missing:
            among = missing if values else None
            fresh = self._packed_values(request, among)
            if not fresh and self.row_cache is None:
                # Values would serve nobody: making them takes as long as reading the rows.
                return self._as_they_stand(workspaces, plan, last, failed)
            rest = [workspace_id for workspace_id in missing if workspace_id not in fresh]
            if rest:
                rows = self._rows(request.rows, rest if fresh else among, failed)
                (packed_now,) = decoding.packed_presets(rows, [plan], last, self.layout)
                ids = [own.workspace_id for own in rows]
                fresh |= zip(ids, packed_now, strict=True)
            if self.row_cache:
                self.row_cache.hold(request.name, workspaces, fresh)
            values |= fresh
        with_values = [w for w in workspaces if w.workspace_id in values]
        readable_values = [values[w.workspace_id] for w in with_values]
        return decoding.preset_tables(readable_values, [w.slug for w in with_values], plan)

    def _packed_values(
        self, request: PresetRequest, among: Sequence[int] | None
    ) -> dict[int, bytes]:
        """Values that the night has packed of the workspaces in scope, or of those ``among`` them."""
        values = preset_rows.packed_values(self.connection, request.preset, request.name, among)
        ids = list(values)
        for at in broken_values(list(values.values()), decoding.forms(request.plan)):
            log.error("the packed preset of workspace %s is damaged", ids[at])
            del values[ids[at]]
        return values

    def _rows(
        self, request: RowsRequest, among: Sequence[int] | None, failed: Failures
    ) -> list[EncodedRows]:
        """Rows of the workspaces in scope, or of those ``among`` them, that can be read; adds to
        ``failed``."""
        rows, errors = encoded_rows.scoped_rows(self.connection, request, among)
        failed |= errors | decoding.broken_durations(rows)
        return [own for own in rows if own.workspace_id not in failed]

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


def rows_of_all(requests: Sequence[RowsRequest]) -> RowsRequest:
    """The rows of several requests in one, which are up to the same day. Raises ValueError without any."""
    days = sorted(set().union(*(request.days for request in requests)))
    firsts, lasts = zip(*(request.blocks for request in requests), strict=True)
    return replace(requests[0], days=days, blocks=(min(firsts), max(lasts)))


@dataclass(frozen=True, slots=True)
class PresetRequest:
    """Request for the values of a preset: the ``name`` that they are packed under, and the rows that they
    are made of. Two with the same name are of the same days, in the same form."""

    preset: int
    plan: Plan
    rows: RowsRequest
    name: str


def preset_request(plan: Plan, last: date, layout: Layout) -> PresetRequest:
    """Request for a preset up to a day."""
    assert plan.period.preset is not None
    rows = rows_request(plan, last, layout)
    what = FORM, rows.key, sorted(plan.spans.items()), decoding.forms(plan)
    name = hashlib.sha256(repr(what).encode()).hexdigest()[:32]
    return PresetRequest(plan.period.preset, plan, rows, name)


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
    return decoding.tables(
        [] if decoding.broken_durations(rows) else rows, slugs, plan, last, layout
    )


def label(workspace: ScopedWorkspace | Membership) -> WorkspaceLabel:
    """Slug, name and colour of a workspace, for its card."""
    return WorkspaceLabel(workspace.slug, workspace.name, workspace.accent)
