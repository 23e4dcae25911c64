"""Ten thousand workspaces, all of them in one person's scope, beside a tenth of them.

For `benchmarks/bench.py --workspaces 10000`, which has a table of its own in docs/performance.md.
"""

from __future__ import annotations

from datetime import timedelta

from aggregators.vocabulary.period import Ask
from benchmarks.installation import TODAY, Bench
from benchmarks.read_memory import read_memory
from benchmarks.reading import largest_page
from benchmarks.report.table import Row, timed_in_turn
from benchmarks.site.browser import ALL, cold_tiles
from reading.dashboard import read
from storage.viewer import Viewer

PART = "ten thousand workspaces in one scope"
TENTH = "tenth@bench.example"
TIMES = 11.0
"""Times of a read of a tenth of the workspaces that one of all of them may take."""
A_TENTH = "a tenth of them"
COLD, MEMORY, PAGE = 3000.0, 1500.0, 100.0
"""Milliseconds to six tiles that nobody has asked for, megabytes that a read adds (150 for each thousand
workspaces), kilobytes of a domain's first page."""
ALLOWED = "the most that is allowed"
ROUNDS = 3


def measure(bench: Bench) -> list[Row]:
    """Every row of the table."""
    tenth = bench.person(TENTH, bench.workspaces // 10)
    rows = [row for days in (28, 90) for row in _reads(bench, tenth, days)]
    preset, own = cold_tiles(bench, bench.person(ALL, bench.workspaces).email)
    return [
        *rows,
        Row(PART, "memory, 90 days", read_memory(bench, days=90), MEMORY, "MB", 1.0, ALLOWED),
        Row(PART, "navigation to six tiles, not computed yet", preset, COLD, "ms", 1.0, ALLOWED),
        Row(PART, "the same of days of one's own", own, COLD, "ms", None, "the same"),
        Row(
            PART,
            "first page of a domain, compressed",
            largest_page(bench) / 1000,
            PAGE,
            "KB",
            1.0,
            ALLOWED,
        ),
    ]


def _reads(bench: Bench, tenth: Viewer, days: int) -> list[Row]:
    end = TODAY - timedelta(days=2)
    own = Ask(None, end - timedelta(days=days - 1), end)
    milliseconds = timed_in_turn(
        {
            f"{what}, {who}": lambda ask=ask, viewer=viewer: read(
                bench.database, viewer, ask, bench.settings
            )
            for what, ask in (("preset", Ask(days)), ("own", own))
            for who, viewer in (("all", bench.everyone), ("tenth", tenth))
        },
        ROUNDS,
    )
    return [
        Row(
            PART,
            of_whom,
            milliseconds[f"{what}, all"],
            milliseconds[f"{what}, tenth"],
            "ms",
            TIMES,
            A_TENTH,
        )
        for what, of_whom in (
            ("preset", f"read of {days} days"),
            ("own", f"read of {days} days of one's own"),
        )
    ]
