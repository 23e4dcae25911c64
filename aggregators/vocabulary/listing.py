"""The records behind a domain's figures, as its page lists them: columns, what a link may ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from aggregators.vocabulary import formats
from aggregators.vocabulary.measure import Unit
from aggregators.vocabulary.period import Span


class ColumnType(StrEnum):
    """Kind of a column's values. Durations are seconds, shares fractions, flags ``yes`` or ``no``;
    a word is one of a few names of our own, stored with underscores and shown without."""

    TEXT = "text"
    WORD = "word"
    NUMBER = "number"
    INSTANT = "instant"
    DAY = "day"
    DURATION = "duration"
    SHARE = "share"
    BURN = "burn"


WORD = ColumnType.WORD
TEXT, NUMBER, INSTANT, DAY = ColumnType.TEXT, ColumnType.NUMBER, ColumnType.INSTANT, ColumnType.DAY
DURATION, SHARE, BURN = ColumnType.DURATION, ColumnType.SHARE, ColumnType.BURN
UNITS = {DURATION: Unit.SECONDS, SHARE: Unit.RATIO, BURN: Unit.BURN}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a listing; ``width`` in pixels."""

    key: str
    title: str
    type: ColumnType = TEXT
    width: int = 150


@dataclass(frozen=True, slots=True)
class Listing:
    """List of a page. ``sort`` is its order at first: columns, descending with a minus before them.

    ``links`` are the query parameters that a link may carry, with the values each takes (none: any text),
    and ``narrowed`` the words for what they leave. ``record_kind`` is the kind of record that a row is,
    named by the columns ``record_key``; where those are the beginning of the kind's key, a row sums up the
    records that begin so. ``record_cell`` is the column that leads there, the last of those where it is
    empty.
    """

    title: str
    about: str
    columns: tuple[Column, ...]
    sort: str
    links: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    narrowed: Mapping[str, str] = field(default_factory=dict)
    record_kind: str = ""
    record_key: tuple[str, ...] = ("key",)
    record_cell: str = ""

    @property
    def order(self) -> tuple[tuple[str, bool], ...]:
        """The order at first: column, descending."""
        return tuple((name.removeprefix("-"), name[0] == "-") for name in self.sort.split(","))

    def column(self, key: str) -> Column:
        """The column of that key. Raises KeyError."""
        for column in self.columns:
            if column.key == key:
                return column
        raise KeyError(key)

    def known_links(self, given: Mapping[str, str]) -> dict[str, str]:
        """The link's parameters that this listing knows, with a value that it takes."""
        return {k: v for k, v in given.items() if k in self.links and v in (self.links[k] or (v,))}

    def narrowing(self, links: Mapping[str, str]) -> str:
        """Rows that the link's parameters leave, in words; empty for everything."""
        words = {c.key for c in self.columns if c.type is WORD}
        parameters = {k: shown(v, WORD if k in words else TEXT) for k, v in links.items() if v}
        return " ".join(self.narrowed[k].format(v) for k, v in sorted(parameters.items()))


@dataclass(frozen=True, slots=True)
class Condition:
    """Demand on a column. ``operator`` as ag-grid names it; ``value`` and ``until`` as text."""

    column: str
    operator: str
    value: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class RecordsRequest:
    """A page of a listing: conditions (all must hold), order (column, descending), rows from..to."""

    conditions: tuple[Condition, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    first: int = 0
    last: int = 100


@dataclass(frozen=True, slots=True)
class RecordsPage:
    """Some of the rows, each a value per column, and how many there are (None: over ``COUNTED``)."""

    columns: tuple[Column, ...]
    rows: Sequence[tuple[object, ...]]
    total: int | None
    span: Span | None = None


COUNTED = 1_000
"""Rows are counted up to here; beyond it the count would cost more than the page."""


def shown(value: object, of: ColumnType) -> str:
    """A cell in words."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if of in UNITS and isinstance(value, (int, float)):
        return formats.value(float(value), UNITS[of])
    if isinstance(value, (int, float)):
        return formats.number(value, 0 if float(value).is_integer() else 2)
    return str(value).replace("_", " ") if of is WORD else str(value)
