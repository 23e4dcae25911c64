"""Memory that a process holds though the program has given it back."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest

HEAPS = """
import ctypes, sys, threading
from web.server.startup import share_heaps

share_heaps()
libc, ready = ctypes.CDLL(None), threading.Barrier(9)
libc.fopen.restype = ctypes.c_void_p
libc.fopen.argtypes = libc.malloc_info.argtypes = None

def work():
    ready.wait()
    held = [bytes(10_000) for _ in range(1000)]
    ready.wait()

threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
ready.wait()
ready.wait()
for thread in threads:
    thread.join()
out = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
assert libc.malloc_info(0, out) == 0
libc.fclose(out)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_info"),
    reason="the heaps are glibc's",
)
def test_all_threads_of_a_server_share_two_heaps(tmp_path):
    """A heap for each of 24 threads would hold 24 times what the largest read once took."""
    said = tmp_path / "heaps.xml"
    others = {k: v for k, v in os.environ.items() if k != "MALLOC_ARENA_MAX"}
    subprocess.run([sys.executable, "-c", HEAPS, str(said)], check=True, env=others)
    assert 1 <= said.read_text().count("<heap ") <= 2
