"""Mentions that were made up to lead a rule astray: each links what it names and nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from aggregators.records.mentions import (
    flat,
    normal_address,
    pack_mentions,
    references,
    unpack_mentions,
)
from ingest.desk import corrections, meanings
from ingest.desk.meanings import NoSuchMeaning
from ingest.kept.upkeep import compact
from storage.context import job_in
from tests.ingest.formats.telling import at
from tests.ingest.linking.test_links import (
    ANNOTATION,
    BY,
    LABEL,
    ONCE,
    TWICE,
    URL,
    counting,
    fired,
    incidents,
    page,
    pager,
    rule,
    team,
    tell,
)

__all__ = ["incidents", "team", "tell"]


def test_an_incident_of_another_workspace_is_not_linked(database, team, bring, incidents, tell):
    rule(database, team)
    bring("incidents", json.dumps(page()[0]), "p.json", workspace="search", form="pagerduty")
    tell("alertmanager", fired("08:00", "08:40", pagerduty_incident="PABC123"))
    assert [row["left_out"] for row in incidents().values()] == [None]


def test_a_withdrawn_incident_takes_what_is_part_of_it_along(database, team, incidents, tell):
    rule(database, team)
    tell("pagerduty", *page())
    tell("alertmanager", fired("08:00", "08:40", pagerduty_incident="PABC123"))
    corrections.withdraw(database, team, "incidents", "PABC123", BY)
    assert counting(incidents()) == []
    corrections.withdraw(database, team, "incidents", "PABC123", BY, is_back=True)
    assert counting(incidents()) == ONCE


def test_a_withdrawn_alert_lends_nothing(database, team, incidents, tell):
    rule(database, team)
    tell("pagerduty", *page())
    tell("alertmanager", fired("08:00", "08:40", pagerduty_incident="PABC123"))
    (key,) = [key for key, row in incidents().items() if row["merged_into"]]
    corrections.withdraw(database, team, "incidents", key, BY)
    assert counting(incidents()) == [(at("08:05"), at("08:10"), at("08:50"), "p2")]


def test_a_hand_parts_what_a_rule_has_linked_for_good(database, team, incidents, tell):
    rule(database, team)
    tell("pagerduty", *page())
    tell("alertmanager", fired("08:00", "08:40", pagerduty_incident="PABC123"))
    (key,) = [key for key, row in incidents().items() if row["merged_into"]]
    corrections.part(database, team, "incidents", key, BY)
    assert counting(incidents()) == TWICE
    tell("alertmanager", fired("08:00", "08:40", URL, pagerduty_incident="PABC123"))
    rule(database, team, ANNOTATION)
    assert counting(incidents()) == TWICE


def test_a_rule_finds_what_was_told_and_compacted_before_it(database, team, incidents, tell):
    tell("pagerduty", *page())
    tell("alertmanager", fired("08:00", pagerduty_incident="PABC123"))
    tell("alertmanager", fired("08:00", "08:40", pagerduty_incident="PABC123"))
    with job_in(database.job, team[0]) as connection:
        assert compact(connection, team[0], datetime.now(UTC)) == 2
    rule(database, team)
    assert counting(incidents()) == ONCE
    with job_in(database.job, team[0]) as connection:
        compact(connection, team[0], datetime.now(UTC))
    tell("pagerduty", pager("reopened", "08:55"), pager("resolved", "09:20"))
    assert counting(incidents()) == [(at("08:00"), at("08:10"), at("09:20"), "p2")]


def test_a_word_that_many_alerts_hold_and_nobody_has_as_a_key_links_nothing(
    database, team, incidents, tell
):
    rule(database, team)
    for pod in range(30):
        tell("alertmanager", fired("08:00", "08:40", pagerduty_incident="none", pod=f"w-{pod}"))
    assert [row["left_out"] for row in incidents().values()] == [None] * 30
    with job_in(database.job, team[0]) as connection:
        kept = connection.execute(text("select count(*) from mention")).scalar_one()
    assert kept == 30


@pytest.mark.parametrize(
    ("about", "word", "meaning"),
    [
        ("link", "", "same"),
        ("link", "  ", "same"),
        ("link", LABEL, "the same"),
        ("link", LABEL, ""),
        ("link", "x" * 5_000, "same"),
        ("link", "a\x00b", "same"),
        ("links", LABEL, "same"),
    ],
)
def test_a_rule_that_says_nothing_is_refused(database, team, about, word, meaning):
    with pytest.raises(NoSuchMeaning):
        meanings.change(database, team, about, word, meaning, BY)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        1.5,
        [],
        {},
        "",
        "   ",
        "two words",
        "x" * 301,
        "a\x00b",
        "a\u202eb",
        [[["x"]]],
    ],
)
def test_what_is_no_word_is_no_mention(value):
    assert pack_mentions("form", {"name": value}) == ""


def test_mentions_are_bounded_and_in_order():
    named = {f"n{number:03}": f"v{number}" for number in range(500)} | {"x" * 500: "v", "é": "ü"}
    told = unpack_mentions(pack_mentions("form", named))
    assert list(told) == sorted(told)
    assert len(told) == 60
    assert pack_mentions("form", named) == pack_mentions("form", dict(reversed(named.items())))


def test_a_document_is_laid_flat_without_end():
    deep: object = "v"
    for _ in range(50):
        deep = {"a": [deep]}
    assert pack_mentions("form", flat(deep, "customData")) == ""
    assert flat({"a": {"b": [1, {"c": 2}]}, "d": None}, "p") == {
        "p.a.b": 1,
        "p.a.b.c": 2,
        "p.d": None,
    }


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://X.example/a/b/", "//x.example/a/b"),
        ("http://x.example:8443/a?b=c#d", "//x.example:8443/a"),
        ("https://user:secret@x.example/a", "//x.example/a"),
        ("https://x.example:99999/a", ""),
        ("https://x.example:port/a", ""),
        ("javascript:alert(1)", ""),
        ("https:///a", ""),
        ("//x.example/a", ""),
        ("https://[::1]/a", "//::1/a"),
        ("https://x.example/" + "a" * 400, ""),
    ],
)
def test_addresses_are_compared_without_what_does_not_name(url, address):
    assert normal_address(url) == address


def test_a_key_at_the_end_of_an_address_is_read_as_it_was_written():
    assert references("https://x.example/browse/OPS%2F1")[-1] == "OPS/1"
    assert references("https://x.example/") == ("https://x.example/", "//x.example")
    assert references("OPS-1") == ("OPS-1",)
