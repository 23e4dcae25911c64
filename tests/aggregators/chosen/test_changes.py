"""The setting that holds on a day, against a plain walk over the days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from aggregators.chosen.changes import SettingChange, in_force, steps

FIRST = date(2026, 1, 1)
DAYS = st.integers(0, 60).map(lambda n: FIRST + timedelta(days=n))
ASKED = st.lists(st.tuples(DAYS, st.none() | st.integers(1, 9)), max_size=12)


def changes_of(asked: list[tuple[date, int | None]]) -> list[SettingChange]:
    """Changes in the order in which somebody made them."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        SettingChange("sprint_days", n, value, since, "a@x.example", at + timedelta(hours=n))
        for n, (since, value) in enumerate(asked, 1)
    ]


def plainly(changes: list[SettingChange], day: date) -> int | None:
    """Value on a day: goes back day by day to one on which a change begins, the last made of that day."""
    while day >= FIRST:
        begun = [change for change in changes if change.since == day]
        if begun:
            return begun[-1].value
        day -= timedelta(days=1)
    return None


@given(ASKED, DAYS)
def test_the_last_that_has_begun_holds(asked, day):
    changes = changes_of(asked)
    held = in_force(changes, day).get("sprint_days")
    assert (held.value if held else None) == plainly(changes, day)


@given(ASKED, DAYS)
def test_steps_say_what_holds_on_every_day(asked, day):
    changes = changes_of(asked)
    expected = plainly(changes, day)
    assert steps(changes, "sprint_days", 14).on(day) == (14 if expected is None else expected)


@given(ASKED, st.tuples(DAYS, st.none() | st.integers(1, 9)), DAYS)
def test_a_change_leaves_every_day_before_its_own_as_it_was(asked, change, day):
    before, after = changes_of(asked), changes_of([*asked, change])
    if day < change[0]:
        assert in_force(after, day) == in_force(before, day)


@given(ASKED, DAYS)
def test_the_order_in_which_they_are_read_does_not_matter(asked, day):
    changes = changes_of(asked)
    assert in_force(changes[::-1], day) == in_force(changes, day)
