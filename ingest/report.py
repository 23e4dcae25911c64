"""Outcome of an import of a file: the counts, the rows that were rejected and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path, PurePath
from uuid import UUID

from ingest.lists.asset_lists import AssetList
from ingest.statements import Told

KEPT = 100
"""Rejected rows that are listed one by one; the others are counted."""


@dataclass(frozen=True, slots=True, order=True)
class RejectedRow:
    """A row that was not taken. ``record`` names it where its key could be read; ``at`` is its position in
    a document."""

    file: str
    line: int
    column: str
    reason: str
    record: str = ""
    at: str = ""

    @property
    def without_folder(self) -> RejectedRow:
        """Row with the file's name alone: the folder is nobody's affair but the operator's."""
        return replace(self, file=PurePath(self.file).name)

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        where += f" {self.at}" if self.at else ""
        column = f"{self.column}: " if self.column else ""
        return f"{where}: {column}{self.reason}" + (f" [{self.record}]" if self.record else "")


@dataclass(slots=True)
class ImportOutcome:
    """The counts of one file: read = written + unchanged + rejected + withheld.

    ``withheld`` are good rows that a strict import did not keep; ``problem`` is why the file could not
    be read, or not to its end. Several rows may tell of one record: ``records`` are those that the rows of
    each batch tell of, ``fresh`` those of them of which anything was new. ``parts`` are the outcome for
    each workspace, ``delivery`` the id under which they can be looked at; ``listed``, of kinds
    that can be listed whole, the workspaces and sources of which it tells, and when the newest of it began;
    ``assets`` the assets that it lists, where it is said to list all of them.
    """

    file: Path
    read: int = 0
    written: int = 0
    unchanged: int = 0
    rejected: int = 0
    withheld: int = 0
    problem: str | None = None
    warnings: list[str] = field(default_factory=list)
    uncounted: dict[str, int] = field(default_factory=dict)
    rejects: list[RejectedRow] = field(default_factory=list)
    delivery: UUID | None = None
    received_at: datetime | None = None
    format: str = ""
    parts: dict[int, ImportOutcome] = field(default_factory=dict)
    records: int = 0
    fresh: int = 0
    listed: dict[tuple[int, str], datetime | None] = field(default_factory=dict)
    assets: dict[tuple[int, str], AssetList] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether anything of the file was not taken."""
        return bool(self.rejected or self.problem)

    def part(self, workspace_id: int) -> ImportOutcome:
        """Outcome of the rows of one workspace."""
        return self.parts.setdefault(workspace_id, ImportOutcome(self.file))

    def add(self, workspace_id: int | None, batch: ImportOutcome) -> None:
        """Adds what became of some rows of a workspace, which are counted as read already."""
        outcomes = [self]
        if workspace_id is not None:
            outcomes.append(self.part(workspace_id))
            outcomes[-1].read += batch.written + batch.unchanged
        for outcome in outcomes:
            outcome.written += batch.written
            outcome.unchanged += batch.unchanged
            outcome.records += batch.records
            outcome.fresh += batch.fresh
            outcome.warnings += batch.warnings
            for reason, count in batch.uncounted.items():
                outcome.leave_out(reason, count)

    def tell_of(self, statements: Sequence[Told], new: Sequence[bool]) -> None:
        """Counts the records that rows tell of, and those of which something is new. Alerts of one identity
        are several records, told apart by when they began."""
        names = [(t.identity, t.statement.assertions.get("starts_at")) for t in statements]
        self.records += len(set(names))
        self.fresh += len({each for each, is_new in zip(names, new, strict=True) if is_new})

    def note_listed(self, of: tuple[int, str], began: datetime | None) -> None:
        """Notes a workspace and a source of which a record is told that began then."""
        known = self.listed.get(of)
        self.listed[of] = max(began, known) if began and known else began or known

    def note_assets(self, workspace_id: int, statements: Sequence[Told]) -> None:
        """Notes the assets of which results are told, by their source."""
        for _, statement in statements:
            of = (workspace_id, statement.source)
            if of not in self.assets:
                self.assets[of] = AssetList(statement.source, statement.received_at)
            self.assets[of].add(statement.assertions)

    def reject(self, reject: RejectedRow) -> None:
        """Counts a rejected row and keeps the first ones by line, whatever order they come in."""
        self.rejected += 1
        self.rejects.append(reject)
        if len(self.rejects) >= 2 * KEPT:
            self.settle()

    def settle(self) -> None:
        """Puts what is listed in order and drops what is too much."""
        self.rejects = sorted(self.rejects)[:KEPT]
        for part in self.parts.values():
            part.settle()

    def leave_out(self, reason: str, count: int) -> None:
        """Counts records that are written and in no figure."""
        self.uncounted[reason] = self.uncounted.get(reason, 0) + count

    def withhold(self) -> None:
        """Nothing was kept after all."""
        self.withheld += self.written
        self.written = 0
        self.warnings.append("strict: nothing was written, because something was rejected")
        for part in self.parts.values():
            part.withhold()

    def summary(self) -> str:
        """Counts in a line."""
        counts = [
            f"{self.read:,} rows read",
            f"{self.written:,} written",
            f"{self.unchanged:,} unchanged",
            f"{self.rejected:,} rejected",
        ]
        counts += [f"{self.withheld:,} held back"] if self.withheld else []
        if left_out := sum(self.uncounted.values()):
            counts.append(f"{left_out:,} in no figure")
        return f"{self.file}: {', '.join(counts)}"
