"""``make bench``: what things cost, as ratios within one run, with a table at the end.

Loads a demo organisation of a thousand workspaces into a PostgreSQL of its own. Ratios compare on any
machine; milliseconds are printed to say where the time goes. Exits non-zero when a target is missed by
more than a fifth. ``--quick`` is a fifth of the size, for the read, the cache and the browser alone;
``--workspaces 10000`` measures one scope of all of them, over fewer days.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import nightly, pack, reading, records
from benchmarks.door import imports, pulling
from benchmarks.installation import Bench, installation
from benchmarks.report import measured, table
from benchmarks.report.scaling import LARGE
from benchmarks.report.table import Row
from benchmarks.site import browser, people, siege, starting, ten_thousand

Part = Callable[[Bench], list[Row]]
PARTS: Mapping[str, Part] = {
    "reading": reading.measure,
    "browser": browser.measure,
    "starting": starting.measure,
    "records": records.measure,
    "imports": imports.measure,
    "pack": pack.measure_rows,
    "people": people.measure,
    "pulling": pulling.measure,
    "siege": siege.measure,
    "nightly": nightly.measure_rows,
}
"""In this order: the last one writes."""
QUICK = ("reading", "browser")
ABOVE = {"above": ten_thousand.measure}
"""Part of a run over more workspaces than the table is of."""
DAYS, FEWER_DAYS = 800, 100


def main() -> None:
    """Loads, measures, prints, keeps."""
    given = _arguments()
    workspaces = given.workspaces or (200 if given.quick else LARGE)
    chosen = given.only or _parts(given, workspaces)
    days = given.days or (FEWER_DAYS if workspaces > LARGE else DAYS)
    rows: list[Row] = []
    start = time.monotonic()
    with installation(workspaces, days, given.data_dir) as bench:
        loaded = bench.loaded_seconds
        records = bench.records()
        size = f"{workspaces:,} workspaces x {days} days, {records:,} records"
        print(f"{size}, loaded in {loaded:.0f} s", flush=True)
        for name in chosen:
            print(f"measuring: {name}", flush=True)
            crowd = name == "people" and given.minutes
            work = (PARTS | ABOVE)[name]
            rows += people.measure(bench, given.minutes) if crowd else work(bench)
        if chosen == tuple(PARTS) and workspaces == LARGE:
            measured.keep_scaling_figures(bench, rows)
        server = bench.server()
    taken = time.monotonic() - start
    if given.quick and not given.only:
        rows.append(Row("the whole of it", "make bench-quick", taken, 180, "s", 1.0, "3 minutes"))
    print(table.table_text(rows))
    facts = {
        "workspaces": workspaces,
        "days": days,
        "records": records,
        "loaded_seconds": round(loaded),
        "cores": os.cpu_count(),
        "server": server,
    }
    if not given.only:
        facts["seconds"] = round(taken)
    if given.keep or not given.only:
        table.keep_results(rows, facts, _name(given, workspaces), is_whole_run=not given.only)
    if missed := [f"{row.part}: {row.what}" for row in rows if row.missed]:
        sys.exit("\nmissed by more than a fifth: " + "; ".join(missed))


def _parts(given: argparse.Namespace, workspaces: int) -> tuple[str, ...]:
    """Names of the parts that such a run measures."""
    if workspaces > LARGE:
        return tuple(ABOVE)
    return QUICK if given.quick else tuple(PARTS)


def _name(given: argparse.Namespace, workspaces: int) -> str:
    """Name of the table that a run is kept as."""
    if workspaces > LARGE:
        return table.ABOVE
    return table.QUICK if given.quick else table.WHOLE


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--workspaces", type=int)
    parser.add_argument("--days", type=int, help="of history; 800 if absent")
    parser.add_argument(
        "--only", nargs="*", choices=list(PARTS), help="some of the parts; kept with --keep"
    )
    parser.add_argument("--keep", action="store_true", help="in the table, beside the other parts")
    parser.add_argument("--minutes", type=float, help="how long the people stay; 15 if absent")
    parser.add_argument("--data-dir", type=Path, help="keep the data there, and use it again")
    return parser.parse_args()


if __name__ == "__main__":
    main()
