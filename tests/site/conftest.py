"""Starts the real program over the demo organisation, and a real Chromium."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    expect,
)

from aggregators.catalogue import DOMAINS
from tests.deep import all_but

ROOT = Path(__file__).parent.parent.parent
PASSWORD = "a-demo-password"
TODAY = "2026-11-23"
LISTS = tuple(d.workspace_page.removeprefix("/ws/{slug}/") for d in DOMAINS)
"""Pages of a workspace with a list of records, one a domain, after the workspace's own path."""
PATIENCE = 30_000
"""Milliseconds that a page may take to show what is expected, however busy the machine. The usual five
seconds were not enough for three pages in a row with a grid and a chart beside other work."""
expect.set_options(timeout=PATIENCE)
RUN_EACH = """
import json, sys
from app import create_app
application = create_app()
with application.app_context():
    for command in json.loads(sys.argv[1]):
        application.cli.main(command, standalone_mode=False)
"""


@dataclass
class BrowsedSite:
    """A running program: its address, its data directory, its environment."""

    address: str
    data_dir: Path
    environment: dict[str, str]

    def flask_each(self, *commands: tuple[str, ...], typed: str | None = None) -> str:
        """Runs several of the operator's commands in one process, as most of a command is its start; what
        they print."""
        done = subprocess.run(
            [sys.executable, "-c", RUN_EACH, json.dumps(commands)],
            cwd=ROOT,
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def flask(self, *arguments: str, **more) -> subprocess.CompletedProcess[str]:
        """Runs one of the operator's commands beside the running program."""
        return subprocess.run(
            [sys.executable, "-m", "flask", "--app", "app", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            **more,
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def site() -> Iterator[BrowsedSite]:
    """``flask --app app serve`` with the demo organisation, on a frozen day."""
    folder = Path(tempfile.mkdtemp(prefix="vigilo-site-"))
    port = free_port()
    kept = {k: v for k, v in os.environ.items() if not k.startswith("VIGILO_")}
    environment = kept | {
        "VIGILO_DATA_DIR": str(folder),
        "VIGILO_TODAY": TODAY,
        "VIGILO_DEMO_PASSWORD": PASSWORD,
        "VIGILO_ORG_NAME": "Northwind Group",
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }
    log = (folder / "serve.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "app", "serve"],
        cwd=ROOT,
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, process, folder / "serve.log")
        yield BrowsedSite(address, folder, environment)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(address: str, process: subprocess.Popen, log: Path) -> None:
    for _ in range(900):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the program did not start:\n{log.read_text()[-4000:]}")


@pytest.fixture(params=all_but(["light"], ["light", "dark"]))
def scheme(request: pytest.FixtureRequest) -> str:
    """Theme that the system asks for."""
    return request.param


@pytest.fixture(scope="session")
def storage_states(site: BrowsedSite, browser: Browser) -> Callable[[str], dict]:
    """The cookies of a person who has signed in: the first through the page, as a person does, the others
    by the same form without drawing it; once per person."""
    known: dict[str, dict] = {}

    def signed_in(who: str) -> dict:
        if who not in known:
            context = browser.new_context(base_url=site.address)
            if known:
                send_form(context, who)
            else:
                sign_in(context.new_page(), who)
            known[who] = context.storage_state()
            context.close()
        return known[who]

    return signed_in


def send_form(context: BrowserContext, who: str) -> None:
    """Signs in by what the sign-in page sends, without the page."""
    token = re.search(
        r'name="csrf_token"[^>]*value="([^"]+)"', context.request.get("/login").text()
    )
    assert token
    form = {"email": f"{who}@demo.example", "password": PASSWORD, "csrf_token": token[1]}
    answer = context.request.post("/login", form=form, max_redirects=0)
    assert answer.status == 302, answer.status


def sign_in(page: Page, who: str, password: str = PASSWORD) -> None:
    """Through the sign-in page, as a person does."""
    page.goto("/login")
    page.get_by_label("Email").fill(f"{who}@demo.example")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login" not in url)


@pytest.fixture(scope="session")
def shared_pages(
    site: BrowsedSite, browser: Browser, storage_states
) -> Iterator[dict[str | None, Page]]:
    """A page a person for tests that only look: it keeps the scripts that it has fetched and compiled,
    and what its console complained of is told by ``look``."""
    pages: dict[str | None, Page] = {}
    yield pages
    for page in pages.values():
        page.context.close()


@pytest.fixture
def look(
    site: BrowsedSite, browser: Browser, storage_states, shared_pages: dict[str | None, Page]
) -> Iterator[Callable[..., Page]]:
    """``look("alice", path)``: as ``visit``, in a page that other tests have looked at before: it has
    fetched and compiled the scripts, and remembers nothing else."""
    complaints: list[str] = []
    listening: list[Page] = []

    def complain(message: ConsoleMessage | Error) -> None:
        if isinstance(message, Error) or message.type == "error":
            complaints.append(str(message))

    def open_page(
        who: str | None, path: str, *, width: int = 1280, height: int = 900, dark: bool = False
    ) -> Page:
        if who not in shared_pages:
            context = browser.new_context(
                base_url=site.address,
                storage_state=storage_states(who) if who else None,
                reduced_motion="reduce",
            )
            shared_pages[who] = context.new_page()
        page = shared_pages[who]
        forget(page, storage_states(who)["cookies"] if who else [])
        for event in ("console", "pageerror"):
            page.on(event, complain)
        listening.append(page)
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.goto(path)
        return page

    yield open_page
    for page in listening:
        page.unroute_all(behavior="ignoreErrors")
        page.context.set_offline(False)
        for event in ("console", "pageerror"):
            page.remove_listener(event, complain)
    assert [c for c in complaints if "Failed to load resource" not in c] == []


def forget(page: Page, cookies: list[dict]) -> None:
    """Takes away what a test before this one left behind; the person is signed in as at first."""
    if page.url.startswith("http"):
        page.evaluate("localStorage.clear(); sessionStorage.clear()")
    page.context.clear_cookies()
    page.context.add_cookies(cookies)
    page.mouse.move(0, 0)


@pytest.fixture
def visit(site: BrowsedSite, browser: Browser, storage_states) -> Iterator[Callable[..., Page]]:
    """``visit("alice", path, width=..., dark=...)``: a page of a signed-in person; the test fails when
    the browser's console reported an error or a violated content security policy."""
    opened: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(
        who: str | None, path: str, *, width: int = 1280, height: int = 900, dark: bool = False
    ) -> Page:
        context = browser.new_context(
            base_url=site.address,
            storage_state=storage_states(who) if who else None,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            accept_downloads=True,
        )
        opened.append(context)
        page = context.new_page()
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        return page

    yield open_page
    for context in opened:
        context.close()
    unexpected = [c for c in complaints if "Failed to load resource" not in c]
    assert unexpected == []
