"""Statements in PostgreSQL: kept, found again, folded into the records that they make.

Everything that enters a workspace's records goes through ``tell``: it keeps what is new, reads whatever
else was ever said of those records, folds, and writes the records that differ. A batch is a handful of
statements to the database whatever its size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection

import instants
from aggregators.records.kinds import RecordKind
from aggregators.records.statements import ROW, Statement, Value, Words, resolved_meaning
from ingest import records
from ingest.due.marks import mark_from, newest_day
from ingest.folding import NO_RECORD, Folding, TellOutcome
from ingest.kept.keeping import StatementKey, as_told_last, keep
from ingest.kept.stored import LONG_AGO, digest, encode_assertions, statements_of
from ingest.kept.upkeep import lock_workspace, open_up
from ingest.linking.links import links_of
from ingest.linking.mergers import (
    MergedRecord,
    break_circles,
    home,
    lent_by,
    link,
    merged_into,
    merged_records,
    note_parts,
)
from ingest.lists.asset_lists import note_results
from ingest.lists.whole_lists import RESULTS, add_absences
from ingest.records import SEPARATOR


class Told(NamedTuple):
    """A statement and the identity of the record that it is about."""

    identity: str
    statement: Statement


def identity_of(kind: RecordKind, values: Mapping[str, object]) -> str:
    """The identity of a record by its key."""
    return SEPARATOR.join(_part(values[name]) for name in kind.key)


def home_of(kind: RecordKind, values: Mapping[str, object]) -> str:
    """The identity under which what is said of a record is kept, by the record's key."""
    return home(kind, identity_of(kind, values))


def identity_meant(kind: RecordKind, identity: str, words: Words) -> str:
    """The identity of a record by the meaning of the word in it."""
    parts = identity.split(SEPARATOR)
    number = kind.key.index(kind.named_by)
    if parts[number]:
        parts[number] = resolved_meaning(words, kind.named_by, parts[number])
    return SEPARATOR.join(parts)


def _part(value: object) -> str:
    if isinstance(value, datetime):
        return instants.exact(value)
    return "" if value is None else str(value)


def tell(
    connection: Connection,
    kind: RecordKind,
    workspace_id: int,
    batch: Sequence[Told],
    words: Words,
    delivery: UUID | None = None,
) -> TellOutcome:
    """Keeps what is new of the statements and folds the records that they are about, in the workspace's job
    context of the connection."""
    lock_workspace(connection, workspace_id)
    if kind.named_by:
        batch = [Told(identity_meant(kind, t.identity, words), t.statement) for t in batch]
    open_up(connection, kind.name, workspace_id, sorted({t.identity for t in batch}))
    outcome = TellOutcome()
    keys, once, assertions = _distinct_statements(batch)
    kept = keep(connection, kind.name, workspace_id, once, assertions, delivery)
    fresh = kept.fresh
    if fresh:
        if links := links_of(connection, kind, workspace_id, words):
            links.keep(
                connection,
                {s for t in batch for s in links.mentions_of(t.identity, t.statement.assertions)},
            )
        at_hand = {key: once[key] for key in fresh}
        identities = {i for i, _ in fresh}
        refold(connection, kind, workspace_id, identities, words, outcome, at_hand, kept.new)
        if kind.name == RESULTS:
            note_results(connection, workspace_id, batch, words)
    if kind.fold.uncounted:
        again = {t.identity for t in batch} - {identity for identity, _ in fresh}
        _tell_uncounted(connection, kind, workspace_id, again, outcome)
    seen: set[StatementKey] = set()
    for key in keys:
        is_new = key in fresh and key not in seen and key[0] not in outcome.unchanged
        outcome.new.append(is_new)
        seen.add(key)
    return outcome


def _distinct_statements(
    batch: Sequence[Told],
) -> tuple[list[StatementKey], dict[StatementKey, Statement], dict[StatementKey, bytes]]:
    """The key of each of the statements; and, once each, the statements and their words as stored."""
    keys: list[StatementKey] = []
    once: dict[StatementKey, Statement] = {}
    assertions: dict[StatementKey, bytes] = {}
    for identity, statement in batch:
        words = encode_assertions(statement.assertions)
        key = (identity, digest(statement, words))
        keys.append(key)
        once[key] = as_told_last(once[key], statement) if key in once else statement
        assertions[key] = words
    return keys, once, assertions


