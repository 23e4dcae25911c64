"""Rows of the watch, read alone: the same evidence as from the rows that the dashboard reads, each
workspace's in its own context."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from aggregators.vocabulary.sketch import place_of
from reading import decoding
from reading.signals import night
from reading.signals.histories import (
    DISTRIBUTIONS,
    SERIES,
    TOTALS,
    StoredDays,
    daily_evidence,
    stored_days,
)
from storage.context import current, enter, job_in
from storage.database import Database
from storage.executive.binary_copy import copied_rows, integer
from storage.executive.encoded_rows import number_layout, rows_of
from storage.watch import rows as watched_rows
from tests.conftest import TODAY
from tests.deep import efforts
from tests.generated import FIRST, workspaces
from tests.reading.test_figures_against_raw_records import load
from tests.stored_rows import built_once
from tests.world import World, at

LAST = TODAY - timedelta(days=1)


def every_row(connection: Connection, ids: list[int], first: date, last: date) -> StoredDays:
    """Days from the rows that the dashboard reads, with every column and every framework."""
    days = [first + timedelta(days=n) for n in range(-1, (last - first).days + 1)]
    layout = number_layout(connection)
    query = (
        "select w.id, r.* from unnest(%s::bigint[]) as w(id) cross join lateral"
        " vigilo.rows_in_context('job', w.id, %s::date[], %s, %s, %s) r"
    )
    blocks = (place_of(day)[0] for day in (days[0], last))
    copied = copied_rows(connection, query, (ids, days, last, *blocks))
    by_id = {integer(id): rows_of(integer(id), values) for id, _, *values in copied}
    rows, events = decoding.usage_rows([by_id[id] for id in ids], layout, last)
    return StoredDays(rows, events, len(ids), first, last)


def all_ids(database) -> list[int]:
    with database.job.connect() as connection:
        return list(connection.execute(text("select id from workspace order by id")).scalars())


@pytest.mark.parametrize("effort", efforts(few=3, many=25, deep=600))
def test_the_evidence_is_that_of_all_rows(server, settings, effort):
    """Gaps, days before the first snapshot and days after the last included."""

    @effort
    @given(st.lists(workspaces(), min_size=1, max_size=4), st.integers(0, 70), st.integers(0, 59))
    def check(organisation, first, length):
        load(server, settings, organisation)
        equal_evidence(server, first, length)

    check()


def equal_evidence(server: Database, first: int, length: int) -> None:
    """Compares the evidence of the watched columns with that of every column."""
    ids = all_ids(server)
    begin = FIRST + timedelta(days=first - 5)
    with server.job.begin() as connection:
        own = stored_days(connection, ids, begin, begin + timedelta(days=length))
        every = every_row(connection, ids, begin, begin + timedelta(days=length))
    assert np.array_equal(own.seen, every.seen)
    for series in SERIES:
        told, expected = daily_evidence(own, series), daily_evidence(every, series)
        for name in ("x", "e", "squares"):
            assert np.array_equal(getattr(told, name), getattr(expected, name)), series.key


@pytest.fixture
def world(database, settings) -> World:
    return built_once(database, __name__, lambda: of_one_that_drifts(World(database, settings)))


def of_one_that_drifts(made: World) -> World:
    for slug in ("calm", "payments"):
        id = made.workspace(slug)
        rows = [
            {
                "key": f"{day}-{n}",
                "completed_at": at(day, n + 1),
                "outcome": "failed"
                if n < (3 if day > LAST - timedelta(days=25) else 1)
                else "successful",
                "environment": "production",
            }
            for day in (LAST - timedelta(days=n) for n in range(130))
            for n in range(8)
        ]
        made.add(id, "deployment", rows)
    made.backfill(LAST - timedelta(days=129), LAST)
    return made


def test_only_the_watched_columns_are_read(world):
    with world.database.job.begin() as connection:
        read = watched_rows.read(
            connection, all_ids(world.database), (FIRST, LAST), TOTALS, DISTRIBUTIONS
        )
        everything = number_layout(connection)
    (columns,) = read.layout.values()
    (whole,) = (everything[table] for table in read.layout)
    assert set(columns) >= TOTALS
    assert len(columns) < len(whole) / 3
    assert not read.failed


def test_the_callers_context_is_written_back(world):
    (first, _) = all_ids(world.database)
    with world.database.job.begin() as connection, enter(connection, "job", first):
        before = current(connection)
        stored_days(connection, all_ids(world.database), FIRST, LAST)
        assert current(connection) == before


def test_a_workspace_that_can_not_be_read_keeps_its_state_and_its_drift(world):
    """Nothing is told of it: it neither ends nor begins to drift while nobody can look."""
    night.run(world.database, LAST - timedelta(days=1))
    _, payments = all_ids(world.database)
    before = kept(world, payments)
    assert [s["ended_on"] for s in before["signals"]] == [None]
    spoil(world, payments, b"abc")
    night.run(world.database, LAST)
    assert kept(world, payments) == before
    spoil(world, payments, b"")
    night.run(world.database, LAST)
    (signal,) = kept(world, payments)["signals"]
    assert (signal["ended_on"], signal["seen_on"]) == (None, LAST)


def kept(world: World, workspace_id: int) -> dict[str, object]:
    with job_in(world.database.job, workspace_id) as connection:
        state = connection.execute(text("select held_on, data from watch_state")).one()
        signals = connection.execute(text("select * from watch_signal")).mappings().all()
    return {
        "held_on": state.held_on,
        "data": bytes(state.data),
        "signals": [dict(s) for s in signals],
    }


def spoil(world: World, workspace_id: int, more: bytes) -> None:
    """A block of durations with bytes behind it that are no entry; without any it is taken away."""
    block = place_of(LAST)[0]
    with job_in(world.database.job, workspace_id) as connection:
        connection.execute(text("delete from duration_block where distribution = 'ack_time'"))
        if more:
            connection.execute(
                text("insert into duration_block (workspace_id, distribution, group_key, block, data)"
                     " values (:w, 'ack_time', '', :b, :d)"),
                {"w": workspace_id, "b": block, "d": more},
            )  # fmt: skip
