"""The read replica: its connections are handed out only while it shows all that the primary shows."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 0.5
"""How long a read may wait for the replica to connect, to answer and to catch up, all in all."""
REST_SECONDS = 2.0
"""How long it is not asked after that was too short: so a lag or a silent server costs one read in
two seconds its patience, not every one."""
LOOK_SECONDS = 0.005

# Where the primary is: its position in the log and which transactions are visible. Neither says anything
# about another cluster or another timeline, so those are named as well. What was committed, a revoked
# membership above all, lies before the flushed position; without synchronous commits it may be visible
# before it is flushed, then the end of the log counts.
MARK = text("""
select (select system_identifier from pg_control_system()) as cluster,
       (select oid from pg_database where datname = current_database()) as database,
       ('x' || left(pg_walfile_name(pg_current_wal_flush_lsn()), 8))::bit(32)::int as timeline,
       current_user::text as role, pg_current_snapshot()::text as snapshot,
       (case current_setting('synchronous_commit') when 'off' then pg_current_wal_insert_lsn()
        else pg_current_wal_flush_lsn() end)::text as position
""")
# Whether it is a standby of that, and whether it shows as much: it has replayed the position, or every
# transaction that had ended there has ended here. The position alone is not reached while the primary is
# quiet, as the log is flushed in whole pages and may end within a record that nobody waits for; the
# transactions alone are not told apart from the running steps of a long import.
# The timeline of a standby is known from its last restart point. After a failover that is the
# former one for some minutes, in which the primary is read.
STATE = text("""
select pg_is_in_recovery() and current_user = :role
       and (select system_identifier from pg_control_system()) = :cluster
       and (select oid from pg_database where datname = current_database()) = :database
       and (select timeline_id from pg_control_checkpoint()) = :timeline,
       coalesce(pg_last_wal_replay_lsn() >= cast(:position as pg_lsn), false)
       or here.until >= there.until and there.until - here.since < :most and not exists (
           select from generate_series(here.since, least(here.until, there.until) - 1) ended
           where ended <> all (there.running) and pg_xact_status(ended::text::xid8) = 'in progress')
from (select pg_snapshot_xmin(s)::text::bigint as since, pg_snapshot_xmax(s)::text::bigint as until
      from pg_current_snapshot() s) here,
     (select pg_snapshot_xmax(s)::text::bigint as until,
             array(select x::text::bigint from pg_snapshot_xip(s) x) as running
      from cast(:snapshot as pg_snapshot) s) there
""").bindparams(most=10_000)


class Unusable(Exception):
    """Why the replica is not read now."""


class Replica:
    """Takes the place of an engine: ``connect`` gives the replica or, without delay, the primary.

    The replica is checked on the very connection that is then handed out, so one address may lead
    to several of them. The primary must be up: this spreads reads, it is no failover.
    """

    def __init__(self, engine: Engine, primary: Engine) -> None:
        self.engine = engine
        self.primary = primary
        self._rests_until = 0.0
        self._said: str | None = None

    def connect(self) -> Connection:
        """A connection that shows everything committed before this call. Raises OperationalError
        when the primary is away."""
        connection = self.primary.connect()
        if time.monotonic() < self._rests_until:
            return connection
        try:
            with connection.begin():
                mark = dict(connection.execute(MARK).mappings().one())
            fresh = _connect_within(PATIENCE_SECONDS, lambda: self._caught_up(mark))
        except (Unusable, SQLAlchemyError) as error:
            if isinstance(error, DBAPIError) and connection.invalidated:
                connection.close()
                raise
            self._rests_until = time.monotonic() + REST_SECONDS
            self._say(str(error).strip().splitlines()[0])
            return connection
        connection.close()
        self._say("")
        return fresh

    def _caught_up(self, mark: dict[str, Any]) -> Connection:
        deadline = time.monotonic() + 0.8 * PATIENCE_SECONDS
        with ExitStack() as undo:
            connection = self.engine.connect()
            undo.callback(connection.close)
            while True:
                with connection.begin():
                    ours, current = connection.execute(STATE, mark).one()
                if not ours:
                    raise Unusable("it is no standby of this primary, or another role reads it")
                if current:
                    undo.pop_all()
                    return connection
                if time.monotonic() > deadline:
                    raise Unusable("it is behind")
                time.sleep(LOOK_SECONDS)

    def _say(self, reason: str) -> None:
        """Logs a change: used, or why not."""
        if reason != self._said:
            if reason:
                log.warning("The read replica is not used: %s", reason)
            elif self._said:
                log.warning("The read replica is used again.")
            self._said = reason


def _connect_within(seconds: float, work: Callable[[], Connection]) -> Connection:
    """Result of the work within so many seconds. The work runs in a thread, as libpq waits for a silent
    server far longer than a reader would; a connection that comes later is given back. Raises
    Unusable."""
    answer: Future[Connection] = Future()

    def run() -> None:
        try:
            answer.set_result(work())
        except Exception as error:  # noqa: BLE001 (raised where it is waited for)
            answer.set_exception(error)

    threading.Thread(target=run, daemon=True, name="replica").start()
    try:
        return answer.result(seconds)
    except TimeoutError:
        answer.add_done_callback(_give_back)
        raise Unusable("it does not answer in time") from None


def _give_back(answer: Future[Connection]) -> None:
    if answer.exception() is None:
        answer.result().close()
