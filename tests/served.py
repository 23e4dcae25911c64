"""The program as it is deployed, in processes of its own, over the tests' database."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests

from storage.database import Database
from tests.exports.work.test_killed_workers import free_port
from tests.webworld import PASSWORD

ROOT = Path(__file__).parent.parent
PATIENCE = 60.0


def until(true: Callable[[], object]) -> None:
    """Waits for it, with patience."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "that took too long"
        time.sleep(0.05)


@dataclass
class ServedWeb:
    """gunicorn over the tests' database."""

    environment: dict[str, str]
    port: int
    log: Path
    workers: int = 1
    process: subprocess.Popen | None = None

    @classmethod
    def over(
        cls, database: Database, folder: Path, workers: int = 1, **variables: str
    ) -> ServedWeb:
        """Server that has not started yet, with its data in a folder."""
        web, job = (
            engine.url.render_as_string(hide_password=False).replace("+psycopg2", "")
            for engine in (database.web, database.job)
        )
        others = {k: v for k, v in os.environ.items() if not k.startswith("VIGILO_")}
        environment = {
            "VIGILO_DATABASE_URL": web,
            "VIGILO_JOB_DATABASE_URL": job,
            "VIGILO_DATA_DIR": str(folder),
            "VIGILO_SECRET_KEY": "x" * 32,
            "VIGILO_TODAY": "2026-11-23",
            "VIGILO_DEBUG": "true",
            "VIGILO_SCHEDULER": "false",
            "VIGILO_STALE_SECONDS": "0",
        }
        return cls(others | environment | variables, free_port(), folder / "gunicorn.log", workers)

    def start(self) -> None:
        """Serves; returns when it answers."""
        command = ["-m", "gunicorn", "--config", "deploy/gunicorn.conf.py"]
        command += ["--workers", str(self.workers)]
        self.process = subprocess.Popen(
            [sys.executable, *command, "--bind", f"127.0.0.1:{self.port}", "app:wsgi()"],
            cwd=ROOT,
            env=self.environment,
            stdout=self.output.open("ab"),
            stderr=self.log.open("ab"),
            start_new_session=True,
        )
        try:
            until(self.answers)
        except BaseException:  # whoever waits no longer leaves nothing running
            self.kill()
            raise

    @property
    def output(self) -> Path:
        """Standard output: the program's own log."""
        return self.log.with_suffix(".json")

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        try:
            return requests.get(f"{self.address}/readyz", timeout=2).ok
        except OSError:
            return False

    def kill(self) -> None:
        """Master and worker, without a warning."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
            self.process = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def signed_in(web: ServedWeb) -> requests.Session:
    """Alice's browser."""
    browser = requests.Session()
    page = browser.get(f"{web.address}/login").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token
    form = {"email": "alice@x.example", "password": PASSWORD, "csrf_token": token[1]}
    assert browser.post(f"{web.address}/login", data=form).ok
    named = {cookie.name.removeprefix("__Host-"): cookie.value for cookie in browser.cookies}
    browser.headers["X-CSRFToken"] = str(named["_csrf_token"])
    return browser
