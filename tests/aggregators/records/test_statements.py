"""The law of the fold: a record is a function of the set of its statements."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregators.records.statements import BY_HAND, EVENT, ROW, Fold, Note, Statement
from ingest.kinds import KINDS
from tests.deep import efforts

DAY = datetime(2026, 4, 2, 9, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """An instant, in minutes from 2 April 2026, 09:00."""
    return DAY + timedelta(minutes=minutes)


INSTANTS = st.integers(-3, 12).map(at)
WORDS = {
    "severity": st.sampled_from(["p1", "P2", "SEV-3", "critical", "wobbly", "none"]),
    "urgency": st.sampled_from(["high", "low"]),
    "outcome": st.sampled_from(["successful", "failed", "rolled_back", "cancelled"]),
    "result": st.sampled_from(["compliant", "partial", "non_compliant", "not_assessed"]),
    "environment": st.sampled_from(["production", "prod", "staging"]),
    "type": st.sampled_from(["latency", "custom"]),
    "status": st.sampled_from(["active", "suspended"]),
    "window": st.sampled_from(["days", "month"]),
    "sender": st.sampled_from(["http://a", "http://b"]),
}
BOOLEANS = ("withdrawn", "is_production", "postmortem_required")
AMOUNTS = ("good", "total", "target_percent", "burn_1h_max", "burn_6h_max")
WHOLE = ("tier", "window_days")


def value_of(kind, name: str) -> st.SearchStrategy:
    """Values that a field may be told with."""
    if name in WORDS:
        return WORDS[name]
    if name in BOOLEANS:
        return st.booleans()
    if name in AMOUNTS:
        return st.sampled_from([1.0, 2.0, 99.0])
    if name in WHOLE:
        return st.integers(1, 4)
    if kind.types.get(name) == "instant":
        return INSTANTS
    if kind.types.get(name) == "day":
        return INSTANTS.map(lambda instant: instant.date())
    return st.sampled_from(["a", "b"])


@st.composite
def statements(draw, kind) -> list[Statement]:
    """Statements that may be made about one record: by events, rows and hands, in any contradiction."""
    names = [f.name for f in (*kind.fields, *kind.told) if f.name not in (*kind.key, "merged_into")]
    told = []
    for _ in range(draw(st.integers(1, 7))):
        fields = draw(st.lists(st.sampled_from(names), min_size=1, max_size=5, unique=True))
        manner = draw(st.sampled_from([EVENT, EVENT, ROW, BY_HAND]))
        assertions = {name: draw(value_of(kind, name)) for name in fields}
        if manner is not EVENT and draw(st.booleans()):
            assertions[fields[0]] = None
        told.append(
            Statement(
                draw(st.sampled_from(["csv", "pagerduty", "github"])),
                assertions,
                at(1000 + draw(st.integers(0, 4))),
                draw(st.none() | INSTANTS),
                draw(st.integers(0, 2)),
                manner,
            )
        )
    return told


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        (name, identity)
        for name, kind in KINDS.items()
        if kind.tenant
        for identity in (("x", "alert:x") if kind.fold.split else ("x",))
    ],
)
@pytest.mark.parametrize("effort", efforts(few=20, many=500, deep=10_000))
def test_order_and_repetition_change_nothing(name, identity, effort):
    kind = KINDS[name]

    @effort
    @given(st.data())
    def check(data):
        told = data.draw(statements(kind))
        shuffled = data.draw(st.permutations(told))
        again = [*shuffled, *data.draw(st.lists(st.sampled_from(told), max_size=4))]
        assert kind.fold.records(identity, again) == kind.fold.records(identity, told)

    check()


def test_of_two_last_words_on_a_deployment_the_one_completed_last_counts_in_any_order():
    ended = [
        {"outcome": "successful", "completed_at": at(0)},
        {"outcome": "successful", "completed_at": at(1)},
        {"outcome": "successful"},
    ]
    told = [Statement("csv", assertions, at(9), at(0)) for assertions in ended]
    fold = KINDS["deployments"].fold
    for order in permutations(told):
        record = fold.record(order).record
        assert record is not None
        assert record["completed_at"] == at(1)


def row(received: float, source: str = "csv", **assertions) -> Statement:
    return Statement(source, assertions, at(received), None, 0, ROW)


def test_a_newer_row_replaces_the_words_of_its_source_field_by_field():
    told = [row(1, a="old", b="kept"), row(2, a="new"), row(1, "sloth", c="another's")]
    assert Fold().record(told).record == {"a": "new", "b": "kept", "c": "another's"}


def test_an_emptied_cell_takes_back_what_its_source_said_and_no_other():
    told = [row(1, a="mine"), row(2, a=None), Statement("api", {"a": "theirs"}, at(0))]
    assert Fold().record(told).record == {"a": "theirs"}


def test_a_hand_outranks_what_comes_later():
    hand = Statement("hand", {"a": "by hand"}, at(1), None, 0, BY_HAND)
    told = [hand, row(2, a="row"), Statement("api", {"a": "event"}, at(3), at(3))]
    assert Fold().record(told).record == {"a": "by hand"}


def test_what_happened_earlier_and_came_later_changes_nothing():
    told = [
        Statement("s", {"a": "last"}, at(1), at(10)),
        Statement("s", {"a": "first"}, at(2), at(5)),
    ]
    assert Fold().record(told).record == {"a": "last"}


def test_ties_are_decided_by_sequence_then_by_value():
    told = [Statement("s", {"a": v}, at(1), at(5), n) for v, n in (("x", 1), ("b", 2), ("a", 2))]
    assert Fold().record(told).record == {"a": "b"}


def test_nothing_is_a_record_until_what_it_needs_is_told():
    folded = Fold(needs=("a",)).record([row(1, b="x")])
    assert folded.record is None
    assert folded.notes == (Note("a", "has not been told, so there is no record yet"),)
