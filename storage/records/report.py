"""What became of a file: the counts, the rows that were rejected and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

KEPT = 100
"""Rejected rows that are listed one by one; the others are counted."""


@dataclass(frozen=True, slots=True, order=True)
class Reject:
    """A row that was not taken. ``record`` names it where its key could be read; ``at`` is its place in
    a document."""

    file: str
    line: int
    column: str
    reason: str
    record: str = ""
    at: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        place += f" {self.at}" if self.at else ""
        column = f"{self.column}: " if self.column else ""
        return f"{place}: {column}{self.reason}" + (f" [{self.record}]" if self.record else "")


@dataclass(slots=True)
class Outcome:
    """The counts of one file: read = written + unchanged + duplicates + rejected + held.

    ``held`` are good rows that a strict import did not keep; ``problem`` is why the file could not
    be read, or not to its end.
    """

    file: Path
    read: int = 0
    written: int = 0
    unchanged: int = 0
    duplicates: int = 0
    rejected: int = 0
    held: int = 0
    problem: str | None = None
    warnings: list[str] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether anything of the file was not taken."""
        return bool(self.rejected or self.problem)

    def reject(self, reject: Reject) -> None:
        """Counts a rejected row and keeps the first ones by line, whatever order they come in."""
        self.rejected += 1
        self.rejects.append(reject)
        if len(self.rejects) >= 2 * KEPT:
            self.settle()

    def settle(self) -> None:
        """Puts what is listed in order and drops what is too much."""
        self.rejects = sorted(self.rejects)[:KEPT]

    def hold(self) -> None:
        """Nothing was kept after all."""
        self.held += self.written
        self.written = 0
        self.warnings.append("strict: nothing was written, because something was rejected")

    def summary(self) -> str:
        """One line of counts."""
        counts = [
            f"{self.read:,} rows read",
            f"{self.written:,} written",
            f"{self.unchanged:,} unchanged",
            f"{self.rejected:,} rejected",
        ]
        counts += [f"{self.duplicates:,} duplicates"] if self.duplicates else []
        counts += [f"{self.held:,} held back"] if self.held else []
        return f"{self.file}: {', '.join(counts)}"
