"""The queue of exports, one rule at a time."""

from __future__ import annotations

import resource
import subprocess
import threading
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from exports import downloads, files, queue, worker
from tests.exports.work.jobs import put, row


def silent(here, id):
    """Let the lease of a job run out, as when its worker has gone silent."""
    with here[0].database.job.begin() as connection:
        statement = "update export_job set lease_until = now() - interval '1 second' where id = :id"
        connection.execute(text(statement), {"id": id})


def test_a_job_is_claimed_once_however_many_ask(here):
    engine = here[0].database.job
    ids = {put(here) for _ in range(3)}
    start, found = threading.Barrier(8), []

    def claim():
        start.wait()
        found.append(queue.claim(engine))

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    claimed = [held.id for held in found if held]
    assert len(claimed) == len(set(claimed)) <= 3
    while held := queue.claim(engine):
        claimed.append(held.id)
    assert set(claimed) == ids


def test_at_most_three_run_for_one_person_and_others_are_not_held_up(here):
    place, web = here
    for _ in range(5):
        put(here)
    web.world.member(web.people["dave"], web.world.alpha, "platform_admin")
    other = put(here, "dave")
    held = [queue.claim(place.database.job) for _ in range(5)]
    assert [h.viewer.email for h in held if h] == ["alice@x.example"] * 3 + ["dave@x.example"]
    assert held[3].id == other


def test_what_a_slow_worker_does_after_its_lease_is_discarded(here):
    place, _ = here
    id = put(here)
    slow = queue.claim(place.database.job)
    silent(here, id)
    quick = queue.claim(place.database.job)
    assert (quick.id, quick.attempt) == (id, 2)
    assert not queue.extend_lease(place.database.job, slow)
    with pytest.raises(worker.LeaseLost):
        worker._make(place, slow)
    assert row(here, id).state == "running"
    worker._make(place, quick)
    assert row(here, id).state == "ready"
    queue.fail(place.database.job, slow, "late", again=False)
    assert row(here, id).state == "ready"
    assert {p.name for p in place.folder.iterdir()} == {f"{id}-2.pdf"}


def test_three_silent_workers_end_a_job_with_a_reason(here):
    place, _ = here
    id = put(here)
    for _ in range(3):
        assert queue.claim(place.database.job).id == id
        silent(here, id)
    assert queue.claim(place.database.job) is None
    assert queue.fail_abandoned(place.database.job) == 1
    assert row(here, id).state == "failed"
    assert "three times" in row(here, id).error


def test_the_heartbeat_keeps_a_slow_job(here, monkeypatch):
    place, _ = here
    id = put(here)
    drawn = worker.draw

    def slowly(*given):
        threading.Event().wait(1.5)
        assert queue.claim(place.database.job) is None
        return drawn(*given)

    monkeypatch.setattr(worker, "draw", slowly)
    assert worker.make_next(place._replace(pace=worker.Pace(lease=0.6)))
    assert (row(here, id).state, row(here, id).attempt) == ("ready", 1)


def test_a_cancelled_job_stops_at_its_next_step_and_leaves_no_file(here, monkeypatch):
    place, web = here
    id = put(here)
    drawn = worker.draw

    def cancelled(*given):
        assert queue.cancel(place.database.job, web.people["alice"], id)
        return drawn(*given)

    monkeypatch.setattr(worker, "draw", cancelled)
    assert worker.make_next(place)
    assert row(here, id).state == "cancelled"
    assert not place.folder.exists() or not list(place.folder.iterdir())
    assert not queue.cancel(place.database.job, web.people["bob"], put(here))


@contextmanager
def small_disk(folder):
    """A disk of its own with room for half a pack."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("not permitted to mount a tmpfs")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def quota(_folder):
    """No file of this process grows beyond half a pack."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (32 * 1024, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    ("full", "reason"), [(small_disk, "No space left on device"), (quota, "File too large")]
)
def test_a_full_disk_fails_the_job_with_its_reason_and_no_partial_file(here, full, reason, caplog):
    place, web = here
    alice, id = web.people["alice"], put(here)
    with full(place.folder):
        assert worker.make_next(place)
        assert row(here, id).state == "failed"
        assert row(here, id).error == f"The file could not be written: {reason}."
        assert f"the file of export {id} could not be written" in caplog.text
        assert list(place.folder.iterdir()) == []
        with pytest.raises(downloads.NoSuchExport):
            downloads.fetch(place.database.job, place.folder, alice, id, ["alpha", "beta"])
    later = put(here)
    assert worker.make_next(place)
    found = downloads.fetch(place.database.job, place.folder, alice, later, ["alpha", "beta"])
    assert len(found.data) > 32 * 1024


def test_an_error_while_drawing_is_tried_three_times(here, monkeypatch):
    place, _ = here
    id = put(here)

    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(worker, "draw", broken)
    for attempt in (1, 2, 3):
        assert worker.make_next(place)
        assert row(here, id).attempt == attempt
    assert not worker.make_next(place)
    assert row(here, id).state == "failed"


def test_the_scope_is_the_one_of_the_moment_it_is_drawn(here):
    place, web = here
    id, none = put(here), put(here)
    web.world.revoke(web.people["alice"], web.world.beta)
    assert worker.make_next(place)
    assert list(row(here, id).scope) == ["alpha"]
    web.world.revoke(web.people["alice"], web.world.alpha)
    assert worker.make_next(place)
    assert row(here, none).state == "failed"
    assert "platform admin of no workspace" in row(here, none).error


def test_nobody_has_more_than_twenty_waiting(here):
    for _ in range(queue.OPEN_A_USER):
        put(here)
    with pytest.raises(queue.TooManyExports, match="20 exports"):
        put(here)


def test_the_janitor_removes_what_is_out_of_time_and_what_nobody_knows(here):
    place, _ = here
    kept, old = put(here), put(here)
    worker.drain(place)
    (place.folder / "stray.pdf").write_bytes(b"x")
    with place.database.job.begin() as connection:
        connection.execute(
            text("update export_job set expires_at = now() where id = :id"), {"id": old}
        )
    assert files.clean(place.database.job, place.folder) == 1  # the stray one may be in the making
    assert files.clean(place.database.job, place.folder, orphan_seconds=-1) == 1
    assert [p.name for p in place.folder.iterdir()] == [row(here, kept).file_key]
    assert row(here, old).state == "expired"
