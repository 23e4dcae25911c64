"""The set-wise job equals the one that goes day by day, on every column, over random organisations."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from aggregators.sketch import MOST, bucket_of, packed_days, place_of, unpacked_days
from storage import collect, setwise, snapshots
from storage.collect import compliance
from storage.context import job_in
from storage.models import COMPLIANCE_LABELS, SNAPSHOT_TABLES, USAGE_FLOWS, USAGE_LABELS
from storage.snapshots import Range
from tests.aggregators.test_figures_against_raw_records import (
    FIRST,
    LAST,
    certificates,
    incidents,
    objectives,
    workspaces,
    zones,
)
from tests.conftest import empty
from tests.one_by_one import budget, job
from tests.one_by_one import collect as slow
from tests.oracle import Records
from tests.world import World, at

TABLES = (
    "deployment",
    "deployment_change",
    "incident",
    "objective",
    "objective_day",
    "control_result",
    "certificate",
    "vendor",
    "vendor_review",
)
ORDER = {
    "workspace_usage_snapshot": "snapshot_date",
    "compliance_snapshot_history": "framework, snapshot_date",
    "duration_block": "block",
}
WHEN = {"computed_at", "changed_at", "packed"}
Write = Callable[..., int]
Call = tuple[int, int, bool]
"""Days from FIRST to the first and the last one of a call, and whether it is a nightly run's."""


def rows(database, workspace_id: int) -> dict[str, list[dict[str, Any]]]:
    """Every stored row of a workspace, but for the instants of computing."""
    found = {}
    with job_in(database.job, workspace_id) as connection:
        for table in SNAPSHOT_TABLES:
            listed = connection.execute(
                text(f"select * from {table.name} order by {ORDER[table.name]}")
            ).mappings()
            found[table.name] = [
                {
                    key: bytes(value) if isinstance(value, memoryview) else value
                    for key, value in row.items()
                    if key not in WHEN
                }
                for row in listed
            ]
    return found


def agree(ours: dict, theirs: dict) -> None:
    """The same rows; floats to nine digits."""
    for table, expected in theirs.items():
        assert len(ours[table]) == len(expected), table
        for one, other in zip(ours[table], expected, strict=True):
            for key, value in other.items():
                where = (table, one.get("snapshot_date"), key)
                if isinstance(value, float) and one[key] is not None:
                    assert one[key] == pytest.approx(value, rel=1e-9, abs=0), where
                else:
                    assert one[key] == value, where


def alike(database, ours: int, theirs: int) -> None:
    """Two workspaces hold the same rows."""
    found, expected = rows(database, ours), rows(database, theirs)
    for listed in (*found.values(), *expected.values()):
        for row in listed:
            del row["workspace_id"]
    agree(found, expected)


@st.composite
def known_certificates(draw):
    """As they come from scans: unreadable ones, several hosts of one fingerprint, undated ones."""
    found = draw(certificates())
    for n, row in enumerate(found):
        row["host"] = draw(st.sampled_from(["", "a.example", "b.example"]))
        row["port"] = n
        row["fingerprint"] = f"f{draw(st.integers(0, 5))}"
        if draw(st.booleans()):
            row["not_before"] = row["not_after"] = None
    return found


@st.composite
def busy(draw):
    """Many objectives of one window, budgets of every state, burns of an hour, ties."""
    slos, days = draw(objectives())
    for row in slos:
        row["window_days"] = draw(st.sampled_from([1, 7, 30, 366]))
    for row in days:
        row["burn_1h_max"] = draw(st.sampled_from([None, 0.0, 1.5, 14.4]))
    return slos, days


@st.composite
def teams(draw) -> Records:
    """A workspace that holds what the organisations of the figures' test hold, and the rarer."""
    made = draw(workspaces())
    made.certificate = draw(known_certificates())
    made.objective, made.objective_day = draw(busy())
    return made


calls = st.lists(
    st.tuples(st.integers(-3, 59), st.integers(0, 59), st.booleans()).map(
        lambda c: (min(c[0], c[1]), max(c[0], c[1]), c[2])
    ),
    min_size=1,
    max_size=4,
)


def fill(world: World, slug: str, records: Records) -> int:
    made = world.workspace(slug)
    for table in TABLES:
        world.add(made, table, getattr(records, table))
    return made


def ask(world: World, write: Write, workspace_id: int, call: Call) -> int:
    first, last, only_known = call
    days = Range(FIRST + timedelta(days=first), FIRST + timedelta(days=last), only_known)
    with job_in(world.database.job, workspace_id) as connection:
        return write(connection, workspace_id, days, world.settings)


def noted(world: World, workspace_id: int) -> tuple:
    with world.database.job.connect() as connection:
        query = text("select snapshot_day, snapshot_version from workspace where id = :w")
        return tuple(connection.execute(query, {"w": workspace_id}).one())


@pytest.fixture
def settings_of_test(settings):
    """Hypothesis has a name of its own for settings."""
    return settings


