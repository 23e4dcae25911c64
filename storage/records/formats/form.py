"""What a format is: for each kind that it has, a function from a file to raw rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from storage.records.kinds import Kind
from storage.records.reader import Raw, Reading

Reader = Callable[[Reading], Iterator[Raw]]


@dataclass(frozen=True, slots=True)
class Format:
    """``readers`` by kind. Files with one of ``suffixes`` (and directories, where it takes them)
    are read with it though nobody names it."""

    name: str
    readers: Mapping[str, Reader]
    suffixes: frozenset[str] = frozenset()
    directories: bool = False

    def looks_like(self, kind: Kind, path: Path) -> bool:
        """Whether the file is this format's by its looks."""
        if kind.name not in self.readers:
            return False
        return path.suffix.lower() in self.suffixes or (self.directories and path.is_dir())
