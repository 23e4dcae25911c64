"""Looks that are easily wrong: lists before the scripts, a network that is away, words that stay whole,
tables between the phone and the desk."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.site.conftest import BrowsedSite

EXECUTIVE = "/ws/payments/platform/executive"
LINES = """element => {
    const range = document.createRange();
    range.selectNodeContents(element);
    return new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size;
}"""


def lines(page: Page, selector: str) -> list[int]:
    """How many lines each of the elements takes."""
    return [each.evaluate(LINES) for each in page.locator(selector).all()]


@pytest.mark.parametrize(
    ("query", "period", "compared"),
    [
        ("", "Last 28 days", "vs period before"),
        ("?period=90&compare=year", "Last 90 days", "vs a year ago"),
        ("?start=2026-11-01&end=2026-11-20", "Custom range", "vs period before"),
    ],
)
def test_the_lists_are_right_before_the_scripts(visit, query, period, compared):
    page = visit("alice", "/help")
    page.route("**/_dash-component-suites/**", lambda route: route.abort())
    page.route("**/assets/page/main*.js*", lambda route: route.abort())
    page.goto(EXECUTIVE + query, wait_until="domcontentloaded")
    page.wait_for_timeout(500)
    chosen = page.evaluate(
        "[...document.querySelectorAll('select')].map(s => s.selectedOptions[0].textContent)"
    )
    assert period in chosen
    assert compared in chosen
    page.unroute_all()
    page.goto("about:blank")


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


def test_a_server_that_answers_again_is_no_longer_called_silent(site, browser, storage_states):
    context = browser.new_context(base_url=site.address, storage_state=storage_states("alice"))
    page = context.new_page()
    page.goto(f"{EXECUTIVE}?period=28")
    expect(page.locator("#page .heading")).to_be_visible(timeout=20_000)
    page.wait_for_load_state("networkidle")
    page.route("**/_dash-update-component*", lambda route: route.abort())
    page.locator("#period").select_option("90")
    toasts = page.locator("#toasts")
    expect(toasts).to_contain_text("does not answer")
    page.unroute_all()
    page.locator("#period").select_option("7")
    expect(toasts).not_to_contain_text("does not answer", timeout=7_000)
    context.close()


@pytest.mark.parametrize("width", [768, 1280, 1440])
def test_the_name_of_a_framework_stays_in_one_piece(look, width):
    page = look("alice", f"{EXECUTIVE}?period=90&domain=compliance", width=width)
    expect(page.locator(".bar-name").first).to_be_visible(timeout=20_000)
    assert max(lines(page, ".bar-name")) == 1
    headline = page.locator("#tile-compliance .headline")
    expect(headline).to_contain_text("Control pass rate, HIPAA")


@pytest.mark.parametrize("width", [768, 1024])
def test_the_audit_can_be_read_between_phone_and_desk(look, width):
    page = look("alice", "/platform/audit", width=width)
    assert max(lines(page, ".audit td[data-l=Who]")) <= 2
    scrolled = page.locator(".tw").evaluate("box => box.scrollWidth - box.clientWidth")
    assert scrolled <= 0


def test_the_way_back_from_a_workspace_takes_one_line(look):
    page = look("alice", "/ws/payments/analytics?period=90", width=768)
    crumb = page.locator(".crumb")
    expect(crumb).to_be_visible()
    assert crumb.evaluate("way => way.getBoundingClientRect().height") < 28


def with_its_own_face(route: Route) -> None:
    """The document, waiting for its type face however late that comes."""
    answer = route.fetch()
    text = answer.text().replace("font-display: optional", "font-display: block")
    route.fulfill(response=answer, body=text)


HEIGHT_IN_LINES = """(element, name) => {
    if (name) element.querySelector("a").textContent = name;
    const lines = element.getBoundingClientRect().height / parseFloat(getComputedStyle(element).lineHeight);
    return Math.round(10 * lines) / 10;
}"""


def test_the_first_answer_takes_four_lines_at_most(visit):
    page = visit("alice", "/start?choose=1")
    page.route(re.compile("/platform/executive"), with_its_own_face)
    page.goto(f"{EXECUTIVE}?period=28")
    sentence = page.locator("#page .answer-sentence").first
    expect(sentence).to_contain_text("95 % interval")
    page.evaluate("document.fonts.ready.then(() => true)")
    taken = {}
    for width in (320, 390, 719, 720, 768, 1024, 1099, 1100, 1199, 1200, 1280, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        for name in ("Payments", "Notifications and messaging"):
            taken[width, name] = sentence.evaluate(HEIGHT_IN_LINES, name)
    assert {key: lines for key, lines in taken.items() if lines > 4} == {}


@pytest.fixture
def apart(site: BrowsedSite, browser: Browser, storage_states) -> Iterator[Page]:
    """A page in a context of its own: Dash tells the console of each answer that did not come."""
    context = browser.new_context(base_url=site.address, storage_state=storage_states("alice"))
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("path", [EXECUTIVE, "/ws/payments/analytics"])
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


@pytest.mark.parametrize("width", [390, 1280])
def test_what_is_new_leads_to_the_workspace_that_drifts(look, width):
    page = look("alice", f"{EXECUTIVE}?period=90", width=width)
    news = page.get_by_role("region", name="New last night")
    expect(news.get_by_role("listitem")).to_have_count(3)
    expect(news).to_contain_text("3 new, 3 open")
    news.get_by_role("link", name="Search").click()
    page.wait_for_url("**/ws/search/incidents?period=28")
    expect(page.locator("h1")).to_contain_text("Search: Incidents")
