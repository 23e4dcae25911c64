"""Reads snapshots for the executive view: each workspace in its own context, the loop inside
PostgreSQL, one round trip, binary."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import orjson
import psycopg2
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, OperationalError

from storage import context
from storage.models import USAGE_DISTRIBUTIONS

PACKED_EPOCH = date(2000, 1, 1)
"""Days before packed rows count from here."""
HEADER = 19
"""Bytes before the first row of a binary COPY: signature, flags, no extension."""


@dataclass(frozen=True, slots=True)
class State:
    """One workspace where the viewer holds platform_admin. ``left_out`` is the reason or None;
    ``version`` counts the writes of its snapshots."""

    workspace_id: int
    slug: str
    name: str
    region: str | None
    accent: str | None
    left_out: str | None
    last_day: date | None
    computed_at: datetime | None
    version: int


def state(connection: Connection) -> list[State]:
    """Every workspace where the viewer of this transaction holds platform_admin, by name. None of
    their rows is read."""
    return [
        State(*row) for row in connection.execute(text("select * from vigilo.executive_scope()"))
    ]


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What tells one scope from another without a row of it: a hash over everything that ``state`` says,
    how many workspaces that are; the last snapshot day of those that count, and the one that all of them
    have reached which have any; and the last day that a run over all workspaces has published."""

    fingerprint: str
    workspaces: int
    last_day: date | None
    common_day: date | None
    whole_day: date | None


GLIMPSE = text("""
select encode(sha256(convert_to(
           coalesce(string_agg(s::text, chr(10) order by s.workspace_id), ''), 'UTF8')), 'hex'),
       count(*), max(s.last_day) filter (where s.left_out is null),
       min(s.last_day) filter (where s.left_out is null),
       (select max(day) from snapshot_run where finished_at is not null)
from vigilo.executive_scope() s
""")


def glimpse(connection: Connection) -> Glimpse:
    """That of the viewer of this transaction."""
    return Glimpse(*connection.execute(GLIMPSE).one())


@dataclass(frozen=True, slots=True)
class Standing:
    """What the viewer is: platform admin of any workspace, platform admin of the one asked about, a
    member of it."""

    is_platform_admin: bool
    is_its_admin: bool
    is_member: bool


STANDING = text("""
with wide as materialized (select slug from vigilo.executive_scope())
select exists (select from wide), exists (select from wide where slug = :slug),
       exists (select from vigilo.my_workspaces() m where m.slug = :slug)
""")


def standing(connection: Connection, slug: str) -> Standing:
    """That of the viewer of this transaction, as the database says now."""
    return Standing(*connection.execute(STANDING, {"slug": slug}).one())


@dataclass(frozen=True, slots=True)
class Packed:
    """What ``vigilo.rows_in_context`` gives of one workspace.

    ``usage`` is a row a day, ascending: an int4 day since 2000-01-01 and the numbers of
    ``models.USAGE_PACKED``; ``compliance`` the same by framework with ``models.COMPLIANCE_LEVELS``.
    ``blocks`` is an int4 block and the bytes of each of its distributions, which ``durations`` hold in
    the order of ``models.USAGE_DISTRIBUTIONS``. ``names`` are the labels as of the asked last day.
    """

    workspace_id: int
    usage: bytes | memoryview
    frameworks: Sequence[str]
    compliance: Sequence[bytes | memoryview]
    blocks: bytes | memoryview
    durations: Sequence[bytes | memoryview]
    usage_names: Sequence[str | None]
    compliance_names: dict[str, Sequence[str | None]]

    @property
    def size(self) -> int:
        """Bytes of its rows."""
        return sum(map(len, (self.usage, self.blocks, *self.compliance, *self.durations)))

    def apart(self) -> Packed:
        """The same with bytes of its own: as it is read it holds on to the whole answer."""
        return replace(
            self,
            usage=bytes(self.usage),
            compliance=[bytes(rows) for rows in self.compliance],
            blocks=bytes(self.blocks),
            durations=[bytes(data) for data in self.durations],
        )


class Unreadable(RuntimeError):
    """A workspace's rows can not be read; the message is the database's."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows are read: as of these days, the names as of one of them, blocks first to last."""

    days: Sequence[date]
    last_day: date
    blocks: tuple[int, int]

    @property
    def arguments(self) -> tuple[list[date], date, int, int]:
        """As the database functions take them."""
        return list(self.days), self.last_day, *self.blocks

    @property
    def key(self) -> tuple[object, ...]:
        """The same as a key: two that are equal bring the same rows."""
        return tuple(self.days), self.last_day, self.blocks


def rows(
    connection: Connection, asked: Asked, among: Sequence[int] | None = None
) -> tuple[list[Packed], dict[int, str]]:
    """The rows of every workspace in scope, or of those ``among`` them, each read in its own context, in
    one round trip; and the database's words about those that could not be read, by workspace id."""
    query = (
        "select s.workspace_id, r.* from vigilo.executive_scope() s cross join lateral"
        " vigilo.rows_in_context(%s, s.workspace_id, %s::date[], %s, %s, %s) r"
        " where s.left_out is null"
    )
    arguments: tuple[object, ...] = (context.ROLLUP, *asked.arguments)
    if among is not None:
        query, arguments = f"{query} and s.workspace_id = any(%s)", (*arguments, list(among))
    found, failed = [], {}
    for workspace_id, wrong, *values in _copied(connection, query, arguments):
        if wrong is not None:
            failed[_integer(workspace_id)] = bytes(wrong).decode()
        else:
            found.append(_packed(_integer(workspace_id), values))
    return found, failed


