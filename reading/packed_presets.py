"""Presets made ready by the night: the rows that their dashboards read, packed workspace by workspace."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import date
from functools import partial

import psycopg2
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from aggregators.chosen.changes import ChosenSettings
from aggregators.chosen.names import SPRINT_DAYS
from aggregators.pooling.plan import Plan
from aggregators.vocabulary.period import PRESETS, rolling
from reading import decoding
from reading.rows import PresetRequest, preset_request, rows_of_all
from settings import Settings
from storage import context
from storage.chosen import store
from storage.context import Begins
from storage.database import Database
from storage.executive import encoded_rows, preset_rows
from storage.executive.preset_rows import PackableRows
from storage.executive.scope import newest_day
from storage.nodes.lanes import Lanes

log = logging.getLogger("vigilo.presets")

TOGETHER = 40
"""Workspaces whose values are computed together: one alone takes three times as long as one of many."""
AT_ONCE = 2
"""Workspaces at a time, as in a run of the snapshot: the work is PostgreSQL's."""
DAYS = text("""
select max(snapshot_day), min(snapshot_day),
       (select max(day) from snapshot_run where finished_at is not null)
from workspace where is_active
""")


def pack(database: Database, settings: Settings) -> int:
    """Packs what every preset reads of each workspace as of the organisation's last day; of how many. One
    that can not be packed is logged, and read as it stands."""
    with database.job.begin() as connection:
        last = newest_day(*connection.execute(DAYS).one())
        if last is None:
            return 0
        workspaces = [id for id, _ in context.active_workspaces(connection, with_figures=True)]
        chosen = ChosenSettings(store.of_organisation(connection))
        sprint_days = chosen.value(SPRINT_DAYS, last, settings.sprint_days)
        requests = _requests(connection, last, sprint_days)

    with Lanes(database.job, workspaces, AT_ONCE) as lanes:
        packing = [
            kept
            for rows in _read_in_batches(lanes, workspaces, requests)
            for kept in _keep_values(lanes, _values(rows, requests))
        ]
        return sum(done.result() for done in packing)


Rows = Mapping[int, Sequence[PackableRows]]
"""Rows of presets by workspace id; of a workspace whose presets are packed already there are none."""
PackedValue = tuple[int, str, int, bytes]
"""Preset, name, version of the snapshots, and value."""


def _read_in_batches(
    lanes: Lanes, workspaces: Sequence[int], requests: Mapping[int, PresetRequest]
) -> Iterator[Rows]:
    """Rows of a few workspaces after the other: the next are read while somebody works on those given."""
    wanted = {n: (request.name, request.rows) for n, request in requests.items()}
    together = rows_of_all([request.rows for request in requests.values()])

    def read(workspace_id: int, begins: Begins) -> Sequence[PackableRows] | None:
        with _left_unpacked_on_error(workspace_id), context.job_in(begins, workspace_id) as own:
            return preset_rows.rows_to_pack(own, workspace_id, wanted, together)
        return None

    batches = [workspaces[n : n + TOGETHER] for n in range(0, len(workspaces), TOGETHER)]
    coming = [(key, lanes.submit(key, partial(read, key))) for key in batches[0]] if batches else []
    for following in [*batches[1:], []]:
        under_way, coming = (
            coming,
            [(key, lanes.submit(key, partial(read, key))) for key in following],
        )
        rows_by_workspace = {key: done.result() for key, done in under_way}
        yield {key: rows for key, rows in rows_by_workspace.items() if rows is not None}


def _values(
    rows: Rows, requests: Mapping[int, PresetRequest]
) -> Mapping[int, Sequence[PackedValue]]:
    """Values of a few workspaces, computed together where the same presets are missing."""
    values: dict[int, list[PackedValue]] = {workspace_id: [] for workspace_id in rows}
    by_presets: dict[tuple[int, ...], list[PackableRows]] = {}
    for own in rows.values():
        for one in own:
            by_presets.setdefault(one.presets, []).append(one)
    for presets, every in by_presets.items():
        unreadable = decoding.broken_durations([one.rows for one in every])
        whole = [one for one in every if one.rows.workspace_id not in unreadable]
        chosen = [requests[preset] for preset in presets]
        last, layout = chosen[0].rows.last_day, chosen[0].rows.layout
        plans = [request.plan for request in chosen]
        packed = decoding.packed_presets([one.rows for one in whole], plans, last, layout)
        for request, of_preset in zip(chosen, packed, strict=True):
            for one, value in zip(whole, of_preset, strict=True):
                kept = request.preset, request.name, one.version, value
                values[one.rows.workspace_id].append(kept)
    return values


def _keep_values(
    lanes: Lanes, values: Mapping[int, Sequence[PackedValue]]
) -> Iterator[Future[bool]]:
    """Has the values of each workspace kept in its context; whether they are."""

    def keep(workspace_id: int, own: Sequence[PackedValue], begins: Begins) -> bool:
        if not own:
            return True
        with (
            _left_unpacked_on_error(workspace_id),
            context.job_in(begins, workspace_id) as connection,
        ):
            # A crash loses what the next night packs again.
            connection.execute(text("set local synchronous_commit = off"))
            preset_rows.keep(connection, workspace_id, own)
            return True
        return False

    for workspace_id, own in values.items():
        yield lanes.submit(workspace_id, partial(keep, workspace_id, own))


@contextmanager
def _left_unpacked_on_error(workspace_id: int) -> Iterator[None]:
    """A workspace whose presets can not be packed is logged, and read as it stands."""
    try:
        yield
    except (SQLAlchemyError, psycopg2.Error):
        log.exception("the presets of workspace %s are not packed", workspace_id)


def _requests(connection: Connection, last: date, sprint_days: int) -> dict[int, PresetRequest]:
    layout = encoded_rows.number_layout(connection)
    plans = {n: Plan.of(rolling(n, last), last, sprint_days) for n in PRESETS}
    return {n: preset_request(plan, last, layout) for n, plan in plans.items()}
