"""Servers that take connections and answer nobody: whoever waits for one is let go.

A server that is frozen, with its machine or by its disk, is still there to the network: its kernel answers
for it, so no bound of a connection notices, and the server's own bound of a statement is frozen with it. A
statement that takes long looks just the same. So where somebody has waited for a while the server is asked,
on a connection of its own, whether it answers anybody; where it does not, several times in a row, and
nothing else that was asked of it has come back meanwhile, whoever waits for it is told that it is gone.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import closing, suppress
from functools import wraps
from typing import Any

import psycopg2
from psycopg2.extensions import connection as DriverConnection
from psycopg2.extensions import cursor as DriverCursor

PATIENCE_SECONDS = 2.0
"""How long an answer may take before the server is asked whether it answers anybody."""
LOOK_SECONDS = 3
"""How long it may take to answer that."""
LOOKS, OPERATORS_LOOKS = 2, 10
"""How often in a row it has to be silent: to requests and what is due, which are begun anew; and to
commands that an operator typed, which may have worked for an hour."""
TICK_SECONDS = 0.5
GRACE_SECONDS = 5.0
"""How much longer than the server's own bound a statement may take, where that bound did not end it."""
NO_ANSWER = ("timeout expired", "query_wait_timeout", "server_login_retry", "closed the connection")
"""Words of libpq and of pgbouncer about a server that does not answer. Anything else is an answer, as a
refusal is."""


class Wait:
    """Somebody who waits for an answer on a connection, since a moment."""

    __slots__ = ("is_cut", "since", "wire")

    def __init__(self, wire: DriverConnection) -> None:
        self.since, self.wire, self.is_cut = time.monotonic(), wire, False

    def cut(self) -> None:
        """Ends the connection under whoever waits, who is told that the server is gone."""
        self.is_cut = True
        with suppress(psycopg2.Error, OSError):
            hang_up(self.wire)


def hang_up(wire: DriverConnection) -> None:
    """Ends both directions of a connection that another thread may be waiting on."""
    with socket.socket(fileno=os.dup(wire.fileno())) as own:
        own.shutdown(socket.SHUT_RDWR)


class SilenceWatch:
    """Everybody in this process who waits for answers of one server. ``connect`` makes a connection to ask
    it on, ``looks`` is how often in a row it has to be silent, ``most`` its own bound of a statement in
    seconds, 0 where there is none."""

    def __init__(
        self, connect: Callable[[], DriverConnection], looks: int, most: float = 0
    ) -> None:
        self._connect, self._looks = connect, looks
        self._most = most + GRACE_SECONDS if most else float("inf")
        self.forget()
        TICKER.add(self)

    def forget(self) -> None:
        """Begins anew, in a process that has just been forked."""
        self._lock = threading.Lock()
        self._waits: set[Wait] = set()
        self._silent, self._answered, self._is_looking = 0, 0.0, False

    def begin(self, wire: DriverConnection) -> Wait:
        """Notes that somebody waits from now on."""
        wait = Wait(wire)
        with self._lock:
            self._waits.add(wait)
        TICKER.ensure()
        return wait

    def end(self, wait: Wait) -> None:
        """Notes that nobody waits for that any more."""
        with self._lock:
            self._waits.discard(wait)
            if not wait.is_cut:
                self._silent, self._answered = 0, time.monotonic()

    def tick(self) -> None:
        """Cuts whoever is beyond every bound; has the server asked where somebody waits for a while."""
        now = time.monotonic()
        with self._lock:
            for wait in self._waits:
                if not wait.is_cut and now - wait.since > self._most:
                    wait.cut()
            waiting = [wait.since for wait in self._waits if not wait.is_cut]
            quiet_since = max(min(waiting, default=now), self._answered)
            if self._is_looking or now - quiet_since < PATIENCE_SECONDS:
                return
            self._is_looking = True
        threading.Thread(target=self._look, daemon=True, name="silence").start()

    def _look(self) -> None:
        begun = time.monotonic()
        answers = answers_now(self._connect)
        with self._lock:
            self._is_looking = False
            if answers:
                self._silent, self._answered = 0, time.monotonic()
            elif self._answered < begun:  # nothing else has come back meanwhile
                self._silent += 1
                if self._silent >= self._looks:
                    for wait in self._waits:
                        wait.cut()


