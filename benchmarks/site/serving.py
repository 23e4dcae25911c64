"""The real program in processes of its own, over the data that are measured, and people signed in to it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import requests

from benchmarks.installation import PASSWORD, TODAY, Bench

ROOT = Path(__file__).parents[2]
WORKERS, THREADS, KEEP_ALIVE = 2, 48, 75
"""As the README deploys it."""
PATIENCE = 120
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
COOKIE = "vigilo"


@dataclass
class BenchSite:
    """A running program: its address and its first process."""

    address: str
    process: subprocess.Popen
    environment: dict[str, str]
    signed_in: dict[str, requests.Session] = field(default_factory=dict)

    def workers(self) -> list[psutil.Process]:
        """The processes that answer."""
        return psutil.Process(self.process.pid).children()

    def session(self, email: str) -> requests.Session:
        """A client that is signed in; the same one each time."""
        if email not in self.signed_in:
            self.signed_in[email] = _sign_in(self.address, email)
        return self.signed_in[email]

    def path(self, email: str) -> str:
        """Where the start leads the person: their executive page."""
        answer = self.session(email).get(f"{self.address}/start", allow_redirects=False, timeout=60)
        return answer.headers["Location"]


def _sign_in(address: str, email: str) -> requests.Session:
    session = requests.Session()
    page = session.get(f"{address}/login", timeout=60)
    token = TOKEN.search(page.text)
    assert token, "the sign-in page has no token"
    form = {"csrf_token": token[1], "email": email, "password": PASSWORD}
    answer = session.post(f"{address}/login", form, allow_redirects=False, timeout=60)
    assert answer.status_code == 302, f"{email} could not sign in: {answer.status_code}"
    session.get(f"{address}/start?choose=1", timeout=60)  # hands out the token that changes need
    return session


@contextmanager
def served(bench: Bench, **settings: str) -> Iterator[BenchSite]:
    """gunicorn as it is deployed; ``settings`` are further variables."""
    port = free_port()
    # Empty, so that what nobody has asked for has not been asked for in a run before either.
    cache = bench.settings.data_dir / f"cache-of-{port}"
    shutil.rmtree(cache, ignore_errors=True)
    environment = environment_of(bench) | {"HOST": "127.0.0.1", "PORT": str(port)} | settings
    environment["VIGILO_CACHE_DIR"] = str(cache.resolve())
    command = ["-m", "gunicorn", "--workers", str(WORKERS), "--threads", str(THREADS)]
    command += ["--keep-alive", str(KEEP_ALIVE)]
    command += ["--bind", f"127.0.0.1:{port}", "app:wsgi()"]
    with running(command, environment, bench.settings.data_dir / "serve.log") as process:
        address = f"http://127.0.0.1:{port}"
        _wait(address, process)
        try:
            yield BenchSite(address, process, environment)
        finally:
            shutil.rmtree(cache, ignore_errors=True)


@contextmanager
def running(
    arguments: list[str], environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen]:
    """A Python program beside this one, stopped at the end."""
    with log.open("a") as out:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def environment_of(bench: Bench) -> dict[str, str]:
    """Environment of a program over the data that are measured."""
    others = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith("VIGILO_") and k != "PYTHONDONTWRITEBYTECODE"  # installed is compiled
    }
    return others | {
        "VIGILO_DATA_DIR": str(bench.settings.data_dir.resolve()),
        "VIGILO_TODAY": str(TODAY),
        "VIGILO_DEMO_PASSWORD": PASSWORD,
    }


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(address: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if requests.get(f"{address}/readyz", timeout=2).ok:
                return
        except requests.RequestException:
            time.sleep(0.2)
    raise RuntimeError("the program did not start: see serve.log in the data directory")
