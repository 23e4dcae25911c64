"""Largest contentful paint of the executive page, beside the static mock of it on the same machine.

The mock is one file without scripts (``shared/spec/mock2``, or the folder in VIGILO_MOCKS); where it is not
at hand there is no row.
"""

from __future__ import annotations

import os
import statistics
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page

from benchmarks.report.table import Row

PART = "the browser"
MOCK = "shell+executive.html"
MOST = 1.3
AGAINST = "the static mock"
SETTLED = 400
"""Milliseconds after the last request in which a larger paint may still come."""
WATCH = """new PerformanceObserver((list) => {
  for (const paint of list.getEntries()) window.largestPaint = paint.startTime;
}).observe({ type: "largest-contentful-paint", buffered: true });"""


class SilentHandler(SimpleHTTPRequestHandler):
    """Files of a folder, without a word about each."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


def rows(context: Callable[[], BrowserContext], path: str, rounds: int) -> list[Row]:
    """Medians with an empty cache and with a full one, the page and the mock in turn."""
    folder = Path(os.environ.get("VIGILO_MOCKS", "../shared/spec/mock2"))
    if not (folder / MOCK).is_file():
        return []
    with _served(folder) as address:
        places = {"page": path, "mock": f"{address}/{MOCK}"}
        taken: dict[tuple[str, str], list[float]] = {}
        for _ in range(rounds):
            for name, target in places.items():
                own = context()
                own.add_init_script(WATCH)
                page = own.new_page()
                for cache in ("empty", "full"):
                    taken.setdefault((cache, name), []).append(_largest(page, target))
                own.close()
    return [
        Row(
            PART,
            f"largest contentful paint, {cache} cache",
            statistics.median(taken[cache, "page"]),
            statistics.median(taken[cache, "mock"]),
            "ms",
            MOST,
            AGAINST,
        )
        for cache in ("empty", "full")
    ]


def _largest(page: Page, target: str) -> float:
    page.goto(target)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(SETTLED)
    return float(page.evaluate("window.largestPaint"))


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    handler = partial(SilentHandler, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
