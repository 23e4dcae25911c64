"""Page of the signals in a browser: the row that is chosen is told beside the list or within its row, Back
undoes it, nothing moves by itself, and it works by keyboard, without scripts and for axe."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.deep import all_but, long
from tests.site.test_first_paint import WATCH

PATH = "/platform/signals"
AXE = (Path(__file__).parent / "axe.min.js").read_text(encoding="utf-8")
DETAIL = "#signal-detail"


def row(page: Page, name: str):
    return page.locator(".signal").filter(has=page.get_by_role("link", name=name, exact=True)).first


def violations(page: Page) -> list[str]:
    page.evaluate(AXE)
    report = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [v["id"] for v in report["violations"]]


@pytest.mark.parametrize("width", all_but([1280], [1280, 1440]))
def test_a_row_is_told_beside_the_list_and_back_undoes_it(visit, width):
    page = visit("alice", "/help", width=width)
    page.add_init_script(WATCH)
    page.goto(PATH)
    detail, title = page.locator(DETAIL), page.locator(f"{DETAIL} h2")
    first = title.inner_text()
    expect(detail.get_by_role("img")).to_be_visible()
    row(page, "Search").get_by_role("link", name="Search").click()
    expect(title).to_have_text("Search: MTTR, typical")
    expect(title).to_be_focused()
    expect(page).to_have_url(re.compile("signal=search"))
    box, listed = detail.bounding_box(), page.locator(".signals").first.bounding_box()
    assert box
    assert listed
    assert box["x"] >= listed["x"] + listed["width"]
    page.go_back()
    expect(title).to_have_text(first)
    expect(page).to_have_url(re.compile(f"{PATH}$"))
    page.go_forward()
    expect(title).to_have_text("Search: MTTR, typical")
    page.reload()
    expect(title).to_have_text("Search: MTTR, typical")
    assert page.evaluate("window.moved") == []
    assert violations(page) == []


@pytest.mark.parametrize(
    ("width", "dark"),
    all_but([(390, True)], [(390, False), (390, True), (768, False), (1280, True)], several=True),
)
def test_on_a_narrow_screen_it_opens_within_its_row(look, width, dark):
    page = look("alice", PATH, width=width, dark=dark)
    detail, chosen = page.locator(DETAIL), row(page, "Search")
    expect(detail).to_be_visible() if width >= 1200 else expect(detail).to_be_hidden()
    chosen.get_by_role("link", name="Search").click()
    expect(page.locator(f"{DETAIL} h2")).to_have_text("Search: MTTR, typical")
    expect(chosen.locator(DETAIL)).to_have_count(int(width < 1200))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []
    if width < 1200:
        page.keyboard.press("Escape")
        expect(detail).to_be_hidden()
        expect(chosen.get_by_role("link", name="Search")).to_be_focused()
        expect(page).to_have_url(re.compile(f"{PATH}$"))
        page.go_forward()
        expect(chosen.locator(DETAIL)).to_be_visible()


@long("tests/site/test_signals.py::test_on_a_narrow_screen_it_opens_within_its_row")
def test_back_after_escape_on_a_narrow_screen_leaves_the_page(look):
    page = look("alice", "/help", width=768)
    page.goto(PATH)
    for name in ("Search", "Payments"):
        row(page, name).get_by_role("link", name=name).first.click()
        expect(row(page, name).locator(DETAIL)).to_be_visible()
        expect(page.locator(f"{DETAIL} h2")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(DETAIL)).to_be_hidden()
    expect(page).to_have_url(re.compile(f"{PATH}$"))
    page.go_back()
    expect(page).to_have_url(re.compile("/help$"))


def test_by_keyboard_and_a_wider_window_takes_it_beside_the_list(look):
    page = look("alice", PATH, width=768)
    link = row(page, "Search").get_by_role("link", name="Search")
    link.focus()
    page.keyboard.press("Enter")
    expect(page.locator(f"{DETAIL} h2")).to_be_focused()
    page.set_viewport_size({"width": 1440, "height": 900})
    expect(page.locator(f".signal-page > {DETAIL}")).to_be_visible()
    page.locator(f"{DETAIL} h2").focus()
    page.keyboard.press("Escape")
    expect(link).to_be_focused()


def test_without_scripts_the_links_do_the_same(look):
    page = look("alice", PATH, width=390)
    page.route("**/*.js", lambda route: route.abort())
    page.goto(PATH)
    row(page, "Search").get_by_role("link", name="Search").click()
    expect(page.locator(f"{DETAIL} h2")).to_have_text("Search: MTTR, typical")
    expect(page.locator(DETAIL)).to_be_visible()
    page.unroute_all()


@long("tests/site/test_signals.py::test_a_row_is_told_beside_the_list_and_back_undoes_it")
def test_records_of_a_drift_are_those_of_its_days(look):
    page = look("alice", PATH)
    row(page, "Search").get_by_role("link", name="Search").click()
    page.locator(DETAIL).get_by_role("link", name="Records since then").click()
    expect(page).to_have_url(re.compile(r"/ws/search/incidents\?start=2026-10-26&end=2026-11-22"))
    expect(page.locator("#page .heading")).to_contain_text("26 Oct – 22 Nov 2026")


@long("tests/site/states/test_accessible.py::test_it_is_accessible")
def test_whoever_is_signed_out_meanwhile_comes_to_the_signal_again(look):
    page = look("alice", PATH)
    page.context.clear_cookies()
    row(page, "Search").get_by_role("link", name="Search").click()
    expect(page).to_have_url(re.compile("/login.*signal"))


@long(
    "tests/site/states/test_offline.py::test_a_network_that_is_away_is_told_under_the_title_in_one_line"
)
@pytest.mark.parametrize("width", all_but([390], [390, 1440]))
def test_away_from_the_network_the_list_stays(look, width):
    page = look("alice", PATH, width=width)
    told = page.locator(f"{DETAIL} h2").inner_text() if width > 390 else ""
    page.context.set_offline(True)
    row(page, "Search").get_by_role("link", name="Search").click()
    expect(page.locator("#toasts")).to_contain_text("once you are back")
    page.context.set_offline(False)
    expect(page.locator("#toasts")).to_contain_text("Back online")
    expect(page.locator("#toasts")).not_to_contain_text("once you are back")
    if told:
        expect(page.locator(f"{DETAIL} h2")).to_have_text(told)
    row(page, "Search").get_by_role("link", name="Search").click()
    expect(page.locator(f"{DETAIL} h2")).to_have_text("Search: MTTR, typical")


def test_a_server_that_is_silent_leaves_the_page_as_it_was(site, browser, storage_states):
    context = browser.new_context(base_url=site.address, storage_state=storage_states("alice"))
    page = context.new_page()
    page.goto(PATH)
    told = page.locator(f"{DETAIL} h2").inner_text()
    page.route("**/platform/signals?**", lambda route: route.abort())
    row(page, "Search").get_by_role("link", name="Search").click()
    expect(page.locator("#toasts")).to_contain_text("does not answer")
    expect(page.locator(f"{DETAIL} h2")).to_have_text(told)
    expect(page).to_have_url(re.compile(f"{PATH}$"))
    expect(page.locator(DETAIL)).not_to_have_attribute("inert", "")
    context.close()
