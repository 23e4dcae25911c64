"""Statements: what senders, files and people tell of a record; and the fold that makes the record of them.

A record is a function of the set of its statements. The order in which they arrive, their repetition and
the way in which they were cut into files or deliveries change nothing: each statement carries its own
instants, and every rule below is a minimum, a maximum or a choice by a total order.

Three manners of telling. An EVENT says what happened at an instant, and holds for ever. A ROW says how its
source sees the record; a newer row of that source replaces the older one's words, field by field, and
takes back that its list lacked the record. What is
said BY HAND, a correction, outranks both, field by field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum
from typing import Any, NamedTuple

import instants

WITHDRAWN = "withdrawn"
"""Field of a record that is taken back: nobody counts it."""
MENTIONS, ADDRESSES = "mentions", "addresses"
"""Fields of a statement that its record does not have: what the sender's words name beside it, and where it
is to be looked at (``records.mentions``)."""
Value = str | int | float | bool | datetime | date | None
"""A value of a field; None in a row or a correction takes back what that source said before."""


class Manner(IntEnum):
    """How a statement is meant."""

    EVENT = 0
    ROW = 1
    BY_HAND = 2


EVENT, ROW, BY_HAND = Manner.EVENT, Manner.ROW, Manner.BY_HAND


@dataclass(frozen=True, slots=True)
class Statement:
    """Statement about a record: the fields told, their source, and when.

    ``at`` is the instant of the sender's clock (None: that of the receipt), ``sequence`` the sender's own
    order among equal instants.
    """

    source: str
    assertions: Mapping[str, Value]
    received_at: datetime
    at: datetime | None = None
    sequence: int = 0
    manner: Manner = EVENT

    @property
    def instant(self) -> datetime:
        """When it was so, as far as anybody says."""
        return self.at or self.received_at

    @property
    def order(self) -> tuple[datetime, int, datetime]:
        """Place among the statements: by the sender's clock, then the sender's sequence, then the
        receipt."""
        return self.instant, self.sequence, self.received_at


class Telling(NamedTuple):
    """Value of one field, with the statement that tells it."""

    value: Value
    statement: Statement

    @property
    def order(self) -> tuple[datetime, int, str]:
        """Place among the tellings of a field: ties by sequence, then by a total order of the values."""
        return self.statement.instant, self.statement.sequence, _comparable(self.value)


def _comparable(value: Value) -> str:
    return f"{type(value).__name__}:{value!r}"


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """Something that was told and could not be taken as it was: the field and the reason."""

    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Folded:
    """A record, or None; and what had to be lost. It ``waits`` while something that it needs has not been
    told."""

    record: Mapping[str, Value] | None
    notes: tuple[Note, ...] = ()
    waits: bool = False


Tellings = Mapping[str, Sequence[Telling]]
"""By field, the tellings that count. A field that nobody tells is absent."""


class _OfOne(Mapping[str, Sequence[Telling]]):
    """Tellings of a single statement, made when they are looked at."""

    __slots__ = ("_statement",)

    def __init__(self, statement: Statement) -> None:
        self._statement = statement

    def __getitem__(self, name: str) -> Sequence[Telling]:
        value = self._statement.assertions[name]
        if value is None:
            raise KeyError(name)
        return (Telling(value, self._statement),)

    def get(self, name: str, default: Any = None) -> Any:
        """As of any mapping, without an error on the way: it is asked for each field of each row."""
        value = self._statement.assertions.get(name)
        return default if value is None else (Telling(value, self._statement),)

    def __iter__(self) -> Iterator[str]:
        return (name for name, value in self._statement.assertions.items() if value is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def tellings(statements: Sequence[Statement]) -> Tellings:
    """Tellings that count, by field: every event's; of each source's rows the newest by receipt; and where
    a hand has said something of a field, the newest of that alone."""
    if len(statements) == 1:  # the common case, quickly
        return _OfOne(statements[0])
    events: dict[str, list[Telling]] = {}
    rows: dict[tuple[str, str], list[Telling]] = {}
    hands: dict[str, list[Telling]] = {}
    for statement in statements:
        for name, value in statement.assertions.items():
            telling = Telling(value, statement)
            if statement.manner is EVENT:
                events.setdefault(name, []).append(telling)
            elif statement.manner is ROW:
                _keep_newest(rows.setdefault((statement.source, name), []), telling)
            else:
                _keep_newest(hands.setdefault(name, []), telling)
    _listed_again(statements, rows)
    for (_, name), newest in rows.items():
        events.setdefault(name, []).extend(newest)
    events.update(hands)
    known = {name: [t for t in each if t.value is not None] for name, each in events.items()}
    return {name: each for name, each in known.items() if each}


def _listed_again(
    statements: Sequence[Statement], rows: dict[tuple[str, str], list[Telling]]
) -> None:
    """Drops the withdrawals of sources that have listed the record again since."""
    for source, name in [key for key in rows if key[1] == WITHDRAWN]:
        withdrawn_at = rows[source, name][0].statement.received_at
        if any(
            s.manner is ROW
            and s.source == source
            and s.received_at > withdrawn_at
            and WITHDRAWN not in s.assertions
            for s in statements
        ):
            del rows[source, name]


def _keep_newest(kept: list[Telling], telling: Telling) -> None:
    """Adds a telling to those of the newest receipt, or replaces older ones."""
    newest = kept[0].statement.received_at if kept else None
    if newest is None or telling.statement.received_at > newest:
        kept[:] = [telling]
    elif telling.statement.received_at == newest:
        kept.append(telling)


def _as_it_is(value: Value) -> Any:
    """The value itself: the reader of fields that need none."""
    return value


Choice = Callable[[Sequence[Telling]], Value]
"""Choice of a field's value among its tellings, of which there is one at least."""


