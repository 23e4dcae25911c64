"""Parsers of cells: text in, value out; a ValueError says what the column takes."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime

from storage.models import SLUG

Parser = Callable[[str], object]

NAME, TITLE, KEY, QUERY = 200, 500, 200, 4000
"""Longest names, titles, keys and queries, in characters."""
MOST = 1e15
"""Largest amount: whole numbers up to here are exact, and a year's sum stays finite."""
FIRST_YEAR, LAST_YEAR = 2000, 2100

_SLUG = re.compile(SLUG)
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d(?P<time>[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(?P<offset>Z|[+-]\d\d(:?\d\d)?)?)?",
    re.ASCII | re.IGNORECASE,
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII | re.IGNORECASE)
_HEX_PAIRS = re.compile(r"([0-9a-f]{2}:?)*[0-9a-f]{2}", re.ASCII | re.IGNORECASE)
_FORBIDDEN = {"Cc", "Cs", "Zl", "Zp"}
_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


def shown(cell: str) -> str:
    """A cell as it may be printed: quoted, escaped, cut."""
    return ascii(cell) if len(cell) <= 40 else ascii(cell[:39]) + "…"


def text(limit: int = NAME) -> Parser:
    """Text of at most ``limit`` characters without control characters or direction overrides."""

    def parse(cell: str) -> str:
        if len(cell) > limit:
            raise ValueError(f"takes at most {limit} characters, has {len(cell)}")
        if not cell.isprintable():  # quick: most cells have nothing to look at
            for character in cell:
                if unicodedata.category(character) in _FORBIDDEN or character in _OVERRIDES:
                    raise ValueError(f"holds the control character U+{ord(character):04X}")
        return cell

    return parse


def lowered(limit: int = NAME) -> Parser:
    """As ``text``, in lower case: names that are compared, such as an environment or a host."""
    parse = text(limit)
    return lambda cell: str(parse(cell)).lower()


def slug(cell: str) -> str:
    """A workspace's slug."""
    if not (3 <= len(cell) <= 30 and _SLUG.fullmatch(cell) and cell.isascii()):
        raise ValueError(
            f"takes a slug of 3 to 30 lower-case letters, digits and single hyphens, got {shown(cell)}"
        )
    return cell


def any_instant(cell: str) -> datetime:
    """An ISO 8601 instant with its offset, in UTC; any year, as certificates have."""
    found = _INSTANT.fullmatch(cell)
    if found is None:
        raise ValueError(f"takes an instant such as 2026-11-22T09:30:00Z, got {shown(cell)}")
    if found["time"] is None:
        raise ValueError(f"takes an instant with time and offset, got the date {cell} alone")
    if found["offset"] is None:
        raise ValueError(f"has no offset from UTC: add Z or +01:00 to {cell}")
    try:
        return datetime.fromisoformat(cell.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"is no instant that exists: {cell}") from None


def instant(cell: str) -> datetime:
    """As ``any_instant``, between 2000 and 2100."""
    found = any_instant(cell)
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise ValueError(f"must lie between {FIRST_YEAR} and {LAST_YEAR}, got {cell}")
    return found


def day(cell: str) -> date:
    """A date YYYY-MM-DD between 2000 and 2100."""
    if not _DAY.fullmatch(cell):
        raise ValueError(f"takes a date as YYYY-MM-DD, got {shown(cell)}")
    try:
        found = date.fromisoformat(cell)
    except ValueError:
        raise ValueError(f"is no date that exists: {cell}") from None
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise ValueError(f"must lie between {FIRST_YEAR} and {LAST_YEAR}, got {cell}")
    return found


def number(*, above: float = -math.inf, least: float = -math.inf, most: float = MOST) -> Parser:
    """A finite number: greater than ``above``, within ``least`` and ``most``."""
    low = f"above {above:g}" if above > -math.inf else f"of at least {least:g}"

    def parse(cell: str) -> float:
        if not _NUMBER.fullmatch(cell):
            raise ValueError(f"takes a number such as 99.9, got {shown(cell)}")
        found = float(cell) + 0.0  # -0 becomes 0
        if not (found > above and least <= found <= most):
            raise ValueError(f"takes a number {low} and at most {most:g}, got {shown(cell)}")
        return found

    return parse


def whole(least: int, most: int) -> Parser:
    """A whole number within the bounds, both included."""

    def parse(cell: str) -> int:
        if not _WHOLE.fullmatch(cell) or not least <= int(cell) <= most:
            raise ValueError(f"takes a whole number from {least} to {most}, got {shown(cell)}")
        return int(cell)

    return parse


def one_of(values: tuple[str, ...]) -> Parser:
    """One of these words, in any case."""

    def parse(cell: str) -> str:
        if (found := cell.lower()) not in values:
            raise ValueError(f"takes one of {', '.join(values)}; got {shown(cell)}")
        return found

    return parse


def yes_no(cell: str) -> bool:
    """true, yes, 1, or false, no, 0."""
    word = cell.lower()
    if word not in _TRUE + _FALSE:
        raise ValueError(f"takes true or false, yes or no, 1 or 0; got {shown(cell)}")
    return word in _TRUE


def colour(cell: str) -> str:
    """A CSS colour #RRGGBB."""
    if not _COLOUR.fullmatch(cell):
        raise ValueError(f"takes a colour such as #0B5CAD, got {shown(cell)}")
    return cell


def fingerprint(cell: str) -> str:
    """A certificate's fingerprint; hexadecimal ones without colons, in lower case."""
    found = str(text(KEY)(cell))
    return found.replace(":", "").lower() if _HEX_PAIRS.fullmatch(found) else found
