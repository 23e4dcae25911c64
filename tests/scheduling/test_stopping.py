"""A normal stop is quiet: no line of the log says that a database went with the program that owned it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import requests

from tests.deep import DEEP, all_but
from tests.exports.work.test_killed_workers import free_port
from tests.served import ROOT, until

GUNICORN = ("-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "--workers", "2", "app:wsgi()")
SERVE = ("-m", "flask", "--app", "app", "serve")
STOPS = 4 if DEEP else 1
"""Stops of each kind, at different moments of the clock's beat: the tasks begin every two seconds."""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A folder that the embedded server's user may pass through."""
    folder = Path(tempfile.mkdtemp(prefix="vigilo-stopping-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def started(words: tuple[str, ...], data_dir: Path) -> subprocess.Popen:
    """The program over its own database, once it answers; its log in a file of the folder."""
    port = free_port()
    kept = {k: v for k, v in os.environ.items() if not k.startswith("VIGILO_")}
    own = {"VIGILO_DATA_DIR": str(data_dir), "VIGILO_DEMO": "false", "PORT": str(port),
           "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{port}"}  # fmt: skip
    log = (data_dir / "log").open("wb")
    process = subprocess.Popen(
        [sys.executable, *words], cwd=ROOT, env=kept | own, stdout=log, stderr=log,
        start_new_session=True,
    )  # fmt: skip

    def answers() -> bool:
        assert process.poll() is None, (data_dir / "log").read_text()[-3000:]
        try:
            return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).ok
        except OSError:
            return False

    try:
        until(answers)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process


def complaints(log: str) -> list[str]:
    """Lines of the program's log that are more than information, and of gunicorn's likewise."""
    lines = []
    for line in log.splitlines():
        if line.startswith("{"):
            if orjson.loads(line).get("level") in ("warning", "error", "critical"):
                lines.append(line)
        elif "[ERROR]" in line or "[CRITICAL]" in line or "Traceback" in line:
            lines.append(line)
    return lines


@pytest.mark.parametrize(
    "number",
    all_but([signal.SIGTERM], [signal.SIGINT, signal.SIGTERM]),
    ids=["Ctrl+C", "terminate"],
)
@pytest.mark.parametrize("words", all_but([GUNICORN], [SERVE, GUNICORN]), ids=["serve", "gunicorn"])
def test_a_stop_is_quiet_whenever_it_comes(data_dir, words, number):
    for stop in range(STOPS):
        process = started(words, data_dir)
        time.sleep(0.3 + stop * 0.6)
        process.send_signal(number)
        try:
            assert process.wait(60) == 0
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        assert complaints((data_dir / "log").read_text()) == []
        assert not (data_dir / "postgres" / "postmaster.pid").exists()
