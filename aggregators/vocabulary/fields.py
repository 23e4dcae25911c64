"""Parsers of cells: text in, value out; a ValueError says what the column takes."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, tzinfo

from counting_settings import FIRST_YEAR, LAST_YEAR, is_harmless

Parser = Callable[[str], object]

SLUG_WORD = "[a-z0-9]+(?:-[a-z0-9]+)*"
SHORTEST_SLUG, LONGEST_SLUG = 3, 30
SLUG = f"^{SLUG_WORD}$"
"""Form of a workspace's slug, for Python and PostgreSQL alike, and its length in characters."""

NAME, TITLE, KEY, QUERY = 200, 500, 200, 4000
"""Longest names, titles, keys and queries, in characters."""
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
MOST = 1e15
"""Largest amount: whole numbers up to here are exact, and a year's sum stays finite."""

_SLUG = re.compile(SLUG)
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d(?P<time>[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(?P<offset>Z|[+-]\d\d(:?\d\d)?)?)?",
    re.ASCII | re.IGNORECASE,
)
_LOOSE = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d(:\d\d([.,]\d+)?)?)"
    r" ?(?P<offset>Z|UTC|GMT|[+-]\d\d(:?\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)
"""As scanners write instants: with a space before the offset, with UTC for it, or without any."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d+([.,' \u00a0\u202f_]\d+)+", re.ASCII)
GROUPED = ", with a point for decimals and nothing between thousands"
_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII | re.IGNORECASE)
_HEX_PAIRS = re.compile(r"([0-9a-f]{2}[: -]?)*[0-9a-f]{2}", re.ASCII | re.IGNORECASE)
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


def printable(cell: str) -> str:
    """A cell as it may be printed: quoted, escaped, cut."""
    return ascii(cell) if len(cell) <= 40 else ascii(cell[:39]) + "…"


def text(limit: int = NAME) -> Parser:
    """Text of at most ``limit`` characters without control characters or direction overrides; an accent is
    one whether it was written with its letter or after it."""

    def parse(cell: str) -> str:
        if not cell.isascii():
            cell = unicodedata.normalize("NFC", cell)
        if len(cell) > limit:
            raise ValueError(f"takes at most {limit} characters, has {len(cell)}")
        if not cell.isprintable():  # quick: most cells have nothing to look at
            for character in cell:
                if not is_harmless(character):
                    raise ValueError(f"holds the control character U+{ord(character):04X}")
        return cell

    return parse


def title(limit: int = TITLE) -> Parser:
    """Text for people to read: on one line, cut at ``limit``, without control characters; never refused."""

    def parse(cell: str) -> str:
        if not cell.isprintable():
            cell = "".join(c if is_harmless(c) else " " for c in cell)
        cell = " ".join(cell.split())
        return cell if len(cell) <= limit else cell[: limit - 1] + "…"

    return parse


def lower_text(limit: int = NAME) -> Parser:
    """As ``text``, in lower case: names that are compared, such as an environment or a host."""
    parse = text(limit)
    return lambda cell: str(parse(cell)).lower()


def lowered_title(limit: int = NAME) -> Parser:
    """As ``title``, in lower case: names that are compared and never refused."""
    parse = title(limit)
    return lambda cell: str(parse(unicodedata.normalize("NFC", cell))).lower()


def slug(cell: str) -> str:
    """A workspace's slug."""
    is_long = SHORTEST_SLUG <= len(cell) <= LONGEST_SLUG
    if not (is_long and _SLUG.fullmatch(cell) and cell.isascii()):
        raise ValueError(
            f"takes a slug of {SHORTEST_SLUG} to {LONGEST_SLUG} lower-case letters, digits and single"
            f" hyphens, got {printable(cell)}"
        )
    return cell


def any_instant(cell: str) -> datetime:
    """An ISO 8601 instant with its offset, in UTC; any year, as certificates have."""
    if len(cell) == 20 and cell[4::3] == "--T::Z":  # as most files have it: quickly
        with suppress(ValueError):
            return datetime.fromisoformat(cell)
    match = _INSTANT.fullmatch(cell)
    if match is None:
        raise ValueError(f"takes an instant such as 2026-11-22T09:30:00Z, got {printable(cell)}")
    if match["time"] is None:
        raise ValueError(f"takes an instant with time and offset, got the date {cell} alone")
    if match["offset"] is None:
        raise ValueError(f"has no offset from UTC: add Z or +01:00 to {cell}")
    try:
        if cell[16:19] == ":60":  # a leap second, which our calendar has not: the one after it
            return any_instant(f"{cell[:16]}:59{cell[19:]}") + timedelta(seconds=1)
        return datetime.fromisoformat(cell.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"is no instant that exists: {cell}") from None


def in_zone(cell: str, zone: tzinfo) -> str:
    """An instant without an offset as one with the offset of the zone; anything else as it is. Of an hour
    that a change of the clocks repeats, the first is taken."""
    match = _LOOSE.fullmatch(cell.strip())
    if match is None:
        return cell
    local = f"{match['day']}T{match['time']}"
    if match["offset"]:
        return local + ("Z" if match["offset"].isalpha() else match["offset"])
    try:
        return datetime.fromisoformat(local).replace(tzinfo=zone).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return cell


def instant(cell: str) -> datetime:
    """As ``any_instant``, between 2000 and 2100."""
    moment = any_instant(cell)
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"must lie between {FIRST_YEAR} and {LAST_YEAR}, got {cell}")
    return moment


