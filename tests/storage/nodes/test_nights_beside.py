"""Nights beside the rows of a cluster: a lane for each node, all or nothing, and no shard moves then."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from reading.signals import night
from storage import context
from storage.nodes import nights
from storage.nodes.lanes import lane_of
from storage.snapshot import job
from storage.snapshot.staging import DayRange, Overtaken, stage_values
from tests.storage.nodes.cluster import NEEDS_CLUSTER, ToldDatabase, ids, moved, statements

LAST = date(2026, 11, 22)
NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)
pytestmark = NEEDS_CLUSTER


def test_what_the_watch_has_told_is_kept_on_the_nodes_as_by_one_call(cluster, clustered):
    every = ids(cluster)
    look = "select * from watch_series order by workspace_id, series"
    night.run(clustered, LAST)
    before = statements(cluster.url, look)
    watch_states = "select workspace_id, held_on, data from watch_state order by 1"
    states = statements(cluster.url, watch_states)
    assert {row[0] for row in states} == set(every)
    statements(cluster.url, "update watch_series set evidence = 0")
    night.run(clustered, LAST)
    assert statements(cluster.url, look) == before
    assert statements(cluster.url, watch_states) == states


def test_each_node_has_a_lane_of_its_own(cluster, clustered):
    lanes = lane_of(clustered.job, ids(cluster), 2)
    with clustered.job.connect() as connection:
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


def test_a_night_again_changes_the_versions_alone(cluster, clustered):
    before = snapshots(cluster)
    outcome = job.run(clustered, LAST, cluster.settings)
    assert outcome.failed == {}
    assert outcome.done == len(ids(cluster))
    after = snapshots(cluster)
    assert [row[2:] for row in after] == [row[2:] for row in before]
    active = {
        slug for slug, *_ in statements(cluster.url, "select slug from workspace where is_active")
    }
    for (slug, version, *_), (_, former, *_) in zip(after, before, strict=True):
        assert version == former + (slug in active)


def test_a_workspace_that_can_not_be_published_costs_itself_alone(cluster, clustered):
    (one,) = statements(
        cluster.url, "select id, snapshot_version from workspace where slug = 'payments'"
    )
    add = f"add constraint refused check (workspace_id <> {one[0]}) not valid"
    statements(cluster.url, f"alter table workspace_usage_snapshot {add}")
    try:
        outcome = job.run(clustered, LAST, cluster.settings)
    finally:
        statements(cluster.url, "alter table workspace_usage_snapshot drop constraint refused")
    assert list(outcome.failed) == ["payments"]
    assert "refused" in outcome.failed["payments"]
    versions = (
        "select slug, snapshot_version from workspace where is_active and slug in ('payments')"
    )
    assert statements(cluster.url, versions)[0][1] == one[1]
    assert job.run(clustered, LAST, cluster.settings).failed == {}


def test_days_that_another_run_has_staged_are_not_published(cluster, clustered, monkeypatch):
    """Nothing of the run is, on no node."""
    before = snapshots(cluster)
    calls = nights.publish_workspaces

    def overtaken(connection: Connection, *others: Any) -> Any:
        statements(
            cluster.url,
            "update staged_workspace set since = timestamptz '2000-01-01' where workspace_id ="
            " (select id from workspace where slug = 'payments')",
        )
        return calls(connection, *others)

    monkeypatch.setattr(nights, "publish_workspaces", overtaken)
    with pytest.raises(Overtaken, match="nothing was published"):
        job.run(clustered, LAST, cluster.settings)
    assert snapshots(cluster) == before
    monkeypatch.undo()
    assert job.run(clustered, LAST, cluster.settings).failed == {}


def test_a_shard_in_which_somebody_writes_does_not_move(cluster, clustered):
    """Whatever is written beside the rows of a shard on the move would stay behind."""
    (key,) = statements(cluster.url, "select id from workspace where slug = 'payments'")[0]
    writes = {
        "stage": lambda own: nights.stage_workspace(
            own, stage_values(own, key, [DayRange(LAST, LAST)], cluster.settings, NOW)
        ),
        "add": lambda own: nights.add(own, key, {"vendor": (("key", "name"), "[]")}),
        "publish": lambda own: list(nights.publish_workspaces(own, [key], NOW, {})),
    }
    for write in writes.values():
        with context.job_in(clustered.job, key) as own:
            write(own)
            with pytest.raises(OperationalError, match="lock timeout"):
                moved(cluster, "payments", "set lock_timeout = '1s'")


def prepared(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("select count(*) from pg_prepared_xacts")).scalar_one())


def test_a_run_is_published_in_two_phases(cluster, clustered, caplog):
    """As Citus sends it to each node that has written, before it commits."""
    caplog.set_level(logging.INFO)
    notices: list[str] = []
    engine = clustered.job
    with engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        key = ids(cluster)
        since = connection.execute(text("select now()")).scalar_one()
        connection.commit()
        for each in key:
            with context.job_in(engine, each) as own:
                values = stage_values(own, each, [DayRange(LAST, LAST)], cluster.settings, since)
                assert nights.stage_workspace(own, values)[0] == 1
        with connection.begin():
            connection.execute(text("set local citus.log_remote_commands = on"))
            done = list(nights.publish_workspaces(connection, key, since, {}))
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
