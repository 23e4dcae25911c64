"""Columns of a snapshot against the slow computation from the raw records, over random organisations."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from aggregators.catalogue import parts
from aggregators.chosen.counting import CountingRules
from aggregators.vocabulary.sketch import BLOCK_DAYS, bucket_of, unpacked_days
from reading.record_days import RecordDays
from storage.context import job_in
from storage.snapshot import staging
from storage.snapshot.staging import DayRange
from storage.snapshot.tables import duration_block, usage_snapshot
from tests.conftest import empty
from tests.deep import efforts
from tests.generated import LAST, calls, incidents, teams, zones
from tests.plain.clock import Clock, Facts
from tests.plain.records import span_days
from tests.plain.snapshot import FLOWS, SlowJob, compliance, durations, facts
from tests.storage.snapshot.stored import dates, fill, rows, write
from tests.world import World

COMPLIANCE = "compliance_snapshot_history"
NO_FACTS = {
    "workspace_id",
    "snapshot_date",
    "framework",
    "computed_at",
    "changed_at",
    "packed",
    "labels",
}
WITHOUT_SOURCE = {"api_call_count_24h", "storage_bytes", "audit_event_count_24h"}
"""Counters that this installation has no source for: never filled."""
EPOCH = date(1970, 1, 1)


def agree(stored: dict[str, Any], expected: Facts, where: object) -> None:
    """Every stored fact is the expected one: floats to nine digits, quantiles to the promised 2 %."""
    labels = {name for name, value in expected.items() if isinstance(value, str)}
    assert stored["labels"] == {name: expected[name] for name in labels}, where
    numbers = set(stored) - NO_FACTS
    assert numbers >= {name for name, value in expected.items() if value is not None} - labels
    for name in numbers:
        assert stored[name] == near(name, expected.get(name)), (where, name)
        assert name not in WITHOUT_SOURCE or stored[name] is None


def near(name: str, value: float | str | None) -> object:
    """Comparable to a stored fact of that name."""
    if value is None or isinstance(value, str):
        return value
    if "_p50_" in name or "_p90_" in name:
        return 0.0 if value < 1 else pytest.approx(value, rel=0.02)
    return pytest.approx(float(value), rel=1e-9, abs=1e-9)


def alike(database, workspace_id: int, expected: SlowJob) -> None:
    """All that is stored of a workspace is what the slow job has kept."""
    stored = rows(database, workspace_id)
    assert [row["snapshot_date"] for row in stored[usage_snapshot.name]] == sorted(expected.days)
    for row in stored[usage_snapshot.name]:
        agree(row, expected.usage_row(row["snapshot_date"]), row["snapshot_date"])
    frameworks = {
        (name, day): of_day
        for day, by in expected.frameworks.items()
        for name, of_day in by.items()
    }
    keys = [(row["framework"], row["snapshot_date"]) for row in stored[COMPLIANCE]]
    assert keys == sorted(frameworks)
    for key, row in zip(keys, stored[COMPLIANCE], strict=True):
        agree(row, frameworks[key], key)
    kept = {
        (name, day): sorted(bucket_of(np.array(seconds)))
        for day, by in expected.seconds.items()
        for name, seconds in by.items()
        if seconds
    }
    assert buckets(stored[duration_block.name]) == kept


def buckets(blocks: list[dict[str, Any]]) -> dict[tuple[str, date], list[int]]:
    """The bucket of each stored duration, by distribution and day."""
    unpacked = defaultdict(list)
    for block in blocks:
        assert block["data"], "a block that holds nothing"
        for offset, bucket, count in zip(*unpacked_days(block["data"]), strict=True):
            day = EPOCH + timedelta(days=block["block"] * BLOCK_DAYS + int(offset))
            unpacked[block["distribution"], day] += [bucket] * int(count)
    return {key: sorted(found) for key, found in unpacked.items()}


def noted(database, workspace_id: int) -> tuple[date, int]:
    """Last day and version that are noted beside the workspace."""
    with database.job.connect() as connection:
        query = text("select snapshot_day, snapshot_version from workspace where id = :w")
        return tuple(connection.execute(query, {"w": workspace_id}).one())


@pytest.fixture
def installation(settings):
    """Settings of the program; Hypothesis has a name of its own for settings."""
    return settings


@pytest.mark.parametrize("effort", efforts(few=10, many=30, deep=200))
def test_every_column_equals_the_records(server, installation, effort):
    """Histories in parts, with gaps, recomputed in the past, records added between the parts."""

    @effort
    @given(teams(), calls, zones, st.data())
    def check(records, calls, zone, data):
        every_column_equals(server, installation, records, calls, zone, data)

    check()


def every_column_equals(server, installation, records, calls, zone, data) -> None:
    """Compares the table with the slow job after each call."""
    empty(server)
    world = World(server, installation.model_copy(update={"time_zone": zone}))
    workspace_id = fill(world, "team", records)
    slow = SlowJob(records, world.settings.zone)
    late = data.draw(st.integers(0, len(calls)))
    _, version = noted(server, workspace_id)
    for n, call in enumerate(calls):
        if n == late:
            added = blaming(data)
            world.add(workspace_id, "incident", added)
            records.incident += added
        assert write(world, workspace_id, call) == slow.write(*dates(call))
        alike(server, workspace_id, slow)
        assert noted(server, workspace_id) == (max(slow.days), version + n + 1)


def blaming(data) -> list[dict[str, Any]]:
    """Incidents that turn up between two calls, blaming whatever deployment there is."""
    turned_up = data.draw(incidents([]))
    for n, row in enumerate(turned_up):
        row["key"], row["caused_by"] = f"LATE-{n}", data.draw(st.sampled_from([None, "d0", "d1"]))
    return turned_up


@pytest.mark.parametrize("effort", efforts(few=5, many=15, deep=100))
def test_several_ranges_at_once_equal_one_after_the_other(server, installation, effort):
    """Ranges of one run, as the demo writes a history with gaps."""

    @effort
    @given(teams(), calls, calls)
    def holds(records, before, wanted):
        empty(server)
        world = World(server, installation)
        workspace_id, slow = fill(world, "team", records), SlowJob(records, installation.zone)
        for call in before:
            write(world, workspace_id, call)
            slow.write(*dates(call))
        with job_in(server.job, workspace_id) as connection:
            since = connection.execute(text("select now()")).scalar_one()
            ranges = [DayRange(*dates(call)) for call in wanted]
            staging.stage(connection, workspace_id, ranges, world.settings, since)
            staging.publish(connection, workspace_id, since)
        for call in wanted:
            slow.write(*dates(call))
        alike(server, workspace_id, slow)

    holds()


@pytest.mark.parametrize("effort", efforts(few=5, many=15, deep=150))
def test_live_figures_of_a_day_that_is_not_over_are_those_of_the_records_so_far(
    server, installation, effort
):
    """Facts and durations of days up to an instant, as the live view asks for them."""

    @effort
    @given(teams(), st.integers(1, 86400), st.integers(0, 40), zones)
    def holds(records, seconds, length, zone):
        empty(server)
        world = World(server, installation.model_copy(update={"time_zone": zone}))
        zone = world.settings.zone
        now = datetime(LAST.year, LAST.month, LAST.day, tzinfo=zone) + timedelta(seconds=seconds)
        made, first = fill(world, "team", records), LAST - timedelta(days=length)
        clocks = [Clock(day, zone, now) for day in span_days(first, LAST)]
        with job_in(server.job, made) as connection:
            asked = RecordDays(connection, made, first, LAST, CountingRules(zone.key), now)
            for key, domain in parts("counts").items():
                if key != "compliance":  # whose rows are a framework's, not the workspace's
                    expected = {clock.day: facts(records, clock) for clock in clocks}
                    same_facts(asked.facts(domain.FACTS), expected)
                for name, query in getattr(domain, "DURATIONS", {}).items():
                    seconds = [s for clock in clocks for s in durations(records, clock)[name]]
                    found = asked.query(query)["seconds"]
                    assert sorted(found) == pytest.approx(sorted(seconds))
            standing = asked.query(parts("counts")["compliance"].STANDING)
            same_frameworks(standing, {clock.day: compliance(records, clock) for clock in clocks})

    holds()


def same_facts(collected: pd.DataFrame, expected: dict[date, Facts]) -> None:
    """Every column, day by day; a flow or a mark of tracking without a row counts as 0."""
    assert list(collected.index) == list(expected)
    for name in collected:
        counted = name in FLOWS or name.endswith("_tracked")
        for day, value in collected[name].items():
            filled = 0 if counted and pd.isna(value) else None if pd.isna(value) else value
            assert filled == near(name, expected[day].get(name)), (name, day)


def same_frameworks(collected: pd.DataFrame, expected: dict[date, dict[str, Facts]]) -> None:
    """A row per day and framework that has a result."""
    found = {(row["day"], row["framework"]): row for row in collected.to_dict("records")}
    assert set(found) == {(day, name) for day, by in expected.items() for name in by}
    for (day, name), row in found.items():
        for fact, value in expected[day][name].items():
            assert (None if pd.isna(row[fact]) else row[fact]) == near(fact, value), (day, fact)
