"""Durations in their blocks: buckets of the sketch, more than an entry counts, gone ones, broken ones."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import psycopg2
import pytest
from sqlalchemy import text

from aggregators.vocabulary.sketch import MOST, bucket_of, packed_days, place_of, unpacked_days
from storage.context import job_in
from tests.generated import LAST
from tests.storage.snapshot.stored import alone, rows, write
from tests.world import at

LEADS = [0, 0.4, 0.999, 1, 1.5, 60, 3599.5, 3600, 86400, 86400.000001, 123456.789, 3e7]


def test_a_duration_falls_in_the_bucket_that_the_sketch_gives_it(server, settings):
    done = at(LAST)
    world, made = alone(
        server,
        settings,
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
    write(world, made, (59, 59, False))
    (block,) = rows(server, made)["duration_block"]
    places = np.full(len(LEADS), place_of(LAST)[1])
    assert block["block"] == place_of(LAST)[0]
    assert block["distribution"] == "lead_time"
    assert block["data"] == packed_days(places, bucket_of(np.array(LEADS)))


def test_more_durations_of_a_kind_than_an_entry_counts_take_several(server, settings):
    world, made = alone(server, settings)
    many = 2 * MOST + 5
    with job_in(server.job, made) as connection:
        connection.execute(
            text(
                "insert into deployment (workspace_id, key, outcome, completed_at, created_at, production)"
                " select :w, i::text, 'successful', :t, :t, true from generate_series(1, :n) i"
            ),
            {"w": made, "t": at(LAST), "n": many},
        )
    write(world, made, (59, 59, False))
    write(world, made, (58, 58, False))
    found = rows(server, made)
    _, buckets, counts = unpacked_days(found["duration_block"][0]["data"])
    assert (list(buckets), list(counts)) == ([-1, -1, -1], [MOST, MOST, 5])
    assert found["workspace_usage_snapshot"][-1]["lead_time_p50_28"] == 0


def test_a_block_that_holds_nothing_any_more_is_gone(server, settings):
    lead = {"key": "d", "outcome": "successful", "completed_at": at(LAST), "created_at": at(LAST)}
    world, made = alone(server, settings, deployment=[lead])
    write(world, made, (59, 59, False))
    assert len(rows(server, made)["duration_block"]) == 1
    with job_in(server.job, made) as connection:
        connection.execute(text("delete from deployment"))
    write(world, made, (59, 59, False))
    found = rows(server, made)
    assert found["duration_block"] == []
    assert found["workspace_usage_snapshot"][-1]["lead_time_p50_28"] is None


def test_broken_durations_fail_the_workspace_unless_they_are_written_anew(server, settings):
    lead = {"key": "d", "outcome": "successful", "completed_at": at(LAST), "created_at": at(LAST)}
    world, made = alone(server, settings, deployment=[lead])
    write(world, made, (0, 59, False))
    with job_in(server.job, made) as connection:
        connection.execute(text("update duration_block set data = 'broken'"))
    with pytest.raises(psycopg2.Error, match="6 bytes are no whole number of entries"):
        write(world, made, (59, 59, True))
    write(world, made, (-32, 59, False))
    (block,) = rows(server, made)["duration_block"]
    assert block["data"] != b"broken"
