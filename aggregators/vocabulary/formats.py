"""Formats of numbers, days and counted things: one per unit, for the page, the PDF and the sentences."""

from __future__ import annotations

import math
from datetime import date, datetime, tzinfo

from aggregators.vocabulary.measure import Unit
from aggregators.vocabulary.period import Span

NONE = "–"
MINUS = "\N{MINUS SIGN}"
OVER_BUDGET = "over budget"
MINUTE, HOUR, DAY = 60, 3600, 86400
D3_DAY, D3_DAY_OF_YEAR = "%-d %b", "%-d %b %Y"
"""Days as ``day`` writes them, for the charts that a browser draws."""
LESS = 0.5
"""A rate under one a day, beside which a change of rates is told a week."""


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


def per_day(rate: float, beside: float | None = None) -> str:
    """A rate per day, shown per week when under one a day: "3.4 / day", "2.1 / week". One ``beside``
    another rate takes the unit of that."""
    of = rate if beside is None else beside
    return f"{number(rate, 1)} / day" if of >= 1 or of == 0 else f"{number(rate * 7, 1)} / week"


def value(amount: float | None, unit: Unit, beside: float | None = None) -> str:
    """A value in its unit, an en dash for no data, never inf or NaN; units do not change within a line, so
    that one ``beside`` another value takes the unit of that."""
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
            return per_day(amount, beside)
        case Unit.BURN:
            return f"{number(amount, 1)}×"
        case Unit.DAYS:
            return f"{number(amount)} d"
        case _:
            return number(amount)


def about(amount: float, unit: Unit) -> str:
    """An estimate in its unit, no finer than it is known: 0.184 -> "18 %"."""
    return percent(amount, 0) if unit is Unit.RATIO and amount >= 0.095 else value(amount, unit)


def span_of_percent(low: float, high: float) -> str:
    """Both ends of an interval of ratios: "23.2 to 42.0 %"."""
    return f"{percent(low).removesuffix(' %')} to {percent(high)}"


def points(fraction: float) -> str:
    """A change of a ratio: 0.031 -> "+3.1 pts"."""
    return f"{'+' if fraction > 0 else ''}{number(fraction * 100, 1)} pts"


def shift(change: float, unit: Unit, beside: float | None = None) -> str:
    """A change with its sign, in the unit of the value ``beside`` it: "+3.1 pts", "−2", "+1.4 / week",
    "−1 h 20 min"; "0.0 pts" has none."""
    change = 0.0 if is_nothing(change, unit, beside) else change
    if unit is Unit.RATIO:
        return points(change)
    sign = "+" if change > 0 else ""
    return f"{sign}{value(change, unit, LESS if beside is None else beside)}"


def size(change: float, unit: Unit, beside: float | None = None) -> str:
    """A change within a sentence, without its sign: "3.1 points", "2", "1.4 / week"."""
    if unit is Unit.RATIO:
        return f"{number(abs(change) * 100, 1)} points"
    return value(abs(change), unit, LESS if beside is None else beside)


def is_nothing(change: float, unit: Unit, beside: float | None = None) -> bool:
    """Whether a change is too small to be seen in its format: 0.04 points, 0.3 s."""
    return size(change, unit, beside) == size(0.0, unit, beside)


def day(when: date, *, year: bool = True) -> str:
    """22 Nov 2026."""
    return f"{when.day} {when:%b}" + (f" {when.year}" if year else "")


def clock(when: datetime, zone: tzinfo, *, seconds: bool = False) -> str:
    """09:05 Europe/Berlin."""
    return f"{when.astimezone(zone):{'%H:%M:%S' if seconds else '%H:%M'}} {zone}"


def instant(when: datetime, zone: tzinfo, *, year: bool = True, seconds: bool = False) -> str:
    """22 Nov 2026 09:05 Europe/Berlin."""
    return f"{day(when.astimezone(zone), year=year)} {clock(when, zone, seconds=seconds)}"


def span(of: Span) -> str:
    """26 Oct – 22 Nov 2026."""
    return f"{day(of.start, year=of.start.year != of.end.year)} – {day(of.end)}"


def counted(amount: float, noun: str) -> str:
    """1 day, 2 days; 1,204 controls."""
    return f"{number(amount)} {noun}{'' if amount == 1 else 's'}"
