"""The law of the fold for lists of all that there is: in whatever order they are read, with what else is
told, before or after it, and however often, the records end the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, select

from aggregators.records.statements import BY_HAND, EVENT, ROW, Statement, Value
from ingest import words
from ingest.importer import Receipt, take
from ingest.kept.upkeep import compact
from ingest.kinds import KINDS
from ingest.lists.retirement import retire
from ingest.lists.whole_lists import OF, WholeList
from ingest.statements import Told, tell
from storage.context import job_in
from tests.deep import seeds
from tests.ingest.formats.event_bodies import EVENT_BODIES
from tests.ingest.formats.telling import RECEIVED, at
from tests.world import World

NUMBERS = count()
Step = Callable[[Connection, int], Any]
"""Something that is told to a workspace."""
NEEDED: dict[str, dict[str, Value]] = {
    "incidents": {"opened_at": at("09:00")},
    "slos": {"target_percent": 99.0},
    "vendors": {"name": "Ash", "tier": 1},
}


meant = words.as_they_stand


def received(random: Random) -> datetime:
    return RECEIVED + timedelta(minutes=random.randint(1, 6))


def word(random: Random, kind: str) -> Step:
    """Something said of one record: by a row, an event or a person."""
    key = random.choice("abc")
    values = {"key": key, **NEEDED[kind]}
    if kind == "incidents":
        values["opened_at"] = at("09:00", random.randint(1, 4))
    manner = random.choice([ROW, ROW, ROW, EVENT, BY_HAND])
    if manner is BY_HAND or random.random() < 0.1:
        values = {"key": key, "withdrawn": random.choice([True, False])}
    source = random.choice(["csv", "csv", "page"])
    told = [Told(key, Statement(source, values, received(random), manner=manner))]
    return lambda connection, team: tell(
        connection, KINDS[kind], team, told, meant(connection, team)
    )


def listing(random: Random, kind: str) -> Step:
    """A list of all records of a source, or of those that began in a span; its rows are told apart."""
    days = sorted(random.sample(range(6), 2))
    since, until = (
        at("08:00", day + 1) if kind == "incidents" and random.random() < 0.7 else None
        for day in days
    )
    told = WholeList(
        random.choice(["csv", "csv", "page"]), received(random), since, until, random.random() < 0.5
    )
    return lambda connection, team: retire(
        connection, KINDS[kind], team, told, meant(connection, team)
    )


def rows(
    connection: Connection, team: int, kind: str, steps: list[Step], random: Random | None
) -> list[Any]:
    """All rows of the kind after the steps, in a workspace that is as before afterwards; between the steps
    statements are compacted, where it is random."""
    told_of = connection.begin_nested()
    for step in steps:
        step(connection, team)
        if random and random.random() < 0.3:
            compact(connection, team, received(random))
    table = KINDS[kind].table
    left = connection.execute(select(table).order_by(*table.primary_key.columns)).all()
    told_of.rollback()
    return list(left)


def otherwise(random: Random, steps: list[Step]) -> list[Step]:
    """The steps in another order, some of them twice."""
    again = [*steps, *random.choices(steps, k=random.randint(0, 3))]
    random.shuffle(again)
    return again


@pytest.mark.parametrize("tried", seeds(few=8, many=30, deep=2500))
@pytest.mark.parametrize("kind", OF)
def test_lists_and_words_in_any_order_leave_the_same_records(server, settings, kind, tried):
    team = World(server, settings).workspace(f"lists-{next(NUMBERS)}")
    for seed in tried:
        random = Random(f"lists {kind} {seed}")
        steps = [word(random, kind) for _ in range(random.randint(1, 5))]
        steps += [listing(random, kind) for _ in range(random.randint(1, 3))]
        with job_in(server.job, team) as connection:
            expected = rows(connection, team, kind, steps, None)
            assert rows(connection, team, kind, otherwise(random, steps), random) == expected, seed


@pytest.mark.parametrize("tried", seeds(few=4, many=30, deep=2500))
def test_status_pages_in_any_order_leave_the_same_incidents(server, settings, tried):
    team = World(server, settings).workspace(f"lists-{next(NUMBERS)}")

    def read(body: bytes, receipt: Receipt) -> Step:
        return lambda connection, team: [
            *take(connection, team, "statuspage", body, "application/json", receipt)
        ]

    for seed in tried:
        random = Random(f"pages {seed}")
        steps = [
            read(
                json.dumps(EVENT_BODIES["statuspage"].body(random)).encode(),
                Receipt(received(random)),
            )
            for _ in range(random.randint(2, 5))
        ]
        with job_in(server.job, team) as connection:
            expected = rows(connection, team, "incidents", steps, None)
            assert (
                rows(connection, team, "incidents", otherwise(random, steps), random) == expected
            ), seed
