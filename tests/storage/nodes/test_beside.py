"""Reads and nights beside the rows of a cluster say what one workspace after the other does, wherever the
shards are, and show nobody a row that is not theirs."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from aggregators.vocabulary.period import PRESETS, Ask
from reading.dashboard import read
from reading.encode import dashboard_json
from storage import context
from storage.context import as_viewer
from storage.database import Database
from storage.executive.binary_copy import copied_rows, fields, integer
from storage.executive.scope import days_seen
from storage.nodes import nights, visits
from storage.viewer import Viewer
from storage.watch import rows, store
from tests.storage.nodes.cluster import (
    NEEDS_CLUSTER,
    ToldDatabase,
    ids,
    moved,
    statements,
    viewer,
)

LAST = date(2026, 11, 22)
DAYS = [LAST - timedelta(days=n) for n in (35, 20, 3, 0)]
ROWS = (context.ROLLUP, DAYS, LAST, 0, 100_000)
THREADS, READS = 16, 12
TOTALS, TIMED = ("days_total", "incidents_opened_total"), ("recovery_time",)
pytestmark = NEEDS_CLUSTER


@contextmanager
def one_by_one(connection: Connection) -> Iterator[None]:
    """The connection knows no function on the nodes."""
    connection.info[visits.KNOWN] = frozenset()
    yield
    del connection.info[visits.KNOWN]


def told(connection: Connection, visit: visits.Visit, values: tuple[Any, ...]) -> list[tuple]:
    rows = visits.in_scope(connection, visit, values, list)
    return sorted(tuple(v and bytes(v) for v in row) for row in rows)


def everything(database: Database, someone: Viewer, ask: Ask, settings: Any) -> str:
    """A dashboard, but for when it was made."""
    made = dashboard_json(read(database, someone, ask, settings))
    return str({key: value for key, value in made.items() if key != "generated_at"})


def asked_of(cluster: ToldDatabase, preset: int) -> str:
    (row,) = statements(
        cluster.url, f"select distinct asked from preset_rows where preset = {preset}"
    )
    return str(row[0])


@pytest.mark.parametrize(
    "visit", [visits.ROWS, visits.PRESET, visits.SCATTER], ids=lambda visit: visit.function
)
def test_all_nodes_at_once_give_what_one_by_one_gives(cluster, clustered, caplog, visit):
    values = {
        visits.ROWS: ROWS,
        visits.PRESET: (context.ROLLUP, 28, asked_of(cluster, 28)),
        visits.SCATTER: (context.ROLLUP,),
    }[visit]
    with as_viewer(clustered.web, viewer(clustered, "alice")) as connection:
        assert len({node for node, _ in nights.by_shard(connection, ids(cluster))}) > 1
        assert visits.is_made(connection, visit.function)
        at_once = told(connection, visit, values)
        with one_by_one(connection):
            assert told(connection, visit, values) == at_once
    assert len(at_once) == len(ids(cluster))
    assert all(any(value for value in row[1:]) for row in at_once)
    assert caplog.records == []


def test_days_of_a_scope_are_counted_on_all_nodes(cluster, clustered, caplog):
    with as_viewer(clustered.web, viewer(clustered, "alice")) as connection:
        assert days_seen(connection, LAST - timedelta(days=99), LAST) == 40
        with one_by_one(connection):
            assert days_seen(connection, LAST - timedelta(days=99), LAST) == 40
    assert caplog.records == []


def test_the_watch_reads_on_all_nodes_what_one_by_one_gives(cluster, clustered, caplog):
    every = ids(cluster)
    days = (LAST - timedelta(days=30), LAST)
    with clustered.job.begin() as connection:
        assert visits.is_made(connection, visits.WATCHED_ROWS.function)
        at_once = (
            store.kept_states(connection, every),
            rows.read(connection, every, days, TOTALS, TIMED),
        )
        with one_by_one(connection):
            alone = (
                store.kept_states(connection, every),
                rows.read(connection, every, days, TOTALS, TIMED),
            )
        assert plain(at_once) == plain(alone)
        assert list(at_once[0]) == every
        assert all(one.usage for one in at_once[1].rows)
        assert all(one.data for one in at_once[0].values())
    assert caplog.records == []


def plain(value: Any) -> str:
    """Everything that was read, without the buffers that hold it."""
    kept, days = value
    told = [
        (bytes(r.usage), [(d.distribution, bytes(d.blocks), bytes(d.entries)) for d in r.durations])
        for r in days.rows
    ]
    return repr((kept, told, days.begun, days.failed))


def test_some_of_a_scope_are_read_alone(cluster, clustered):
    some = ids(cluster)[2:5]
    with as_viewer(clustered.web, viewer(clustered, "alice")) as connection:
        found = visits.in_scope(connection, visits.ROWS, ROWS, list, some)
        assert sorted(integer(row[0]) for row in found) == some
        assert visits.in_scope(connection, visits.ROWS, ROWS, list, []) == []


def test_a_node_shows_nobody_a_workspace_that_is_not_theirs(cluster, clustered):
    """Told all workspaces, it still goes by its own policies."""
    asked = (
        "select vigilo_nodes.rows_in_context(p.shard, p.low, p.high, %s::bigint[], %s::bigint[], %s,"
        " %s::date[], %s, %s, %s) from vigilo_nodes.place p"
    )
    every = ids(cluster)
    (payments,) = statements(cluster.url, "select id from workspace where slug = 'payments'")[0]
    seen: dict[str, set[int]] = {}
    for name in ("alice", "dave"):
        with as_viewer(clustered.web, viewer(clustered, name)) as connection:
            rows = [
                list(fields(row[0]))
                for row in copied_rows(connection, asked, (every, [0] * len(every), *ROWS))
            ]
            seen[name] = {integer(key) for key, failed, usage, *_ in rows if usage}
            assert {integer(row[0]) for row in rows} == set(every)
    assert seen == {"alice": set(every), "dave": {payments}}
    with clustered.web.connect() as connection:
        rows = [
            list(fields(row[0]))
            for row in copied_rows(connection, asked, (every, [0] * len(every), *ROWS))
        ]
        assert not any(usage for _, _, usage, *_ in rows)


def test_the_context_of_the_nodes_is_written_back(clustered):
    count = text("select count(*) from workspace_usage_snapshot")
    with as_viewer(clustered.web, viewer(clustered, "alice")) as connection:
        before = context.current(connection)
        for _ in range(2):
            assert visits.in_scope(connection, visits.ROWS, ROWS, list)
            assert visits.in_scope(connection, visits.SCATTER, (context.ROLLUP,), list)
            assert context.current(connection) == before
            assert connection.execute(count).scalar() == 0


def test_a_workspace_that_moves_between_two_reads_is_read(cluster, clustered, caplog):
    someone, ask = viewer(clustered, "alice"), Ask(None, DAYS[1], DAYS[-1])
    before = everything(clustered, someone, ask, cluster.settings)
    for _ in range(2):
        moved(cluster, "payments")
        assert everything(clustered, someone, ask, cluster.settings) == before
    assert caplog.records == []


def test_a_shard_without_a_branch_is_read_one_by_one(cluster, clustered, caplog):
    """As after a split, until the next upgrade has made the functions anew."""
    someone, ask = viewer(clustered, "alice"), Ask(None, DAYS[1], DAYS[-1])
    before = everything(clustered, someone, ask, cluster.settings)
    statements(cluster.url, "update vigilo_nodes.place set shard = shard + 1000000 where place = 1")
    try:
        assert everything(clustered, someone, ask, cluster.settings) == before
        assert "the nodes can not be read at once" in caplog.text
    finally:
        statements(
            cluster.url, "update vigilo_nodes.place set shard = shard - 1000000 where place = 1"
        )


def test_many_read_at_once_while_a_shard_moves(cluster, clustered):
    someone = viewer(clustered, "alice")
    asks = [Ask(preset) for preset in PRESETS] + [Ask(None, DAYS[1], DAYS[-1])]
    expected = [everything(clustered, someone, ask, cluster.settings) for ask in asks]

    def reader(thread: int) -> int:
        return sum(
            everything(clustered, someone, asks[n % len(asks)], cluster.settings)
            != expected[n % len(asks)]
            for n in range(thread, thread + READS)
        )

    with ThreadPoolExecutor(THREADS) as pool:
        readers = [pool.submit(reader, thread) for thread in range(THREADS)]
        moved(cluster, "payments")
        assert [one.result() for one in readers] == [0] * THREADS
