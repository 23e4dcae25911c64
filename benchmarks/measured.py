"""Measures what docs/scaling.md computes from: ``python benchmarks/measured.py`` writes the figures of
this machine into ``results/latest.json`` (what they mean is in ``benchmarks/scaling.py``)."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from sqlalchemy import text

from aggregators.period import Ask
from aggregators.read import read
from benchmarks.bench import timed, viewer
from benchmarks.scaling import LARGE, LATEST, SMALL
from settings import Settings, load
from storage import context, demo, embedded, executive, snapshots
from storage.database import Database, connect

# The rows as the rewrite of the table counted them: one a workspace and day.
SIZES = """
select (select sum(pg_total_relation_size(t)) from unnest(cast(:tables as regclass[])) t),
       (select reltuples from pg_class where relname = 'workspace_usage_snapshot')
"""
SNAPSHOTS = ["workspace_usage_snapshot", "compliance_snapshot_history"]


def figures(database: Database, settings: Settings, workspaces: int) -> dict[str, float]:
    """The figures of a loaded demo organisation."""
    alice = viewer(database)

    def scope() -> object:
        with context.as_viewer(database.web, alice) as connection:
            return executive.scope(connection)

    found = {
        f"read_ms_{workspaces}_28": timed(lambda: read(database, alice, Ask(28), settings)),
        f"scope_ms_{workspaces}": timed(scope),
    }
    if workspaces == LARGE:
        return found
    assert database.owner is not None
    with database.owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in SNAPSHOTS:
            connection.exec_driver_sql(f"vacuum full {table}")
        size, rows = connection.execute(text(SIZES), {"tables": SNAPSHOTS}).one()
    found["bytes_per_workspace_day"] = float(size) / rows
    start = time.perf_counter()
    done = snapshots.run(database, settings.now().date() - timedelta(days=1), settings).done
    found["snapshot_ms_per_workspace"] = (time.perf_counter() - start) * 1000 / done
    return found


def measure(workspaces: int, days: int) -> dict[str, float]:
    """Loads an organisation into a PostgreSQL of its own, and measures it."""
    folder = Path(tempfile.mkdtemp(prefix="vigilo-measured-"))
    settings = load(data_dir=folder, demo_password="benchmark-only")
    database = connect(settings)
    try:
        database.upgrade(settings)
        demo.load(database, settings, workspaces=workspaces, days=days)
        return figures(database, settings, workspaces)
    finally:
        database.close()
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Measures both sizes, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=100)
    given = parser.parse_args()
    found: dict[str, float] = {"cores": float(os.cpu_count() or 1), "days": float(given.days)}
    for workspaces in (SMALL, LARGE):
        found |= measure(workspaces, given.days)
    LATEST.parent.mkdir(exist_ok=True)
    rounded = {name: round(value, 2) for name, value in found.items()}
    LATEST.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")
    print(LATEST.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
