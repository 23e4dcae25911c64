"""Files that list all records of their source: the records that they lack any more, and their withdrawal.

A record that another source tells too is not this list's to withdraw; neither is an incident that began
after all that the list has. A later list with the record takes its withdrawal back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

from aggregators.records.kinds import RecordKind
from ingest import words
from ingest.lists.retirement import lacked_identities, retire
from ingest.lists.whole_lists import OF, WholeList
from ingest.records import SEPARATOR
from ingest.report import ImportOutcome
from storage.context import job_in
from storage.database import Database
from storage.tables import workspace

WITHDRAWN_BY = OF
"""Kinds whose records a complete list of their source withdraws."""


class LackedRecord(NamedTuple):
    """A record that is in no list of its source any more."""

    workspace: str
    key: str


class ListChanged(RuntimeError):
    """More is lacked than was shown: something was told meanwhile."""


def lacked_records(
    database: Database, kind: RecordKind, outcomes: Sequence[ImportOutcome]
) -> list[LackedRecord]:
    """Records that files, which have been imported, lack of those that their source told before, in the
    workspaces that they tell of. Nothing is withdrawn yet."""
    lacked = []
    for owner, listed in _lists(kind, outcomes):
        with job_in(database.job, owner) as connection:
            slug = slug_of(connection, owner)
            lacked += [
                LackedRecord(slug, identity.replace(SEPARATOR, "/"))
                for identity in lacked_identities(connection, kind, owner, listed)
            ]
    return sorted(lacked)


def _lists(kind: RecordKind, outcomes: Sequence[ImportOutcome]) -> Iterator[tuple[int, WholeList]]:
    """The lists by workspace: those of one source in several files are one."""
    lists: dict[tuple[int, str], list[tuple[datetime, datetime | None]]] = {}
    for outcome in outcomes:
        for of, began in outcome.listed.items():
            if outcome.received_at is not None:
                lists.setdefault(of, []).append((outcome.received_at, began))
    for (owner, source), parts in sorted(lists.items()):
        until = max((began for _, began in parts if began), default=None)
        if until is not None or not kind.happened:
            received = min(received for received, _ in parts)
            yield owner, WholeList(source, received, until=until, of_own=True)


def withdraw_records(
    database: Database,
    kind: RecordKind,
    outcomes: Sequence[ImportOutcome],
    shown: Sequence[LackedRecord],
) -> int:
    """Keeps the lists and withdraws what they lack; returns how many records that were. Raises ListChanged
    where those are not all ``shown``; what other workspaces lack may be withdrawn by then."""
    number = 0
    for owner, listed in _lists(kind, outcomes):
        with job_in(database.job, owner) as connection:
            slug = slug_of(connection, owner)
            meanings = words.of_workspace(connection, owner)
            identities, _ = retire(connection, kind, owner, listed, meanings)
            lacked = {LackedRecord(slug, i.replace(SEPARATOR, "/")) for i in identities}
            if not lacked <= {*shown}:
                raise ListChanged
        number += len(lacked)
    return number


def slug_of(connection: Connection, owner: int) -> str:
    """The slug of the workspace of the connection's job context."""
    return str(
        connection.execute(select(workspace.c.slug).where(workspace.c.id == owner)).scalar_one()
    )
