"""The job's statements as such: a prepared query with named parameters, and the pieces they all share."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from storage.snapshot.columns import SnapshotColumns
from storage.snapshot.tables import usage_snapshot

PARAMETERS = {
    "w": "bigint",
    "zone": "text",
    "first": "date",
    "last": "date",
    "firsts": "date[]",
    "lasts": "date[]",
    "cadence": "int[]",
    "cadence_since": "date[]",
    "grace": "int[]",
    "grace_since": "date[]",
    "unseen": "int[]",
    "unseen_since": "date[]",
    "since": "timestamptz",
}


def with_values(query: str, values: Mapping[str, str]) -> str:
    """A query with the text of each value in place of its ``:parameter``; ``::type`` stays."""
    return re.sub(r"(?<!:):([a-z_]+)", lambda parameter: values[parameter[1]], query)


@dataclass(frozen=True, slots=True)
class PreparedStatement:
    """A query with ``:parameters`` of PARAMETERS."""

    query: str

    @property
    def name(self) -> str:
        """Name on a connection: another query has another one, whatever the program's version."""
        described = f"{self.query} {PARAMETERS}"
        return f"vigilo_{hashlib.sha256(described.encode()).hexdigest()[:16]}"

    @property
    def prepare(self) -> str:
        """The statement that prepares it."""
        numbers = {name: f"${n}" for n, name in enumerate(PARAMETERS, 1)} | {"now": "null"}
        query = with_values(self.query, numbers)
        return f"prepare {self.name} ({', '.join(PARAMETERS.values())}) as {query}"


ASKED = f"""
asked as (
    select generate_series(r.first, r.last, interval '1 day')::date as day
    from unnest(cast(:firsts as date[]), cast(:lasts as date[])) as r(first, last)
    union
    select u.snapshot_date from {usage_snapshot.name} u
    where u.workspace_id = :w and u.snapshot_date between :first and :last
)
"""
"""The days to write: those of each range, and those from first to last that have a row already."""

STAMP = "stamp as materialized (select clock_timestamp() as at)"


def column_list(columns: Iterable[str], form: str = "{}") -> str:
    """Columns as a list, each in a form."""
    return ", ".join(form.format(column) for column in columns)


def literals(names: Iterable[str]) -> str:
    """Names as a list of texts."""
    return column_list(names, "'{}'")


def fact(name: str, columns: SnapshotColumns) -> str:
    """A fact as its column takes it: a day without flow counts 0, nothing known is not tracked."""
    zero = name in columns.flows or name in columns.tracked
    known = f"coalesce({name}, 0)" if zero else name
    return f"{known}::float8 as {name}"


def labels(columns: SnapshotColumns) -> str:
    """The labels of a row by name, without those that name nothing."""
    if not columns.labels:
        return "'{}'::jsonb as labels"
    values = column_list(columns.labels, "{}::text")
    pairs = f"jsonb_object(array[{literals(columns.labels)}], array[{values}])"
    return f"jsonb_strip_nulls({pairs}) as labels"


def preferring_new(table: str, columns: Iterable[str]) -> str:
    """The upsert's second half: new values, and ``changed_at`` moves where one differs."""
    columns = tuple(columns)
    stored, new = (column_list(columns, f"{name}.{{}}") for name in (table, "excluded"))
    same = f"({stored}) is distinct from ({new})"
    return (
        f"set {column_list(columns, '{0} = excluded.{0}')}, computed_at = excluded.computed_at,"
        f" changed_at = case when {same} then excluded.changed_at else {table}.changed_at end"
    )


def take_staged(table: str) -> str:
    """A CTE that takes one workspace's rows out of a staged table."""
    return f"ready as (delete from {table} where workspace_id = :w returning *)"
