"""Redis killed while exports wait for workers of Celery, and back: every export arrives."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from exports import celery_app, queue
from settings import Settings
from storage.database import Database
from tests.exports.work.test_killed_workers import free_port
from tests.faults.stack import note
from tests.served import ROOT, until
from tests.webworld import make

WORKER = """
from exports import celery_app
from exports.worker import ExportContext, Pace
from settings import load
from storage.database import connect
settings = load()
celery_app.serve(ExportContext(connect(settings), settings, Pace(upkeep=0.5, look=0.5)))
"""


@contextmanager
def redis_at(port: int) -> Iterator[None]:
    """A real Redis, killed at the end without a warning."""
    words = ["redis-server", "--port", str(port), "--save", "", "--loglevel", "warning"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait(10)


@contextmanager
def celery_worker(database: Database, settings: Settings, data: Path, redis: str) -> Iterator[None]:
    """A worker of Celery, the only process that makes exports."""
    engines = {
        "VIGILO_DATABASE_URL": database.web,
        "VIGILO_OWNER_DATABASE_URL": database.owner,
    }
    own = {
        name: engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        for name, engine in engines.items()
        if engine is not None
    } | {
        "VIGILO_REDIS_URL": redis,
        "VIGILO_EXPORTS_IN_PROCESS": "false",
        "VIGILO_DATA_DIR": str(data),
        "VIGILO_TODAY": str(settings.today),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER], cwd=ROOT, env=os.environ | own, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.kill()
        process.wait(10)


@pytest.mark.skipif(
    not shutil.which("redis-server"), reason="redis-server: .ci/system-packages redis-server"
)
def test_redis_is_killed_and_comes_back(database, settings, tmp_path):
    web, port = make(database, settings), free_port()
    address = f"redis://127.0.0.1:{port}/0"

    def requested() -> None:
        queue.request(database.job, web.people["alice"], {"period": "7"}, "csv", ["alpha"])
        celery_app.wake(address)

    def ready() -> int:
        with database.job.connect() as connection:
            query = "select count(*) from export_job where state = 'ready'"
            return int(connection.execute(text(query)).scalar_one())

    with celery_worker(database, settings, tmp_path, address):
        with redis_at(port):
            requested()
            until(lambda: ready() == 1)
        requested()
        until(lambda: ready() == 2)
        with redis_at(port):
            begun = time.monotonic()
            requested()
            until(lambda: ready() == 3)
            seconds = time.monotonic() - begun
    note("Redis killed and back", "nothing: the queue is in PostgreSQL", seconds)
