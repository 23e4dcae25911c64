"""Figures that docs/scaling.md computes from, taken from a whole run of the benchmark:
``results/latest.json`` (what its figures mean is in ``benchmarks/scaling.py``)."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

from sqlalchemy import text

from benchmarks.installation import Bench
from benchmarks.report.scaling import LARGE, LATEST, SMALL
from benchmarks.report.table import Row, best_time
from storage import context
from storage.executive.scope import scoped_workspaces
from storage.snapshot.tables import SNAPSHOT_TABLES

SIZES = """
select (select sum(pg_total_relation_size(t)) from unnest(cast(:tables as regclass[])) t),
       (select count(*) from workspace_usage_snapshot)
"""
NIGHT = "nightly run"


def keep_scaling_figures(bench: Bench, rows: Sequence[Row]) -> None:
    """Writes the figures of a run over LARGE workspaces."""
    figures = {"cores": float(os.cpu_count() or 1), "days": float(bench.days)} | scaling_figures(
        bench, rows
    )
    LATEST.parent.mkdir(exist_ok=True)
    rounded = {name: round(value, 2) for name, value in figures.items()}
    LATEST.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")


def scaling_figures(bench: Bench, rows: Sequence[Row]) -> dict[str, float]:
    """The two sizes of the read and of the look-up of the scope, a night, and the bytes of a day."""
    read = next(row for row in rows if row.what == "all workspaces")
    night = next(row for row in rows if row.what == NIGHT)
    tables = [table.name for table in SNAPSHOT_TABLES]
    with bench.owner.connect() as connection:
        size, days = connection.execute(text(SIZES), {"tables": tables}).one()

    def scope(small: bool) -> object:
        viewer = bench.some if small else bench.everyone
        with context.as_viewer(bench.database.web, viewer) as connection:
            return scoped_workspaces(connection)

    return {
        f"read_ms_{SMALL}_28": read.reference,
        f"read_ms_{LARGE}_28": read.value,
        f"scope_ms_{SMALL}": best_time(lambda: scope(True)),
        f"scope_ms_{LARGE}": best_time(lambda: scope(False)),
        "snapshot_ms_per_workspace": night.value * 1000 / bench.workspaces,
        "bytes_per_workspace_day": float(size) / float(days),
    }
