"""A night of the watch on a database: a thousand workspaces, read and written, beside the snapshot run."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from benchmarks.installation import installation
from reading.signals import night
from storage.snapshot import job

WORKSPACES, DAYS = 1_000, 120
"""The state of a night is kept, so that it reads 63 days whatever the history's length."""


class NightTiming(NamedTuple):
    """Seconds of a night of the watch with replay, reading and writing included, and of the snapshot run of
    the same night; how many series were looked at."""

    seconds: float
    snapshot_seconds: float
    workspaces: int
    series: int


def measure_night(data_dir: Path | None = None) -> NightTiming:
    """Measures in a PostgreSQL of its own, which is thrown away, or kept in ``data_dir``."""
    with installation(WORKSPACES, DAYS, data_dir) as bench:
        last = bench.settings.now().date() - timedelta(days=1)
        night.run(bench.database, last - timedelta(days=1))
        outcome = night.run(bench.database, last)
        watched = min(_seconds(lambda: night.run(bench.database, last)) for _ in range(3))
        snapshot = min(
            _seconds(lambda: job.run(bench.database, last, bench.settings)) for _ in range(2)
        )
    return NightTiming(watched, snapshot, outcome.workspaces, outcome.series)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
