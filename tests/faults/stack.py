"""A whole installation that may be broken: a PostgreSQL of its own, perhaps pgbouncer, and gunicorn."""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.exports.work.test_killed_workers import free_port
from tests.served import ROOT, ServedWeb, until
from tests.storage.clusters import PASSWORD, Cluster
from tests.webworld import API

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
RECORD = ROOT / "docs" / "faults.json"


@dataclass
class Stack:
    """The running parts, and a browser that is signed in."""

    cluster: Cluster
    web: ServedWeb
    browser: requests.Session
    figures: object = None

    def ask(self) -> requests.Response:
        """The executive dashboard's figures."""
        return self.browser.get(f"{self.web.address}{API}?period=7", timeout=10)

    def is_well(self) -> bool:
        """Whether the figures are those of the beginning."""
        try:
            answer = self.ask()
        except OSError:
            return False
        return answer.status_code == 200 and answer.json()["domains"] == self.figures

    def recovers(self) -> float:
        """Seconds until all is well again."""
        begun = time.monotonic()
        until(self.is_well)
        return time.monotonic() - begun


@contextmanager
def bouncer(cluster: Cluster) -> Iterator[int]:
    """Port of a pgbouncer with the settings of deploy/pgbouncer.ini, before the cluster."""
    assert PGBOUNCER
    folder = Path(tempfile.mkdtemp(prefix="vigilo-bouncer-"))
    folder.chmod(0o755)
    port = free_port()
    config = configparser.ConfigParser()
    config.read(ROOT / "deploy" / "pgbouncer.ini")
    (folder / "users.txt").write_text(f'"vigilo_web" "{PASSWORD}"\n')
    config["databases"]["vigilo"] = f"host=127.0.0.1 port={cluster.port} dbname=vigilo"
    own = {
        "listen_addr": "127.0.0.1",
        "listen_port": str(port),
        "auth_file": str(folder / "users.txt"),
        "unix_socket_dir": "",
    }
    config["pgbouncer"].update(own)
    with (folder / "pgbouncer.ini").open("w") as file:
        config.write(file)
    user = ["-u", cluster.user] if cluster.user else []
    process = subprocess.Popen(
        [PGBOUNCER, *user, str(folder / "pgbouncer.ini")], stderr=subprocess.DEVNULL
    )
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder)


@dataclass
class Load:
    """Requests from several threads, each on a connection of its own, until it is stopped."""

    ask: Callable[[], requests.Response]
    threads: int = 4
    answers: list[int] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def __enter__(self) -> Load:
        self._stop = threading.Event()
        self._running = [threading.Thread(target=self._run) for _ in range(self.threads)]
        for thread in self._running:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._running:
            thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.answers.append(self.ask().status_code)
            except OSError as error:
                self.refused.append(str(error))


def note(fault: str, seen: str, seconds: float) -> None:
    """Keep a measured fault for docs/assurance.md, where RECORD_FAULTS asks for it."""
    if not os.environ.get("RECORD_FAULTS"):
        return
    known = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    known[fault] = {"seen": seen, "seconds": round(seconds, 1)}
    RECORD.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
