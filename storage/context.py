"""The only door to tenant rows: a transaction with a row-level-security context.

Without a context the database shows no rows. The context is transaction-local, so it ends with
the transaction; within one, ``enter`` restores what was there on every exit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection, Engine, text

from storage.bounds import statement
from storage.identity.proof import Proof
from storage.viewer import Viewer

ROLLUP, WORKSPACE, JOB = "rollup", "workspace", "job"


class Connects(Protocol):
    """An engine, or what chooses one for each connection."""

    def connect(self) -> Connection:
        """A connection outside any transaction."""
        ...


class Begins(Protocol):
    """An engine, or what has a connection of its own."""

    def begin(self) -> AbstractContextManager[Connection]:
        """A transaction on a connection."""
        ...


class NoSuchWorkspace(LookupError):
    """No active workspace has that slug."""


class NoContext(RuntimeError):
    """Tenant rows were asked for without saying who asks."""


class NotIdentified(RuntimeError):
    """The credential that stands for a viewer is none any more: a session that ended, a token that was
    revoked, an account that was deactivated."""


@dataclass(frozen=True, slots=True)
class Context:
    """The row-level-security context of a connection."""

    user_id: str = ""
    level: str = ""
    workspace_id: str = ""


def current(connection: Connection) -> Context:
    """The context that the connection is in; empty strings where there is none."""
    row = connection.execute(
        text(
            "select coalesce(vigilo.setting('vigilo.user_id'), ''),"
            " coalesce(vigilo.setting('vigilo.level'), ''),"
            " coalesce(vigilo.setting('vigilo.workspace_id'), '')"
        )
    ).one()
    return Context(*row)


@contextmanager
def as_viewer(
    engine: Connects, viewer: Viewer | None, *, isolation: str | None = None
) -> Iterator[Connection]:
    """A transaction that the viewer asks in, with no workspace yet. Raises NoContext without a viewer or
    their proof, NotIdentified where the proof does not hold."""
    if viewer is None or viewer.proof is None:
        raise NoContext("tenant rows can only be read for a viewer, with a proof that it is they")
    with engine.connect() as connection:
        if isolation:
            connection = connection.execution_options(isolation_level=isolation)
        with connection.begin():
            _identify(connection, viewer.user_id, viewer.proof)
            yield connection


def _identify(connection: Connection, user_id: int, proof: Proof) -> None:
    """Answers the challenge of this transaction. Two round trips: the database chooses it, so that an
    answer which somebody overhears is worth nothing in any other. The bound of a statement's time is set in
    the first, and with each transaction: pgbouncer keeps no session's settings."""
    challenged = connection.exec_driver_sql(
        "select vigilo.challenge(), set_config('statement_timeout', %s, true)",
        (statement.limit(connection),),
    )
    challenge = bytes(challenged.one()[0])
    proven = connection.exec_driver_sql(
        "select vigilo.identify(%s, %s, %s)",
        (proof.kind.value, proof.handle, proof.answer(challenge)),
    ).scalar_one()
    if proven != user_id:
        raise NotIdentified("whoever asks has signed out, or may no longer sign in")


@contextmanager
def enter(connection: Connection, level: str, workspace_id: int | None) -> Iterator[None]:
    """Within the block the connection is in that workspace's context; after it, in what it was.

    On a database error the transaction is over and the context with it; any other exit, the early
    close of a generator included, writes the former one back.
    """
    before = current(connection)
    _set_context(connection, level, workspace_id)
    try:
        yield
    finally:
        if connection.in_transaction() and not _is_aborted(connection):
            former = int(before.workspace_id) if before.workspace_id else None
            _set_context(connection, before.level, former)


def _set_context(connection: Connection, level: str, workspace_id: int | None) -> None:
    """Puts the transaction into a context."""
    connection.execute(
        text("select vigilo.enter(:level, :id)"), {"level": level, "id": workspace_id}
    )


def _is_aborted(connection: Connection) -> bool:
    """Whether the transaction is aborted, or its connection gone: then PostgreSQL takes only ROLLBACK,
    which restores, or nothing any more."""
    if connection.invalidated:
        return True
    raw = connection.connection.dbapi_connection
    return raw is None or raw.info.transaction_status == 3  # type: ignore[attr-defined]


@contextmanager
def in_workspace(engine: Engine, viewer: Viewer, workspace_id: int) -> Iterator[Connection]:
    """A transaction in one workspace's context, for any active membership of it."""
    with as_viewer(engine, viewer) as connection, enter(connection, WORKSPACE, workspace_id):
        yield connection


@contextmanager
def job_in(engine: Begins, workspace_id: int) -> Iterator[Connection]:
    """A transaction of the job role in one workspace: its records and snapshots alone."""
    with engine.begin() as connection, enter(connection, JOB, workspace_id):
        yield connection


def active_workspaces(
    connection: Connection, *, with_figures: bool = False
) -> list[tuple[int, str]]:
    """Active workspaces by id and slug, or those of them that have a snapshot."""
    figures = "and snapshot_day is not null" if with_figures else ""
    query = text(f"select id, slug from workspace where is_active {figures} order by id")
    return [(row.id, row.slug) for row in connection.execute(query)]


def active_workspace(connection: Connection, slug: str) -> int | None:
    """Id of the active workspace of a slug."""
    query = text("select id from workspace where slug = :slug and is_active")
    workspace_id: int | None = connection.execute(query, {"slug": slug}).scalar()
    return workspace_id
