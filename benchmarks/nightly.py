"""Cost of a night: the set-wise job against a plain INSERT ... SELECT of the same aggregates.

The plain one is what no product may do: one statement over all workspaces, as the owner, with
row-level security off, no look at what is stored, nothing kept of earlier rows.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from aggregators.chosen.counting import CountingRules

sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).parent.parent))

import psutil
from sqlalchemy import Connection, text

import demo
from benchmarks.installation import Bench
from benchmarks.report.table import Row as Judged
from reading import packed_presets
from reading.signals import night
from settings import Settings, load
from storage import embedded
from storage.database import Database, connect
from storage.snapshot import job
from storage.snapshot.columns import HISTORY_COLUMNS
from storage.snapshot.durations import BLOCK_OF, DURATION_BLOCKS, KEY
from storage.snapshot.history_rows import history_rows, written_columns
from storage.snapshot.tables import (
    SNAPSHOT_TABLES,
    TENANT_TABLES,
    duration_block,
    usage_snapshot,
)
from storage.snapshot.usage_rows import COLUMNS, usage_rows

TARGET = 3
"""At most so many times the plain INSERT ... SELECT."""
MOST_MEMORY = 300.0
"""MB that the program and its two connections' backends may hold together."""
NIGHT = job.TRAILING_DAYS
JOB, LOOK_SECONDS = "vigilo_job", 0.5


class NightlyTiming(NamedTuple):
    """Step of the night: seconds or MB, and their ratio to the plain statement's."""

    what: str
    seconds: float
    plain: float | None = None
    unit: str = "s"

    @property
    def ratio(self) -> float | None:
        """How many times the plain one it takes."""
        return self.seconds / self.plain if self.plain else None


def plain_statement(table: str, columns: tuple[str, ...], rows: str, last_select: str) -> str:
    """The statement over all active workspaces that inserts ``last_select`` of the CTEs ``rows``."""
    select_of_workspace = rows.replace(":w", "w.id").replace(":now", "null")
    listed = ", ".join(columns)
    return (
        f"insert into {table} (workspace_id, {listed}) select w.id, one.* from workspace w"
        f" cross join lateral ({select_of_workspace} {last_select}) one where w.is_active"
    )


def plain_statements() -> list[str]:
    """Plain statements, one for each table of snapshots."""
    usage = ", ".join(COLUMNS)
    return [
        plain_statement(
            duration_block.name,
            (*KEY, "data"),
            DURATION_BLOCKS,
            f"select {', '.join(KEY)}, data from blocks",
        ),
        plain_statement(
            usage_snapshot.name,
            ("snapshot_date", *COLUMNS, "computed_at", "changed_at"),
            usage_rows(),
            f"select day, {usage}, now(), now() from written",
        ),
        *(
            plain_statement(
                columns.table,
                ("snapshot_date", str(columns.group), *written_columns(columns), "computed_at"),
                history_rows(columns),
                f"select day, group_key, {', '.join(written_columns(columns))}, now() from written",
            )
            for columns in HISTORY_COLUMNS.values()
        ),
    ]


@contextmanager
def without_row_security(connection: Connection) -> Iterator[None]:
    """The owner sees and writes all rows until the end."""
    for how in ("no force", "force"):
        for table in (*TENANT_TABLES, job.workspace):
            connection.execute(text(f"alter table {table.name} {how} row level security"))
        if how == "no force":
            yield


def time_insert(database: Database, settings: Settings, first: date, last: date) -> float:
    """Seconds of the plain statements over days that have no rows, which are taken back after."""
    values = {
        "first": first,
        "last": last,
        "firsts": [first],
        "lasts": [last],
        **CountingRules.of((), settings.time_zone, settings.review_days, 90).parameters,
    }
    assert database.owner is not None
    with database.owner.connect() as connection, connection.begin() as transaction:
        with without_row_security(connection):
            connection.execute(text("set local jit = off; set local work_mem = '32MB'"))
            block = BLOCK_OF.format("cast(:first as date)")
            for table in SNAPSHOT_TABLES:
                at = (
                    "snapshot_date >= :first"
                    if table is not duration_block
                    else f"block >= {block}"
                )
                connection.execute(text(f"delete from {table.name} where {at}"), {"first": first})
            start = time.perf_counter()
            for statement in plain_statements():
                connection.execute(text(statement), values)
            taken = time.perf_counter() - start
        transaction.rollback()
    return taken


def time_run(work: Callable[[], object]) -> float:
    """Seconds of one run. Raises RuntimeError where a workspace failed."""
    start = time.perf_counter()
    outcome = work()
    if isinstance(outcome, job.RunOutcome) and outcome.failed:
        raise RuntimeError(f"snapshots failed: {outcome.failed}")
    return time.perf_counter() - start


