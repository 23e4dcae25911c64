"""Reads and nights beside the rows of a cluster say what one workspace after the other does, wherever the
shards are, and show nobody a row that is not theirs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from aggregators.vocabulary.period import PRESETS, Ask
from reading.dashboard import read
from reading.encode import dashboard_json
from reading.signals import night
from storage import context
from storage.context import as_viewer
from storage.database import Database, connect
from storage.executive.binary_copy import copied_rows, fields, integer
from storage.executive.scope import days_seen
from storage.identity import tickets
from storage.nodes import nights, visits
from storage.nodes.lanes import lane_of
from storage.snapshot import job
from storage.snapshot.staging import DayRange, Overtaken, stage_values
from storage.viewer import Viewer
from storage.watch import rows, store
from tests.storage.nodes.cluster import NEEDS_CLUSTER, ToldDatabase, distributed, statements

LAST = date(2026, 11, 22)
DAYS = [LAST - timedelta(days=n) for n in (35, 20, 3, 0)]
ROWS = (context.ROLLUP, DAYS, LAST, 0, 100_000)
NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)
THREADS, READS = 16, 12
TOTALS, TIMED = ("days_total", "incidents_opened_total"), ("recovery_time",)
pytestmark = NEEDS_CLUSTER


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[ToldDatabase]:
    with distributed("vigilo_beside", tmp_path_factory.mktemp("beside")) as made:
        made.typed("demo load --workspaces 12 --days 40")
        made.typed("member grant dave@demo.example payments platform_admin")
        yield made


@pytest.fixture
def database(cluster) -> Iterator[Database]:
    made = connect(cluster.settings)
    yield made
    made.close()


def viewer(database: Database, name: str) -> Viewer:
    email = f"{name}@demo.example"
    with database.job.begin() as connection:
        found = connection.execute(text("select id from app_user where email = :e"), {"e": email})
        key = found.scalar_one()
        return Viewer(key, email, proof=tickets.issue(connection, key))


@contextmanager
def one_by_one(connection: Connection) -> Iterator[None]:
    """The connection knows no function on the nodes."""
    connection.info[visits.KNOWN] = frozenset()
    yield
    del connection.info[visits.KNOWN]


def told(connection: Connection, visit: visits.Visit, values: tuple[Any, ...]) -> list[tuple]:
    rows = visits.in_scope(connection, visit, values)
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


def ids(cluster: ToldDatabase) -> list[int]:
    return [
        row[0]
        for row in statements(cluster.url, "select id from workspace where is_active order by 1")
    ]


def moved(cluster: ToldDatabase, slug: str, *before: str) -> None:
    """Moves the shard of a workspace to another node, and takes away what is left behind."""
    (where,) = statements(
        cluster.url,
        "select p.shardid, n.nodename, n.nodeport from pg_dist_placement p join pg_dist_node n"
        " using (groupid) where p.shardid = get_shard_id_for_distribution_column("
        f"'workspace_usage_snapshot', (select id from workspace where slug = '{slug}'))",
    )
    shard, host, port = where
    (other,) = statements(
        cluster.url,
        "select nodename, nodeport from pg_dist_node where shouldhaveshards"
        f" and (nodename, nodeport) <> ('{host}', {port}) limit 1",
    )
    statements(
        cluster.url,
        *before,
        f"select citus_move_shard_placement({shard}, '{host}', {port}, '{other[0]}', {other[1]},"
        " 'block_writes')",
        "call citus_cleanup_orphaned_resources()",
    )


@pytest.mark.parametrize(
    "visit", [visits.ROWS, visits.PRESET, visits.SCATTER], ids=lambda visit: visit.function
)
def test_all_nodes_at_once_give_what_one_by_one_gives(cluster, database, caplog, visit):
    values = {
        visits.ROWS: ROWS,
        visits.PRESET: (context.ROLLUP, 28, asked_of(cluster, 28)),
        visits.SCATTER: (context.ROLLUP,),
    }[visit]
    with as_viewer(database.web, viewer(database, "alice")) as connection:
        assert len({node for node, _ in nights.by_shard(connection, ids(cluster))}) > 1
        assert visits.is_made(connection, visit.function)
        at_once = told(connection, visit, values)
        with one_by_one(connection):
            assert told(connection, visit, values) == at_once
    assert len(at_once) == len(ids(cluster))
    assert all(any(value for value in row[1:]) for row in at_once)
    assert caplog.records == []


def test_days_of_a_scope_are_counted_on_all_nodes(cluster, database, caplog):
    with as_viewer(database.web, viewer(database, "alice")) as connection:
        assert days_seen(connection, LAST - timedelta(days=99), LAST) == 40
        with one_by_one(connection):
            assert days_seen(connection, LAST - timedelta(days=99), LAST) == 40
    assert caplog.records == []


def test_the_watch_reads_on_all_nodes_what_one_by_one_gives(cluster, database, caplog):
    every = ids(cluster)
    days = (LAST - timedelta(days=30), LAST)
    with database.job.begin() as connection:
        assert visits.is_made(connection, visits.WATCHED_ROWS.function)
        at_once = store.kept(connection, every), rows.read(connection, every, days, TOTALS, TIMED)
        with one_by_one(connection):
            alone = store.kept(connection, every), rows.read(connection, every, days, TOTALS, TIMED)
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


def test_what_the_watch_has_told_is_kept_on_the_nodes_as_by_one_call(cluster, database):
    every = ids(cluster)
    look = "select * from watch_series order by workspace_id, series"
    night.run(database, LAST)
    before = statements(cluster.url, look)
    watch_states = "select workspace_id, held_on, data from watch_state order by 1"
    states = statements(cluster.url, watch_states)
    assert {row[0] for row in states} == set(every)
    statements(
        cluster.url, "update watch_series set evidence = 0", "update watch_state set data = ''"
    )
    night.run(database, LAST)
    assert statements(cluster.url, look) == before
    assert statements(cluster.url, watch_states) == states


def test_some_of_a_scope_are_read_alone(cluster, database):
    some = ids(cluster)[2:5]
    with as_viewer(database.web, viewer(database, "alice")) as connection:
        found = visits.in_scope(connection, visits.ROWS, ROWS, some)
        assert sorted(integer(row[0]) for row in found) == some
        assert list(visits.in_scope(connection, visits.ROWS, ROWS, [])) == []


def test_a_node_shows_nobody_a_workspace_that_is_not_theirs(cluster, database):
    """Told all workspaces, it still goes by its own policies."""
    asked = (
        "select vigilo_nodes.rows_in_context(p.shard, p.low, p.high, %s::bigint[], %s::bigint[], %s,"
        " %s::date[], %s, %s, %s) from vigilo_nodes.place p"
    )
    every = ids(cluster)
    (payments,) = statements(cluster.url, "select id from workspace where slug = 'payments'")[0]
    seen: dict[str, set[int]] = {}
    for name in ("alice", "dave"):
        with as_viewer(database.web, viewer(database, name)) as connection:
            rows = [
                list(fields(row[0]))
                for row in copied_rows(connection, asked, (every, [0] * len(every), *ROWS))
            ]
            seen[name] = {integer(key) for key, failed, usage, *_ in rows if usage}
            assert {integer(row[0]) for row in rows} == set(every)
    assert seen == {"alice": set(every), "dave": {payments}}
    with database.web.connect() as connection:
        rows = [
            list(fields(row[0]))
            for row in copied_rows(connection, asked, (every, [0] * len(every), *ROWS))
        ]
        assert not any(usage for _, _, usage, *_ in rows)


def test_the_context_of_the_nodes_is_written_back(database):
    count = text("select count(*) from workspace_usage_snapshot")
    with as_viewer(database.web, viewer(database, "alice")) as connection:
        before = context.current(connection)
        for _ in range(2):
            assert list(visits.in_scope(connection, visits.ROWS, ROWS))
            assert list(visits.in_scope(connection, visits.SCATTER, (context.ROLLUP,)))
            assert context.current(connection) == before
            assert connection.execute(count).scalar() == 0


def test_a_workspace_that_moves_between_two_reads_is_read(cluster, database, caplog):
    someone, ask = viewer(database, "alice"), Ask(None, DAYS[1], DAYS[-1])
    before = everything(database, someone, ask, cluster.settings)
    for _ in range(2):
        moved(cluster, "payments")
        assert everything(database, someone, ask, cluster.settings) == before
    assert caplog.records == []


def test_a_shard_without_a_branch_is_read_one_by_one(cluster, database, caplog):
    """As after a split, until the next upgrade has made the functions anew."""
    someone, ask = viewer(database, "alice"), Ask(None, DAYS[1], DAYS[-1])
    before = everything(database, someone, ask, cluster.settings)
    statements(cluster.url, "update vigilo_nodes.place set shard = shard + 1000000 where place = 1")
    try:
        assert everything(database, someone, ask, cluster.settings) == before
        assert "the nodes can not be read at once" in caplog.text
    finally:
        statements(
            cluster.url, "update vigilo_nodes.place set shard = shard - 1000000 where place = 1"
        )


def test_many_read_at_once_while_a_shard_moves(cluster, database):
    someone = viewer(database, "alice")
    asks = [Ask(preset) for preset in PRESETS] + [Ask(None, DAYS[1], DAYS[-1])]
    expected = [everything(database, someone, ask, cluster.settings) for ask in asks]

    def reader(thread: int) -> int:
        return sum(
            everything(database, someone, asks[n % len(asks)], cluster.settings)
            != expected[n % len(asks)]
            for n in range(thread, thread + READS)
        )

    with ThreadPoolExecutor(THREADS) as pool:
        readers = [pool.submit(reader, thread) for thread in range(THREADS)]
        moved(cluster, "payments")
        assert [one.result() for one in readers] == [0] * THREADS


# The night


def test_each_node_has_a_lane_of_its_own(cluster, database):
    lanes = lane_of(database.job, ids(cluster), 2)
    with database.job.connect() as connection:
        assert nights.stages(connection)
        assert nights.packs(connection)
        shards = nights.by_shard(connection, ids(cluster))
    assert {len({lanes[key] for key in keys}) for _, keys in shards} == {1}
    assert len(set(lanes.values())) == len({node for node, _ in shards}) > 1


def snapshots(cluster: ToldDatabase) -> list[Any]:
    return statements(
        cluster.url,
        "select w.slug, w.snapshot_version, w.snapshot_day, u.changed_at, u.packed"
        " from workspace w join workspace_usage_snapshot u on u.workspace_id = w.id"
        " order by 1, u.snapshot_date",
    )


def test_a_night_again_changes_the_versions_alone(cluster, database):
    before = snapshots(cluster)
    outcome = job.run(database, LAST, cluster.settings)
    assert outcome.failed == {}
    assert outcome.done == len(ids(cluster))
    after = snapshots(cluster)
    assert [row[2:] for row in after] == [row[2:] for row in before]
    active = {
        slug for slug, *_ in statements(cluster.url, "select slug from workspace where is_active")
    }
    for (slug, version, *_), (_, former, *_) in zip(after, before, strict=True):
        assert version == former + (slug in active)


def test_a_workspace_that_can_not_be_published_costs_itself_alone(cluster, database):
    (one,) = statements(
        cluster.url, "select id, snapshot_version from workspace where slug = 'payments'"
    )
    add = f"add constraint refused check (workspace_id <> {one[0]}) not valid"
    statements(cluster.url, f"alter table workspace_usage_snapshot {add}")
    try:
        outcome = job.run(database, LAST, cluster.settings)
    finally:
        statements(cluster.url, "alter table workspace_usage_snapshot drop constraint refused")
    assert list(outcome.failed) == ["payments"]
    assert "refused" in outcome.failed["payments"]
    versions = (
        "select slug, snapshot_version from workspace where is_active and slug in ('payments')"
    )
    assert statements(cluster.url, versions)[0][1] == one[1]
    assert job.run(database, LAST, cluster.settings).failed == {}


def test_days_that_another_run_has_staged_are_not_published(cluster, database, monkeypatch):
    """Nothing of the run is, on no node."""
    before = snapshots(cluster)
    calls = nights.published

    def overtaken(connection: Connection, *others: Any) -> Any:
        statements(
            cluster.url,
            "update staged_workspace set since = timestamptz '2000-01-01' where workspace_id ="
            " (select id from workspace where slug = 'payments')",
        )
        return calls(connection, *others)

    monkeypatch.setattr(nights, "published", overtaken)
    with pytest.raises(Overtaken, match="nothing was published"):
        job.run(database, LAST, cluster.settings)
    assert snapshots(cluster) == before
    monkeypatch.undo()
    assert job.run(database, LAST, cluster.settings).failed == {}


def test_a_shard_in_which_somebody_writes_does_not_move(cluster, database):
    """What is written beside the rows of a shard on the move would stay behind."""
    (key,) = statements(cluster.url, "select id from workspace where slug = 'payments'")[0]
    writes = {
        "stage": lambda own: nights.staged(
            own, stage_values(own, key, [DayRange(LAST, LAST)], cluster.settings, NOW)
        ),
        "add": lambda own: nights.add(own, key, {"vendor": (("key", "name"), "[]")}),
        "publish": lambda own: list(nights.published(own, [key], NOW, {})),
    }
    for write in writes.values():
        with context.job_in(database.job, key) as own:
            write(own)
            with pytest.raises(OperationalError, match="lock timeout"):
                moved(cluster, "payments", "set lock_timeout = '1s'")


def prepared(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("select count(*) from pg_prepared_xacts")).scalar_one())


def test_a_run_is_published_in_two_phases(cluster, database, caplog):
    """What Citus sends to each node that has written, before it commits."""
    caplog.set_level(logging.INFO)
    notices: list[str] = []
    engine = database.job
    with engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        key = ids(cluster)
        since = connection.execute(text("select now()")).scalar_one()
        connection.commit()
        for each in key:
            with context.job_in(engine, each) as own:
                values = stage_values(own, each, [DayRange(LAST, LAST)], cluster.settings, since)
                assert nights.staged(own, values)[0] == 1
        with connection.begin():
            connection.execute(text("set local citus.log_remote_commands = on"))
            done = list(nights.published(connection, key, since, {}))
            assert [one.refused for one in done] == [None] * len(key)
        notices += raw.notices
    sent = {
        line.split("@")[1].split()[0]
        for notice in notices
        for line in notice.splitlines()
        if line.startswith("DETAIL") and "PREPARE TRANSACTION" in notice
    }
    assert len(sent) >= 2
    assert prepared(engine) == 0