def smallest_value(field_tellings: Sequence[Telling]) -> Value:
    """The smallest value: the first sign of something."""
    return min((telling.value for telling in field_tellings), key=_as_it_is)


def greatest_value(field_tellings: Sequence[Telling]) -> Value:
    """The greatest value."""
    return max((telling.value for telling in field_tellings), key=_as_it_is)


def latest_value(field_tellings: Sequence[Telling]) -> Value:
    """The value told last by the sender's clock; ties by the sender's sequence, then by the value."""
    return latest_telling(field_tellings).value


def latest_telling(field_tellings: Sequence[Telling]) -> Telling:
    """The telling that is last by the sender's clock, sequence and value."""
    return (
        field_tellings[0]
        if len(field_tellings) == 1
        else max(field_tellings, key=lambda telling: telling.order)
    )


def worst_of(order: Sequence[str]) -> Choice:
    """A choice of the value that stands first in ``order``; an unknown value counts as worst of all."""
    rank = {value: index for index, value in enumerate(order)}

    def choose(field_tellings: Sequence[Telling]) -> Value:
        return min(
            (t.value for t in field_tellings),
            key=lambda value: (rank.get(str(value), -1), str(value)),
        )

    return choose


def _contradictions(by_field: Tellings, record: Mapping[str, Value]) -> list[Note]:
    """Notes about fields of which a source's rows say different things at one time."""
    notes = []
    for name, each in by_field.items():
        if name in (MENTIONS, ADDRESSES):
            continue
        rows: dict[tuple[str, datetime], set[Value]] = {}
        for telling in each:
            if telling.statement.manner is ROW:
                key = (telling.statement.source, telling.statement.received_at)
                rows.setdefault(key, set()).add(telling.value)
        for values in rows.values():
            if len(values) > 1:
                ways = ", ".join(sorted(as_in_a_file(value) for value in values))
                taken = as_in_a_file(record.get(name))
                notes.append(Note(name, f"is told in two ways at once: {ways}; {taken} is taken"))
    return notes


Words = Callable[[str, str], str | None]
"""Meaning of a sender's word for a workspace: (what it is about, the word) to our value, None where
unknown."""


