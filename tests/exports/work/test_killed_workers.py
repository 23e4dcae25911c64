"""Exports while workers are killed, with every combination of the settings that say who makes them: each
arrives, with one mail, and mails that were refused are tried again."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import text

from exports import files, queue
from tests.deep import DEEP, all_but
from tests.exports.work.postbox import Postbox
from tests.webworld import make

EFFORT = {
    "in the process that serves": (200, 40) if DEEP else (12, 3),
    "in a worker apart": (200, 40) if DEEP else (16, 4),
    "by Celery, and where they are forgotten in the process that serves": (
        (200, 40) if DEEP else (60, 3)
    ),
    "by Celery apart": (200, 40) if DEEP else (60, 3),
}
"""Jobs and deaths; each worker of Celery takes seconds to be born."""
ROOT = Path(__file__).parents[3]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def redis():
    """A real Redis of its own; its address."""
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed: .ci/system-packages redis-server")
    port = free_port()
    quiet = ["--port", str(port), "--save", "", "--appendonly", "no", "--loglevel", "warning"]
    process = subprocess.Popen(["redis-server", *quiet], stdout=subprocess.DEVNULL)
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(10)


SETTINGS = {
    "VIGILO_TODAY": "2026-11-23",
    "VIGILO_EXPORT_SYNC_SECONDS": "0",
    "VIGILO_SECRET_KEY": "x" * 32,
}


@pytest.fixture
def nursery(database, settings, tmp_path):
    """Runs the jobs with so many deaths; what the postbox got, and how many died."""

    def run(many: int, deaths: int, **variables: str) -> tuple[Postbox, int]:
        web = make(database, settings)
        alices = [web.people["alice"]]
        for number in range(9):  # at most twenty exports may wait for one person
            one = web.world.person(f"alice{number}@x.example")
            web.world.member(one, web.world.alpha, "platform_admin")
            alices.append(one)
        for number in range(many):
            queue.request(database.job, alices[number % 10], {"period": "7"}, "pdf", ["alpha"])
        postbox = Postbox()
        postbox.refusals = 3
        port = free_port()
        server = Controller(postbox, hostname="127.0.0.1", port=port)
        server.start()
        environment = {
            **os.environ,
            **SETTINGS,
            "VIGILO_DATA_DIR": str(tmp_path),
            "VIGILO_SMTP_URL": f"smtp://127.0.0.1:{port}",
            **variables,
        }
        urls = [e.url.render_as_string(hide_password=False) for e in (database.web, database.job)]
        done = subprocess.run(
            [sys.executable, "-m", "tests.exports.work.nursery", *urls, str(deaths), "7"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
        server.stop()
        assert done.returncode == 0, done.stderr[-3000:]
        return postbox, int(done.stdout.split()[-1])

    return run


@pytest.mark.parametrize("way", all_but(["in the process that serves"], EFFORT))
def test_every_export_arrives(nursery, database, tmp_path, way):
    many, deaths = EFFORT[way]
    inside = {"VIGILO_EXPORTS_IN_PROCESS": str("process that serves" in way).lower()}
    if "Celery" in way:
        with redis() as address:
            postbox, died = nursery(many, deaths, VIGILO_REDIS_URL=address, **inside)
    else:
        postbox, died = nursery(many, deaths, **inside)
    assert died == deaths if DEEP else died
    with database.job.connect() as connection:
        jobs = connection.execute(text("select * from export_job where state = 'ready'")).all()
        states = connection.execute(text("select state from export_job")).scalars()
        mails = connection.execute(text("select state, attempt from mail_outbox")).all()
    assert Counter(states) == {"ready": many}
    assert not DEEP or sum(job.attempt - 1 for job in jobs) > 0  # some did die in mid-work
    folder = tmp_path / "exports"
    for job in jobs:
        assert hashlib.sha256((folder / job.file_key).read_bytes()).digest() == bytes(job.sha256)
    assert {mail.state for mail in mails} == {"sent"}
    assert sum(mail.attempt - 1 for mail in mails) >= 3  # those that were refused went again
    sent = Counter(postbox.ids)
    assert {id.strip("<>").split("@")[0].removeprefix("export-") for id in sent} == {
        str(job.id) for job in jobs
    }
    assert max(sent.values()) <= 2
    files.clean(database.job, folder, orphan_seconds=0)
    assert {path.name for path in folder.iterdir()} == {job.file_key for job in jobs}
