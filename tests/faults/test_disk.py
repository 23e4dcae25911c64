"""The data directory is full or can not be written: figures are shown, an export fails with its reason."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.deep import DEEP
from tests.faults.conftest import served
from tests.faults.stack import Stack, note
from tests.served import signed_in

pytestmark = pytest.mark.skipif(
    not DEEP or os.geteuid() != 0, reason="deep, and mounts a file system of its own, as root"
)


@contextmanager
def on_a_small_disk(stack: Stack, settings, **variables: str) -> Iterator[Stack]:
    """Processes whose data directory is a file system of 8 MB."""
    folder = Path(tempfile.mkdtemp(prefix="vigilo-small-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    web = served(stack.cluster, settings, folder, **variables)
    web.log = Path(f"{folder}.log")
    web.start()
    yield Stack(stack.cluster, web, signed_in(web), stack.figures)
    web.kill()
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def small(stack, settings) -> Iterator[Stack]:
    with on_a_small_disk(stack, settings) as made:
        yield made


@pytest.fixture
def without_cache(stack, settings, tmp_path) -> Iterator[Stack]:
    """Such processes with their cache elsewhere: a disk with a file that is open to be written can not be
    made read-only."""
    with on_a_small_disk(stack, settings, VIGILO_CACHE_DIR=str(tmp_path)) as made:
        yield made


def export(small: Stack) -> dict[str, str]:
    """Answer to somebody who asks for an export and waits for it."""
    asked = small.browser.post(
        f"{small.web.address}/exports", json={"period": "7", "format": "csv"}
    )
    return asked.json()


def fill(path: Path) -> None:
    """Write until the disk is full. Raises OSError."""
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(2**14))


def fails_nothing_but_exports(small: Stack) -> None:
    assert small.is_well()
    assert "could not be written" in export(small)["detail"]
    assert "disk" in requests.get(f"{small.web.address}/readyz").text


def test_a_full_disk_fails_nothing_but_exports(small: Stack):
    folder = small.web.log.with_suffix("")
    with pytest.raises(OSError, match="No space"):
        fill(folder / "fill")
    fails_nothing_but_exports(small)
    (folder / "fill").unlink()
    seconds = small.recovers()
    assert export(small)["state"] in ("ready", "queued", "running")
    note("Data directory full", "figures as before; an export fails with its reason", seconds)


def test_a_read_only_disk_fails_nothing_but_exports(without_cache: Stack):
    small = without_cache
    folder = str(small.web.log.with_suffix(""))
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    fails_nothing_but_exports(small)
    subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
    seconds = small.recovers()
    assert export(small)["state"] in ("ready", "queued", "running")
    note("Data directory read-only", "figures as before; an export fails with its reason", seconds)