@dataclass
class JobMemory:
    """The most that the job has of its own while it works, in MB: what this process grows by, and what
    PostgreSQL's processes for it do not share."""

    taken: list[float] = field(default_factory=list)

    def over(self, work: Callable[[], object]) -> Callable[[], object]:
        """The work, looked at meanwhile."""

        def while_watching() -> object:
            stop, before = threading.Event(), psutil.Process().memory_full_info().uss
            looking = threading.Thread(target=self._look, args=(stop, before))
            looking.start()
            try:
                return work()
            finally:
                stop.set()
                looking.join()

        return while_watching

    def _look(self, stop: threading.Event, before: int) -> None:
        while not stop.wait(LOOK_SECONDS):
            megabytes_now = psutil.Process().memory_full_info().uss - before
            for process in psutil.process_iter(["cmdline"]):
                if JOB in " ".join(process.info["cmdline"] or ()):
                    with suppress(psutil.Error):
                        megabytes_now += process.memory_full_info().uss
            self.taken.append(megabytes_now / 2**20)

    @property
    def most(self) -> float:
        """In MB."""
        return max(self.taken, default=0.0)


def empty_snapshots(database: Database) -> None:
    """No snapshot at all, and statistics as they are after a while of use."""
    assert database.owner is not None
    with database.owner.begin() as connection:
        listed = ", ".join(table.name for table in SNAPSHOT_TABLES)
        connection.execute(text(f"truncate {listed}"))
    with database.owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))


def measure(database: Database, settings: Settings, days: int = 400) -> list[NightlyTiming]:
    """A history of ``days`` and one night, by the job and plain; snapshots are made anew."""
    last = settings.now().date() - timedelta(days=1)
    first, night = last - timedelta(days=days - 1), last - timedelta(days=NIGHT - 1)
    empty_snapshots(database)
    plain_history = time_insert(database, settings, first, last)
    empty_snapshots(database)
    memory, memory_night = JobMemory(), JobMemory()
    history = time_run(memory.over(lambda: job.backfill(database, first, last, settings)))
    plain_night = time_insert(database, settings, night, last)
    nightly = time_run(memory_night.over(lambda: job.run(database, last, settings)))
    return [
        NightlyTiming(f"plain INSERT ... SELECT, {days} days", plain_history),
        NightlyTiming(f"backfill of {days} days", history, plain_history),
        NightlyTiming(f"plain INSERT ... SELECT, {NIGHT} days", plain_night),
        NightlyTiming("nightly run", nightly, plain_night),
        NightlyTiming("memory of the backfill, at most", memory.most, unit="MB"),
        NightlyTiming("memory of the nightly run, at most", memory_night.most, unit="MB"),
    ]


def measure_rows(bench: Bench) -> list[Judged]:
    """Measure a night and give it as rows of the table."""
    part = "the nightly job"
    timings = measure(bench.database, bench.settings, bench.days)
    rows = [_table_row(part, row) for row in timings]
    run = next(row.seconds for row in timings if row.what == "nightly run")
    return [*rows, presets_row(bench, part, run), *watch_rows(bench, part)]


PRESETS_SHARE = 0.1
"""Part of the nightly run that packing the presets may take."""


def presets_row(bench: Bench, part: str, run: float) -> Judged:
    """Packing of all presets after a night, against the run before it."""
    packed = time_run(lambda: packed_presets.pack(bench.database, bench.settings))
    return Judged(part, "presets of all workspaces", packed, run, "s", PRESETS_SHARE, "nightly run")


WATCH_SECONDS = 1.0
"""Seconds that the watch of a night may take over a thousand workspaces, with replay and reading."""


def watch_rows(bench: Bench, part: str) -> list[Judged]:
    """The watch of a night from the state that is kept, and built anew from the history."""
    last = bench.settings.now().date() - timedelta(days=1)
    anew = time_run(lambda: night.run(bench.database, last - timedelta(days=1)))
    kept = time_run(lambda: night.run(bench.database, last))
    return [
        Judged(part, "the watch of a night", kept, WATCH_SECONDS, "s", 1.0, "1 s"),
        Judged(part, "the watch built anew", anew, anew, "s"),
    ]


def _table_row(part: str, row: NightlyTiming) -> Judged:
    if row.unit == "MB":
        allowed = "the most that is allowed"
        return Judged(part, row.what, row.seconds, MOST_MEMORY, "MB", 1.0, allowed)
    if row.plain:
        against = "plain INSERT ... SELECT"
        return Judged(part, row.what, row.seconds, row.plain, "s", TARGET, against)
    return Judged(part, row.what, row.seconds, row.seconds, row.unit)


def main() -> None:
    """Loads, measures, prints; fails when a target is missed by more than 20 %."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspaces", type=int, default=200)
    parser.add_argument("--days", type=int, default=800)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="vigilo-bench-"))
    settings = load(data_dir=folder, demo_password="benchmark-only")
    database = connect(settings)
    try:
        database.upgrade(settings)
        loaded = time_run(lambda: demo.load(database, settings, given.workspaces, given.days))
        steps = measure(database, settings, given.days)
    finally:
        database.close()
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{given.workspaces} workspaces x {given.days} days, loaded in {loaded:.0f} s\n")
    print(f"{'what':46}{'s':>9}{'ratio':>9}{'target':>9}")
    for row in steps:
        ratio = f"{row.ratio:.2f}x{TARGET:>9}" if row.ratio else ""
        print(f"{row.what:46}{row.seconds:>9.2f}{ratio:>18}")
    missed = [row.what for row in steps if row.ratio and row.ratio > 1.2 * TARGET]
    if missed:
        sys.exit(f"missed by more than 20 %: {', '.join(missed)}")


if __name__ == "__main__":
    main()
