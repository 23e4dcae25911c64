"""Alerts as incidents, one set of labels at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from aggregators.incidents.alerts import FOLD, PREFIX
from aggregators.records.statements import Statement
from ingest.words import default_meanings, normal_word

NINE = datetime(2026, 4, 2, 9, tzinfo=UTC)
YEAR_1 = None


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def words(about: str, word: str) -> str | None:
    return default_meanings()[about](normal_word(word))


def notice(start: float, end: float | None = None, *, received: float, sender="http://am", **said):
    """Notice of an alert: firing, or over at ``end``."""
    told = {
        "starts_at": at(start),
        "sender": sender,
        "alert": "DiskFull",
        "severity": "warning",
        **said,
    }
    if end is not None:
        told["ends_at"] = at(end)
    return Statement("alertmanager", told, at(received), at(start if end is None else end))


def spans(*notices: Statement) -> list[tuple[float, float | None]]:
    """Minutes of the incidents that count."""
    records = [f.record for f in FOLD.records(f"{PREFIX}abc", notices, words).values()]
    counted = [r for r in records if r and r["left_out"] is None]
    return sorted(
        (
            (r["opened_at"] - NINE).total_seconds() / 60,
            None if r["resolved_at"] is None else (r["resolved_at"] - NINE).total_seconds() / 60,
        )
        for r in counted
    )


@pytest.mark.parametrize(
    ("notices", "expected"),
    [
        ([notice(0, received=1)], [(0, None)]),
        ([notice(0, received=1), notice(0, received=5), notice(0, 9, received=10)], [(0, 9)]),
        ([notice(0, received=1), notice(60, 60, received=61)], [(0, 60)]),
        ([notice(0, received=1), notice(20, received=21)], [(0, 20), (20, None)]),
        ([notice(0, received=1), notice(0, 9, received=10), notice(20, received=21)], [(0, 9), (20, None)]),
        ([notice(5, received=6), notice(2, received=7), notice(2, 9, received=10)], [(2, 9)]),
        ([notice(0, 9, received=10)], [(0, 9)]),
        ([notice(0, received=1, sender="a"), notice(2, received=3, sender="b"),
          notice(0, 9, received=10, sender="a"),
          notice(2, 8, received=11, sender="b")], [(0, 9)]),
        ([notice(0, 5, received=6, sender="a"), notice(7, 9, received=10, sender="b")], [(0, 5), (7, 9)]),
        ([notice(0, received=1), notice(0, 9, received=10), notice(0, received=11)], [(0, 9)]),
    ],
    ids=["firing", "repeated", "grafana", "missed end", "again", "start moves", "only the end",
         "two senders", "apart", "late repetition"],
)  # fmt: skip
def test_incidents_of_an_alert(notices, expected):
    assert spans(*notices) == expected


def test_the_gravest_severity_that_it_reached_stands():
    told = [
        notice(0, received=1),
        notice(0, received=2, severity="Critical"),
        notice(0, received=3),
    ]
    (folded,) = FOLD.records(f"{PREFIX}abc", told, words).values()
    assert folded.record["severity"] == "p1"


@pytest.mark.parametrize(
    "said", [{"alert": "Watchdog"}, {"severity": "none"}, {"alert": "InfoInhibitor"}]
)
def test_a_heartbeat_is_no_incident(said):
    (folded,) = FOLD.records(f"{PREFIX}abc", [notice(0, received=1, **said)], words).values()
    assert folded.record["left_out"] == "heartbeat"


def test_an_alert_that_ends_before_it_begins_is_told_and_stays():
    (folded,) = FOLD.records(f"{PREFIX}abc", [notice(10, 5, received=11)], words).values()
    assert folded.record["opened_at"] == at(10)
    assert [note.field for note in folded.notes] == ["ends_at"]
