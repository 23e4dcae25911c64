"""The desk of a workspace's records in the browser: quarantine, replay, meanings of words, why what counts
not, corrections; in both themes, on the phone."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.deep import all_but
from tests.site.test_page import clean_in

DESK = "/ws/payments/records"
INCIDENT = f"{DESK}/incidents/INC-0001"
WIDTHS = [1280, 390, 320]
BODY = [
    {
        "deployment": {"id": 90_210, "environment": "arcade"},
        "deployment_status": {"id": 1, "state": "in_progress"},
    },
    {"deployment": {"environment": "arcade"}, "deployment_status": {}},
]
"""A deployment that has not ended, so that no figure changes; and a part that can not be read."""


@pytest.fixture(scope="module")
def delivery(site, browser, storage_states) -> Iterator[str]:
    """Page of a delivery with a part in quarantine; the part is dropped afterwards."""
    told = site.flask("token", "create", "alice@demo.example", "--ingest", "payments")
    token = re.search(r"vgl_\S+", told.stdout)[0]
    request = urllib.request.Request(
        f"{site.address}/api/v1{DESK.removesuffix('/records')}/ingest/github",
        json.dumps(BODY).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        address = f"/ws/payments/deliveries/{json.load(answer)['delivery']}"
    context = browser.new_context(
        base_url=site.address, storage_state=storage_states("alice"), reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(address)
    for _ in range(40):
        if button(page, "Drop").count():
            break
        page.wait_for_timeout(250)
        page.reload()
    yield address
    page.goto(address)
    button(page, "Drop").click()
    expect(page.locator(".toast")).to_contain_text("Dropped.")
    context.close()


def button(page: Page, name: str):
    """The button of the part of our delivery."""
    return page.get_by_role("button", name=f"{name} github deployments /1,")


@pytest.mark.parametrize("width", all_but([390], WIDTHS))
def test_its_pages_are_accessible_at_every_width(look, delivery, width, scheme):
    for path in (DESK, delivery, INCIDENT):
        page = look("alice", path, width=width, height=800)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        clean_in(page, scheme)


@pytest.mark.parametrize("width", all_but([390], [1280, 390]))
def test_a_replay_says_what_is_still_in_quarantine(look, delivery, width):
    page = look("alice", delivery, width=width, height=800)
    button(page, "Replay").click()
    expect(page.get_by_role("alert")).to_contain_text("1 still in quarantine")
    expect(button(page, "Replay")).to_have_count(1)


def test_a_word_gets_a_meaning_and_loses_it_again(look, delivery):
    page = look("alice", DESK, width=390, height=800)
    meaning = page.get_by_label("Meaning of environment arcade")
    assert meaning.input_value() != "production"
    meaning.select_option("production")
    page.get_by_role("button", name="Set the meaning of environment arcade").click()
    expect(page.locator(".toast")).to_contain_text("1 records hold 'arcade'")
    expect(page.get_by_label("Meaning of environment arcade")).to_have_value("production")
    page.get_by_role("button", name="Take back the meaning of environment arcade").click()
    expect(page.get_by_label("Meaning of environment arcade")).not_to_have_value("production")


def test_what_does_not_count_is_told_with_its_reason(look, delivery):
    page = look("alice", delivery)
    became = page.get_by_role("group", name="What became of it")
    expect(became).to_contain_text("In no figure: no record yet")
    page.goto(DESK)
    counted = page.get_by_role("group", name="What counts")
    expect(counted.get_by_role("columnheader", name="In no figure because")).to_be_visible()
    expect(counted.get_by_role("row", name=re.compile("^deployments"))).to_contain_text(
        "cancelled:"
    )


def test_a_record_is_taken_out_and_back_in(look):
    page = look("alice", INCIDENT, width=390, height=800)
    page.get_by_role("button", name="Take it out of every figure").click()
    expect(page.locator("#main, main").first).to_contain_text("Withdrawn, so in no figure")
    page.get_by_role("button", name="Take it back into the figures").click()
    expect(page.get_by_role("button", name="Take it out of every figure")).to_be_visible()
