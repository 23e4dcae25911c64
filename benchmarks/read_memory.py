"""Memory of a cold read, measured in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from aggregators.vocabulary.period import Ask
from auth.accounts import on_behalf
from benchmarks.installation import Bench
from reading.caching.row_cache import RowCache
from reading.dashboard import read
from settings import load
from storage import context
from storage.database import connect
from storage.executive.scope import scoped_workspaces


def read_memory(bench: Bench, row_cache: str = "None", days: int = 365) -> float:
    """Memory that a cold read of so many days adds to a process, at its peak, in MB."""
    code = (
        "import resource, sys; sys.path.insert(0, '.')\n"
        "from benchmarks.read_memory import RowCache, peak_of_a_read\n"
        f"print(peak_of_a_read({bench.everyone.email!r}, {row_cache}, {days}))"
    )
    return float(_in_own_process(code, bench.settings.data_dir))


def _in_own_process(code: str, data_dir: Path) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"VIGILO_DATA_DIR": str(data_dir)},
    )
    return finished.stdout.strip().splitlines()[-1]


def peak_of_a_read(email: str, row_cache: RowCache | None, days: int) -> float:
    """Run in a process of its own: MB above what it took before, at the peak."""
    settings = load()
    database = connect(settings)
    viewer = on_behalf(database.job, email)
    assert viewer is not None
    with context.as_viewer(database.web, viewer) as connection:
        scoped_workspaces(connection)
    before = _kilobytes("VmRSS")
    # A forked process begins with the peak of the one that forked it.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    read(database, viewer, Ask(days), settings, row_cache)
    return (_kilobytes("VmHWM") - before) / 1024


def _kilobytes(field: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split(f"{field}:")[1].split()[0])
