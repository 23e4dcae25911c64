"""What a night costs: the set-wise job against a plain INSERT ... SELECT of the same aggregates.

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

sys.path.insert(0, str(Path(__file__).parent.parent))

import psutil
from sqlalchemy import Connection, text

from benchmarks.installation import Bench
from benchmarks.table import Row as Judged
from settings import Settings, load
from storage import demo, embedded, setwise, snapshots
from storage.collect import compliance
from storage.context import job_in
from storage.database import Database, connect
from storage.models import (
    SNAPSHOT_TABLES,
    TENANT_TABLES,
    USAGE_DISTRIBUTIONS,
    compliance_history,
    duration_block,
    usage_snapshot,
)
from tests.one_by_one import job

TARGET = 3
"""At most so many times the plain INSERT ... SELECT."""
MOST_MEMORY = 300.0
"""MB that the program and its two connections' backends may hold together."""
NIGHT = snapshots.TRAILING_DAYS
SAMPLE = 5
JOB, LOOK_SECONDS = "vigilo_job", 0.5


class Row(NamedTuple):
    """What was done, in how many seconds (or MB), and times what of the plain one."""

    what: str
    seconds: float
    plain: float | None = None
    unit: str = "s"

    @property
    def ratio(self) -> float | None:
        """How many times the plain one it takes."""
        return self.seconds / self.plain if self.plain else None


def plain(table: str, columns: tuple[str, ...], rows: str, found: str) -> str:
    """The statement over all active workspaces that inserts ``found`` of the CTEs ``rows``."""
    each = rows.replace(":w", "w.id").replace(":now", "null")
    listed = ", ".join(columns)
    return (
        f"insert into {table} (workspace_id, {listed}) select w.id, one.* from workspace w"
        f" cross join lateral ({each} {found}) one where w.is_active"
    )


def statements() -> list[str]:
    """One for each table of snapshots."""
    days = f"with {setwise.ASKED}, {setwise.CLOCK}"
    usage = ", ".join(setwise.COLUMNS)
    measured = ", ".join(setwise.COMPLIANCE_COLUMNS)
    blocks = ", ".join(USAGE_DISTRIBUTIONS)
    return [
        plain(
            duration_block.name,
            ("block", *USAGE_DISTRIBUTIONS),
            setwise.DURATION_BLOCKS,
            f"select block, {blocks} from blocks where num_nonnulls({blocks}) > 0",
        ),
        plain(
            usage_snapshot.name,
            ("snapshot_date", *setwise.COLUMNS, "computed_at", "changed_at"),
            setwise.usage_rows(),
            f"select day, {usage}, now(), now() from written",
        ),
        plain(
            compliance_history.name,
            ("snapshot_date", "framework", *setwise.COMPLIANCE_COLUMNS, "computed_at"),
            f"{days}, found as ({compliance.STANDING})",
            f"select day, framework, {measured}, now() from found",
        ),
    ]


@contextmanager
def without_row_security(connection: Connection) -> Iterator[None]:
    """The owner sees and writes all rows until the end."""
    for how in ("no force", "force"):
        for table in (*TENANT_TABLES, snapshots.workspace):
            connection.execute(text(f"alter table {table.name} {how} row level security"))
        if how == "no force":
            yield


def inserted(database: Database, settings: Settings, first: date, last: date) -> float:
    """Seconds of the plain statements over days that have no rows, which are taken back after."""
    values = {
        "zone": settings.time_zone,
        "first": first,
        "last": last,
        "firsts": [first],
        "lasts": [last],
        "cadence": list(settings.review_days),
    }
    assert database.owner is not None
    with database.owner.connect() as connection, connection.begin() as transaction:
        with without_row_security(connection):
            connection.execute(text("set local jit = off; set local work_mem = '32MB'"))
            block = setwise.BLOCK_OF.format("cast(:first as date)")
            for table in SNAPSHOT_TABLES:
                at = (
                    "snapshot_date >= :first"
                    if table is not duration_block
                    else f"block >= {block}"
                )
                connection.execute(text(f"delete from {table.name} where {at}"), {"first": first})
            start = time.perf_counter()
            for statement in statements():
                connection.execute(text(statement), values)
            taken = time.perf_counter() - start
        transaction.rollback()
    return taken


def timed(work: Callable[[], object]) -> float:
    """Seconds of one run. Raises RuntimeError where a workspace failed."""
    start = time.perf_counter()
    made = work()
    if isinstance(made, snapshots.Outcome) and made.failed:
        raise RuntimeError(f"snapshots failed: {made.failed}")
    return time.perf_counter() - start


