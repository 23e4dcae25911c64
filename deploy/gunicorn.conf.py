"""gunicorn of a deployment: ``gunicorn --config deploy/gunicorn.conf.py "app:wsgi()"``.

On HUP gunicorn ends the old workers as soon as it has begun the new ones, which need seconds to be ready:
whoever comes meanwhile waits. Here an old worker goes on until the newest one is ready.
"""

from __future__ import annotations

import mmap
import os
import signal
import struct
import tempfile
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

threads = 48
keepalive = 75
"""Longer than nginx keeps a connection, so that no request meets one that is just being closed."""
graceful_timeout = 60
timeout = 30
"""A worker that does nothing for so long, as one that is frozen, is replaced; one that begins says so."""
limit_request_line = 8190
"""As much of an address as nginx passes on, so that gunicorn's bare page is nobody's answer."""
forwarded_allow_ips = "127.0.0.1,::1"
control_socket_disable = True

if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="vigilo-metrics-")

PATIENCE_SECONDS = 50.0
MEMORY = "GUNICORN_AGES"
"""The number of the file that holds the ages of the worker begun last and of the one ready last: this
module is read again at every HUP, the file stays."""


HANDED_ON = ("VIGILO_", "WEB_CONCURRENCY")


def _take_in_environment() -> None:
    """Variables as the unit's ExecReload wrote them: a process keeps those of its start, so without this a
    reload would go on with the former passwords and keys. The file is gone once it is read."""
    path = Path(os.environ.get("RUNTIME_DIRECTORY") or os.devnull) / "environment"
    if not path.is_file():
        return
    lines = [line.partition("=") for line in path.read_text(encoding="utf-8").split("\0")]
    path.unlink()
    for name in [name for name in os.environ if name.startswith(HANDED_ON)]:
        del os.environ[name]
    os.environ.update({name: to for name, _, to in lines if name.startswith(HANDED_ON)})


_take_in_environment()
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))


def _ages() -> mmap.mmap:
    if MEMORY not in os.environ:
        handle = os.memfd_create("gunicorn-ages", 0)
        os.ftruncate(handle, 8)
        os.environ[MEMORY] = str(handle)
    return mmap.mmap(int(os.environ[MEMORY]), 8)


ages = _ages()


def _begun_and_ready() -> tuple[int, int]:
    begun, ready = struct.unpack("ii", ages[:8])
    return begun, ready


beginning = threading.Event()


def post_fork(_master: Any, worker: Any) -> None:
    """Says that a worker is alive for as long as it begins: it may wait a minute for the database."""
    beginning.clear()

    def say_so() -> None:
        while not beginning.wait(1):
            worker.tmp.notify()

    threading.Thread(target=say_so, daemon=True).start()


def pre_fork(_master: Any, worker: Any) -> None:
    """Notes the age of a worker that begins."""
    ages[:8] = struct.pack("ii", worker.age, _begun_and_ready()[1])


def child_exit(_master: Any, worker: Any) -> None:
    """Takes the levels of a worker that is gone out of the metrics; what it counted stays."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)


def worker_exit(_master: Any, worker: Any) -> None:
    """Ends the clock of a worker before its threads: nothing more begins, and the log stays quiet."""
    if (application := getattr(worker, "wsgi", None)) is not None:
        from web.server.startup import leave

        leave(application)


def post_worker_init(worker: Any) -> None:
    """Notes that a worker is ready, and has it end only when its successors are."""
    beginning.set()
    begun, ready = _begun_and_ready()
    ages[:8] = struct.pack("ii", begun, max(ready, worker.age))

    def end_later(number: int, frame: FrameType | None) -> None:
        def wait_and_end() -> None:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while time.monotonic() < deadline:
                newest, newest_ready = _begun_and_ready()
                if newest_ready >= newest:
                    break
                time.sleep(0.1)
            worker.handle_exit(number, frame)

        threading.Thread(target=wait_and_end, daemon=True).start()

    signal.signal(signal.SIGTERM, end_later)