@settings(
    max_examples=int(os.environ.get("EXAMPLES", "25")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(teams(), calls, zones, st.data())
def test_every_column_equals_the_job_that_goes_day_by_day(
    server, settings_of_test, records, calls, zone, data
):
    """Histories in parts, with gaps, recomputed in the past, records added between the parts."""
    empty(server)
    world = World(server, settings_of_test.model_copy(update={"time_zone": zone}))
    ours, theirs = fill(world, "ours", records), fill(world, "theirs", records)
    late = data.draw(st.integers(0, len(calls)))
    for n, call in enumerate(calls):
        if n == late:
            added = _late(data)
            for workspace_id in (ours, theirs):
                world.add(workspace_id, "incident", added)
        written = ask(world, snapshots.write, ours, call)
        assert written == ask(world, job.write, theirs, call)
        alike(server, ours, theirs)
        assert noted(world, ours) == noted(world, theirs)


def _late(data):
    """Incidents that turn up between two calls, blaming whatever deployment there is."""
    found = data.draw(incidents([]))
    for n, row in enumerate(found):
        row["key"], row["caused_by"] = f"LATE-{n}", data.draw(st.sampled_from([None, "d0", "d1"]))
    return found


PAIRS = [
    (getattr(collect, name), getattr(slow, name))
    for name in ("dora", "incidents", "slos", "certificates", "vendors", "usage")
]


@settings(
    max_examples=int(os.environ.get("EXAMPLES", "15")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(teams(), st.integers(1, 86400), st.integers(0, 40), zones)
def test_live_figures_of_a_day_that_is_not_over_are_those_of_the_records_so_far(
    server, settings_of_test, records, seconds, length, zone
):
    """The collectors, asked for days up to an instant, against the ones that go day by day."""
    empty(server)
    installation = settings_of_test.model_copy(update={"time_zone": zone})
    made = fill(World(server, installation), "team", records)
    midnight = datetime(LAST.year, LAST.month, LAST.day, tzinfo=installation.zone)
    given = (made, LAST - timedelta(days=length), LAST, zone, installation.review_days)
    now = midnight + timedelta(seconds=seconds)
    with job_in(server.job, made) as connection:
        ours = collect.Days(connection, *given, now)
        theirs = slow.Days(connection, *given, now)
        for fast, obvious in PAIRS:
            if hasattr(fast, "collect"):
                same(fast.collect(ours), obvious.collect(theirs).reindex(ours.index))
            for name, expected in getattr(obvious, "durations", lambda _: {})(theirs).items():
                found = fast.durations(ours)[name]
                assert sorted(found["seconds"]) == sorted(expected["seconds"])
        found, expected = compliance.collect(ours), slow.compliance.collect(theirs)
        keys = ["day", "framework"]
        same(found.set_index(keys).sort_index(), expected.set_index(keys).sort_index())


def same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Every column that goes day by day, a flow or a tracked domain without any row counting 0."""
    assert list(found.index) == list(expected.index)
    for column in expected:
        if column in USAGE_LABELS or column in COMPLIANCE_LABELS:
            assert list(found[column].fillna("")) == list(expected[column].fillna("")), column
            continue
        filled = 0.0 if column in USAGE_FLOWS or column.endswith("_tracked") else math.nan
        one, other = (f[column].astype(float).fillna(filled).to_numpy() for f in (found, expected))
        np.testing.assert_allclose(one, other, rtol=1e-9, err_msg=str(column))


def alone(server, settings_of_test, **tables) -> tuple[World, int]:
    """A world of one workspace with those records."""
    empty(server)
    world = World(server, settings_of_test)
    made = world.workspace("team")
    for table, listed in tables.items():
        world.add(made, table, listed)
    return world, made


LEADS = [0, 0.4, 0.999, 1, 1.5, 60, 3599.5, 3600, 86400, 86400.000001, 123456.789, 3e7]


def test_a_duration_falls_in_the_bucket_that_the_sketch_gives_it(server, settings_of_test):
    done = at(LAST)
    world, made = alone(
        server,
        settings_of_test,
        deployment=[
            {
                "key": f"d{n}",
                "outcome": "successful",
                "completed_at": done,
                "created_at": done - timedelta(seconds=lead),
            }
            for n, lead in enumerate(LEADS)
        ],
    )
    ask(world, snapshots.write, made, (59, 59, False))
    (block,) = rows(server, made)["duration_block"]
    places = np.full(len(LEADS), place_of(LAST)[1])
    assert block["block"] == place_of(LAST)[0]
    assert block["lead_time"] == packed_days(places, bucket_of(np.array(LEADS)))
    assert block["ack_time"] is None


def test_more_durations_of_a_kind_than_an_entry_counts_take_several(server, settings_of_test):
    world, made = alone(server, settings_of_test)
    many = 2 * MOST + 5
    with job_in(server.job, made) as connection:
        connection.execute(
            text(
                "insert into deployment (workspace_id, key, outcome, completed_at, created_at)"
                " select :w, i::text, 'successful', :t, :t from generate_series(1, :n) i"
            ),
            {"w": made, "t": at(LAST), "n": many},
        )
    ask(world, snapshots.write, made, (59, 59, False))
    ask(world, snapshots.write, made, (58, 58, False))
    found = rows(server, made)
    _, buckets, counts = unpacked_days(found["duration_block"][0]["lead_time"])
    assert (list(buckets), list(counts)) == ([-1, -1, -1], [MOST, MOST, 5])
    assert found["workspace_usage_snapshot"][-1]["lead_time_p50_28"] == 0


def test_a_block_that_holds_nothing_any_more_is_gone(server, settings_of_test):
    lead = {"key": "d", "outcome": "successful", "completed_at": at(LAST), "created_at": at(LAST)}
    world, made = alone(server, settings_of_test, deployment=[lead])
    ask(world, snapshots.write, made, (59, 59, False))
    assert len(rows(server, made)["duration_block"]) == 1
    with job_in(server.job, made) as connection:
        connection.execute(text("delete from deployment"))
    ask(world, snapshots.write, made, (59, 59, False))
    found = rows(server, made)
    assert found["duration_block"] == []
    assert found["workspace_usage_snapshot"][-1]["lead_time_p50_28"] is None


BUDGETS = [
    (target, window, good, total)
    for target in (90.0, 99.9, 100.0)
    for window in (1, 30)
    for good, total in ((0, 0), (1000, 1000), (999, 1000), (900, 1000), (0, 10))
]


@pytest.mark.parametrize(("target", "window", "good", "total"), BUDGETS)
def test_budgets_are_those_of_the_published_arithmetic(
    server, settings_of_test, target, window, good, total
):
    world, made = alone(
        server,
        settings_of_test,
        objective=[{"key": "o", "target_percent": target, "window_days": window}],
        objective_day=[
            {"key": "o", "day": LAST - timedelta(days=1), "good": 2000.0, "total": 2000.0},
            {"key": "o", "day": LAST, "good": float(good), "total": float(total)},
        ],
    )
    ask(world, snapshots.write, made, (59, 59, False))
    found = rows(server, made)["workspace_usage_snapshot"][-1]
    before = 2000 if window > 1 else 0
    bad, fraction = total - good, target / 100
    remaining = budget.budget_remaining(bad, total + before, fraction)
    burn = budget.burn_rate(bad, total, fraction)
    left = budget.seconds_left(remaining, burn, window)
    for name, value in (
        ("budget_remaining", remaining),
        ("fastest_burn", burn),
        ("budget_seconds_left", left),
    ):
        expected = None if np.isnan(value) else pytest.approx(float(value), rel=1e-9, abs=1e-12)
        assert found[name] == expected, name


def test_a_statement_has_another_name_as_soon_as_it_differs():
    names = [s.name for s in (*setwise.STAGE, *setwise.PUBLISH)]
    assert len(set(names)) == len(names) - 1, "one is in both"
    assert setwise.Statement("select 1").name != setwise.Statement("select 2").name
    assert setwise.Statement("select :w, :now, x::date").prepare.endswith(
        "as select $1, null, x::date"
    )


@pytest.mark.parametrize("column", ["lead_time", "resolve_time"])
def test_broken_durations_fail_the_workspace_unless_they_are_written_anew(
    server, settings_of_test, column
):
    lead = {"key": "d", "outcome": "successful", "completed_at": at(LAST), "created_at": at(LAST)}
    world, made = alone(server, settings_of_test, deployment=[lead])
    ask(world, snapshots.write, made, (0, 59, False))
    with job_in(server.job, made) as connection:
        connection.execute(text(f"update duration_block set {column} = 'broken'"))
    with pytest.raises(psycopg2.Error, match="6 bytes are no whole number of entries"):
        ask(world, snapshots.write, made, (59, 59, True))
    ask(world, snapshots.write, made, (-32, 59, False))
    (block,) = [b for b in rows(server, made)["duration_block"] if b["lead_time"]]
    assert block[column] != b"broken"


@settings(
    max_examples=int(os.environ.get("EXAMPLES", "10")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(teams(), calls, calls)
def test_several_ranges_at_once_equal_one_after_the_other(
    server, settings_of_test, records, before, wanted
):
    """As the demo writes a history with gaps."""
    empty(server)
    world = World(server, settings_of_test)
    ours, theirs = fill(world, "ours", records), fill(world, "theirs", records)
    for call in before:
        ask(world, snapshots.write, ours, call)
        ask(world, job.write, theirs, call)
    ranges = [Range(FIRST + timedelta(days=a), FIRST + timedelta(days=b), k) for a, b, k in wanted]
    with job_in(server.job, ours) as connection:
        since = connection.execute(text("select now()")).scalar_one()
        snapshots.stage(connection, ours, ranges, world.settings, since)
        snapshots.publish(connection, ours, since)
    for call in wanted:
        ask(world, job.write, theirs, call)
    alike(server, ours, theirs)
