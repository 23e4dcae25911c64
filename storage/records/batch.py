"""One workspace's batch of rows: compared with what is stored, checked, and what differs written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    TableValuedAlias,
    and_,
    cast,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from storage.records.kinds import Fault, Kind, Link, Values
from storage.records.reader import Raw

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A parsed row: ``values`` has the columns that its file has, and no others."""

    raw: Raw
    values: Values

    def key(self, kind: Kind) -> Key:
        """What identifies its record within the workspace."""
        return tuple(self.values[name] for name in kind.key)


@dataclass(slots=True)
class Settled:
    """What became of a batch."""

    written: int = 0
    unchanged: int = 0
    faults: list[tuple[Row, Fault]] = field(default_factory=list)


def settle(
    connection: Connection, kind: Kind, workspace_id: int | None, rows: Sequence[Row]
) -> Settled:
    """Writes the good rows that differ from what is stored, in the context of their workspace.

    A column that the file does not have keeps its stored value; a new record takes the default.
    """
    stored = _stored(connection, kind, workspace_id, [row.key(kind) for row in rows])
    fresh = {f.name: f.default for f in kind.fields}
    merged = [{**stored.get(row.key(kind), fresh), **row.values} for row in rows]
    linked = [(link, _linked(connection, link, workspace_id, merged)) for link in kind.links]
    done, changed = Settled(), []
    for row, record in zip(rows, merged, strict=True):
        if (fault := _fault(kind, record, linked)) is not None:
            done.faults.append((row, fault))
        elif record == stored.get(row.key(kind)):
            done.unchanged += 1
        else:
            changed.append(record)
    _write(connection, kind, workspace_id, changed)
    done.written = len(changed)
    return done


def _fault(
    kind: Kind,
    values: Values,
    linked: Iterable[tuple[Link, Mapping[object, object]]],
) -> Fault | None:
    """The first check that the record fails, or None. A column that its row was let off must come
    from the stored record."""
    for column in kind.fields:
        if values.get(column.name) is None and not kind.table.c[column.name].nullable:
            return Fault(column.name, "is required: nothing is known of this record yet")
    if (fault := kind.disorder(values)) is not None:
        return fault
    return next((fault for link, known in linked if (fault := link.fault(values, known))), None)


def _stored(
    connection: Connection, kind: Kind, workspace_id: int | None, keys: Sequence[Key]
) -> dict[Key, dict[str, object]]:
    """The stored records of these keys."""
    columns = [kind.table.c[f.name] for f in kind.fields]
    wanted = _table(kind, kind.key, keys)
    same = [kind.table.c[name] == wanted.c[name] for name in kind.key]
    query = select(*columns).join_from(kind.table, wanted, and_(*same))
    if kind.tenant:
        query = query.where(kind.table.c.workspace_id == workspace_id)
    records = (dict(row) for row in connection.execute(query).mappings())
    return {tuple(record[name] for name in kind.key): record for record in records}


def _linked(
    connection: Connection, link: Link, workspace_id: int | None, records: Iterable[Values]
) -> dict[object, object]:
    """By key, the bound that the stored records set (None where they set none)."""
    table = link.table
    names = sorted({str(n) for record in records if (n := record[link.ours]) is not None})
    theirs = table.c[link.theirs]
    pool = func.min if link.before else func.max
    bound = pool(table.c[link.their_at]) if link.their_at else func.max(theirs)
    query = (
        select(theirs, bound)
        .where(
            table.c.workspace_id == workspace_id,
            theirs == func.any(cast(names, ARRAY(theirs.type))),
        )
        .group_by(theirs)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _write(
    connection: Connection, kind: Kind, workspace_id: int | None, records: list[dict[str, object]]
) -> None:
    """Inserts or overwrites, in the order of the keys so that two imports can not deadlock."""
    if not records:
        return
    names = [f.name for f in kind.fields]
    records.sort(key=lambda record: tuple(str(record[name]) for name in kind.key))
    given = _table(kind, names, ([record[name] for name in names] for record in records))
    owner = {"workspace_id": literal(workspace_id, BigInteger)} if kind.tenant else {}
    statement = insert(kind.table).from_select(
        [*owner, *names], select(*owner.values(), *(given.c[name] for name in names))
    )
    statement = statement.on_conflict_do_update(
        index_elements=[*owner, *kind.key],
        set_={name: statement.excluded[name] for name in names if name not in kind.key},
    )
    connection.execute(statement)


def _table(kind: Kind, names: Sequence[str], rows: Iterable[Sequence[object]]) -> TableValuedAlias:
    """Rows of our own as a table: an array a column, so that a batch is one statement."""
    arrays = [
        cast(list(values), ARRAY(kind.table.c[name].type))
        for name, values in zip(names, zip(*rows, strict=True), strict=True)
    ]
    return func.unnest(*arrays).table_valued(*names, name="given").render_derived()
