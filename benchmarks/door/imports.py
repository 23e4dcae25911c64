"""Cost of importing a million rows of CSV, against ten times that of a hundred thousand: time grows with
the rows, memory does not.

Alone: ``python -m benchmarks.door.imports``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from benchmarks.installation import Bench
from benchmarks.report.table import Row, table_text
from settings import load
from storage import embedded
from storage.database import connect

PART = "an import of CSV"
SMALL, LARGE = 100_000, 1_000_000
TEAMS = 10
TARGET = 1.2
"""At most so many times the cost by row, and so many times the memory, of the small file."""
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
HEAD = "workspace,key,title,severity,opened_at,acknowledged_at,resolved_at\n"


class ImportCost(NamedTuple):
    """Seconds of the command's processor, and the megabytes that it held at most."""

    seconds: float
    megabytes: float


def incidents(path: Path, rows: int) -> Path:
    """A file of so many incidents, of several workspaces in turn."""
    with path.open("w", encoding="utf-8") as file:
        file.write(HEAD)
        for number in range(rows):
            opened = FIRST + timedelta(minutes=number % 500_000)
            instants = (opened, opened + timedelta(minutes=9), opened + timedelta(minutes=90))
            told_instants = ",".join(f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in instants)
            team, key = f"import-{number % TEAMS}", f"{rows}-{number}"
            file.write(f"{team},{key},Something broke {number},p{1 + number % 4},{told_instants}\n")
    return path


def measure_import(kind: str, path: Path, environment: Mapping[str, str]) -> ImportCost:
    """Imports a file by the command, in a process of its own. Raises RuntimeError where it fails."""
    command = (sys.executable, "-m", "flask", "--app", "app", "records", "import", kind, str(path))
    process = subprocess.Popen(command, cwd=ROOT, env=dict(environment), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"the import of {path.name} ended with {process.returncode}")
    return ImportCost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def measure(_bench: Bench | None = None) -> list[Row]:
    """Measures both sizes in an installation of their own: a million records are no part of the others."""
    folder = Path(tempfile.mkdtemp(prefix="vigilo-import-"))
    database = connect(settings := load(data_dir=folder, debug=True))
    try:
        database.upgrade(settings)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("VIGILO_")}
        environment = kept | {"VIGILO_DATA_DIR": str(folder)}
        teams = folder / "workspaces.csv"
        teams.write_text("slug,name\n" + "".join(f"import-{n},Team {n}\n" for n in range(TEAMS)))
        start = measure_import("workspaces", teams, environment)
        small, large = (
            measure_import("incidents", incidents(folder / f"{rows}.csv", rows), environment)
            for rows in (SMALL, LARGE)
        )
    finally:
        database.close()
        with suppress(OSError):
            embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)
    times = LARGE / SMALL * (small.seconds - start.seconds) + start.seconds
    what = f"import of {LARGE:,} CSV rows"
    rows = f"{SMALL:,} rows"
    return [
        Row(PART, what, large.seconds, times, "s", TARGET, f"as often {rows}"),
        Row(PART, "memory at most", large.megabytes, small.megabytes, "MB", TARGET, rows),
    ]


if __name__ == "__main__":
    print(table_text(measure()))
