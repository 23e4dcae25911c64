"""A process that is stopped or killed in the middle of a sync gives its sources back at once."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.pulling.runner import run_next
from tests.deep import all_but
from tests.ingest.pulling.senders.fake import served
from tests.ingest.pulling.senders.github import FakeGitHub
from tests.ingest.pulling.test_github import deployment, environment

PATIENCE = 60.0


class SlowGitHub(FakeGitHub):
    """Answers the first question only when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may, self.came = threading.Event(), threading.Event()

    def get(self, path, query, headers):
        if not self.may.is_set():
            self.came.set()
            self.may.wait(PATIENCE)
        return super().get(path, query, headers)


@pytest.fixture
def github():
    with served(SlowGitHub()) as fake:
        fake.repository(1, "acme/payments")
        fake.deployments["acme/payments"] = [deployment(1, datetime.now(UTC))]
        yield fake
        fake.may.set()


@pytest.mark.parametrize(
    "number", all_but([signal.SIGKILL], [signal.SIGTERM, signal.SIGKILL]), ids=["stopped", "killed"]
)
def test_a_source_in_mid_sync_is_free_when_its_process_is_gone(installed, github, tmp_path, number):
    source = installed.make("github", github.token, owner="acme", address=github.base, changes="no")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "app", "serve"],
        cwd=Path(__file__).parents[4],
        env=environment(installed, tmp_path) | {"HOST": "127.0.0.1", "PORT": port},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert github.came.wait(PATIENCE), "the clock of the process has begun the sync"
        assert installed.source(source).is_syncing
        assert not run_next(installed.context, source), "while it lives it is its own"
        process.send_signal(number)
        process.wait(20)
    finally:
        process.kill()
        process.wait()
    github.may.set()
    deadline, begun = time.monotonic() + 10, time.monotonic()
    while not run_next(installed.context, source):
        assert time.monotonic() < deadline, "the lease is held by nobody, for two minutes"
        time.sleep(0.1)
    assert time.monotonic() - begun < 10
    assert installed.last_run(source).state == "done"
    assert [key for (key,) in installed.rows("deployment", "key")] == ["1"]
