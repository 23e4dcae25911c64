"""Page beside those who would take the site down: slow readers, dear filters, and sign-ins, all at once."""

from __future__ import annotations

import json
import re
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import requests
from sqlalchemy import text

from benchmarks.installation import PASSWORD, Bench
from benchmarks.report.table import Row
from benchmarks.site.browser import ALL
from benchmarks.site.serving import COOKIE, TOKEN, BenchSite, served

PART = "a siege"
READERS, FILTERS, SIGN_INS = 32, 8, 24
PAGES, MOST = 60, 3.0
TITLES = 20_000
SLOW = "b" + "a" * 199
"""Sought in titles of 480 times ``a``: a search of text compares nearly all of it, at each place."""
FILL = """
insert into incident (workspace_id, key, opened_at, title)
select id, 'siege-' || n, timestamptz '2026-11-20', repeat('a', 480)
from workspace, generate_series(1, :n) n where slug = :slug
"""


def measure(bench: Bench) -> list[Row]:
    """Measure the 95th percentile of the page, alone and besieged."""
    bench.person(ALL, bench.workspaces)
    with served(bench) as site:
        slug = site.path(ALL).split("/")[2]
        with bench.owner.begin() as connection:
            connection.execute(text(FILL), {"n": TITLES, "slug": slug})
        try:
            alone = _pages(site)
            with _besieged(site, slug):
                besieged = _pages(site)
        finally:
            with bench.owner.begin() as connection:
                connection.execute(text("delete from incident where key like 'siege-%'"))
    of_what = f"{READERS} slow readers, {FILTERS} dear filters, {SIGN_INS} sign-ins"
    return [Row(PART, f"page, p95, beside {of_what}", besieged, alone, "ms", MOST, "alone")]


def _pages(site: BenchSite) -> float:
    """The 95th percentile of the page's HTML and figures, in milliseconds."""
    session, path, taken = site.session(ALL), site.path(ALL), []
    view = {"path": path, "period": "28", "links": {}, "domain": "", "measure": "", "mode": "cards"}
    outputs = ("page.children", "live.children")
    body = {
        "output": f"..{'...'.join(outputs)}..",
        "outputs": [dict(zip(("id", "property"), o.split("."), strict=True)) for o in outputs],
        "inputs": [{"id": "view", "property": "data", "value": view | {"find": "", "pins": []}}],
        "changedPropIds": ["view.data"],
        "state": [],
    }
    headers = {"X-CSRFToken": session.cookies["_csrf_token"]}
    for _ in range(PAGES):
        begun = time.perf_counter()
        for answer in (
            session.get(site.address + path, timeout=60),
            session.post(
                f"{site.address}/_dash-update-component", json=body, headers=headers, timeout=60
            ),
        ):
            assert answer.status_code == 200, (answer.status_code, answer.text[:200])
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.quantiles(taken, n=20)[-1]


@contextmanager
def _besieged(site: BenchSite, slug: str) -> Iterator[None]:
    """The block while everybody else is at it; readers take nothing of what they ask for."""
    cookie, over = site.session(ALL).cookies[COOKIE], threading.Event()
    with ExitStack() as closing, ThreadPoolExecutor(FILTERS + SIGN_INS) as threads:
        closing.callback(over.set)
        for _ in range(READERS):
            closing.enter_context(_reader(site, slug, cookie))
        for work, number in ((_filters, FILTERS), (_signs_in, SIGN_INS)):
            for _ in range(number):
                threads.submit(_until, over, work, site, slug, cookie)
        time.sleep(2)
        try:
            yield
        finally:
            over.set()


def _until(
    over: threading.Event, work: Callable[..., None], site: BenchSite, slug: str, cookie: str
) -> None:
    while not over.is_set():
        work(site, slug, cookie)


def _reader(site: BenchSite, slug: str, cookie: str) -> socket.socket:
    address = urlsplit(site.address)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    client.connect((address.hostname, address.port))
    path = f"/ws/{slug}/records/incidents.csv?period=28"
    head = f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nCookie: {COOKIE}={cookie}\r\n\r\n"
    client.sendall(head.encode())
    return client


def _filters(site: BenchSite, slug: str, cookie: str) -> None:
    model = {"title": {"filterType": "text", "type": "contains", "filter": SLOW}}
    requests.get(
        f"{site.address}/api/v1/ws/{slug}/domains/incidents/records",
        params={"period": "28", "filter": json.dumps(model)},
        cookies={COOKIE: cookie},
        timeout=120,
    )


def _signs_in(site: BenchSite, _slug: str, _cookie: str) -> None:
    session = requests.Session()
    page = session.get(f"{site.address}/login", timeout=120)
    token: re.Match[str] | None = TOKEN.search(page.text)
    form = {"csrf_token": token[1] if token else "", "email": ALL, "password": PASSWORD}
    session.post(f"{site.address}/login", form, allow_redirects=False, timeout=120)
