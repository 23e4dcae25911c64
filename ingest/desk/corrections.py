"""Corrections by hand: statements like any other, which outrank those of senders and files, with an audit
entry in the same transaction. A correction that the record can not take is refused whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations, pairwise
from typing import Any

from sqlalchemy import Connection, func, select, text

from aggregators.records.kinds import RecordKind
from aggregators.records.statements import BY_HAND, Statement, Value, as_in_a_file
from aggregators.vocabulary import fields
from ingest import words
from ingest.due.marks import mark
from ingest.due.remake import first_instant
from ingest.kinds import KINDS
from ingest.records import SEPARATOR
from ingest.statements import Told, home_of, identity_of, tell
from storage import audit
from storage.context import job_in
from storage.database import Database

Workspace = tuple[int, str]
"""Id and slug."""
LONGEST_CELL, LONGEST_KEY = fields.QUERY, 400
"""Characters of a value that is typed, and of the key of another record."""
MOST_CUTS = 2_000
"""Ways to cut a key of several parts that are looked up."""


class NoSuchRecord(LookupError):
    """Nothing was ever told of a record with that key."""


class RefusedCorrection(ValueError):
    """A correction that the record can not take: the field, and the reason, which goes on after its
    name; whether another value would do."""

    def __init__(self, field: str, reason: str, *, is_value: bool = True) -> None:
        super().__init__(f"{field} {reason}" if field else reason)
        self.field, self.reason, self.is_value = field, reason, is_value


@dataclass(frozen=True, slots=True)
class KnownRecord:
    """A record by what statements call it: its identity and key, and its row, None where it has none."""

    kind: RecordKind
    identity: str
    key: Mapping[str, Value]
    row: Mapping[str, Value] | None

    @property
    def name(self) -> str:
        """Key as people write it, parts by slashes."""
        return written_key(self.kind, self.key)


def written_key(kind: RecordKind, values: Mapping[str, Any]) -> str:
    """Key of a record as people write it: its parts by slashes, instants and days as a file has them."""
    return identity_of(kind, values).replace(SEPARATOR, "/")


def kind_of(name: str) -> RecordKind:
    """The kind of that name. Raises NoSuchRecord."""
    kind = KINDS.get(name)
    if kind is None or not kind.tenant:
        known = ", ".join(k.name for k in KINDS.values() if k.tenant)
        raise NoSuchRecord(f"there is no kind of record {name[:40]!r}; there are {known}")
    return kind


def find_record(
    connection: Connection, kind: RecordKind, workspace_id: int, name: str
) -> KnownRecord:
    """The record whose key is written so, in the job context of the connection. Raises NoSuchRecord."""
    for key in _keys(kind, name):
        query = select(kind.table).where(
            kind.table.c.workspace_id == workspace_id,
            *(kind.table.c[part] == value for part, value in key.items()),
        )
        if row := connection.execute(query).mappings().first():
            stored = dict(row)
            identity = str(stored.get("identity") or identity_of(kind, key))
            return KnownRecord(kind, identity, key, stored)
        identity = home_of(kind, key)
        any_statement = text(
            "select from statement where workspace_id = :w and kind = :k and identity = :i limit 1"
        )
        values = {"w": workspace_id, "k": kind.name, "i": identity}
        if connection.execute(any_statement, values).first() is not None:
            return KnownRecord(kind, identity, key, None)
    raise NoSuchRecord(f"there is no record {name[:200]!r} among the {kind.name}")


BENEATH = 200
"""Records that are named of those whose key begins so."""


def rows_beneath(
    connection: Connection, kind: RecordKind, workspace_id: int, name: str
) -> list[Mapping[str, Any]]:
    """Rows of the records whose key begins with parts that are written so, the last first, in the job
    context of the connection. Raises NoSuchRecord."""
    own = kind.table.c.workspace_id == workspace_id
    last_first = [kind.table.c[part].desc() for part in reversed(kind.key)]
    for parts in range(1, len(kind.key)):
        written = func.concat_ws("/", *(kind.table.c[part] for part in kind.key[:parts]))
        query = select(kind.table).where(own, written == name).order_by(*last_first).limit(BENEATH)
        if rows := connection.execute(query).mappings().all():
            return [dict(row) for row in rows]
    raise NoSuchRecord(f"there is no record {name[:200]!r} among the {kind.name}")


def _keys(kind: RecordKind, name: str) -> Iterator[dict[str, Value]]:
    """Keys that may be written so: a part may itself hold slashes."""
    parts = name.split("/")
    parsers = {f.name: f.parse for f in kind.fields}
    for number, cuts in enumerate(combinations(range(1, len(parts)), len(kind.key) - 1)):
        if number == MOST_CUTS:
            return
        edges = [0, *cuts, len(parts)]
        cells = ["/".join(parts[a:b]) for a, b in pairwise(edges)]
        try:
            yield {
                column: parsers[column](cell) if cell else _default(kind, column)  # type: ignore[misc]
                for column, cell in zip(kind.key, cells, strict=True)
            }
        except ValueError:  # not cut so: an instant is none
            continue


def _default(kind: RecordKind, column: str) -> object:
    return next(f.default for f in kind.fields if f.name == column)


def correct(
    database: Database,
    workspace: Workspace,
    kind_name: str,
    name: str,
    values: Mapping[str, str],
    by: str,
) -> None:
    """Sets fields of a record, as cells of a file; an empty one takes back what is known. Raises
    NoSuchRecord, RefusedCorrection."""
    kind = kind_of(kind_name)
    if not values:
        raise RefusedCorrection("", "nothing to correct: name at least one field")
    fields_said = {field: _parse_cell(kind, field, cell) for field, cell in values.items()}
    with job_in(database.job, workspace[0]) as connection:
        record = find_record(connection, kind, workspace[0], name)
        _say(connection, workspace, record, fields_said, by, "record.correct")


def correctable_fields(kind: RecordKind) -> tuple[str, ...]:
    """Fields that a hand may correct: those of its file but for the key."""
    return tuple(f.name for f in kind.fields if f.name not in kind.key)


def _parse_cell(kind: RecordKind, field: str, cell: str) -> Value:
    """Value of a cell. Raises RefusedCorrection."""
    column = next((f for f in kind.fields if f.name == field), None)
    if column is None:
        raise RefusedCorrection(
            field[:40],
            f"is no field of {kind.name}; there are {', '.join(correctable_fields(kind))}",
            is_value=False,
        )
    if field in kind.key:
        reason = "is part of the key, which names the record and stays"
        raise RefusedCorrection(field, reason, is_value=False)
    cell = cell.strip()
    if not cell:
        if column.required:
            raise RefusedCorrection(field, "is required, so it can not be empty")
        return None
    try:
        return column.parse(cell)  # type: ignore[return-value]
    except ValueError as error:
        raise RefusedCorrection(field, str(error)) from error


def merge(
    database: Database, workspace: Workspace, kind_name: str, name: str, into: str, by: str
) -> None:
    """Makes an incident or a deployment part of another. Raises NoSuchRecord, RefusedCorrection."""
    kind = _mergeable_kind(kind_name)
    with job_in(database.job, workspace[0]) as connection:
        record, target = (
            find_record(connection, kind, workspace[0], each) for each in (name, into)
        )
        _refuse_circle(connection, workspace[0], record, target)
        if target.row is None:
            raise RefusedCorrection("merged_into", f"can not be {target.name}: it has no record")
        if target.row.get("left_out") == "withdrawn":
            raise RefusedCorrection("merged_into", f"can not be {target.name}: that is withdrawn")
        fields_said: dict[str, Value] = {"merged_into": target.name}
        _say(connection, workspace, record, fields_said, by, "record.merge")


def _mergeable_kind(kind_name: str) -> RecordKind:
    """A kind whose records may be part of others. Raises NoSuchRecord, RefusedCorrection."""
    kind = kind_of(kind_name)
    if "merged_into" not in kind.table.c:
        raise RefusedCorrection("merged_into", f"is nothing that {kind.name} have")
    return kind


def part(database: Database, workspace: Workspace, kind_name: str, name: str, by: str) -> None:
    """Lets a record that is part of another, by whosever word, stand alone. Raises NoSuchRecord,
    RefusedCorrection."""
    kind = _mergeable_kind(kind_name)
    with job_in(database.job, workspace[0]) as connection:
        record = find_record(connection, kind, workspace[0], name)
        if not (record.row or {}).get("merged_into"):
            raise RefusedCorrection("", f"{record.name} is part of no other")
        _say(connection, workspace, record, {"merged_into": None}, by, "record.part")


def _refuse_circle(
    connection: Connection, workspace_id: int, record: KnownRecord, target: KnownRecord
) -> None:
    """Raises RefusedCorrection where the target is the record, or part of it."""
    passed = {record.name}
    current: KnownRecord | None = target
    while current is not None:
        if current.name in passed:
            raise RefusedCorrection("merged_into", f"can not be {target.name}: that is part of it")
        passed.add(current.name)
        onward = (current.row or {}).get("merged_into")
        try:
            current = (
                find_record(connection, record.kind, workspace_id, str(onward)) if onward else None
            )
        except NoSuchRecord:
            current = None


def withdraw(
    database: Database,
    workspace: Workspace,
    kind_name: str,
    name: str,
    by: str,
    *,
    is_back: bool = False,
) -> None:
    """Takes a record out of every figure, or back in; it stays in the statements and the audit. Raises
    NoSuchRecord, RefusedCorrection."""
    kind = kind_of(kind_name)
    action = "record.restore" if is_back else "record.withdraw"
    with job_in(database.job, workspace[0]) as connection:
        record = find_record(connection, kind, workspace[0], name)
        _say(connection, workspace, record, {"withdrawn": not is_back}, by, action)


def _say(
    connection: Connection,
    workspace: Workspace,
    record: KnownRecord,
    fields_said: Mapping[str, Value],
    by: str,
    action: str,
) -> None:
    """Tells a correction, marks the days that it touches, and notes it in the audit. Raises
    RefusedCorrection where the fold does not take them; the transaction is then given up."""
    workspace_id, slug = workspace
    kind = record.kind
    meanings = words.of_workspace(connection, workspace_id)
    before = first_instant(connection, kind, workspace_id, [record.identity])
    statement = Statement(by, {**record.key, **fields_said}, datetime.now(UTC), manner=BY_HAND)
    statements = [Told(record.identity, statement)]
    telling = tell(connection, kind, workspace_id, statements, meanings)
    for note in telling.notes.get(record.identity, ()):
        if fields_said.get(note.field) is not None:
            raise RefusedCorrection(note.field, note.reason)
    after = first_instant(connection, kind, workspace_id, [record.identity])
    mark(connection, workspace_id, min((i for i in (before, after) if i is not None), default=None))
    details = {
        "key": record.name,
        **{name: as_in_a_file(value) for name, value in fields_said.items()},
    }
    audit.record(connection, by, action, f"{slug}/{kind.name}", details)


def statements_of(
    connection: Connection, workspace_id: int, record: KnownRecord
) -> list[Mapping[str, Any]]:
    """Everything that was told of a record, newest first: source, manner, words, instants, delivery."""
    query = text("""
        select source, manner, assertions, at, received_at, delivery from statement
        where workspace_id = :w and kind = :k and identity = :i and manner <> 9
        union all
        select e ->> 0, cast(e ->> 1 as smallint), e -> 2, cast(e ->> 3 as timestamptz),
               cast(e ->> 5 as timestamptz), cast(e ->> 7 as uuid)
        from statement s, jsonb_array_elements(s.assertions -> 'of') e
        where s.workspace_id = :w and s.kind = :k and s.identity = :i and s.manner = 9
        order by received_at desc limit 200
    """)
    values = {"w": workspace_id, "k": record.kind.name, "i": record.identity}
    return [dict(row) for row in connection.execute(query, values).mappings()]
