"""Measurements as rows with a ratio and its target; told at the end, kept as JSON."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "results"
WHOLE, QUICK, ABOVE = "bench", "quick", "above"
"""Names of the tables: of a whole run, of a quick one, of one over more workspaces."""
HISTORY = Path(__file__).parents[1] / "history.jsonl"
TOLERANCE = 1.2
"""A target is missed when the ratio is more than so many times it: the machines are noisy."""


@dataclass(frozen=True, slots=True)
class Row:
    """A measured value beside another of the same run. Without a target it is told, not judged."""

    part: str
    what: str
    value: float
    reference: float
    unit: str = "ms"
    target: float | None = None
    against: str = ""

    @property
    def ratio(self) -> float:
        """How many times the reference."""
        return self.value / self.reference if self.reference else float("inf")

    @property
    def missed(self) -> bool:
        """Whether the target is missed by more than the tolerance."""
        return self.target is not None and self.ratio > self.target * TOLERANCE


def best_time(work: Callable[[], object], rounds: int = 5) -> float:
    """The best of some runs, in milliseconds, after one to warm up: what else the machine does can only
    make a run slower."""
    work()
    return min(time_once(work) for _ in range(rounds))


def timed_in_turn(works: dict[str, Callable[[], object]], rounds: int = 5) -> dict[str, float]:
    """The best of several works in milliseconds, run in turn, so that what slows the machine for a
    while slows all of them."""
    for work in works.values():
        work()
    milliseconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            milliseconds[name].append(time_once(work))
    return {name: min(rounds_of_work) for name, rounds_of_work in milliseconds.items()}


def time_once(work: Callable[[], object]) -> float:
    """Milliseconds of one run."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def table_text(rows: Iterable[Row]) -> str:
    """The table."""
    lines, part = [], ""
    for row in rows:
        if row.part != part:
            part = row.part
            lines += ["", f"{part:46}{'measured':>12}{'reference':>12}{'ratio':>9}{'target':>8}"]
        target = "" if row.target is None else f"{row.target:g}"
        mark = "  MISSED" if row.missed else ""
        lines.append(
            f"  {row.what:44}{row.value:>12,.1f}{row.reference:>12,.1f}"
            f"{row.ratio:>8.2f}x{target:>8}{mark}"
        )
        if row.against:
            lines[-1] += f"   ({row.unit}; {row.against})"
    return "\n".join(lines)


def keep_results(
    rows: list[Row], facts: dict[str, object], name: str, *, is_whole_run: bool = True
) -> None:
    """Writes the JSON of this run by the name of its table, and a line of the history. Of a run that is
    not whole (``is_whole_run``), the parts that were not measured stay as they are; each row says of which
    day and revision it is."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    stamp = {"at": time.strftime("%Y-%m-%d"), "revision": _revision()}
    stamped_rows = [stamp | row for row in as_json(rows)]
    if not is_whole_run and path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        facts, stamped_rows = facts | before["facts"], _merge_rows(before, stamped_rows)
    results = stamp | {"facts": facts, "rows": stamped_rows}
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    line = {
        f"{row.part}: {row.what} / {row.against}": round(row.ratio, 3)
        for row in rows
        if row.target is not None
    }
    with HISTORY.open("a", encoding="utf-8") as file:
        run = {k: stamp[k] for k in ("at", "revision")} | {"quick": name == QUICK}
        if name == ABOVE:
            run["workspaces"] = facts["workspaces"]
        file.write(json.dumps(run | line))
        file.write("\n")


def as_json(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Rows as they are kept, with their ratios."""
    return [asdict(row) | {"ratio": round(row.ratio, 3)} for row in rows]


def _merge_rows(before: Mapping[str, Any], new_rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of before, those of each part that was measured again in their place."""
    stamp_of_before = {"at": before["at"], "revision": before["revision"]}
    parts: dict[str, list[dict[str, Any]]] = {}
    for row in before["rows"]:
        parts.setdefault(row["part"], []).append(stamp_of_before | row)
    for part in dict.fromkeys(row["part"] for row in new_rows):
        parts[part] = [row for row in new_rows if row["part"] == part]
    return [row for rows in parts.values() for row in rows]


def _revision() -> str:
    finished = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return finished.stdout.strip()
