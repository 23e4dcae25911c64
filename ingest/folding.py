"""Folding of a batch: the records that statements make, and what became of what was told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from aggregators.records.kinds import RecordKind
from aggregators.records.statements import Note, Statement, Value, Words, resolved_meaning


@dataclass(slots=True)
class TellOutcome:
    """Outcome of a batch of statements.

    ``new`` says of each whether it had not been told before and changed a record, or waits for more to be
    told of one. ``notes`` are what could not be taken as told, by identity; ``uncounted`` the records that
    are in no figure, by reason; ``unchanged`` the identities whose records stand as they stood.
    """

    new: list[bool] = field(default_factory=list)
    notes: dict[str, tuple[Note, ...]] = field(default_factory=dict)
    uncounted: dict[str, int] = field(default_factory=dict)
    unchanged: set[str] = field(default_factory=set)

    def leave_out(self, reason: str | None) -> None:
        """Counts a record that is in no figure for the reason; none where there is no reason."""
        if reason:
            self.uncounted[reason] = self.uncounted.get(reason, 0) + 1


NO_RECORD = "no record yet"
"""Why what was told of a record is in no figure while something that it needs has not been told."""


@dataclass(slots=True)
class Folding:
    """The records of a batch: those that are ``made``, and the keys of which there is ``none``."""

    kind: RecordKind
    words: Words
    outcome: TellOutcome
    made: list[dict[str, Value]] = field(default_factory=list)
    none: list[dict[str, Value]] = field(default_factory=list)

    def take(
        self, identity: str, statements: Sequence[Statement], lent: Sequence[Statement]
    ) -> None:
        """Folds one identity from its own statements and what was lent by each that was merged into it."""
        if not statements:
            return
        if self.kind.named_by:
            statements = [
                _with_meaning(self.kind, statement, self.words) for statement in statements
            ]
        each = self.kind.fold.records(identity, [*statements, *lent], self.words)
        if not each:
            self.outcome.leave_out(NO_RECORD)
        for key, folded in each.items():
            if folded.notes:
                self.outcome.notes[identity] = folded.notes
            uncounted = self.kind.fold.uncounted
            if folded.record is None:
                self.outcome.leave_out(NO_RECORD if uncounted and folded.waits else None)
                self.none.append(
                    {name: statements[0].assertions.get(name) for name in self.kind.key}
                )
                continue
            record = {**self.kind.defaults, **_without_missing(folded.record), "identity": identity}
            if len(self.kind.key) == 1:
                record[self.kind.key[0]] = key
            self.outcome.leave_out(uncounted(record) if uncounted else None)
            self.made.append(record)

    def unchanged_identities(self, changed: Collection[tuple[Value, ...]]) -> set[str]:
        """Identities of which no record is among those that were written, by their keys."""
        if len(changed) == len(self.made):
            return set()
        same: set[str] = set()
        differs: set[str] = set()
        for record in self.made:
            key = tuple(record[name] for name in self.kind.key)
            (differs if key in changed else same).add(str(record["identity"]))
        return same - differs


def _without_missing(record: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in record.items() if value is not None}


def _with_meaning(kind: RecordKind, statement: Statement, words: Words) -> Statement:
    """The statement by the meaning of the word that its record is named by."""
    word = statement.assertions.get(kind.named_by) if kind.named_by else None
    name = resolved_meaning(words, kind.named_by, str(word)) if word else word
    if name == word:
        return statement
    return replace(statement, assertions={**statement.assertions, kind.named_by: name})
