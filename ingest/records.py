"""Folded records in their tables: written where they differ, removed where nothing makes them any more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    TIMESTAMP,
    BigInteger,
    Cast,
    ColumnElement,
    Connection,
    Delete,
    TableValuedAlias,
    Text,
    and_,
    cast,
    delete,
    exists,
    func,
    literal,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.types import TypeEngine

from aggregators.records.kinds import RecordKind
from aggregators.records.statements import Value
from aggregators.records.tables import metadata
from ingest.due.marks import changed_since, changes_since, first_instant, since_in
from ingest.reader import UnreadableFile
from storage.arrays import array
from storage.distributed import is_distributed
from storage.tables import workspace

Record = dict[str, Value]
Written = dict[tuple[Value, ...], datetime | None]
SEPARATOR = "\x1f"
"""Between the parts of an identity; no text of ours holds a control character."""
NAMED = 5
"""Unknown partners that are named one by one."""


def write(
    connection: Connection,
    kind: RecordKind,
    workspace_id: int,
    records: list[Record],
    *,
    marks: bool = False,
) -> Written:
    """Keys of the records that differed from what is stored, and are written now, each with the first
    instant whose figures that touches, where ``marks`` asks for it. In the order of the keys, so that two
    imports can not deadlock."""
    if not records:
        return {}
    names = kind.folded
    given = _rows_as_table(
        kind, names, sorted(records, key=lambda r: [str(r[name]) for name in kind.key])
    )
    statement = insert(kind.table).from_select(
        ["workspace_id", *names],
        select(literal(workspace_id, BigInteger), *(given.c[name] for name in names)),
    )
    others = [name for name in names if name not in kind.key]
    stored = func.row(*(kind.table.c[name] for name in others))
    differs = stored.is_distinct_from(func.row(*(statement.excluded[name] for name in others)))
    statement = statement.on_conflict_do_update(
        index_elements=["workspace_id", *kind.key],
        set_={name: statement.excluded[name] for name in others},
        where=differs,
    )
    key = [kind.table.c[name] for name in kind.key]
    if marks and is_distributed(connection):
        touched = _before_writing(connection, kind, workspace_id, given)
        rows = connection.execute(statement.returning(*key)).all()
        return {tuple(row): touched[tuple(row)] for row in rows}
    if marks:
        first: ColumnElement[Any] = literal_column(changed_since(kind))
        rows = connection.execute(statement.returning(*key, first)).all()
        return {tuple(row[:-1]): row[-1] for row in rows}
    return _written_keys(connection, kind, statement.returning(*key).cte("written"), records)


def _before_writing(
    connection: Connection, kind: RecordKind, workspace_id: int, given: TableValuedAlias
) -> Written:
    """The first instant whose figures each of the given records would touch, by key. Citus has no room for
    a query in what a change returns, so it is asked before; nobody else writes meanwhile."""
    before, now = kind.table.alias("o"), select(given).subquery("given")
    same = [before.c[name] == now.c[name] for name in kind.key]
    query = select(
        *(now.c[name] for name in kind.key),
        literal_column(changes_since(kind, workspace_id), TIMESTAMP(timezone=True)),
    ).select_from(now.outerjoin(before, and_(before.c.workspace_id == workspace_id, *same)))
    return {tuple(row[:-1]): row[-1] for row in connection.execute(query)}


def _written_keys(
    connection: Connection, kind: RecordKind, written: CTE, records: Sequence[Record]
) -> Written:
    """Keys of the records that are written; the database names them only where others stood as they are."""
    number = select(func.count()).select_from(written).scalar_subquery()
    one = select(literal(1)).subquery()
    named = one.outerjoin(written, number < len(records))
    rows = connection.execute(select(number, written).select_from(named)).all()
    if rows[0][0] == len(records):
        return {tuple(record[name] for name in kind.key): None for record in records}
    return {tuple(row[1:]): None for row in rows} if rows[0][0] else {}


def stored_records(
    connection: Connection, kind: RecordKind, workspace_id: int, identities: Sequence[str]
) -> list[Record]:
    """Records of these identities, as they stand."""
    rows = [dict(zip(kind.key, identity.split(SEPARATOR), strict=False)) for identity in identities]
    whole = [row for row in rows if len(row) == len(kind.key)]
    if not whole:
        return []
    types = [kind.table.c[name].type for name in kind.key]
    arrays = [_as_array((row[name] for row in whole), Text()) for name in kind.key]
    wanted = func.unnest(*arrays).table_valued(*kind.key, name="given").render_derived()
    same = [
        kind.table.c[name] == cast(wanted.c[name], of)
        for name, of in zip(kind.key, types, strict=True)
    ]
    query = (
        select(kind.table)
        .join(wanted, and_(*same))
        .where(kind.table.c.workspace_id == workspace_id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def decisive_columns(
    connection: Connection, kind: RecordKind, workspace_id: int, identities: Sequence[str]
) -> list[Record]:
    """Columns that decide whether records count, of those of these identities, with the identity."""
    if not identities:
        return []
    own = kind.table.c.identity if "identity" in kind.table.c else kind.table.c[kind.key[0]]
    columns = (kind.table.c[name] for name in kind.fold.uncounted_by)
    query = select(own.label("identity"), *columns).where(
        kind.table.c.workspace_id == workspace_id,
        own == func.any(_as_array(identities, own.type)),
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def keep_only(
    connection: Connection,
    kind: RecordKind,
    workspace_id: int,
    identities: Sequence[str],
    keys: Sequence[str],
) -> list[datetime | None]:
    """Removes the records of these identities whose key is none of ``keys``; of each the first instant
    whose figures it took part in."""
    table, key = kind.table, kind.table.c[kind.key[0]]
    statement = delete(table).where(
        table.c.workspace_id == workspace_id,
        table.c.identity == func.any(_as_array(identities, table.c.identity.type)),
        key != func.all(_as_array(keys, key.type)),
    )
    return _remove_records(connection, kind, workspace_id, statement)


def _remove_records(
    connection: Connection, kind: RecordKind, workspace_id: int, statement: Delete
) -> list[datetime | None]:
    """Deletes records; the first instants whose figures that touches."""
    if is_distributed(connection):
        number = literal_column(since_in(kind, workspace_id), TIMESTAMP(timezone=True))
        doomed = select(number).select_from(kind.table)
        if statement.whereclause is not None:
            doomed = doomed.where(statement.whereclause)
        instants: list[datetime | None] = list(connection.execute(doomed).scalars())
        connection.execute(statement)
        return instants
    first = literal_column(first_instant(kind, kind.table.name), TIMESTAMP(timezone=True))
    return list(connection.execute(statement.returning(first)).scalars())


def remove(
    connection: Connection, kind: RecordKind, workspace_id: int, keys: list[Record]
) -> list[datetime | None]:
    """Removes the records of these keys; of each the first instant whose figures it took part in."""
    if not keys:
        return []
    wanted = _rows_as_table(kind, kind.key, keys)
    same = [kind.table.c[name] == wanted.c[name] for name in kind.key]
    statement = delete(kind.table).where(
        kind.table.c.workspace_id == workspace_id,
        select(literal(1)).select_from(wanted).where(and_(*same)).exists(),
    )
    return _remove_records(connection, kind, workspace_id, statement)


def _rows_as_table(
    kind: RecordKind, names: Sequence[str], rows: Sequence[Record]
) -> TableValuedAlias:
    """Rows of ours as a table: an array a column, so that a batch is one statement."""
    arrays = []
    for name in names:
        blank = kind.table.c[name].info.get("blank")
        arrays.append(_as_array([row.get(name, blank) for row in rows], kind.table.c[name].type))
    return func.unnest(*arrays).table_valued(*names, name="given").render_derived()


def _as_array(values: Iterable[object], of: TypeEngine[Any]) -> Cast[Any]:
    return cast(literal(array(values), Text()), ARRAY(of))


def settle(
    connection: Connection,
    kind: RecordKind,
    workspace_id: int,
    written: Iterable[tuple[Value, ...]],
    *,
    removed: bool,
) -> list[datetime | None]:
    """Brings up to date what follows for others from records with these keys, which were written, and from
    those that were ``removed``; returns the instants whose figures that touches."""
    keys = [key[0] for key in written]
    if kind.settling is None or not (keys or removed):
        return []
    sql = kind.settling.every if removed else kind.settling.these
    values = {"w": workspace_id, "keys": array(keys)}
    return list(connection.execute(text(sql), values).scalars())


def why_unlinked(
    connection: Connection, kind: RecordKind, workspace_id: int, rows: Sequence[Record]
) -> list[tuple[str, int]]:
    """Why some of the rows' records are in no figure yet: what they go with is not known; and how many."""
    reasons = []
    for link in kind.links:
        names = [str(name) for row in rows if (name := row.get(link.ours)) is not None]
        table = metadata.tables[link.table]
        theirs = table.c[link.theirs]
        known = select(theirs).where(
            table.c.workspace_id == workspace_id,
            theirs == func.any(_as_array(sorted(set(names)), theirs.type)),
        )
        missing = set(names) - set(connection.execute(known).scalars())
        for name in sorted(missing)[:NAMED]:
            reasons.append((f"the {link.called} {name!r} is not known yet", names.count(name)))
        if others := sum(names.count(name) for name in sorted(missing)[NAMED:]):
            reasons.append(
                (f"{len(missing) - NAMED} more {link.called}s are not known yet", others)
            )
    return reasons


