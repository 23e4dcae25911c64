"""From the first sign of an incident to its final end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from aggregators.incidents.fold import INCIDENT
from aggregators.records.statements import BY_HAND, Statement
from ingest.words import default_meanings, normal_word

NINE = datetime(2026, 4, 2, 9, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def words(about: str, word: str) -> str | None:
    return default_meanings()[about](normal_word(word))


def event(minute: float, **said) -> Statement:
    """An event at a minute after nine; minutes stand for instants."""
    told = {k: at(v) if k.endswith("_at") else v for k, v in said.items()}
    return Statement("pagerduty", told, at(minute + 1), at(minute))


OPENED = event(0, opened_at=0)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([], {"resolved_at": None, "reopened": 0}),
        ([event(60, resolved_at=60)], {"resolved_at": at(60)}),
        ([event(120, resolved_at=120), event(60, resolved_at=60)], {"resolved_at": at(120)}),
        (
            [event(60, resolved_at=60), event(90, reopened_at=90)],
            {"resolved_at": None, "reopened": 1},
        ),
        (
            [event(60, resolved_at=60), event(90, reopened_at=90), event(120, resolved_at=120)],
            {"resolved_at": at(120), "reopened": 1},
        ),
        ([event(5, acknowledged_at=5), event(60, acknowledged_at=60)], {"acknowledged_at": at(5)}),
        ([event(-5, acknowledged_at=-5), event(6, acknowledged_at=6)], {"acknowledged_at": at(6)}),
        ([event(-30, opened_at=-30)], {"opened_at": at(-30)}),
        ([event(-9, resolved_at=-9)], {"resolved_at": None, "is_over": True}),
        ([event(1, merged_into="other")], {"left_out": "merged"}),
        ([event(1, withdrawn=True)], {"left_out": "withdrawn"}),
        ([event(1, severity="SEV-1")], {"severity": "p1"}),
        ([event(1, severity="P1 - Critical")], {"severity": "p1"}),
        ([event(1, severity="blue moon", urgency="high")], {"severity": "p2"}),
        ([event(1, severity="blue moon")], {"severity": "p3"}),
        ([event(1, severity="p2"), event(9, severity="blue moon")], {"severity": "p2"}),
        ([event(9, severity="p1"), event(1, severity="p4")], {"severity": "p1"}),
        ([event(1, urgency="low")], {"severity": "p4"}),
    ],
)
def test_the_life_of_an_incident(told, expected):
    record = INCIDENT.record([OPENED, *told], words).record
    assert {name: record[name] for name in expected} == expected


def test_a_hand_ends_what_was_reopened_before_and_not_what_is_reopened_after():
    reopened = event(90, reopened_at=90)
    hand = Statement("hand", {"resolved_at": at(60)}, at(200), None, 0, BY_HAND)
    told = [OPENED, event(60, resolved_at=60), reopened, hand]
    assert INCIDENT.record(told, words).record["resolved_at"] == at(60)
    late = Statement("pagerduty", {"reopened_at": at(300)}, at(301), at(300))
    assert INCIDENT.record([*told, late], words).record["resolved_at"] is None


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("critical", "p1"), ("CRITICAL", "p1"), ("Sev 0", "p1"), ("sev1", "p1"), ("S1", "p1"), ("P0", "p1"),
        ("Emergency", "p1"), ("Highest", "p1"), ("1 - critical", "p1"), ("high", "p2"), ("Sev-2 (major)",
        "p2"), ("error", "p2"), ("page", "p2"), ("warning", "p3"), ("Medium", "p3"), ("P3", "p3"),
        ("info", "p4"), ("P5", "p4"), ("low", "p4"), ("none", "none"), ("banana", None), ("", None),
        ("pt1", None),
    ],
)  # fmt: skip
def test_words_for_severity(word, severity):
    assert words("severity", word) == severity


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("production", "production"), ("prod", "production"), ("PRD", "production"), ("Live", "production"),
        ("Production - app", "production"), ("production-eu", "production"), ("eu/prod/web", "production"),
        ("Production – basket", "production"), ("pre-production", None), ("non-prod", None), ("staging",
        None), ("preprod", None), ("prod-test", None), ("delivery", None), ("alive", None), ("product",
        None), ("live-preview", None), ("nonprod", None),
    ],
)  # fmt: skip
def test_names_of_production(name, meaning):
    assert words("environment", name) == meaning
