"""The first day, walked in a browser: from the link that the start prints to figures of one's own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.deep import long
from tests.site.conftest import ROOT, free_port

PATIENCE = 120.0
PAGES = (
    "/platform/sources",
    "/platform/sources/new",
    "/platform/sources/new?kind=github",
    "/platform/nights",
    "/platform/audit",
    "/first-run",
)
"""Pages that axe looks at: on a dark phone within the walk, on a light screen where the demo is served."""
AXE = Path(__file__).with_name("axe.min.js")


@pytest.fixture
def fresh():
    """``flask --app app serve`` over nothing; the link that it prints."""
    folder = Path(tempfile.mkdtemp(prefix="vigilo-first-"))
    port = free_port()
    kept = {k: v for k, v in os.environ.items() if not k.startswith("VIGILO_")}
    environment = kept | {
        "VIGILO_DATA_DIR": str(folder),
        "VIGILO_DEMO": "false",
        "VIGILO_ORG_NAME": "Northwind Group",
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }
    with (folder / "serve.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "app", "serve"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield f"http://127.0.0.1:{port}", link(folder / "serve.log", process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def link(log: Path, process: subprocess.Popen) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        if matched := re.search(r"http://\S+/first-run/account\?token=\w+", log.read_text()):
            return matched[0]
        time.sleep(0.2)
    raise RuntimeError(log.read_text()[-3000:])


def deployments() -> bytes:
    rows = ["key,created_at,completed_at,outcome"]
    for n in range(60):
        at = datetime.now(UTC) - timedelta(days=n + 1, hours=2)
        outcome = "failed" if n % 6 == 0 else "successful"
        rows.append(f"D-{n},{at:%Y-%m-%dT%H:%M:%SZ},{at:%Y-%m-%dT%H:%M:%SZ},{outcome}")
    return ("\n".join([*rows, "D-bad,x,y,z"]) + "\n").encode()


def clean(page) -> None:
    """No violation of accessibility that axe finds."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in found["violations"]] == []


def look_at_pages(page) -> None:
    """Each page on a dark phone; ends on the screen."""
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 900})
    for path in PAGES:
        page.goto(path)
        clean(page)
    page.set_viewport_size({"width": 1280, "height": 900})


@long("tests/site/test_first_run.py::test_from_the_printed_link_to_ones_own_figures")
def test_its_pages_are_accessible_on_a_light_screen(look):
    for path in PAGES:
        clean(look("alice", path))


def look_around(page) -> None:
    """Another name and time zone; sample data, and its removal."""
    page.get_by_text("Its name, and its time zone").click()
    page.get_by_label("Name of the organisation").fill("Northwind Trading")
    page.get_by_label("Time zone in which days end").fill("Europe/Vienna")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Northwind Trading; days end by the time of Europe/Vienna.").wait_for()
    page.get_by_text("Look around with sample data first").click()
    page.get_by_role("button", name="Load sample data").click()
    page.get_by_text("These are sample figures.").wait_for(timeout=PATIENCE * 1000)
    clean(page)
    page.get_by_role("button", name="Remove the sample data").click()
    page.get_by_text("6 workspaces of sample data are removed").wait_for()


def test_from_the_printed_link_to_ones_own_figures(fresh, browser):
    address, first = fresh
    began = time.monotonic()
    context = browser.new_context(base_url=address, reduced_motion="reduce")
    page = context.new_page()
    page.goto(first)
    clean(page)
    page.get_by_label("Email").fill("ada@northwind.example")
    page.get_by_label("Password").fill("a-good-long-password")
    page.get_by_role("button", name="Create the account").click()
    page.wait_for_url("**/first-run")
    assert context.request.get(first).status == 404, "the link serves once"
    look_around(page)
    page.get_by_label("Workspaces, one a line").fill("Payments\nSearch")
    page.get_by_role("button", name="Make them").click()
    page.get_by_text("2 workspaces are made.").wait_for()
    look_at_pages(page)
    page.locator("#files").set_input_files(
        {"name": "deployments.csv", "mimeType": "text/csv", "buffer": deployments()}
    )
    row = page.get_by_role("row", name=re.compile("deployments.csv"))
    row.wait_for()
    assert row.locator("td").all_inner_texts()[:3] == ["deployments", "61", "1"]
    page.reload()
    assert "60 deployments" in page.locator("#records").inner_text()
    page.get_by_role("button", name="Make the first figures").click()
    page.get_by_text("Done. Older days follow behind.").wait_for(timeout=PATIENCE * 1000)
    page.goto("/first-run")
    page.get_by_role("link", name="Open the dashboard").click()
    page.wait_for_url("**/platform/executive**")
    tile = page.get_by_text("Change failure rate").first
    tile.wait_for(timeout=30_000)
    assert "No snapshot yet" not in page.locator("main").inner_text()
    assert time.monotonic() - began < 600
    context.close()
