"""Amounts as typed into a setting, in the unit of its measure; a ValueError says what is taken."""

from __future__ import annotations

import math
import re
from datetime import date
from decimal import Decimal

from aggregators.vocabulary.measure import Unit
from counting_settings import of_its_years

SECONDS = {"d": 86400, "h": 3600, "min": 60, "s": 1}
"""Seconds of each unit of a duration."""
_NUMBER = r"\d{1,12}(?:\.\d{1,9})?"
_AMOUNT = re.compile(_NUMBER, re.ASCII)
_PART = rf"({_NUMBER})\s*(d|h|min|s)"
_DURATION = re.compile(rf"{_PART}(?:\s*{_PART})*", re.ASCII)
MOST = 1e9
TAKES = {
    Unit.RATIO: "a percentage from 0 to 100, such as 12.5",
    Unit.SECONDS: "a duration such as 90 min, 4 h or 2 d 12 h",
    Unit.COUNT: "a whole number, 0 or more",
    Unit.DAYS: "a number of days, 0 or more",
    Unit.PER_DAY: "a number a day, such as 0.5",
    Unit.BURN: "a number, such as 1 or 14.4",
}
"""Form of an amount, by its unit."""


def read(text: str, unit: Unit) -> float:
    """Amount in a unit, as it was typed: percentages, durations with their units, numbers."""
    given = text.strip().casefold()
    if unit is Unit.SECONDS:
        if not _DURATION.fullmatch(given):
            raise ValueError(_wrong_amount(unit, text))
        parts = re.findall(_PART, given)
        return checked(sum(float(number) * SECONDS[of] for number, of in parts), unit)
    if unit is Unit.RATIO:
        given = given.removesuffix("%").strip()
    if not _AMOUNT.fullmatch(given):
        raise ValueError(_wrong_amount(unit, text))
    return checked(float(Decimal(given) / 100 if unit is Unit.RATIO else given), unit)


def checked(amount: object, unit: Unit) -> float:
    """Amount as a program gives it, in the measure's unit: ratios from 0 to 1, durations in seconds."""
    if isinstance(amount, bool) or not isinstance(amount, (int, float)):
        raise ValueError(f"takes a number; got {_excerpt(amount)}")
    highest = 1.0 if unit is Unit.RATIO else MOST
    whole = unit is not Unit.COUNT or float(amount).is_integer()
    if not math.isfinite(amount) or not 0 <= amount <= highest or not whole:
        raise ValueError(_wrong_amount(unit, amount))
    return float(amount)


def write(amount: float, unit: Unit) -> str:
    """Amount as ``read`` takes it, exactly."""
    if unit is Unit.RATIO:
        return f"{round(amount * 100, 9):.10g}"
    if unit is not Unit.SECONDS:
        return f"{amount:.12g}"
    if amount == 0:
        return "0 min"
    parts, left = [], amount
    for name, size in SECONDS.items():
        number = left if name == "s" else math.floor(left / size)
        left -= number * size
        parts += [f"{number:.9g} {name}"] if number else []
    return " ".join(parts)


def read_day(text: str) -> date:
    """Day, as ISO 8601 writes it."""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"takes a date such as 2026-10-01; got {_excerpt(text)}") from None
    try:
        of_its_years(day)
    except ValueError as error:
        raise ValueError(f"{error}; got {day}") from None
    return day


def _wrong_amount(unit: Unit, given: object) -> str:
    return f"takes {TAKES[unit]}; got {_excerpt(given)}"


def _excerpt(given: object) -> str:
    """Beginning of a value as an error may repeat it."""
    return repr(given)[:60]
