"""Lists of all that there is: what they lack is gone.

A list is kept beside what was told, under a kind of its own, so that it counts for what is read later of
what was received before it. A record is gone where a list is newer than all that its source told of it, and
tells in full the span in which the record began: in whatever order they are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from aggregators.records.kinds import RecordKind
from aggregators.records.statements import (
    BY_HAND,
    ROW,
    WITHDRAWN,
    Statement,
    Value,
    as_in_a_file,
    latest_value,
    tellings,
)
from ingest.kept.keeping import keep
from ingest.kept.stored import LONG_AGO, digest, encode_assertions
from ingest.records import SEPARATOR
from storage.arrays import array

OF = ("incidents", "slos", "vendors")
"""Kinds of which there are such lists."""
RESULTS = "control-results"
"""The kind whose lists are of assets."""
NEVER, EVER_AFTER = "-infinity", "infinity"


@dataclass(frozen=True, slots=True)
class WholeList:
    """List of all records of a source, as it was received; of those that began after ``since``, and up to
    ``until``. It speaks of records that another source tells too unless it is ``of_own``."""

    source: str
    received_at: datetime
    since: datetime | None = None
    until: datetime | None = None
    of_own: bool = False

    def lacks(self, kind: RecordKind, statements: Sequence[Statement]) -> bool:
        """Whether a record of which that was said, and that its source told before, is not listed."""
        begins = [
            s for s in statements if s.manner is not BY_HAND and not s.assertions.get(WITHDRAWN)
        ]
        last = max((s.received_at for s in begins if s.source == self.source), default=LONG_AGO)
        if not LONG_AGO < last < self.received_at:
            return False
        if self.of_own and any(s.source != self.source for s in begins):
            return False
        return self._spans(_began(kind, statements))

    def _spans(self, began: Value) -> bool:
        if not isinstance(began, datetime):
            return self.since is None and self.until is None
        after = self.since is None or self.since < began
        return after and (self.until is None or began <= self.until)

    def withdrawal(self, key: str) -> Statement:
        """The list, as a statement about a record that it lacks."""
        assertions: dict[str, Value] = {"key": key, WITHDRAWN: True}
        return Statement(self.source, assertions, self.received_at, manner=ROW)


def _began(kind: RecordKind, statements: Sequence[Statement]) -> Value:
    """When a record began, by what was said of itself."""
    if not kind.happened:
        return None
    name = kind.happened[0]
    each = tellings(statements).get(name)
    return kind.fold.choices.get(name, latest_value)(each) if each else None


def newest(
    kind: RecordKind, statements: Sequence[tuple[str, Statement]]
) -> Iterator[tuple[str, datetime | None]]:
    """Sources of what is told by identity, of kinds that may be listed whole, each with the last beginning
    of its records; None where they tell none."""
    if kind.name not in OF:
        return
    name = kind.happened[0] if kind.happened else ""
    for source in {statement.source for _, statement in statements}:
        each = (s.assertions.get(name) for _, s in statements if s.source == source)
        yield source, max((began for began in each if isinstance(began, datetime)), default=None)


def is_decided_by_hand(statements: Iterable[Statement]) -> bool:
    """Whether somebody has withdrawn the record or taken it back in, which no list changes."""
    return any(s.manner is BY_HAND and WITHDRAWN in s.assertions for s in statements)


def add_absences(
    connection: Connection,
    kind: RecordKind,
    workspace_id: int,
    statements: dict[str, list[Statement]],
) -> None:
    """Adds to what was said of records, by identity, that lists of their sources lack them."""
    if kind.name not in OF:
        return
    sources = {s.source for each in statements.values() for s in each if s.manner is not BY_HAND}
    lists = _stored_lists(connection, kind, workspace_id, sources)
    if not lists:
        return
    for identity, each in statements.items():
        if has_several(kind, identity):
            continue
        lacking = {known.source: known for known in lists if known.lacks(kind, each)}
        each += [known.withdrawal(identity) for known in lacking.values()]


def has_several(kind: RecordKind, identity: str) -> bool:
    """Whether an identity may have several records: no list names those."""
    return bool(kind.fold.keys_begin and kind.fold.keys_begin(identity))


STORED = text("""
select source, received_at, assertions from statement
where workspace_id = :w and kind = :lists and source = any(cast(:sources as text[]))
order by received_at
""")


def _stored_lists(
    connection: Connection, kind: RecordKind, workspace_id: int, sources: Iterable[str]
) -> list[WholeList]:
    """Lists of the sources, the newest last."""
    values = {"w": workspace_id, "lists": _lists(kind), "sources": array(sorted(sources))}
    return [_list_of_row(row) for row in connection.execute(STORED, values)]


def _lists(kind: RecordKind) -> str:
    """Kind under which lists of the kind are kept."""
    return f"{LISTS}{kind.name}"


LISTS = "list:"
"""Beginning of the kinds under which lists are kept."""


def _list_of_row(row: Any) -> WholeList:
    since, until = (
        datetime.fromisoformat(instant_text) if (instant_text := row.assertions[name]) else None
        for name in ("since", "until")
    )
    return WholeList(row.source, row.received_at, since, until, row.assertions["of_own"])


def keep_list(
    connection: Connection, kind: RecordKind, workspace_id: int, whole_list: WholeList
) -> None:
    """Keeps a list, and drops those of before that say nothing more."""
    assertions: dict[str, Value] = {
        "since": whole_list.since,
        "until": whole_list.until,
        "of_own": whole_list.of_own,
    }
    identity = SEPARATOR.join([whole_list.source, *map(as_in_a_file, assertions.values())])
    statement = Statement(whole_list.source, assertions, whole_list.received_at, manner=ROW)
    words = encode_assertions(assertions)
    key = (identity, digest(statement, words))
    keep(connection, _lists(kind), workspace_id, {key: statement}, {key: words}, None)
    values = {
        "w": workspace_id,
        "lists": _lists(kind),
        "source": whole_list.source,
        "identity": identity,
        "received": whole_list.received_at,
        "since": whole_list.since or NEVER,
        "until": whole_list.until or EVER_AFTER,
        "of_own": whole_list.of_own,
    }
    connection.execute(DROP, values)


DROP = text("""
delete from statement
where workspace_id = :w and kind = :lists and source = :source and identity <> :identity
  and received_at <= :received and cast(assertions ->> 'of_own' as boolean) = :of_own
  and coalesce(cast(assertions ->> 'since' as timestamptz), '-infinity') >= cast(:since as timestamptz)
  and coalesce(cast(assertions ->> 'until' as timestamptz), 'infinity') <= cast(:until as timestamptz)
""")
