"""The nightly job killed at any moment: readers see all of the day before or all of the new one."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from multiprocessing import get_context
from multiprocessing.synchronize import Event

from storage.database import connect
from storage.snapshot import job
from tests.deep import DEEP
from tests.storage.snapshot.runs import EVE, LAST, as_of, blocks, deployed, rows, seen, staged
from tests.world import World

DEATHS = 50 if DEEP else 5
PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(["storage.snapshot.job"])


def night(settings, day: date, connected: Event) -> None:
    """The night of a day, in a process of its own."""
    database = connect(settings)
    with database.job.connect():
        connected.set()
    job.run(database, day, settings)


def killed(world: World, day: date, after: float) -> bool:
    """Whether the night of ``day`` was killed so many seconds after it began, and not over before."""
    connected = PROCESSES.Event()
    process = PROCESSES.Process(target=night, args=(world.settings, day, connected))
    process.start()
    assert connected.wait(60)
    time.sleep(after)
    assert process.pid is not None
    with suppress(ProcessLookupError):  # it was through before
        os.kill(process.pid, signal.SIGKILL)
    process.join(60)
    return process.exitcode == -signal.SIGKILL


def stands(world: World) -> tuple[object, ...]:
    """Figures that readers are told, and the rows that they come from, but for when they were made."""
    cards = [replace(card, snapshot_at=None) for card in seen(world).scorecards]
    return cards, rows(world, "snapshot_date, packed"), blocks(world)


def test_killed_at_any_moment_a_night_is_published_whole_or_not_at_all(three):
    world, chance = three, random.Random(11)
    world.add(
        world.more[0], "deployment", [deployed(f"u{n}", EVE - timedelta(days=n)) for n in range(30)]
    )
    world.backfill(LAST - timedelta(days=60), LAST - timedelta(days=30))
    day, died = LAST - timedelta(days=29), 0
    begun = time.monotonic()
    job.run(world.database, day, world.settings)
    longest = 1.5 * (time.monotonic() - begun)
    while died < DEATHS and day < LAST:
        day += timedelta(days=1)
        while as_of(world) < day and died < DEATHS:
            before = seen(world)
            died += killed(world, day, chance.uniform(0, longest))
            assert as_of(world) == day or seen(world) == before
    job.run(world.database, day, world.settings)
    assert set(staged(world).values()) == {0}
    stood = stands(world)
    world.backfill(LAST - timedelta(days=60), day)
    assert stands(world) == stood
    assert died == DEATHS
