"""Statements as they read one shard: every table by the name that it has there, whatever else stays."""

from __future__ import annotations

import re

import pytest

from storage import distributed
from storage.nodes.shards import Shard
from storage.nodes.written import WRITTEN

SHARD = Shard(7, 0, 9, {"incident": "incident_107", "membership": "membership_1"})
EVERY = Shard(
    7, 0, 9, {name: f"{name}_7" for name in (*distributed.tables(), *distributed.REFERENCE)}
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select from incident", "select from public.incident_107 as incident"),
        ("from public.incident i where", "from public.incident_107 i where"),
        ("from incident as i", "from public.incident_107 as i"),
        ("FROM incident WHERE a", "FROM public.incident_107 as incident WHERE a"),
        ("delete from incident\nusing x", "delete from public.incident_107 as incident\nusing x"),
        ("insert into incident (a)", "insert into public.incident_107 as incident (a)"),
        ("update incident set a", "update public.incident_107 as incident set a"),
        (
            "left join membership on incident.a",
            "left join public.membership_1 as membership on incident.a",
        ),
        ("from incident_day, other", "from incident_day, other"),
        ("from other.incident", "from other.incident"),
        ("null::public.incident", "null::public.incident"),
        ("select incident from x", "select incident from x"),
    ],
)
def test_tables_are_named_as_on_the_node_and_keep_their_name_as_alias(query, expected):
    assert SHARD.sql(query) == expected


@pytest.mark.parametrize(
    "function", [each for each in WRITTEN if each.is_by_shard], ids=lambda each: each.called
)
def test_no_table_of_the_night_is_left_with_its_name_in_the_cluster(function):
    """Else it would be planned over the cluster, for each workspace."""
    named = "|".join(sorted(EVERY.names))
    written = EVERY.sql(function.body)
    told = rf"\b(?:from|join|into|update|using)\s+(?:public\.)?(?:{named})\b(?!_7)"
    assert re.findall(told, written) == []
    assert "_7" in written
    assert re.findall(r"(?<!:):[a-z]+", written.replace(":shard", "")) == []


def test_a_function_of_another_body_has_another_name():
    first, second, *_ = WRITTEN
    assert first.name != second.name
    assert first.name.startswith(f"{first.called}_")
