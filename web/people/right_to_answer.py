"""Right of whoever is sent an answer in pieces: asked for again and again while it lasts.

A list takes minutes where its reader is slow, and a role or a session can end meanwhile. So every few
seconds, between two pieces, the database is asked whether the credential and the right still hold. Each
question is a transaction of its own: no connection is held while anybody reads.
"""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from flask import request
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoFreeConnection

from exports.downloads import OutOfScope
from reading.workspace_page import NotAMember
from storage import context
from storage.audit.bounded import record_refusal
from storage.database import Database
from storage.executive import memberships
from storage.executive.scope import scoped_workspaces
from storage.viewer import Viewer

LOG = logging.getLogger(__name__)
EVERY_SECONDS = 5.0
AWAY_SECONDS = 30.0
"""How long pieces are sent on while the database does not answer: a fault of ours ends nobody's download
at once, and no withdrawn right outlasts it for long."""
Piece = TypeVar("Piece")


class Withdrawn(ConnectionResetError):
    """The right to an answer ended while it was sent. The connection is closed as if its reader had gone:
    what was promised in the headers can not be kept, and nothing else may follow on it."""


class RightToAnswer:
    """Right to an answer, which held when it was made. ``ask`` raises where it does not hold any more;
    ``note`` is told of an end in the middle of sending."""

    def __init__(
        self,
        ask: Callable[[], object],
        note: Callable[[], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask, self._note, self._clock = ask, note, clock
        self._known = self._asked = clock()

    def check(self) -> None:
        """Asks again where the last answer is old. Raises as ``ask``."""
        now = self._clock()
        if now - self._asked < EVERY_SECONDS:
            return
        self._asked = now
        try:
            self._ask()
        except (OperationalError, NoFreeConnection):
            if now - self._known >= AWAY_SECONDS:
                raise
            return
        self._known = now

    def over(self, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """The pieces, for as long as it holds. Raises as ``ask``."""
        for piece in pieces:
            self.check()
            yield piece

    def sending(self, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """The pieces that are being sent. Raises Withdrawn: no answer can say any more what happened."""
        for piece in pieces:
            try:
                self.check()
            except Exception as error:
                LOG.warning("an answer was broken off: %s", type(error).__name__)
                self._note()
                raise Withdrawn(errno.ECONNRESET, "the right to the answer ended") from error
            yield piece


def of_member(database: Database, viewer: Viewer, slug: str) -> RightToAnswer:
    """Right of a workspace's member who asks for its rows. Its end is NotIdentified, NotAMember."""

    def ask() -> None:
        with context.as_viewer(database.web, viewer) as connection:
            membership, _ = memberships.membership(connection, slug)
        if membership is None:
            raise NotAMember(slug)

    return RightToAnswer(ask, _noting(database, viewer, {"workspace": slug}))


def of_scope(database: Database, viewer: Viewer, slugs: Iterable[str]) -> RightToAnswer:
    """Right of a platform admin of all those workspaces. Its end is NotIdentified, OutOfScope."""
    needed = frozenset(slugs)

    def ask() -> None:
        with context.as_viewer(database.web, viewer) as connection:
            now = {workspace.slug for workspace in scoped_workspaces(connection)}
        if not needed <= now:
            raise OutOfScope("a workspace of the answer")

    return RightToAnswer(ask, _noting(database, viewer, {}))


def _noting(database: Database, viewer: Viewer, more: Mapping[str, object]) -> Callable[[], None]:
    """Has the audit say that an answer of this request was broken off."""
    details = {"method": request.method, "broken_off": True, **more}
    subject = request.path

    def note() -> None:
        try:
            with database.job.begin() as connection:
                record_refusal(connection, viewer.email, "access.deny", subject, details)
        except (OperationalError, NoFreeConnection) as error:
            LOG.warning("a denial could not be noted", exc_info=error)

    return note
