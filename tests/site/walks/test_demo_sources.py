"""``make demo-sources``, walked by somebody who is new: every source syncs, each page is readable, one more
is looked at ahead and connected."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.deep import long
from tests.site.conftest import ROOT, free_port
from tests.site.test_first_run import clean

PATIENCE = 600.0
HEALTHY = ("Cluster", "GitLab", "Hosts", "PagerDuty", "Prometheus", "Vendors")
"""GitHub's history is compared for longer than anybody waits here; Nowhere fails, to be looked at."""


@pytest.fixture
def demonstration():
    """The program over the tests' senders: its address."""
    if not shutil.which("prometheus") or not shutil.which("nginx", path="/usr/sbin:/usr/bin"):
        pytest.skip("prometheus and nginx are needed: .ci/system-packages nginx prometheus")
    folder, port = Path(tempfile.mkdtemp(prefix="vigilo-demo-")), free_port()
    kept = {k: v for k, v in os.environ.items() if not k.startswith("VIGILO_")}
    place = {"VIGILO_DATA_DIR": str(folder), "HOST": "127.0.0.1", "PORT": str(port)}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.ingest.pulling.demonstration"],
            cwd=ROOT, env=kept | place, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + PATIENCE
        while "Stop with Ctrl+C" not in (folder / "log").read_text():
            assert process.poll() is None, (folder / "log").read_text()[-3000:]
            assert time.monotonic() < deadline, "it did not start"
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # servers that it has left
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def sign_in(page: Page) -> None:
    page.goto("/login")
    page.get_by_label("Email").fill("ada@northwind.example")
    page.get_by_label("Password").fill("a-demo-password")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login" not in url)


def states(page: Page) -> dict[str, str]:
    """State of each source, by name."""
    page.goto("/platform/sources")
    rows = page.locator("tbody tr").all()
    cells = [(row.locator("th a"), row.locator("td[data-l=State]")) for row in rows]
    return {name.inner_text(): state.inner_text().strip() for name, state in cells}


def wait_until_read(page: Page) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        told = states(page)
        if all(told.get(name) == "Healthy" for name in HEALTHY) and told["Nowhere"] == "Failing":
            return
        assert time.monotonic() < deadline, told
        time.sleep(0.5)


def look_at(page: Page, path: str) -> None:
    """A page in both themes, on a screen and on a phone; nothing runs out of it."""
    for theme, width in (("light", 1280), ("dark", 390)):
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(path)
        clean(page)
        within = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        assert page.evaluate(within), (path, theme, width)
    page.set_viewport_size({"width": 1280, "height": 900})


@long(
    "tests/web/platform/test_sources.py::test_an_organisations_source_is_tested_connected_mapped_and_read"
)
def test_every_source_is_read_looked_at_and_one_more_connected(demonstration, browser):
    context = browser.new_context(base_url=demonstration, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    sign_in(page)
    wait_until_read(page)
    links = [a.get_attribute("href") for a in page.locator("tbody th a").all()]
    assert len(links) == 8
    for path in ["/platform/sources", *links]:
        look_at(page, path)
    page.goto("/platform/sources")
    page.get_by_role("link", name="Hosts", exact=True).click()
    hosts = page.locator("[name=setting-hosts]").input_value()
    page.goto("/platform/sources")
    page.get_by_role("link", name="Connect a source").click()
    page.get_by_role("link", name="Certificates of TLS hosts").click()
    page.get_by_label("Feeds").select_option("search")
    page.locator("[name=setting-hosts]").fill(hosts)
    page.get_by_role("button", name="Preview 28 days").click()
    ahead = page.locator("#ahead").locator("xpath=ancestor::section")
    expect(ahead.locator(".stats b")).to_have_text(["3", "2", "0", "1", "0"])
    expect(ahead).to_contain_text("can not be reached")
    clean(page)
    page.get_by_role("button", name="Test and connect").click()
    page.wait_for_url(re.compile(r"/platform/sources/\d+$"))
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Certificates of TLS"))
    name = "Certificates of TLS hosts"
    deadline = time.monotonic() + PATIENCE
    while states(page).get(name) != "Healthy":
        assert time.monotonic() < deadline, states(page)
        time.sleep(0.5)
    context.close()
