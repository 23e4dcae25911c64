"""Costs of an installation of each size, computed from measured figures: the table in docs/scaling.md.

``results/latest.json`` holds, in milliseconds and bytes of one machine and one process (measured by
``make bench``):

- ``read_ms_200_28``, ``read_ms_1000_28``: the whole dashboard of 28 days over 200 and 1,000 workspaces
- ``scope_ms_200``, ``scope_ms_1000``: who may see what, without any figure
- ``bytes_per_workspace_day``: snapshots of a workspace and day, indexes included
- ``snapshot_ms_per_workspace``: the nightly job with its 28 trailing days
- ``days``, ``cores``: of the measured organisation and machine
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

RESULTS = Path(__file__).parents[1] / "results"
LATEST, PARTITIONS = RESULTS / "latest.json", RESULTS / "partitions.json"
SMALL, LARGE = 200, 1_000
SIZES = (100, 1_000, 10_000, 100_000)
YEAR = 365

Figures = Mapping[str, float]


def straight(figures: Figures, name: str, workspaces: int) -> float:
    """Milliseconds at a size, from the line through the two measured ones; below the smaller, where
    the line may cross zero, at least its share of that."""
    small, large = (figures[name.format(n)] for n in (SMALL, LARGE))
    line = small + (large - small) / (LARGE - SMALL) * (workspaces - SMALL)
    return line if workspaces >= SMALL else max(line, small * workspaces / SMALL)


def read_ms(figures: Figures, workspaces: int) -> float:
    """A dashboard of 28 days of a person who sees all of them."""
    return straight(figures, "read_ms_{}_28", workspaces)


def night_seconds(figures: Figures, workspaces: int) -> float:
    """The nightly job in one process."""
    return workspaces * figures["snapshot_ms_per_workspace"] / 1000


def bytes_a_year(figures: Figures, workspaces: int) -> float:
    """Bytes that a year of snapshots takes on disk."""
    return workspaces * YEAR * figures["bytes_per_workspace_day"]


def costs(figures: Figures) -> list[str]:
    """The table's lines, in markdown."""
    lines = [
        "| workspaces | one read of 28 days, all of them in scope | such reads a minute and core "
        "| deciding the scope | nightly job, one process | snapshots a year |",
        "|---|---|---|---|---|---|",
    ]
    for size in SIZES:
        read = read_ms(figures, size)
        cells = (
            f"{size:,}",
            span(read),
            digits(60_000 / read),
            span(straight(figures, "scope_ms_{}", size)),
            span(night_seconds(figures, size) * 1000),
            room(bytes_a_year(figures, size)),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def partitions(measured: Mapping) -> list[str]:
    """Costs of each layout of the snapshots, in markdown."""
    layouts = measured["milliseconds"]
    done = list(next(iter(layouts.values())))
    lines = [f"| | {' | '.join(layouts)} |", f"|---|{'---|' * len(layouts)}"]
    for what in done:
        cells = " | ".join(span(layout[what]) for layout in layouts.values())
        lines.append(f"| {WORDS.get(what.split()[0], what).format(what)} | {cells} |")
    return lines


WORDS = {
    "read": "{}, every workspace",
    "a": "{}: 29 trailing days of every workspace written again",
    "forget": "forget what is older than the last year's January (delete and vacuum, or detach and drop)",
}


def digits(value: float) -> str:
    """A number with two digits that count, or whole."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def span(milliseconds: float) -> str:
    """A duration."""
    for unit, size in (("h", 3_600_000.0), ("min", 60_000.0), ("s", 1_000.0)):
        if milliseconds >= size:
            return f"{digits(milliseconds / size)} {unit}"
    return f"{digits(milliseconds)} ms"


def room(size: float) -> str:
    """Bytes."""
    for unit, least in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if size >= least:
            return f"{digits(size / least)} {unit}"
    return f"{digits(size / 1e3)} kB"


def load(path: Path) -> dict:
    """A file of measured figures."""
    return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


if __name__ == "__main__":
    print("\n".join(costs(load(LATEST))))
