"""Cost of a source's backfill of 60,000 deployments, against the import of the same as CSV, and the memory
that it adds. The sender is a process of its own."""

from __future__ import annotations

import csv
import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.queues import Queue
from pathlib import Path

from sqlalchemy import insert, text

from benchmarks.installation import Bench
from benchmarks.report.table import Row
from ingest.importer import load
from ingest.kinds import KINDS
from ingest.pulling import runs, store
from ingest.pulling.runner import SourceContext, run_next
from ingest.pulling.store import NewSource
from storage import tables
from storage.context import job_in
from tests.ingest.pulling.senders.fake import served
from tests.ingest.pulling.senders.github import FakeGitHub

PART = "a source"
DEPLOYMENTS, DAYS = 60_000, 400
TARGET, MEMORY = 3.0, 64.0
"""At most so many times the import; at most so many MB more."""
DEPLOYMENT_KIND = KINDS["deployments"]


def deployment_payload(number: int) -> dict[str, object]:
    """A deployment as GitHub tells it; 0 is the newest."""
    began = datetime.now(UTC) - number * timedelta(days=DAYS) / DEPLOYMENTS - timedelta(hours=1)
    state = "FAILURE" if number % 9 == 0 else "SUCCESS"
    instants = [(began + timedelta(minutes=m)).strftime("%Y-%m-%dT%H:%M:%SZ") for m in (0, 1, 6)]
    states = [{"state": state, "createdAt": instants[2]},
              {"state": "IN_PROGRESS", "createdAt": instants[1]}]  # fmt: skip
    return {
        "databaseId": 1_000_000 - number,
        "createdAt": instants[0],
        "updatedAt": instants[2],
        "environment": "production",
        "commitOid": f"{number:040x}",
        "statuses": {"nodes": states},
    }


def serve(addresses: Queue[str]) -> None:
    """The sender, until it is stopped."""
    fake = FakeGitHub()
    fake.repository(1, "acme/shop")
    fake.deployments["acme/shop"] = [deployment_payload(n) for n in range(DEPLOYMENTS)]
    with served(fake):
        addresses.put(fake.base)
        threading.Event().wait()


@contextmanager
def sender() -> Iterator[str]:
    """The address of the sender."""
    spawned = multiprocessing.get_context("spawn")
    addresses: Queue[str] = spawned.Queue()
    process = spawned.Process(target=serve, args=(addresses,), daemon=True)
    process.start()
    try:
        yield addresses.get(timeout=120)
    finally:
        process.terminate()
        process.join()


def measure(bench: Bench) -> list[Row]:
    """Time and memory of both ways in."""
    imported_seconds = _time_import(bench, _workspace(bench, "imported"))
    with sender() as address, watch_memory() as peak:
        pulled_seconds = _time_pull(bench, address, _workspace(bench, "pulled"))
    what = f"a backfill of {DEPLOYMENTS:,} deployments"
    return [
        Row(PART, what, pulled_seconds, imported_seconds, "s", TARGET, "the same as CSV"),
        Row(PART, "memory that it adds", peak[0], MEMORY, "MB", 1.0, f"{MEMORY:g} MB"),
    ]


def _workspace(bench: Bench, slug: str) -> tuple[str, int]:
    """A new workspace of which everyone's viewer is platform admin."""
    name = f"{slug}-{time.time_ns() % 10**9}"
    with bench.database.job.begin() as connection:
        row = insert(tables.workspace).values(slug=name, name=name).returning(tables.workspace.c.id)
        id = int(connection.execute(row).scalar_one())
    role = text(
        "insert into membership (workspace_id, user_id, role) values (:w, :u, 'platform_admin')"
    )
    with job_in(bench.database.job, id) as connection:
        connection.execute(role, {"w": id, "u": bench.everyone.user_id})
    return name, id


def _time_import(bench: Bench, workspace: tuple[str, int]) -> float:
    with tempfile.TemporaryDirectory(prefix="vigilo-bench-") as folder:
        path = Path(folder) / "deployments.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(
                ("key", "service", "environment", "created_at", "completed_at", "outcome")
            )
            for each in map(deployment_payload, range(DEPLOYMENTS)):
                end = each["statuses"]["nodes"][0]  # type: ignore[index]
                outcome = "failed" if end["state"] == "FAILURE" else "successful"
                row = (each["databaseId"], "shop", "production", each["createdAt"])
                writer.writerow((*row, end["createdAt"], outcome))
        begun = time.perf_counter()
        (outcome_of,) = load(bench.database, DEPLOYMENT_KIND, [path], workspace=workspace[0])
        taken = time.perf_counter() - begun
    assert outcome_of.read == DEPLOYMENTS, outcome_of
    return taken


def _time_pull(bench: Bench, address: str, workspace: tuple[str, int]) -> float:
    """Run after run until history is whole."""
    settings = bench.settings.model_copy(update={"source_allow": ("127.0.0.0/8",), "today": None})
    context, jobs = SourceContext(bench.database, settings), bench.database.job
    config = {"owner": "acme", "address": address, "changes": "no", "counts": "deployments"}
    new = NewSource("github", "Bench", config, FakeGitHub.token, workspace[1], 15, DAYS + 1)
    by = (bench.everyone.user_id, bench.everyone.email)
    id = store.create(jobs, context.box, new, by)
    begun, written = time.perf_counter(), 0
    while run_next(context, id):
        with jobs.connect() as connection:
            (run,) = runs.newest(connection, id, 1)
        assert run.state == "done", run
        written += run.written
    taken = time.perf_counter() - begun
    assert written == DEPLOYMENTS, written
    store.delete(jobs, id, bench.everyone.email)
    return taken


@contextmanager
def watch_memory() -> Iterator[list[float]]:
    """MB by which this process grew at most while the block ran."""
    peak, stop, page = [0.0], threading.Event(), os.sysconf("SC_PAGE_SIZE")

    def resident() -> float:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * page / 2**20

    before = resident()

    def look() -> None:
        while not stop.wait(0.05):
            peak[0] = max(peak[0], resident() - before)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()
