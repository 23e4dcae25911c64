"""Figures as words: one format per unit, shared by the page, the PDF and the sentences."""

from __future__ import annotations

import math
from datetime import date

from aggregators.figures import Figure
from aggregators.measure import Better, Measure, Status, Unit
from aggregators.period import Span

NONE = "–"
MINUS = "\N{MINUS SIGN}"
OVER_BUDGET = "over budget"
MINUTE, HOUR, DAY = 60, 3600, 86400


def number(value: float, digits: int = 0) -> str:
    """1204 -> "1,204"; a true minus; no negative zero."""
    text = f"{abs(value):,.{digits}f}"
    return MINUS + text if value < 0 and float(text.replace(",", "")) else text


def percent(fraction: float, digits: int = 1) -> str:
    """0.142 -> "14.2 %"."""
    return f"{number(fraction * 100, digits)} %"


def duration(seconds: float) -> str:
    """Seconds in the two largest fitting units: "1 h 42 min", "3 d 4 h", "45 s"."""
    sign, left = (MINUS if seconds < 0 else ""), abs(seconds)
    if left < MINUTE:
        return f"{sign}{left:.0f} s"
    minutes = round(left / MINUTE)
    if minutes < 60:
        return f"{sign}{minutes} min"
    if minutes < 24 * 60:
        hours, rest = divmod(minutes, 60)
        return f"{sign}{hours} h {rest} min" if rest else f"{sign}{hours} h"
    days, hours = divmod(round(left / HOUR), 24)
    return f"{sign}{days} d {hours} h" if hours else f"{sign}{days} d"


def per_day(rate: float) -> str:
    """A rate per day, shown per week when under one a day: "3.4 / day", "2.1 / week"."""
    return f"{number(rate, 1)} / day" if rate >= 1 or rate == 0 else f"{number(rate * 7, 1)} / week"


def value(amount: float | None, unit: Unit) -> str:
    """A value in its unit, an en dash for no data, never inf or NaN."""
    if amount is None or math.isnan(amount):
        return NONE
    if math.isinf(amount):
        return OVER_BUDGET
    match unit:
        case Unit.RATIO:
            return percent(amount)
        case Unit.SECONDS:
            return duration(amount)
        case Unit.PER_DAY:
            return per_day(amount)
        case Unit.BURN:
            return f"{number(amount, 1)}×"
        case Unit.DAYS:
            return f"{number(amount)} d"
        case _:
            return number(amount)


def figure(shown: Figure) -> str:
    """A figure's value as words."""
    return OVER_BUDGET if shown.over_budget else value(shown.value, shown.measure.unit)


def points(fraction: float) -> str:
    """A change of a ratio: 0.031 -> "+3.1 pts"."""
    return f"{'+' if fraction > 0 else ''}{number(fraction * 100, 1)} pts"


def delta(shown: Figure) -> str:
    """The change against the previous period: "+3.1 pts", "−2", "from 0", "No change",
    "no earlier data"; never NaN, infinity or a percent of a percent."""
    if shown.delta is None:
        return "no earlier data" if shown.has_data else NONE
    if not moved(shown):
        return "No change"
    text = shift(shown.delta, shown.measure.unit)
    if shown.measure.unit is Unit.RATIO:
        return text
    return f"{text}, from 0" if shown.previous == 0 else text


def shift(change: float, unit: Unit) -> str:
    """A change with its sign: "+3.1 pts", "−2", "+1.4 / week", "−1 h 20 min"; "0.0 pts" has none."""
    change = 0.0 if is_nothing(change, unit) else change
    if unit is Unit.RATIO:
        return points(change)
    sign = "+" if change > 0 else ""
    if unit is Unit.PER_DAY:
        return f"{sign}{number(change * 7, 1)} / week"
    return f"{sign}{value(change, unit)}"


def size(change: float, unit: Unit) -> str:
    """A change within a sentence, without its sign: "3.1 points", "2", "1.4 / week"."""
    if unit is Unit.RATIO:
        return f"{number(abs(change) * 100, 1)} points"
    if unit is Unit.PER_DAY:
        return f"{number(abs(change) * 7, 1)} / week"
    return value(abs(change), unit)


def is_nothing(change: float, unit: Unit) -> bool:
    """Whether a change is too small to be seen in its format: 0.04 points, 0.3 s."""
    return size(change, unit) == size(0.0, unit)


def moved(shown: Figure) -> bool:
    """Whether there is a change that can be seen: what reads 0.0 is neither better nor worse."""
    if shown.delta is None or shown.change == "same":
        return False
    return not is_nothing(shown.delta, shown.measure.unit)


def change(shown: Figure) -> str:
    """The change with its direction in words: "+3.1 pts · worse"."""
    word = f" · {shown.change}" if moved(shown) and shown.change in ("better", "worse") else ""
    return delta(shown) + word


def arrow(shown: Figure) -> str:
    """The direction of the change, independent of better or worse."""
    if shown.delta is None or not moved(shown):
        return ""
    return "▲" if shown.delta > 0 else "▼"


def days_seen(shown: Figure) -> str:
    """ "26 of 28 days"."""
    return f"{shown.evidence.days_seen} of {shown.evidence.days_expected} days"


def evidence(shown: Figure) -> str:
    """What the figure rests on: "12 of 97", "n = 41"; empty when the kind has none."""
    e, unit = shown.evidence, shown.measure.unit
    if unit is Unit.RATIO and e.numerator is not None and e.denominator is not None:
        return f"{number(e.numerator)} of {number(e.denominator)}"
    if unit is Unit.PER_DAY and e.numerator is not None and e.denominator is not None:
        return f"{number(e.numerator)} in {number(e.denominator)} days"
    return f"n = {number(e.n)}" if e.n is not None else ""


def day(when: date, *, year: bool = True) -> str:
    """22 Nov 2026."""
    return f"{when.day} {when:%b}" + (f" {when.year}" if year else "")


def span(of: Span) -> str:
    """26 Oct – 22 Nov 2026."""
    return f"{day(of.start, year=of.start.year != of.end.year)} – {day(of.end)}"


def spark(shown: Figure) -> str:
    """A sparkline in words: "28 days: 9.0 % to 14.0 %, low 8.0 %, high 16.0 %"."""
    unit = shown.measure.unit
    known = [v for _, v in shown.series if v is not None]
    if not known:
        return f"{shown.measure.title}: no data"
    first, last = value(known[0], unit), value(known[-1], unit)
    low, high = value(min(known), unit), value(max(known), unit)
    days = shown.evidence.days_expected
    return f"{shown.measure.title}, {days} days: {first} to {last}, low {low}, high {high}"


def counted(amount: float, noun: str) -> str:
    """1 day, 2 days; 1,204 controls."""
    return f"{number(amount)} {noun}{'' if amount == 1 else 's'}"


STATUS = {
    Status.GOOD: "Good",
    Status.WATCH: "Watch",
    Status.BAD: "Bad",
    Status.NO_DATA: "No data",
}
"""A status as a word."""

REASONS = {"inactive": "inactive", "other_region": "in another region"}
"""Why a workspace is left out of the scope, by ``Scope.left_out``'s keys."""


def thresholds(measure: Measure) -> str:
    """From where a value is flagged: "Watch at 10.0 % or more, bad at 15.0 % or more"; empty without."""
    side = "more" if measure.better is Better.LOWER else "less"
    found = [
        f"{STATUS[status].lower()} at {value(limit, measure.unit)} or {side}"
        for limit, status in ((measure.watch, Status.WATCH), (measure.bad, Status.BAD))
        if limit is not None
    ]
    return ", ".join(found).capitalize()
