"""A network that is away: told in one line of each page as long as it lasts, and nothing moves."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.deep import DEEP, all_but, long
from tests.site.conftest import BrowsedSite
from tests.site.test_first_paint import EVERY, WATCH, moved
from tests.site.test_page import violations

EXECUTIVE = "/ws/payments/platform/executive"
SOME = (
    "/exports",
    "/help/figures",
    "/ws/payments/records/incidents/INC-0001",
    "/admin/settings",
)
WIDTHS = (320, 390, 768, 1280, 1440)


@pytest.fixture
def apart(site: BrowsedSite, browser: Browser, storage_states) -> Iterator[Page]:
    """A page in a context of its own: Dash tells the console of each answer that did not come."""
    context = browser.new_context(base_url=site.address, storage_state=storage_states("alice"))
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("path", all_but([EXECUTIVE], [EXECUTIVE, "/ws/payments/analytics"]))
def test_a_network_that_is_away_is_told_under_the_title_in_one_line(apart, path):
    apart.goto(f"{path}?period=28")
    place, told = apart.locator("#page .fresh"), apart.locator(".offline")
    expect(place).to_be_visible()
    apart.wait_for_load_state("networkidle")
    apart.context.set_offline(True)
    expect(told).to_be_visible()
    expect(apart.locator("#live")).to_contain_text("You are offline. Figures to 22 Nov, read at")
    expect(apart.locator(".toast")).to_have_count(0)
    for width in (1440, 1280, 768, 390, 320):
        apart.set_viewport_size({"width": width, "height": 900})
        expect(told).to_contain_text(re.compile("read at" if width >= 1280 else "ffline"))
        box, beside = told.bounding_box(), place.bounding_box()
        assert box["x"] + box["width"] <= width
        assert abs(box["y"] + box["height"] / 2 - beside["y"] - beside["height"] / 2) < 3
    apart.context.set_offline(False)
    expect(apart.locator("#toasts")).to_contain_text("Back online.")
    expect(told).to_have_count(0)
    expect(place).to_be_visible()


@long(
    "tests/site/states/test_offline.py::test_a_network_that_is_away_is_told_under_the_title_in_one_line"
)
def test_a_network_that_is_back_leaves_no_word_of_a_silent_server(site, browser, storage_states):
    """In a context of its own: Dash tells the console of each answer that did not come."""
    context = browser.new_context(base_url=site.address, storage_state=storage_states("alice"))
    page = context.new_page()
    page.goto(f"{EXECUTIVE}?period=28")
    expect(page.locator("#page .heading")).to_be_visible(timeout=20_000)
    toasts = page.locator("#toasts")
    context.set_offline(True)
    expect(page.locator(".offline")).to_be_visible()
    page.keyboard.press("p")
    page.locator("#period").select_option("90")
    expect(toasts).to_contain_text("What you chose is shown once you are back.")
    assert "does not answer" not in toasts.inner_text()
    context.set_offline(False)
    expect(toasts).to_contain_text("Back online.")
    expect(page.locator(".sub").first).to_contain_text("25 Aug")
    expect(page.locator(".offline")).to_have_count(0)
    expect(toasts).not_to_contain_text("What you chose")
    assert "does not answer" not in toasts.inner_text()
    context.close()


@long(
    "tests/site/states/test_offline.py::test_what_was_typed_stays_and_is_sent_once_the_network_is_back"
)
def test_an_export_that_was_asked_for_offline_is_made_once_the_network_is_back(apart):
    apart.goto(f"{EXECUTIVE}?period=28")
    expect(apart.locator("#page .fresh")).to_be_visible()
    apart.wait_for_load_state("networkidle")
    apart.context.set_offline(True)
    apart.get_by_role("button", name="Export PDF").click()
    expect(apart.locator("#toasts")).to_contain_text("The PDF is made once you are back.")
    with apart.expect_download() as download:
        apart.context.set_offline(False)
    assert download.value.suggested_filename.endswith(".pdf")


def away(page: Page, path: str) -> None:
    """Shows a page and takes its network away."""
    page.goto(path)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(400)
    page.context.set_offline(True)
    expect(page.locator(".offline")).to_be_visible()


@pytest.mark.parametrize("path", all_but(["/exports"], EVERY if DEEP else SOME))
def test_every_page_says_so_in_its_own_place(apart, path):
    apart.add_init_script(WATCH)
    apart.emulate_media(reduced_motion="reduce")  # the menu of the phone slides away over the line
    away(apart, path)
    told = apart.locator(".offline")
    for width in WIDTHS:
        apart.set_viewport_size({"width": width, "height": 900})
        expect(told).to_have_count(1)
        expect(told).to_contain_text(re.compile("offline", re.IGNORECASE))
        box = told.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["height"] < 26
        assert told.evaluate("""box => {
            const { left, right, top, bottom } = box.getBoundingClientRect();
            const seen = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
            return box === seen || box.contains(seen);
        }""")
    assert apart.locator(".toast").count() == 0
    apart.evaluate("window.moved = []")
    apart.wait_for_timeout(700)
    apart.context.set_offline(False)
    expect(told).to_have_count(0)
    expect(apart.locator("#toasts")).to_contain_text("Back online.")
    assert moved(apart) == []


@pytest.mark.parametrize("dark", all_but([True], [False, True]))
@pytest.mark.parametrize("path", all_but(["/login"], ["/exports", "/login", "/platform/sources"]))
def test_it_is_heard_and_can_be_read(site, browser, storage_states, path, dark):
    context = browser.new_context(
        base_url=site.address,
        storage_state=None if path == "/login" else storage_states("alice"),
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    away(page, path)
    expect(page.locator("[aria-live]").filter(has_text="You are offline.")).to_have_count(1)
    assert violations(page) == []
    context.close()


def test_what_was_typed_stays_and_is_sent_once_the_network_is_back(apart):
    """Seen: the browser's own page instead of ours, and the words gone."""
    away(apart, "/platform/annotations")
    words = apart.get_by_label("What happened")
    words.fill("A release freeze")
    send = apart.locator("main form[method=post] button[type=submit]").first
    send.click()
    expect(apart.locator("#toasts")).to_contain_text("What you entered stays here.")
    expect(words).to_have_value("A release freeze")
    apart.context.set_offline(False)
    expect(apart.locator(".offline")).to_have_count(0)
    send.click()
    expect(apart.locator("main")).to_contain_text("A release freeze")


@long(
    "tests/site/states/test_offline.py::test_what_was_typed_stays_and_is_sent_once_the_network_is_back"
)
def test_a_link_waits_for_the_network(apart):
    away(apart, "/exports")
    apart.get_by_role("link", name="Settings", exact=True).click()
    expect(apart.locator("#toasts")).to_contain_text("can be opened once you are back")
    expect(apart.get_by_role("heading", level=1)).to_have_text("Exports")
    apart.context.set_offline(False)
    expect(apart.locator(".offline")).to_have_count(0)
    apart.get_by_role("link", name="Settings", exact=True).click()
    expect(apart.get_by_role("heading", level=1)).to_have_text("Settings")
