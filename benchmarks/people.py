"""Many people at once."""

from __future__ import annotations

from benchmarks.installation import Bench
from benchmarks.table import Row


def measure(bench: Bench) -> list[Row]:
    """Every row."""
    return []
