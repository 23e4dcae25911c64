"""Processes that serve are killed and reloaded under load; their cache is filled with garbage."""

from __future__ import annotations

import os
import shutil
import signal
import time

import pytest
import requests

from tests.deep import DEEP, bound
from tests.faults.conftest import reload
from tests.faults.stack import Load, Stack, note
from tests.served import until
from tests.webworld import API


def once(stack: Stack) -> requests.Response:
    """Ask on a connection of its own."""
    return requests.get(
        f"{stack.web.address}{API}?period=7", cookies=stack.browser.cookies, timeout=20
    )


def test_a_killed_worker_is_replaced_and_the_other_serves_on(stack: Stack, workers):
    with Load(lambda: once(stack)) as load:
        time.sleep(0.5)
        os.kill(workers[0], signal.SIGKILL)
        begun = time.monotonic()
        time.sleep(3)
    assert set(load.answers) == {200}
    assert len(load.refused) <= load.threads  # those that it was answering
    seconds = stack.recovers()
    note("gunicorn worker killed", f"{len(load.refused)} requests in its hands end", seconds)
    assert time.monotonic() - begun < bound(20)


@pytest.mark.skipif(not DEEP, reason="deep")
def test_a_reload_under_load_refuses_no_request(stack: Stack, workers):
    with Load(lambda: once(stack)) as load:
        time.sleep(0.5)
        reload(stack.web)
        until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers))
        time.sleep(1)
    assert load.refused == []
    assert set(load.answers) == {200}
    note("HUP reload under load", f"nothing: of {len(load.answers)} requests none was refused", 0)


@pytest.mark.parametrize("harm", ["garbage", "removed"] if DEEP else ["garbage"])
def test_the_cache_is_filled_with_garbage_or_removed(stack: Stack, harm):
    assert stack.is_well()
    folder = stack.web.log.parent / "cache"
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    if harm == "removed":
        shutil.rmtree(folder)
    else:
        for path in files:
            path.write_bytes(os.urandom(4096))
    seconds = stack.recovers()
    assert seconds < bound(5)
    note(f"Cache {harm}" if harm == "removed" else "Cache filled with garbage", "nothing", seconds)