def write_workspaces(connection: Connection, rows: Sequence[Mapping[str, object]]) -> list[bool]:
    """Writes the workspaces that differ from what is stored, and says of each whether it did. A column
    that the file does not have keeps its stored value. Workspaces belong to nobody, so they have no
    statements: a row is how they are. Raises UnreadableFile beside sample data."""
    if connection.execute(select(exists().where(workspace.c.is_sample))).scalar():
        raise UnreadableFile(
            "waits: sample data is there, and stands beside no real records; remove it on First steps"
        )
    slugs = [row["slug"] for row in rows]
    columns = [c for c in workspace.columns if c.name in WORKSPACE_COLUMNS]
    query = select(*columns).where(workspace.c.slug.in_(slugs))
    stored = {row.slug: dict(row._mapping) for row in connection.execute(query)}
    differs = []
    for row in rows:
        before = stored.get(str(row["slug"]), {})
        record = {**UNSAID, **before, **row}
        differs.append(record != before)
        if differs[-1]:
            _write_workspace(connection, record)
            stored[str(row["slug"])] = record
    return differs


WORKSPACE_COLUMNS = ("slug", "name", "region", "is_active", "accent")
UNSAID: dict[str, object] = {"region": None, "is_active": True, "accent": None}


def _write_workspace(connection: Connection, record: dict[str, object]) -> None:
    statement = insert(workspace).values(record)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["slug"],
            set_={name: statement.excluded[name] for name in WORKSPACE_COLUMNS if name != "slug"},
        )
    )