def own_rows(connection: Connection, workspace_id: int, asked: Asked) -> Packed:
    """Those of one workspace that the viewer of this transaction is a member of. Raises Unreadable."""
    query = "select * from vigilo.rows_in_context(%s, %s, %s::date[], %s, %s, %s)"
    arguments = (context.WORKSPACE, workspace_id, *asked.arguments)
    ((wrong, *values),) = _copied(connection, query, arguments)
    if wrong is not None:
        raise Unreadable(bytes(wrong).decode())
    return _packed(workspace_id, values)


def _copied(
    connection: Connection, query: str, arguments: tuple
) -> Iterator[list[memoryview | None]]:
    """The rows of a query as its fields' bytes. COPY sends binary: a text protocol takes twice the
    bytes and five times the time. Raises as SQLAlchemy does."""
    raw: Any = connection.connection.dbapi_connection
    out = io.BytesIO()
    with raw.cursor() as cursor:
        said = cursor.mogrify(query, arguments).decode()
        try:
            cursor.copy_expert(f"copy ({said}) to stdout (format binary)", out)
        except psycopg2.Error as error:
            # A server that dies while it answers is not always an OperationalError to the driver.
            away = raw.closed or isinstance(error, psycopg2.OperationalError)
            if raw.closed:
                connection.invalidate(error)
            raise (OperationalError if away else DBAPIError)(said, {}, error) from error
    return _fields(out.getbuffer())


def _fields(data: memoryview) -> Iterator[list[memoryview | None]]:
    at, count, length = HEADER, struct.Struct(">h"), struct.Struct(">i")
    while (fields := count.unpack_from(data, at)[0]) >= 0:
        at += count.size
        found: list[memoryview | None] = []
        for _ in range(fields):
            size = length.unpack_from(data, at)[0]
            at += length.size
            found.append(None if size < 0 else data[at : at + size])
            at += max(size, 0)
        yield found


def _integer(value: memoryview | None) -> int:
    return int.from_bytes(value or b"", "big")


def _packed(workspace_id: int, values: list[memoryview | None]) -> Packed:
    usage, frameworks, compliance, blocks, *durations, names, controls = values
    return Packed(
        workspace_id,
        usage or b"",
        [bytes(name).decode() for name in _array(frameworks)],
        _array(compliance),
        blocks or b"",
        [d or b"" for d in durations[: len(USAGE_DISTRIBUTIONS)]],
        _said(names) or (),
        {group: names for group, names in (_said(controls) or {}).items() if names},
    )


def _said(value: memoryview | None) -> Any:
    """A jsonb, which begins with the version of its format."""
    return orjson.loads(value[1:]) if value else None


def _array(value: memoryview | None) -> list[memoryview]:
    """The elements of a one-dimensional array without nulls, as PostgreSQL sends it: dimensions,
    flags, type, length, lower bound, then each element with its size."""
    if value is None or not len(value):
        return []
    found, at = [], 20
    for _ in range(_integer(value[12:16])):
        size = _integer(value[at : at + 4])
        found.append(value[at + 4 : at + 4 + size])
        at += 4 + size
    return found


@dataclass(frozen=True, slots=True)
class Membership:
    """A workspace that the viewer is a member of, and their role there."""

    workspace_id: int
    slug: str
    name: str
    region: str | None
    accent: str | None
    role: str


def memberships(connection: Connection) -> list[Membership]:
    """The active workspaces of the viewer of this transaction, by name."""
    return [
        Membership(*row) for row in connection.execute(text("select * from vigilo.my_workspaces()"))
    ]


MEMBERSHIP = text("""
with mine as materialized (select * from vigilo.my_workspaces())
select exists (select from mine where role = 'platform_admin'), mine.* from mine where slug = :slug
""")


def membership(connection: Connection, slug: str) -> tuple[Membership | None, bool]:
    """The viewer's membership of one active workspace, and whether they are platform admin of any;
    neither without the first."""
    found = connection.execute(MEMBERSHIP, {"slug": slug}).first()
    return (Membership(*found[1:]), found[0]) if found else (None, False)


def last_snapshot(connection: Connection, workspace_id: int) -> tuple[date | None, datetime | None]:
    """Day and instant of the last snapshot of the workspace whose context the connection is in."""
    row = connection.execute(
        text(
            "select snapshot_date, computed_at from workspace_usage_snapshot"
            " where workspace_id = :w order by snapshot_date desc limit 1"
        ),
        {"w": workspace_id},
    ).first()
    return (row[0], row[1]) if row else (None, None)


def days_seen(connection: Connection, first: date, last: date) -> int:
    """On how many days of the span any workspace in scope has a snapshot."""
    counted = connection.execute(
        text("select count(distinct day) from vigilo.executive_days_seen(:first, :last)"),
        {"first": first, "last": last},
    )
    return int(counted.scalar_one())
