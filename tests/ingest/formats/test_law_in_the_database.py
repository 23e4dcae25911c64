"""The law of the fold in PostgreSQL: statements of every format, told in any order, repeated and cut into
any batches, leave the same rows, mergers and roll-backs among them."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from ingest import words
from ingest.kinds import KINDS
from ingest.statements import Told, tell
from storage.context import job_in
from tests.deep import seeds
from tests.ingest.formats.event_bodies import EVENT_BODIES
from tests.ingest.formats.telling import RECEIVED, told
from tests.world import World

NUMBERS = count()
Batch = tuple[str, list[Told]]
"""Name of a kind, and statements of it that are told at once."""


def bodies_as_batches(random: Random, form: str) -> list[Batch]:
    """Random bodies, some of them once more, received a minute apart, as each kind reads them."""
    kinds = EVENT_BODIES[form].kinds
    bodies = [EVENT_BODIES[form].body(random) for _ in range(random.randint(2, 6))]
    bodies += random.choices(bodies, k=random.randint(0, 2))
    return [
        (kind, told(form, kind, body, RECEIVED + timedelta(minutes=minute)))
        for minute, body in enumerate(bodies)
        for kind in kinds
    ]


def otherwise(random: Random, batches: list[Batch]) -> list[Batch]:
    """Batches of the same statements, cut elsewhere, in another order and some of them twice."""
    each = [(kind, statement) for kind, statements in batches for statement in statements]
    each += random.choices(each, k=random.randint(0, 3)) if each else []
    random.shuffle(each)
    made: list[Batch] = []
    for kind, statement in each:
        if made and made[-1][0] == kind and random.random() < 0.5:
            made[-1][1].append(statement)
        else:
            made.append((kind, [statement]))
    return made


def rows(connection, workspace_id: int, batches: list[Batch], kinds: tuple[str, ...]) -> list[Any]:
    """All rows of the kinds after the batches are told, to a workspace that is as before afterwards."""
    meanings = words.as_they_stand(connection, workspace_id)
    told_of = connection.begin_nested()
    for kind, statements in batches:
        tell(connection, KINDS[kind], workspace_id, statements, meanings)
    left = []
    for kind in kinds:
        table = KINDS[kind].table
        left += connection.execute(select(table).order_by(*table.primary_key.columns)).all()
    told_of.rollback()
    return left


@pytest.mark.parametrize("form", EVENT_BODIES)
@pytest.mark.parametrize("tried", seeds(few=2, many=15, deep=1_250))
def test_statements_in_any_order_and_batches_leave_the_same_rows(server, settings, form, tried):
    team = World(server, settings).workspace(f"law-{next(NUMBERS)}")
    for seed in tried:
        random = Random(f"rows {form} {seed}")
        batches = bodies_as_batches(random, form)
        kinds = EVENT_BODIES[form].kinds
        with job_in(server.job, team) as connection:
            expected = rows(connection, team, batches, kinds)
            assert rows(connection, team, otherwise(random, batches), kinds) == expected, seed
