"""First paint: figures in the first answer where they are ready, and nothing that moves, on any page."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.deep import DEEP, all_but, long
from tests.site.test_page import drawn

EXECUTIVE = "/ws/payments/platform/executive"
WATCH = """
window.moved = [];
new PerformanceObserver((list) => list.getEntries().forEach((e) => {
  const nodes = e.sources.map((s) => s.node?.outerHTML?.slice(0, 90));
  if (!e.hadRecentInput) window.moved.push([e.value, ...nodes]);
})).observe({ type: "layout-shift", buffered: true });
"""
QUICK = (EXECUTIVE, "/ws/payments/analytics")
EVERY = (
    EXECUTIVE, *(f"{EXECUTIVE}?domain={key}" for key in ("dora", "incidents", "slos", "compliance",
    "certificates", "vendors")), f"{EXECUTIVE}?domain=dora&view=table",
    f"{EXECUTIVE}?why=worst_change_failure_rate", "/platform/signals", "/exports", "/platform/sources",
    "/platform/sources/new", "/platform/nights", "/platform/audit", "/ws/payments/admin/members",
    "/ws/payments/admin/frameworks", "/admin/settings", "/account", "/help", "/help/figures",
    "/ws/payments/analytics", "/ws/payments/incidents", "/ws/payments/slos",
    "/ws/payments/governance/frameworks", "/ws/payments/monitor/certs", "/ws/payments/governance/vendors",
    "/ws/payments/records", "/start?choose=1", "/ws/none/analytics", "/logout",
)  # fmt: skip
WIDTHS = (390, 768, 1280, 1440) if DEEP else (390, 768, 1440)


def moved(page: Page) -> list[object]:
    """Shifts of the layout that nobody asked for, each with what moved."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(400)
    return page.evaluate("window.moved")


def without_scripts(route: Route) -> None:
    """The document and its styles alone."""
    if route.request.resource_type == "script":
        route.abort()
    else:
        route.continue_()


def hold(page: Page, pattern: str) -> Callable[[], None]:
    """Holds the requests for something back until what is answered is called."""
    held: list[Route] = []
    page.route(pattern, lambda route: held.append(route))

    def let_go() -> None:
        for route in held:
            route.continue_()
        page.unroute(pattern)

    return let_go


def test_the_first_answer_shows_the_figures_that_are_ready(look):
    page = drawn(look("alice", f"{EXECUTIVE}?period=28"))
    own = page.locator("#page .tile").all_inner_texts()
    page.route("**/*", without_scripts)
    page.goto(f"{EXECUTIVE}?period=28")
    first = page.locator("#first-figures")
    expect(first.locator(".answer-sentence").first).to_be_visible()
    assert first.locator(".tile").all_inner_texts() == own
    assert "Loading" not in page.locator("body").inner_text()


def test_what_is_not_ready_is_a_skeleton_of_the_same_size(look):
    page = look("alice", "/start?choose=1")
    page.route("**/*", without_scripts)
    page.goto(f"{EXECUTIVE}?start=2026-02-03&end=2026-02-19")
    expect(page.locator("#first-figures")).to_have_count(0)
    expect(page.locator("#first-paint .tile.skeleton")).to_have_count(6)
    expect(page.get_by_role("heading", name="Executive dashboard")).to_be_visible()


@long("tests/site/test_first_paint.py::test_the_first_answer_shows_the_figures_that_are_ready")
def test_figures_of_another_period_than_the_remembered_one_are_not_shown(look):
    page = drawn(look("alice", f"{EXECUTIVE}?period=28"))
    page.evaluate("localStorage.setItem('vigilo.period', '{\"period\": \"90\"}')")
    page.route("**/*", without_scripts)
    page.goto(EXECUTIVE)
    expect(page.locator("#first-figures .tile").first).to_be_hidden()
    page.evaluate("localStorage.setItem('vigilo.period', '{\"period\": \"28\"}')")
    page.goto(EXECUTIVE)
    expect(page.locator("#first-figures .tile").first).to_be_visible()


@pytest.mark.parametrize(
    ("width", "name", "value", "says"),
    all_but(
        [(390, "Period", "7", "period=7")],
        [(1280, "Period", "90", "period=90"), (1280, "Compare with", "year", "compare=year"),
         (390, "Period", "7", "period=7")], several=True),
)  # fmt: skip
def test_what_is_chosen_before_the_scripts_have_run_is_shown(look, width, name, value, says):
    page = look("alice", "/start?choose=1", width=width)
    let_go = hold(page, "**/main.js")
    page.goto(EXECUTIVE, wait_until="commit")
    chosen = page.get_by_role("combobox", name=name)
    chosen.focus()
    chosen.select_option(value)
    expect(page.locator("#react-entry-point #page")).to_be_attached()
    let_go()
    expect(page).to_have_url(re.compile(says))
    expect(page.locator("#first-paint")).to_have_count(0)
    expect(chosen).to_have_value(value)
    expect(chosen).to_be_focused()


@long("tests/site/test_first_paint.py::test_what_is_chosen_before_the_scripts_have_run_is_shown")
def test_nothing_vanishes_while_the_pages_own_scripts_are_late(look):
    """Dash's layout stands, and what takes it over is still on its way."""
    page = look("alice", f"{EXECUTIVE}?period=28")
    drawn(page)
    let_go = hold(page, "**/main.js")
    page.goto(f"{EXECUTIVE}?period=28", wait_until="commit")
    expect(page.locator("#react-entry-point #page")).to_be_attached()
    expect(page.locator("#first-figures .tile").first).to_be_visible()
    expect(page.locator("#first-paint .acts")).to_be_visible()
    let_go()
    drawn(page)


@long("tests/site/test_first_paint.py::test_the_first_answer_shows_the_figures_that_are_ready")
def test_the_pages_own_figures_take_their_place(look):
    page = drawn(look("alice", f"{EXECUTIVE}?period=28"))
    page.goto(f"{EXECUTIVE}?period=28")
    drawn(page)
    expect(page.locator("#first-figures")).to_have_count(0)
    expect(page.locator(".tile")).to_have_count(6)
    expect(page.locator(".skeletons")).to_have_count(0)


@pytest.mark.parametrize("width", all_but([390], WIDTHS))
def test_nothing_moves_on_any_page(visit, width):
    page = visit("alice", "/start?choose=1", width=width)
    page.add_init_script(WATCH)
    shifts = {}
    for path in EVERY if DEEP else QUICK:
        for _ in range(2):  # the first time nothing is in the cache
            page.goto(path)
            if seen := moved(page):
                shifts[path] = seen
    assert shifts == {}


@long("tests/site/test_first_paint.py::test_nothing_moves_on_any_page")
@pytest.mark.parametrize("width", all_but([1280], WIDTHS if DEEP else (390, 1280)))
def test_nothing_moves_while_the_person_does_not(visit, width):
    """Copied, offline and back, a wrong range, an export on its way: each has its own place."""
    page = visit("alice", "/start?choose=1", width=width)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.add_init_script(WATCH)
    page.goto(EXECUTIVE)
    drawn(page)
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#toasts")).to_contain_text(re.compile("copied", re.IGNORECASE))
    page.wait_for_timeout(700)  # what comes within half a second of a press is its doing
    page.context.set_offline(True)
    expect(page.locator(".offline")).to_be_visible()
    page.wait_for_timeout(700)
    page.context.set_offline(False)
    page.wait_for_timeout(700)
    page.get_by_role("button", name="Export PDF").click()
    page.wait_for_timeout(2500)
    assert moved(page) == []
