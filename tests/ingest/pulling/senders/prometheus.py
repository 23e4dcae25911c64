"""A real Prometheus whose history holds the samples of an alert."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

STEP = 15
LABELS = 'alertname="Down",alertstate="firing",severity="critical",job="shop"'


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str) -> None:
    """Returns once the address answers. Raises TimeoutError."""
    for _ in range(200):
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(url)


@contextmanager
def alerting(
    folder: Path, now: datetime, runs: Sequence[tuple[int, int]], more: Sequence[str] = ()
) -> Iterator[str]:
    """The server's address. Each run is how many seconds ago the alert began to fire and fired last;
    ``more`` are lines of other samples."""
    if not shutil.which("prometheus") or not shutil.which("promtool"):
        pytest.skip("prometheus is not installed: .ci/system-packages prometheus")
    instants = [at for first, last in runs for at in range(-first, -last + 1, STEP)]
    lines = [f"ALERTS{{{LABELS}}} 1 {now.timestamp() + at:.0f}" for at in instants]
    (folder / "data").write_text("\n".join(["# TYPE ALERTS gauge", *lines, *more, "# EOF\n"]))
    made = ["promtool", "tsdb", "create-blocks-from", "openmetrics"]
    subprocess.run(
        [*made, str(folder / "data"), str(folder / "tsdb")], check=True, capture_output=True
    )
    (folder / "p.yml").write_text("scrape_configs: []\n")
    port = free_port()
    process = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={folder / 'p.yml'}",
            f"--storage.tsdb.path={folder / 'tsdb'}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/-/ready")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)
