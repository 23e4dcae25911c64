"""Engines that people would use instead, over the same daily rows, each answer equal to this program's.

No part of ``make bench``: it needs what ``benchmarks/peers.txt`` lists, and for Superset what
``benchmarks/instead/superset.py`` says. None of the others isolates a workspace, says how sure a figure is,
ranks, or notices that a day was told anew: their times are without those.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).parent.parent))

from aggregators.pooling.dashboard import Dashboard
from aggregators.vocabulary.period import Ask, Period
from benchmarks.installation import A_DAY, Bench, installation
from benchmarks.instead.daily import Answer, expected, export, refuse_difference
from benchmarks.instead.floor import Floor
from benchmarks.reading import check_equal
from benchmarks.report import table
from benchmarks.report.table import Row
from reading.dashboard import read

PART = "what people would use instead, {} days"
DAYS = (28, 365)
ROUNDS, LONG = 3, 10_000.0
"""Runs of whoever answers within so many milliseconds."""
OURS = "cold read of this program"
UNPACKED = "the same of days that the night has not packed"
RESULT = table.RESULTS / "peers.json"
EXTENSION = "duckdb_extension_postgres_scanner"


class Peer(Protocol):
    """An engine that gives every part of the answer over a period."""

    name: str

    def answer(self, period: Period) -> Answer:
        """Rows of each part."""


def measure(bench: Bench, floor: Floor, peers: Sequence[Peer]) -> list[Row]:
    """Milliseconds of each peer beside a cold read; raises AssertionError where an answer differs. Whoever
    took long for the answer that is compared is not asked again; of the others the best run counts."""
    rows: list[Row] = []
    for days in DAYS:
        period = bench.period(days)
        right = expected(floor, period)
        milliseconds = {peer.name: _time_peer(peer, period, right) for peer in peers}
        works: dict[str, Callable[[], object]] = {
            OURS: lambda d=days: bench.read(d),
            UNPACKED: lambda d=days: _read_unpacked(bench, d),
            "plain SQL": lambda p=period: floor.everything(p),
        }
        quick = [peer for peer in peers if milliseconds[peer.name] < LONG]
        works |= {peer.name: lambda e=peer, p=period: e.answer(p) for peer in quick}
        milliseconds = table.timed_in_turn(works, ROUNDS) | {
            n: ms for n, ms in milliseconds.items() if ms >= LONG
        }
        rows += [
            Row(PART.format(days), name, ms, milliseconds[OURS], "ms", None, OURS)
            for name, ms in milliseconds.items()
        ]
    return rows


def _read_unpacked(bench: Bench, days: int) -> Dashboard:
    """Cold read of as many days, which end a day before those that the night has packed."""
    span = bench.period(days).span
    ask = Ask(None, span.start - A_DAY, span.end - A_DAY)
    return read(bench.database, bench.everyone, ask, bench.settings)


def _time_peer(peer: Peer, period: Period, right: Answer) -> float:
    """Milliseconds of a peer's first answer. Raises AssertionError where it is not the right one."""
    answers: list[Answer] = []
    milliseconds = table.time_once(lambda: answers.append(peer.answer(period)))
    refuse_difference(peer.name, answers[0], right)
    print(
        f"{peer.name}, {period.preset} days: equal, {milliseconds:,.0f} ms",
        file=sys.stderr,
        flush=True,
    )
    return milliseconds


def _peers(bench: Bench, floor: Floor, folder: Path) -> list[Peer]:
    """Every peer whose packages are there; the others are named on standard error."""
    from benchmarks.instead.engines import ClickHouse, OverParquet, OverPostgres
    from benchmarks.instead.frames import Pandas, Polars

    files = export(floor, folder)
    peers: list[Peer] = [
        Pandas(bench.owner),
        OverParquet(files),
        ClickHouse(files),
        Polars(files),
    ]
    if (extended := importlib.util.find_spec(EXTENSION)) and extended.origin:
        extension = next(Path(extended.origin).parent.rglob("*.duckdb_extension"))
        peers.append(OverPostgres(bench.owner.url, extension))
    else:
        print(f"DuckDB over PostgreSQL is left out: no {EXTENSION}", file=sys.stderr)
    return peers


def main() -> None:
    """Loads, compares, measures, prints; with ``--keep`` for docs/performance.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspaces", type=int, default=1000)
    parser.add_argument("--days", type=int, default=800)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--keep", action="store_true", help="keep for docs/performance.md")
    parser.add_argument("--superset", type=Path, help="its program: see instead/superset.py")
    given = parser.parse_args()
    with ExitStack() as stack:
        bench = stack.enter_context(installation(given.workspaces, given.days, given.data_dir))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        floor = Floor(bench.owner)
        floor.prepare()
        check_equal(bench, floor)
        peers = _peers(bench, floor, folder)
        if given.superset:
            from benchmarks.instead.superset import serving

            peers.append(stack.enter_context(serving(given.superset, bench.owner.url, folder)))
        rows = measure(bench, floor, peers)
    print(table.table_text(rows))
    if given.keep:
        facts = {"workspaces": given.workspaces, "days": given.days, "cores": os.cpu_count()}
        kept = {"at": time.strftime("%Y-%m-%d"), "facts": facts, "rows": table.as_json(rows)}
        RESULT.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