def day(cell: str) -> date:
    """A date YYYY-MM-DD between 2000 and 2100."""
    if not _DAY.fullmatch(cell):
        raise ValueError(f"takes a date as YYYY-MM-DD, got {printable(cell)}")
    try:
        moment = date.fromisoformat(cell)
    except ValueError:
        raise ValueError(f"is no date that exists: {cell}") from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"must lie between {FIRST_YEAR} and {LAST_YEAR}, got {cell}")
    return moment


def number(*, above: float = -math.inf, least: float = -math.inf, most: float = MOST) -> Parser:
    """A finite number: greater than ``above``, within ``least`` and ``most``."""
    low = f"above {above:g}" if above > -math.inf else f"of at least {least:g}"

    def parse(cell: str) -> float:
        if not NUMBER.fullmatch(cell):
            written = GROUPED if _GROUPED.fullmatch(cell) else ""
            raise ValueError(f"takes a number such as 99.9{written}, got {printable(cell)}")
        value = float(cell) + 0.0  # -0 becomes 0
        if not (value > above and least <= value <= most):
            raise ValueError(f"takes a number {low} and at most {most:g}, got {printable(cell)}")
        return value

    return parse


def whole_number(least: int, most: int) -> Parser:
    """A whole number within the bounds, both included."""

    def parse(cell: str) -> int:
        if not _WHOLE.fullmatch(cell) or not least <= int(cell) <= most:
            raise ValueError(f"takes a whole number from {least} to {most}, got {printable(cell)}")
        return int(cell)

    return parse


def one_of(values: tuple[str, ...]) -> Parser:
    """A word of these, in any case."""

    def parse(cell: str) -> str:
        if (word := cell.lower()) not in values:
            raise ValueError(f"takes one of {', '.join(values)}; got {printable(cell)}")
        return word

    return parse


def yes_no(cell: str) -> bool:
    """true, yes, 1, or false, no, 0."""
    word = cell.lower()
    if word not in _TRUE + _FALSE:
        raise ValueError(f"takes true or false, yes or no, 1 or 0; got {printable(cell)}")
    return word in _TRUE


def colour(cell: str) -> str:
    """A CSS colour #RRGGBB."""
    if not _COLOUR.fullmatch(cell):
        raise ValueError(f"takes a colour such as #0B5CAD, got {printable(cell)}")
    return cell


def fingerprint(cell: str) -> str:
    """A certificate's fingerprint: the SHA-256 of its DER in hexadecimal, however it is spelled, in lower
    case without separators. Another digest is refused; a word that is none is somebody's own name."""
    shown_characters = "".join(c for c in str(text(KEY)(cell)) if unicodedata.category(c) != "Cf")
    shown_characters = shown_characters.strip(_AROUND)
    named = _DIGEST.fullmatch(shown_characters)
    algorithm = _of_family_two(named["digest"].upper()) if named else ""
    digits = _digits(named["rest"] if named else shown_characters)
    if len(digits) == SHA256 and algorithm in ("", "SHA-256"):
        return digits
    algorithm = algorithm or DIGESTS.get(len(digits), "")
    if algorithm and algorithm != "SHA-256":
        article = "an" if algorithm[0] == "M" else "a"
        raise ValueError(f"is {article} {algorithm} fingerprint; SHA-256 is taken")
    if algorithm or len(digits) > FEWEST or _OF_BASE64.fullmatch(shown_characters):
        raise ValueError(
            f"takes a SHA-256 of 64 hexadecimal digits, got {printable(shown_characters)}"
        )
    return digits or shown_characters


def _digits(text: str) -> str:
    """Hexadecimal digits without what stands between them; empty where there is anything else, or where
    they are a name of somebody's own."""
    if _UUID.fullmatch(text):
        return ""
    digits = _BETWEEN.sub("", text.lower().removeprefix("0x"))
    if _HEX_PAIRS.fullmatch(text) or (len(digits) > FEWEST and _HEX.fullmatch(digits)):
        return digits
    return ""


def _of_family_two(name: str) -> str:
    """Name of a digest as it is usually written: SHA-256 of SHA256 and SHA2-256."""
    return re.sub(r"SHA-?(2-)?(?=\d{3}$|1$)", "SHA-", name)


SHA256, FEWEST = 64, 31
"""Hexadecimal digits of a SHA-256; most that are nobody's digest but an own name, a serial number say."""
DIGESTS = {32: "MD5", 40: "SHA-1", 56: "SHA-224", 96: "SHA-384", 128: "SHA-512"}
_DIGEST = re.compile(
    r"\s*(urn:)?(?P<digest>sha-?([123]-)?\d{1,3}|md5|blake2[bs])(\s*fingerprint)?\s*[=: /]\s*(?P<rest>.*)",
    re.ASCII | re.IGNORECASE,
)
_OF_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{43}=?", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]+", re.ASCII)
_BETWEEN = re.compile(r"[^0-9a-zA-Z]", re.ASCII)
_AROUND = " \"'`\u201c\u201d\u2018\u2019\u00a0:"
"""Characters that stand around a fingerprint where it was copied, quotes most of all."""


def names(limit: int = QUERY) -> Parser:
    """Names that are compared as a set: sorted, in lower case, without a dot at the end."""
    parse = text(limit)

    def parsed(cell: str) -> str:
        each = {name.rstrip(".") for name in re.split(r"[,;\s]+", str(parse(cell)).lower())}
        return ", ".join(sorted(filter(None, each)))

    return parsed
