"""Kinds of record that can be imported: each declared once, with its columns, key and checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Table

from aggregators.records.mentions import as_packed
from aggregators.records.statements import ADDRESSES, MENTIONS, Fold, as_in_a_file
from aggregators.vocabulary import fields
from aggregators.vocabulary.fields import TITLE, Parser

WORKSPACE = "workspace"
ACRONYMS = ("slo", "url", "id")
"""Words in capitals where a field's name is told in words."""
Values = Mapping[str, object]
Bound = datetime | date | float
"""Types that two columns are compared by."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Reason why a row is rejected; ``column`` is empty where the row as a whole is at fault."""

    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Field:
    """A column: ``default`` stands in for an empty cell, and for the column in a new record."""

    name: str
    parse: Parser
    required: bool = False
    default: object = None


def field_title(name: str) -> str:
    """A field's name in words: "opened_at" is "Opened"."""
    parts = name.removesuffix("_at").removeprefix("is_").split("_")
    shown = [part.upper() if part in ACRONYMS else part for part in parts]
    return " ".join([shown[0][:1].upper() + shown[0][1:], *shown[1:]])


@dataclass(frozen=True, slots=True)
class Order:
    """``low`` must not be above ``high`` where both are known; ``blame`` names the column at fault."""

    low: str
    high: str
    says: str = "lies before"

    def fault(self, values: Values) -> Fault | None:
        """Fault of the two, or None."""
        low, high = values.get(self.low), values.get(self.high)
        if not isinstance(low, Bound) or not isinstance(high, Bound) or not low > high:  # type: ignore[operator]
            return None
        return Fault(
            self.high, f"{self.says} {self.low}: {as_in_a_file(high)} against {as_in_a_file(low)}"
        )


@dataclass(frozen=True, slots=True)
class Link:
    """Record of another kind that a record goes with: the row of the ``table`` of that name, which may be
    another domain's, whose ``theirs`` is the record's ``ours``. Without it the record is in no figure."""

    table: str
    theirs: str
    ours: str

    @property
    def called(self) -> str:
        """Name of such a record in words."""
        return self.table.replace("_", " ")


TYPES: Mapping[Parser, str] = {
    fields.instant: "instant",
    fields.any_instant: "instant",
    fields.day: "day",
}
EVER = "0001-01-02T00:00:00Z"
"""First instant of a record that may count on every day."""


@dataclass(frozen=True, slots=True)
class Settling:
    """SQL that brings up to date what follows from the records of a kind and is kept beside others:
    ``these`` after records with the ``:keys`` were written, ``every`` after some were taken away; both in
    the workspace ``:w``. They return the first instant whose figures each change touches."""

    these: str
    every: str


DEFAULT_FOLD = Fold()
"""The last word on every field."""


@dataclass(frozen=True)
class RecordKind:
    """A kind of record. ``key`` identifies one within its workspace.

    ``fields`` are the columns of its file, ``told`` what statements may say beside them; ``happened``
    names the instants of which the last says when a row's words were so; ``fold`` makes the record.
    ``idle``: reasons why a record is in no figure though nothing is wrong with it, each with its
    condition in SQL on the record's row ``r``. ``since`` is SQL on the record's row, named ``{r}``: the
    first instant whose figures the record takes part in, null where there is none yet. ``named_by``: the
    part of the key that is a sender's word, of the subject of that name: its meaning is what counts.
    ``settling`` is what follows from the records for others.
    """

    name: str
    table: Table
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    orders: tuple[Order, ...] = ()
    links: tuple[Link, ...] = ()
    told: tuple[Field, ...] = ()
    happened: tuple[str, ...] = ()
    fold: Fold = DEFAULT_FOLD
    idle: tuple[tuple[str, str], ...] = ()
    since: str = f"timestamptz '{EVER}'"
    named_by: str = ""
    settling: Settling | None = None

    @property
    def tenant(self) -> bool:
        """Whether the records belong to a workspace; the workspaces themselves do not."""
        return "workspace_id" in self.table.c

    def disorder(self, values: Values) -> Fault | None:
        """The first two columns that contradict each other, or None."""
        return next((fault for order in self.orders if (fault := order.fault(values))), None)

    @cached_property
    def folded(self) -> tuple[str, ...]:
        """Columns of the table that the fold makes, the key's among them."""
        return tuple(
            c.name for c in self.table.c if c.name != "workspace_id" and not c.info.get("settled")
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of its file."""
        own = tuple(f.name for f in self.fields)
        return (WORKSPACE, *own) if self.tenant else own

    @property
    def required(self) -> tuple[str, ...]:
        """The columns that a file must have; the workspace's may come from the command line."""
        return tuple(f.name for f in self.fields if f.required)

    @cached_property
    def tellable(self) -> tuple[Field, ...]:
        """Everything that may be said of a record: the columns of its file, then the rest."""
        return (*self.fields, *self.told)

    @cached_property
    def types(self) -> dict[str, str]:
        """Of the fields that hold one, whether it is an ``instant`` or a ``day``."""
        return {f.name: TYPES[f.parse] for f in (*self.fields, *self.told) if f.parse in TYPES}

    def told_by(self, cells: Mapping[str, str]) -> tuple[Field, ...]:
        """Fields of which a row with these cells may say something, or that it has to tell: most of what
        may be told is not in a file. Worked out once for the rows of a file."""
        names = tuple(cells)
        fields = self._told_by.get(names)
        if fields is None:
            self._told_by.clear()
            needed = {*names, *self.key, *(f.name for f in self.tellable if f.required)}
            fields = self._told_by[names] = tuple(f for f in self.tellable if f.name in needed)
        return fields

    @cached_property
    def _told_by(self) -> dict[tuple[str, ...], tuple[Field, ...]]:
        return {}

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """Values of the columns that nobody has told."""
        return {f.name: f.default for f in (*self.fields, *self.told) if f.default is not None}


LINKING = (Field(MENTIONS, as_packed), Field(ADDRESSES, fields.text(TITLE)))
"""Fields of statements of kinds that rules link, which no record has."""


def must(name: str, parse: Parser) -> Field:
    """A required column."""
    return Field(name, parse, required=True)
