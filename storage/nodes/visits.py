"""Functions that read workspaces in their own contexts: one after the other on one server, beside the rows
on all nodes of a cluster at once.

A viewer's scope is told the nodes by the coordinator; whose rows a node shows is still said by its own
policies, workspace by workspace.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from storage.distributed import FIRST, is_distributed
from storage.executive.binary_copy import Received, Values, copied_rows, fields, received_rows

log = logging.getLogger("vigilo.nodes")

SCHEMA = "vigilo_nodes"
"""Holds what is made for the nodes alone."""
BESIDE = "beside_"
"""Begins the name of a function that is told the shard."""
Workspaces = Sequence[tuple[int, int]]
"""Ids of workspaces with the versions of their snapshots."""
SCOPE = text("select workspace_id, version from vigilo.executive_scope() where left_out is null")
OF_JOB = "(select unnest(%s::bigint[]) as workspace_id, null as left_out)"
MADE = text("""
select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname = :schema and not exists (
    select from pg_dist_shard s where s.logicalrelid = to_regclass(:first)
    and cast(s.shardid as text) <> all(string_to_array(obj_description(n.oid, 'pg_namespace'), ' '))
)
""")
"""Functions that are there; none where they lack a shard that was split from another since."""
KNOWN = "vigilo_nodes"
"""Where a connection of the pool keeps which functions are there."""
PASSED = ("08", "20000", "42883", "42P01", "3F000")
"""SQLSTATE of a node that is away, and of a shard that is elsewhere by now or of another name."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A function of the schema vigilo that reads in the context of one workspace after the other: the types
    of the values that it is given, and the query of its rows over a scope, ``s``."""

    function: str
    kinds: tuple[str, ...]
    query: str

    def select(self, function: str, scope: str, values: Iterable[str]) -> str:
        """The query over a scope, with the values in their order."""
        return self.query.format(*values, function=function, scope=scope)

    @property
    def casts(self) -> list[str]:
        """Placeholders of the values."""
        return [f"%s::{kind}" for kind in self.kinds]


COUNTED = "array(select s.workspace_id from {scope} s where s.left_out is null)"
ROWS = Visit(
    "rows_in_context",
    ("text", "date[]", "date", "int", "int"),
    "select s.workspace_id, r.* from {scope} s cross join lateral"
    " {function}({0}, s.workspace_id, {1}, {2}, {3}, {4}) r where s.left_out is null",
)
PRESET = Visit(
    "preset_in_context",
    ("text", "int", "text"),
    "select s.workspace_id, {function}({0}, s.workspace_id, {1}, {2}, s.version)"
    " from {scope} s where s.left_out is null",
)
SCATTER = Visit("scatter_in_scope", ("text",), "select r.* from {function}({0}) r")
DAYS_SEEN = Visit(
    "executive_days_seen", ("date", "date"), "select distinct r.day from {function}({0}, {1}) r"
)
WATCH_KEPT = Visit("watch_kept", (), f"select r.* from {{function}}({COUNTED}) r")
WATCHED_ROWS = Visit(
    "watched_rows",
    ("date", "date", "int", "int", "text[]", "int", "int"),
    f"select r.* from {{function}}({COUNTED}, {{0}}, {{1}}, {{2}}, {{3}}, {{4}}, {{5}}, {{6}}) r",
)
VISITS = (ROWS, PRESET, SCATTER, DAYS_SEEN, WATCH_KEPT, WATCHED_ROWS)


def in_scope(
    connection: Connection,
    visit: Visit,
    values: tuple[Any, ...],
    receive: Callable[[Values], Received],
    among: Sequence[int] | None = None,
) -> list[Received]:
    """Results of ``receive`` for each row of a visit to every workspace in the viewer's scope, or to those
    ``among`` them. Raises as SQLAlchemy does."""
    if is_made(connection, visit.function):
        chosen = None if among is None else set(among)
        scope = connection.execute(SCOPE).all()
        wanted = [(key, version) for key, version in scope if chosen is None or key in chosen]
        rows = _by_node(connection, visit, values, wanted)
        if rows is not None:
            return [receive(row) for row in rows]
    query = visit.select(f"vigilo.{visit.function}", "vigilo.executive_scope()", visit.casts)
    if among is None:
        return received_rows(connection, query, values, receive)
    query, values = f"{query} and s.workspace_id = any(%s)", (*values, list(among))
    return received_rows(connection, query, values, receive)


def of_job(
    connection: Connection, visit: Visit, values: tuple[Any, ...], workspaces: Sequence[int]
) -> list[Values]:
    """Rows of a visit of the job to workspaces, as the bytes of their fields; in any order. Raises as
    SQLAlchemy does."""
    if is_made(connection, visit.function):
        rows = _by_node(connection, visit, values, [(key, 0) for key in workspaces])
        if rows is not None:
            return rows
    query = visit.select(f"vigilo.{visit.function}", OF_JOB, visit.casts)
    return copied_rows(connection, query, (list(workspaces), *values))


def is_made(connection: Connection, function: str) -> bool:
    """Whether the nodes have a function; asked once a connection."""
    known: frozenset[str] | None = connection.info.get(KNOWN)
    if known is None:
        known = frozenset()
        if is_distributed(connection):
            known = frozenset(
                connection.execute(MADE, {"schema": SCHEMA, "first": FIRST}).scalars()
            )
        connection.info[KNOWN] = known
    return function in known


def _by_node(
    connection: Connection, visit: Visit, values: tuple[Any, ...], workspaces: Workspaces
) -> list[Values] | None:
    """Rows of a visit on all nodes at once; None where a node is away or shards have moved: then the
    workspaces are to be visited one by one, which says whose rows are missing."""
    if not workspaces:
        return []
    casts = "".join(f", {cast}" for cast in visit.casts)
    query = (
        f"select {SCHEMA}.{visit.function}(p.shard, p.low, p.high, %s::bigint[], %s::bigint[]{casts})"
        f" from {SCHEMA}.place p"
    )
    ids, versions = (list(each) for each in zip(*workspaces, strict=True))
    try:
        with connection.begin_nested():
            copied = copied_rows(connection, query, (ids, versions, *values))
    except DBAPIError as error:
        if not str(getattr(error.orig, "pgcode", None) or "").startswith(PASSED):
            raise
        log.warning("the nodes can not be read at once: %s", str(error.orig).split("\n")[0])
        return None
    return [list(fields(record)) for (record,) in copied if record is not None]
