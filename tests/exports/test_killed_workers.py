"""Two hundred exports while forty workers are killed: every one arrives, with one mail."""

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
from tests.exports.postbox import Postbox
from tests.webworld import make

JOBS, DEATHS = 200, 40
FEW = (50, 10)
"""Through Celery, unless VIGILO_EXHAUSTIVE is set: each of its workers takes seconds to be born."""
EXHAUSTIVE = bool(os.environ.get("VIGILO_EXHAUSTIVE"))
ROOT = Path(__file__).parent.parent.parent


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


@pytest.fixture
def nursery(database, settings, tmp_path):
    """Runs the jobs with so many deaths; what the postbox got and how many died."""

    def run(redis_url: str | None, many: int, deaths: int) -> tuple[Postbox, int]:
        web = make(database, settings)
        alices = [web.people["alice"]]
        for number in range(9):  # at most twenty exports may wait for one person
            one = web.world.person(f"alice{number}@x.example")
            web.world.member(one, web.world.alpha, "platform_admin")
            alices.append(one)
        for number in range(many):
            queue.put(database.web, alices[number % 10], {"period": "7"}, "pdf", ["alpha"])
        postbox = Postbox()
        port = free_port()
        server = Controller(postbox, hostname="127.0.0.1", port=port)
        server.start()
        environment = {
            **os.environ,
            "VIGILO_DATA_DIR": str(tmp_path),
            "VIGILO_TODAY": "2026-11-23",
            "VIGILO_EXPORT_SYNC_SECONDS": "0",
            "VIGILO_SMTP_URL": f"smtp://127.0.0.1:{port}",
            "VIGILO_SECRET_KEY": "x" * 32,
            **({"VIGILO_REDIS_URL": redis_url} if redis_url else {}),
        }
        urls = [
            engine.url.render_as_string(hide_password=False)
            for engine in (database.web, database.job)
        ]
        done = subprocess.run(
            [sys.executable, "-m", "tests.exports.nursery", *urls, str(deaths), "7"],
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


@pytest.mark.parametrize("through", ["diskcache", "celery"])
def test_every_export_arrives(nursery, database, tmp_path, through):
    many, deaths = FEW if through == "celery" and not EXHAUSTIVE else (JOBS, DEATHS)
    if through == "celery":
        with redis() as address:
            postbox, died = nursery(address, many, deaths)
    else:
        postbox, died = nursery(None, many, deaths)
    assert died == deaths
    with database.web.connect() as connection:
        jobs = connection.execute(text("select * from export_job")).all()
        mails = connection.execute(text("select state from mail_outbox")).scalars().all()
        tried = connection.execute(text("select sum(attempt) - count(*) from export_job")).scalar()
    assert Counter(job.state for job in jobs) == {"ready": many}
    assert tried > 0  # some did die in mid-work
    folder = tmp_path / "exports"
    for job in jobs:
        assert hashlib.sha256((folder / job.file_key).read_bytes()).digest() == bytes(job.sha256)
    assert Counter(mails) == {"sent": many}
    sent = Counter(postbox.ids)
    assert {id.strip("<>").split("@")[0].removeprefix("export-") for id in sent} == {
        str(job.id) for job in jobs
    }
    assert max(sent.values()) <= 2
    files.clean(database.web, folder, orphan_seconds=0)
    assert {path.name for path in folder.iterdir()} == {job.file_key for job in jobs}
