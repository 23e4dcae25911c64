"""Starting: the command line, the program's second start, a worker; as ratios to an import of Flask."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial

import requests

from benchmarks.installation import EVERYONE, Bench
from benchmarks.report.table import Row
from benchmarks.site.serving import PATIENCE, ROOT, environment_of, free_port, running

PART = "starting"
AGAINST = "an import of Flask"
COMMAND, UPGRADE, SERVE, WORKER = 3.0, 11.0, 11.0, 14.0
"""Imports of Flask that each may take, where one takes 0.18 s: a command half a second, migrations that
change nothing and the second start of the program two seconds, a worker two and a half."""
ROUNDS = 3
VIGILO = ("vigilo.py",)
"""Command line as ``.venv/bin/vigilo`` begins it."""
LISTS = ("token", "list", EVERYONE)
COMMANDS: dict[str, tuple[Sequence[str], float | None]] = {
    "vigilo --help": ([*VIGILO, "--help"], COMMAND),
    "the help of a command": ([*VIGILO, "secrets", "rotate", "--help"], COMMAND),
    "a command that needs no figures": ([*VIGILO, *LISTS], COMMAND),
    "the same under flask --app app": (["-m", "flask", "--app", "app", *LISTS], None),
    "audit verify": ([*VIGILO, "audit", "verify"], COMMAND),
    "backup list": ([*VIGILO, "backup", "list"], COMMAND),
    "db upgrade that changes nothing": ([*VIGILO, "db", "upgrade"], UPGRADE),
}
"""Commands by what they are told as, with their targets; Flask's own line costs an import of it more."""
PROGRAMS = {
    "the second start of make run": ([*VIGILO, "serve"], SERVE),
    "gunicorn, ready with a worker": (["-m", "gunicorn", "--workers", "1", "app:wsgi()"], WORKER),
}


def measure(bench: Bench) -> list[Row]:
    """Milliseconds until a command has answered, and until the program serves; its database is running.
    The best of some rounds in turn counts; one before them compiles what has changed."""
    works = {what: partial(_ended, bench, command) for what, (command, _) in COMMANDS.items()}
    works |= {what: partial(_serving, bench, command) for what, (command, _) in PROGRAMS.items()}
    works[AGAINST] = partial(_ended, bench, ["-c", "import flask"])
    rounds = [{what: work() for what, work in works.items()} for _ in range(ROUNDS + 1)]
    best = {what: min(each[what] for each in rounds[1:]) for what in works}
    against = best[AGAINST]
    return [
        Row(PART, what, best[what], against, "ms", target, AGAINST)
        for what, (_, target) in (COMMANDS | PROGRAMS).items()
    ]


def _ended(bench: Bench, command: Sequence[str]) -> float:
    """Milliseconds until the command has ended."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment_of(bench),
        check=True,
        capture_output=True,
    )
    return (time.perf_counter() - start) * 1000


def _serving(bench: Bench, command: Sequence[str]) -> float:
    """Milliseconds until the program is ready; then it is stopped."""
    port = free_port()
    environment = environment_of(bench) | {"HOST": "127.0.0.1", "PORT": str(port)}
    bound = ["--bind", f"127.0.0.1:{port}"] if "gunicorn" in command else []
    start = time.perf_counter()
    with running([*command, *bound], environment, bench.settings.data_dir / "start.log") as process:
        while process.poll() is None and time.perf_counter() - start < PATIENCE:
            try:
                if requests.get(f"http://127.0.0.1:{port}/readyz", timeout=2).ok:
                    return (time.perf_counter() - start) * 1000
            except requests.RequestException:
                time.sleep(0.02)
    raise RuntimeError("the program did not start: see start.log in the data directory")
