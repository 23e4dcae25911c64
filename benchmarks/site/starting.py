"""Starting: the command line, the program's second start, a worker; as ratios to an import of Flask."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

import requests

from benchmarks.installation import EVERYONE, Bench
from benchmarks.report.table import Row
from benchmarks.site.serving import PATIENCE, ROOT, environment_of, free_port, running

PART = "starting"
AGAINST = "an import of Flask"
HELP = 3.0
"""Imports of Flask that ``--help`` may take: half a second where one takes 0.18. A command is to take as
much, a start 11 and a worker 14; these are told and not judged until they do."""
ROUNDS = 3
VIGILO = ("-m", "flask", "--app", "app")
"""Command line as ``.venv/bin/vigilo`` begins it."""


def measure(bench: Bench) -> list[Row]:
    """Milliseconds until a command has answered, and until the program serves; its database is running.
    The best of some rounds in turn counts."""
    works = {
        "flask": lambda: _ended(bench, ["-c", "import flask"]),
        "help": lambda: _ended(bench, [*VIGILO, "--help"]),
        "command": lambda: _ended(bench, [*VIGILO, "token", "list", EVERYONE]),
        "serve": lambda: _serving(bench, [*VIGILO, "serve"]),
        "worker": lambda: _serving(bench, ["-m", "gunicorn", "--workers", "1", "app:wsgi()"]),
    }
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            taken[name].append(work())
    best = {name: min(each) for name, each in taken.items()}
    return [
        Row(PART, what, best[name], best["flask"], "ms", target, AGAINST)
        for name, what, target in (
            ("help", "vigilo --help", HELP),
            ("command", "a command that needs no figures", None),
            ("serve", "the second start of make run", None),
            ("worker", "gunicorn, ready with a worker", None),
        )
    ]


def _ended(bench: Bench, command: Sequence[str]) -> float:
    """Milliseconds until the command has ended."""
    start = time.perf_counter()
    environment = environment_of(bench)
    subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, check=True, capture_output=True
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