def answers_now(connect: Callable[[], DriverConnection]) -> bool:
    """Whether the server says anything within the bound of a look."""
    try:
        with closing(connect()) as wire:
            alarm = threading.Timer(LOOK_SECONDS, Wait(wire).cut)
            alarm.start()
            try:
                wire.cursor().execute("select 1")
            finally:
                alarm.cancel()
    except psycopg2.Error as error:
        return not any(words in str(error) for words in NO_ANSWER)
    return True


class Ticker:
    """Has every watch of the process look at its clock, from one thread that begins with the first wait."""

    def __init__(self) -> None:
        self._watches: weakref.WeakSet[SilenceWatch] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._runs = False
        os.register_at_fork(after_in_child=self._begin_anew)

    def add(self, watch: SilenceWatch) -> None:
        """Takes a watch in, for as long as somebody else knows it."""
        with self._lock:
            self._watches.add(watch)

    def ensure(self) -> None:
        """Begins the thread where it does not run yet."""
        if not self._runs:
            with self._lock:
                if not self._runs:
                    self._runs = True
                    threading.Thread(target=self._run, daemon=True, name="silences").start()

    def _run(self) -> None:
        while True:
            time.sleep(TICK_SECONDS)
            for watch in self._present():
                watch.tick()

    def _present(self) -> list[SilenceWatch]:
        with self._lock:
            return list(self._watches)

    def _begin_anew(self) -> None:
        self._lock, self._runs = threading.Lock(), False
        for watch in self._watches:
            watch.forget()


TICKER = Ticker()


def watched_factory(watch: SilenceWatch) -> Callable[..., DriverConnection]:
    """The driver's factory of connections whose answers are waited for under a watch."""

    def make(*words: Any, **options: Any) -> DriverConnection:
        made = WatchedConnection(*words, **options)
        made.watch, made.cursor_factory = watch, WatchedCursor
        return made

    return make


def _waiting_method(call: Callable[..., Any]) -> Callable[..., Any]:
    """A cursor's method during which the server is waited for."""

    @wraps(call)
    def watched_call(self: WatchedCursor, *words: Any, **options: Any) -> Any:
        watch = self.connection.watch
        wait = watch.begin(self.connection)
        try:
            return call(self, *words, **options)
        finally:
            watch.end(wait)

    return watched_call


def _waited_if_named(call: Callable[..., Any]) -> Callable[..., Any]:
    """As ``_waiting_method``, for what has its rows still at the server only where the cursor has a
    name."""
    waited = _waiting_method(call)

    @wraps(call)
    def fetch(self: WatchedCursor, *words: Any, **options: Any) -> Any:
        return (call if self.name is None else waited)(self, *words, **options)

    return fetch


class WatchedConnection(DriverConnection):
    """A connection of the driver's; its commits and roll-backs are waited for under its watch."""

    watch: SilenceWatch

    def commit(self) -> None:
        """Commits."""
        wait = self.watch.begin(self)
        try:
            super().commit()
        finally:
            self.watch.end(wait)

    def rollback(self) -> None:
        """Rolls back."""
        wait = self.watch.begin(self)
        try:
            super().rollback()
        finally:
            self.watch.end(wait)


class WatchedCursor(DriverCursor):
    """A cursor of the driver's, whose statements are waited for under its connection's watch."""

    connection: WatchedConnection
    execute = _waiting_method(DriverCursor.execute)
    executemany = _waiting_method(DriverCursor.executemany)
    copy_expert = _waiting_method(DriverCursor.copy_expert)
    fetchone = _waited_if_named(DriverCursor.fetchone)
    fetchmany = _waited_if_named(DriverCursor.fetchmany)
    fetchall = _waited_if_named(DriverCursor.fetchall)
