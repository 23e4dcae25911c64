"""``make bench``: what the reads cost, as ratios within one run, with a table at the end.

Loads a demo organisation into a PostgreSQL of its own and times each way of reading it. Ratios
compare on any machine; milliseconds are printed to say where the time goes.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from sqlalchemy import text

from aggregators.period import Ask
from aggregators.read import read
from aggregators.spans import Plan
from auth.viewer import Viewer
from benchmarks import pack, records
from exports import board_pdf
from settings import Settings, load
from storage import context, demo, embedded, executive
from storage.database import Database, connect

ALICE = "alice@demo.example"
ROUNDS = 5


def timed(work: Callable[[], object]) -> float:
    """The median of a few runs, in milliseconds, after one to warm up."""
    work()
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


def viewer(database: Database) -> Viewer:
    """Alice, who is a platform admin everywhere."""
    with database.job.connect() as connection:
        found = connection.execute(text("select id from app_user where email = :e"), {"e": ALICE})
        return Viewer(found.scalar_one(), ALICE)


def measure(database: Database, settings: Settings) -> dict[str, float]:
    """Milliseconds by what was done."""
    alice = viewer(database)
    day = settings.now().date() - timedelta(days=1)
    borders = Plan.of(Ask(28).on(day, settings.now().date()), day, settings.sprint_days).borders

    def rows(fast: bool) -> object:
        with context.as_viewer(database.web, alice) as connection:
            if fast:
                return executive.usage(connection, borders)
            return executive.one_by_one(connection, "workspace_usage_snapshot", borders)

    dashboard = read(database, alice, Ask(90), settings)
    found = {
        f"read, {days} days": timed(lambda days=days: read(database, alice, Ask(days), settings))
        for days in (7, 28, 90, 365)
    }
    found["rows, loop inside PostgreSQL"] = timed(lambda: rows(True))
    found["rows, one query at a time"] = timed(lambda: rows(False))
    found["board pack, 90 days"] = timed(
        lambda: board_pdf.draw(
            dashboard, requested_by=ALICE, exported_at=settings.now(), export_id="benchmark"
        )
    )
    return found


def main() -> None:
    """Loads, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspaces", type=int, default=40)
    parser.add_argument("--days", type=int, default=400)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="vigilo-bench-"))
    settings = load(data_dir=folder, demo_password="benchmark-only")
    database = connect(settings)
    try:
        database.upgrade(settings)
        start = time.perf_counter()
        demo.load(database, settings, workspaces=given.workspaces, days=given.days)
        loaded = time.perf_counter() - start
        found = measure(database, settings)
        listed = records.measure(database, viewer(database), timed)
    finally:
        database.close()
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)
    base = found["read, 28 days"]
    print(f"\n{given.workspaces} workspaces x {given.days} days, loaded in {loaded:.0f} s\n")
    print(f"{'what':34}{'ms':>10}{'of the 28-day read':>22}")
    for what, milliseconds in found.items():
        print(f"{what:34}{milliseconds:>10.1f}{milliseconds / base:>21.2f}x")
    small, large = records.SIZES
    print(
        f"\n{'a page of records':34}{f'{small:,}':>10}{f'{large:,}':>10}{'ratio':>9}{'target':>9}"
    )
    for what, few, many in listed:
        target = f"{records.TARGET}" if what in records.JUDGED else ""
        print(f"{what:34}{few:>10.1f}{many:>10.1f}{many / few:>8.2f}x{target:>9}")
    head = f"{'cells':>10}{'ours':>10}{'theirs':>10}{'ratio':>9}{'target':>9}"
    print(f"\n{'the pack, against reportlab':34}{head}")
    drawn = pack.measure()
    for size, cells, ours, theirs, peak in drawn:
        target = f"{pack.TARGET}" if size >= pack.JUDGED_FROM else ""
        what = f"{size:,} workspaces, peak {peak} MB"
        print(f"{what:34}{cells:>10,}{ours:>10.0f}{theirs:>10.0f}{ours / theirs:>8.2f}x{target:>9}")
    missed = [w for w, a, b in listed if w in records.JUDGED and b / a > 1.2 * records.TARGET]
    missed += [
        f"pack of {size:,}"
        for size, _, ours, theirs, _ in drawn
        if size >= pack.JUDGED_FROM and ours / theirs > 1.2 * pack.TARGET
    ]
    if missed:
        sys.exit(f"missed by more than 20 %: {', '.join(missed)}")


if __name__ == "__main__":
    main()
