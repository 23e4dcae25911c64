"""The law of the fold, over random words of every format of events: order, repetition and the way in which
they were cut into bodies change nothing."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from ingest.formats import INGESTED
from tests.deep import DEEP, seeds
from tests.ingest.formats.event_bodies import EVENT_BODIES
from tests.ingest.formats.telling import one_after_another, records, told

EXAMPLES = 10_000 if DEEP else 500
OF_ONE_LIST = ("alertmanager", "grafana")
"""Formats of which an archive holds the groups in the order of their receipt."""


def test_every_format_that_takes_events_has_bodies():
    assert set(INGESTED) <= set(EVENT_BODIES)
    for name, form in INGESTED.items():
        assert set(form.readers) == set(EVENT_BODIES[name].kinds)


def again(random: Random, statements: list[Any]) -> list[Any]:
    """The statements in another order, some of them repeated."""
    repeated = random.choices(statements, k=random.randint(0, 4)) if statements else []
    return random.sample([*statements, *repeated], len(statements) + len(repeated))


@pytest.mark.parametrize("tried", seeds(few=100, many=500, deep=10_000))
@pytest.mark.parametrize("form", EVENT_BODIES)
def test_statements_in_any_order_and_number_make_the_same_record(form, tried):
    for seed in tried:
        random = Random(f"{form} {seed}")
        bodies = [EVENT_BODIES[form].body(random) for _ in range(random.randint(1, 6))]
        for kind in EVENT_BODIES[form].kinds:
            statements = one_after_another(form, kind, bodies)
            assert records(kind, again(random, statements)) == records(kind, statements), seed


@pytest.mark.parametrize("form", [name for name, each in EVENT_BODIES.items() if each.events])
def test_events_cut_into_archives_anywhere_tell_the_same(form):
    for seed in range(EXAMPLES // 5):
        random = Random(f"cut {form} {seed}")
        bodies = [
            random.choice(EVENT_BODIES[form].events)(random) for _ in range(random.randint(1, 6))
        ]
        apart = {
            kind: records(kind, one_after_another(form, kind, bodies))
            for kind in EVENT_BODIES[form].kinds
        }
        random.shuffle(bodies)
        archives = [_archive(part) for part in _cut(random, bodies)]
        for kind in EVENT_BODIES[form].kinds:
            assert records(kind, one_after_another(form, kind, archives)) == apart[kind], seed


def _cut(random: Random, bodies: list[Any]) -> list[list[Any]]:
    """The bodies as parts, cut where a coin says."""
    parts: list[list[Any]] = [[]]
    for body in bodies:
        parts[-1].append(body)
        if random.random() < 0.4:
            parts.append([])
    return [part for part in parts if part]


def _archive(bodies: list[Any]) -> bytes:
    """Bodies as a file of lines; the things of a list each as a body."""
    each = [item for body in bodies for item in (body if isinstance(body, list) else [body])]
    return "\n".join(map(json.dumps, each)).encode()


@pytest.mark.parametrize("form", OF_ONE_LIST)
def test_an_archive_of_groups_tells_what_they_told_one_after_another(form):
    for seed in range(EXAMPLES // 5):
        random = Random(f"groups {form} {seed}")
        groups = [EVENT_BODIES[form].views[0](random) for _ in range(random.randint(1, 6))]
        apart = records("incidents", one_after_another(form, "incidents", groups))
        archive = told(form, "incidents", _archive(groups))
        assert records("incidents", again(random, archive)) == apart, seed