def resolved_meaning(words: Words, about: str, word: str) -> str:
    """Name that a word stands for in the end: its meaning, or that one's meaning, or itself where it has
    none. Of names that mean each other in a circle it is the first in their order."""
    names = [word]
    while (meaning := words(about, names[-1])) is not None and meaning != names[-1]:
        if meaning in names:
            return min(names[names.index(meaning) :])
        names.append(meaning)
    return names[-1]


def as_told(_about: str, word: str) -> str | None:
    """A word for itself: words of a workspace that maps nothing."""
    return word


Finish = Callable[[dict[str, Value], Tellings, Words], list[Note]]
Lend = Callable[[Sequence[Statement], str], list[Statement]]
Split = Callable[[str, Sequence[Statement], Words], dict[str, Folded]]
Parts = Callable[[str, Sequence[Statement]], Mapping[str, Sequence[Statement]]]


@dataclass(frozen=True, slots=True)
class Fold:
    """How the records of a kind come to be.

    ``choices``: a choice for each field, ``latest_value`` where none is named. ``defaults``: of fields that
    nobody tells. ``needs``: the fields without which there is no record yet. ``finish`` decides what
    depends on several fields and takes out what contradicts itself. ``split`` makes the several records
    of one identity, where a kind has such identities; ``home`` is then the identity of a record by its key,
    ``keys_begin`` the beginning of the keys of such an identity, None of any other.
    ``lend``: what the statements of an identity say, of its record with a key that was merged into another
    (``merged_into``), of that other. ``parts``: the statements that may mention another record, by the key
    of the record that they make, of kinds that a rule links. ``uncounted``: why a record is in no
    figure, or None, by the columns ``uncounted_by`` alone. A kind that keeps its withdrawn records takes
    ``withdrawn`` out in ``finish``; of any other a withdrawn record is none.
    """

    choices: Mapping[str, Choice] = field(default_factory=dict)
    defaults: Mapping[str, Value] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    finish: Finish | None = None
    split: Split | None = None
    home: Callable[[str], str] | None = None
    keys_begin: Callable[[str], str | None] | None = None
    lend: Lend | None = None
    parts: Parts | None = None
    uncounted: Callable[[Mapping[str, Value]], str | None] | None = None
    uncounted_by: tuple[str, ...] = ()

    def record(self, statements: Sequence[Statement], words: Words = as_told) -> Folded:
        """The record that the statements make, whatever their order."""
        by_field = tellings(statements)
        record: dict[str, Value] = dict(self.defaults)
        if len(statements) == 1:
            record |= {n: v for n, v in statements[0].assertions.items() if v is not None}
        else:
            for name, each in by_field.items():
                record[name] = (
                    each[0].value if len(each) == 1 else self.choices.get(name, latest_value)(each)
                )
        notes = self.finish(record, by_field, words) if self.finish else []
        notes += _contradictions(by_field, record) if len(statements) > 1 else []
        if record.pop("withdrawn", None):
            return Folded(None, tuple(sorted(set(notes))))
        missing = [name for name in self.needs if record.get(name) is None]
        if not missing and not notes:  # the common case, quickly
            return Folded(record)
        if missing:
            why = "has not been told, so there is no record yet"
            told_of = {*notes, *(Note(name, why) for name in missing)}
            return Folded(None, tuple(sorted(told_of)), waits=True)
        return Folded(record, tuple(sorted(set(notes))))

    def records(
        self, identity: str, statements: Sequence[Statement], words: Words = as_told
    ) -> dict[str, Folded]:
        """Records of one identity by key: those that ``split`` makes, else one under the identity."""
        if self.split is not None:
            return self.split(identity, statements, words)
        return {identity: self.record(statements, words)}


def impossible_instant(
    name: str, value: Value, than: str, bound: Value, way: str = "before"
) -> Note:
    """The note about an instant that can not be, because another one bounds it."""
    both = f"{as_in_a_file(value)} against {as_in_a_file(bound)}"
    return Note(name, f"lies {way} {than}, so it is lost: {both}")


def as_in_a_file(value: object) -> str:
    """A value as a file would say it."""
    if isinstance(value, datetime):
        return instants.exact(value)
    return f"{value:.15g}" if isinstance(value, float) else str(value)