@dataclass
class Memory:
    """The most that the job has of its own while it works, in MB: what this process grows by, and what
    PostgreSQL's processes for it do not share."""

    taken: list[float] = field(default_factory=list)

    def over(self, work: Callable[[], object]) -> Callable[[], object]:
        """The work, looked at meanwhile."""

        def watched() -> object:
            stop, before = threading.Event(), psutil.Process().memory_full_info().uss
            looking = threading.Thread(target=self._look, args=(stop, before))
            looking.start()
            try:
                return work()
            finally:
                stop.set()
                looking.join()

        return watched

    def _look(self, stop: threading.Event, before: int) -> None:
        while not stop.wait(LOOK_SECONDS):
            held = psutil.Process().memory_full_info().uss - before
            for process in psutil.process_iter(["cmdline"]):
                if JOB in " ".join(process.info["cmdline"] or ()):
                    with suppress(psutil.Error):
                        held += process.memory_full_info().uss
            self.taken.append(held / 2**20)

    @property
    def most(self) -> float:
        """In MB."""
        return max(self.taken, default=0.0)


def one_by_one(
    database: Database, settings: Settings, days: snapshots.Range
) -> tuple[float, float]:
    """Seconds of a sample of workspaces day by day in pandas, and of the same ones set-wise."""
    with database.job.connect() as connection:
        query = text(f"select id from workspace where is_active order by id limit {SAMPLE}")
        sample = connection.execute(query).scalars().all()

    def each(write: Callable[..., int]) -> None:
        for workspace_id in sample:
            with job_in(database.job, workspace_id) as connection:
                write(connection, workspace_id, days, settings)

    return timed(lambda: each(job.write)), timed(lambda: each(snapshots.write))


def emptied(database: Database) -> None:
    """No snapshot at all, and statistics as they are after a while of use."""
    assert database.owner is not None
    with database.owner.begin() as connection:
        listed = ", ".join(table.name for table in SNAPSHOT_TABLES)
        connection.execute(text(f"truncate {listed}"))
    with database.owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))


def measure(database: Database, settings: Settings, days: int = 400) -> list[Row]:
    """A history of ``days`` and one night, set-wise, plain and one by one; snapshots are made anew."""
    last = settings.now().date() - timedelta(days=1)
    first, night = last - timedelta(days=days - 1), last - timedelta(days=NIGHT - 1)
    emptied(database)
    plain_history = inserted(database, settings, first, last)
    emptied(database)
    memory, memory_night = Memory(), Memory()
    history = timed(memory.over(lambda: snapshots.backfill(database, first, last, settings)))
    plain_night = inserted(database, settings, night, last)
    nightly = timed(memory_night.over(lambda: snapshots.run(database, last, settings)))
    pandas, ours = one_by_one(database, settings, snapshots.Range(night, last, only_known=True))
    return [
        Row(f"plain INSERT ... SELECT, {days} days", plain_history),
        Row(f"backfill of {days} days", history, plain_history),
        Row(f"plain INSERT ... SELECT, {NIGHT} days", plain_night),
        Row("nightly run", nightly, plain_night),
        Row("memory of the backfill, at most", memory.most, unit="MB"),
        Row("memory of the nightly run, at most", memory_night.most, unit="MB"),
        Row(f"one by one, a night of {SAMPLE} workspaces", pandas),
        Row(f"set-wise, a night of {SAMPLE} workspaces", ours),
    ]


def measure_rows(bench: Bench) -> list[Judged]:
    """The same as rows of the table."""
    part = "the nightly job"
    return [_judged(part, row) for row in measure(bench.database, bench.settings, bench.days)]


def _judged(part: str, row: Row) -> Judged:
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
        loaded = timed(lambda: demo.load(database, settings, given.workspaces, given.days))
        found = measure(database, settings, given.days)
    finally:
        database.close()
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{given.workspaces} workspaces x {given.days} days, loaded in {loaded:.0f} s\n")
    print(f"{'what':46}{'s':>9}{'ratio':>9}{'target':>9}")
    for row in found:
        ratio = f"{row.ratio:.2f}x{TARGET:>9}" if row.ratio else ""
        print(f"{row.what:46}{row.seconds:>9.2f}{ratio:>18}")
    missed = [row.what for row in found if row.ratio and row.ratio > 1.2 * TARGET]
    if missed:
        sys.exit(f"missed by more than 20 %: {', '.join(missed)}")


if __name__ == "__main__":
    main()