def _tell_uncounted(
    connection: Connection,
    kind: RecordKind,
    workspace_id: int,
    identities: Set[str],
    outcome: TellOutcome,
) -> None:
    """Adds to the outcome why records are in no figure of which nothing new was told."""
    known = records.decisive_columns(connection, kind, workspace_id, sorted(identities))
    for reason in (kind.fold.uncounted(row) for row in known if kind.fold.uncounted):
        outcome.leave_out(reason)
    for _ in identities - {str(row["identity"]) for row in known}:
        outcome.leave_out(NO_RECORD)


def refold(
    connection: Connection,
    kind: RecordKind,
    workspace_id: int,
    identities: Iterable[str],
    words: Words,
    outcome: TellOutcome,
    at_hand: Mapping[StatementKey, Statement] | None = None,
    new: Set[StatementKey] = frozenset(),
) -> None:
    """Folds the records of these identities, and of those that are merged with them, from all that was ever
    said of them; ``at_hand`` are statements that need not be read, of which some are ``new``."""
    identities, at_hand = sorted(identities), at_hand or {}
    links = links_of(connection, kind, workspace_id, words)
    into, named = merged_records(connection, kind, workspace_id, identities, links)
    everyone = sorted({*identities, *named})
    statements = statements_of(connection, kind, workspace_id, everyone, at_hand)
    _adopt(connection, kind, workspace_id, everyone, statements, new)
    if links is not None:
        link(links, into, statements)
    break_circles(into, statements)
    add_absences(connection, kind, workspace_id, statements)
    folding = _fold_identities(kind, words, outcome, everyone, statements, into)
    note_parts(kind, into, folding.made)
    newest = newest_day(connection, workspace_id)
    changed = records.write(connection, kind, workspace_id, folding.made, marks=newest is not None)
    outcome.unchanged |= folding.unchanged_identities(changed)
    removed: list[datetime | None] = []
    if kind.fold.split is not None:
        kept = [str(record[kind.key[0]]) for record in folding.made]
        removed += records.keep_only(connection, kind, workspace_id, everyone, kept)
    removed += records.remove(connection, kind, workspace_id, folding.none)
    settled = records.settle(connection, kind, workspace_id, changed, removed=bool(removed))
    if newest is not None:
        mark_from(connection, workspace_id, newest, [*changed.values(), *removed, *settled])


def _fold_identities(
    kind: RecordKind,
    words: Words,
    outcome: TellOutcome,
    identities: Iterable[str],
    statements: Mapping[str, list[Statement]],
    into: Mapping[MergedRecord, str],
) -> Folding:
    """Records of the identities, from their own statements and what their parts lend them."""
    folding = Folding(kind, words, outcome)
    for identity in identities:
        lent = [
            replace(lent, assertions={**lent.assertions, "key": key})
            for child, key in (merged_into(kind, identity, into) if into else ())
            for lent in lent_by(kind, statements.get(child.identity, []), child.key)
        ]
        folding.take(identity, statements.get(identity, []), lent)
    return folding


def adopt(
    connection: Connection, kind: RecordKind, workspace_id: int, identities: Sequence[str]
) -> None:
    """Makes statements of those records that stand without any."""
    statements = statements_of(connection, kind, workspace_id, identities, {})
    _adopt(connection, kind, workspace_id, identities, statements, frozenset())


def _adopt(
    connection: Connection,
    kind: RecordKind,
    workspace_id: int,
    identities: Sequence[str],
    statements: dict[str, list[Statement]],
    new: Set[StatementKey],
) -> None:
    """Makes a record that stands without statements but the ``new`` ones, from before they were kept, one
    of its own: as it is, as a row of a file in our own columns."""
    told_now = Counter(identity for identity, _ in new)
    alone = [i for i in identities if len(statements.get(i, ())) == told_now[i]]
    adopted = [
        Told(identity, Statement(ADOPTED, assertions, LONG_AGO, at, manner=ROW))
        for record in records.stored_records(connection, kind, workspace_id, alone)
        for identity, assertions, at in [_as_told(kind, record)]
    ]
    if not adopted:
        return
    _, once, assertions = _distinct_statements(adopted)
    keep(connection, kind.name, workspace_id, once, assertions, None)
    for adopted_statement in adopted:
        statements.setdefault(adopted_statement.identity, []).append(adopted_statement.statement)


ADOPTED = "csv"
"""Source of the statement that a record of before makes."""


def _as_told(
    kind: RecordKind, record: Mapping[str, Value]
) -> tuple[str, dict[str, Value], datetime | None]:
    """A stored record as its identity, words and instant."""
    names = [f.name for f in (*kind.fields, *kind.told) if record.get(f.name) is not None]
    assertions = {name: record[name] for name in names}
    instants = [v for name in kind.happened if isinstance(v := assertions.get(name), datetime)]
    return identity_of(kind, record), assertions, max(instants, default=None)
