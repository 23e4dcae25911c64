"""Demands on the page beyond the four workflows: axe, keyboard, address, storage, states."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.deep import all_but, long
from tests.site.conftest import LISTS

EXECUTIVE = "/ws/payments/platform/executive"
AXE = (Path(__file__).parent / "axe.min.js").read_text(encoding="utf-8")
CONTROL_KEY = "SOC2/CC6.1"
CONTROL = f"control-results/{CONTROL_KEY}"
PLAIN = [
    (None, "/login"),
    ("bob", EXECUTIVE),
    ("dave", "/start"),
    ("alice", "/logout"),
    ("alice", "/ws/none/analytics"),
    ("alice", "/api/docs"),
    ("bob", "/ws/payments/admin/members?revoke=bob%40demo.example"),
    ("alice", "/start?choose=1"),
]
ELSEWHERE = [
    ("alice", "/ws/payments/admin/members"),
    ("alice", "/exports"),
    ("alice", "/ws/payments/records"),
    ("alice", "/ws/payments/records/incidents/INC-0001"),
]
"""Pages that other files of make test look at on a phone."""
DOMAINS = ("dora", "incidents", "slos", "compliance", "certificates", "vendors")


def violations(page: Page) -> list[str]:
    """Violations that axe reports, a line each."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    report = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{v['id']}: {n['html'][:160]}" for v in report["violations"] for n in v["nodes"]]


def clean_in(page: Page, scheme: str) -> None:
    """The page has no violation in that theme."""
    page.emulate_media(color_scheme=scheme)
    assert violations(page) == [], scheme


def drawn(page: Page) -> Page:
    """Waits for the figures."""
    expect(page.locator("#page .heading")).to_be_visible(timeout=15_000)
    page.wait_for_timeout(300)
    return page


class TestAxeFindsNothing:
    @pytest.mark.parametrize("domain", all_but(["compliance"], ["", *DOMAINS]))
    def test_on_the_executive_page(self, look, domain, scheme):
        page = drawn(look("alice", f"{EXECUTIVE}?domain={domain}"))
        clean_in(page, scheme)

    def test_in_the_table_with_a_comparison_and_every_disclosure_open(self, look, scheme):
        page = drawn(look("alice", f"{EXECUTIVE}?domain=dora&view=table"))
        page.get_by_role("button", name="Cards", exact=True).click()
        expect(page.locator("article")).to_have_count(11)
        for n in (0, 1):
            page.locator(".pin").nth(n).click()
            expect(page.locator(".pin[aria-pressed=true]")).to_have_count(n + 1)
        expect(page.get_by_role("heading", name=re.compile("compared"))).to_be_visible()
        for summary in page.locator("summary").all():
            summary.click(force=True)
        clean_in(page, scheme)

    def test_on_a_narrow_screen(self, look, scheme):
        page = drawn(look("alice", f"{EXECUTIVE}?domain=certificates", width=320, height=700))
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        clean_in(page, scheme)

    @pytest.mark.parametrize(
        "path",
        LISTS,
    )
    def test_on_a_workspace_page(self, look, path, scheme):
        page = drawn(look("bob", f"/ws/payments/{path}"))
        page.wait_for_timeout(700)
        clean_in(page, scheme)

    @pytest.mark.parametrize(
        ("who", "path"),
        all_but(PLAIN, [*PLAIN, *ELSEWHERE], several=True),
    )
    def test_on_the_plain_pages(self, look, who, path, scheme):
        clean_in(look(who, path), scheme)

    @pytest.mark.parametrize("width", all_but([320], [1280, 390, 320]))
    def test_on_the_records_behind_a_control(self, look, width, scheme):
        page = look("alice", f"/ws/payments/records/{CONTROL}", width=width, height=800)
        records = page.get_by_role("region", name="Records")
        expect(records.get_by_role("link", name=f"{CONTROL_KEY}/").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        clean_in(page, scheme)

    @long("tests/site/desk/test_desk.py::test_its_pages_are_accessible_at_every_width")
    def test_on_the_page_of_a_delivery_with_a_part_in_quarantine(self, site, look, scheme):
        told = site.flask("token", "create", "alice@demo.example", "--ingest", "payments")
        token = re.search(r"vgl_\S+", told.stdout)[0]
        request = urllib.request.Request(
            f"{site.address}/api/v1/ws/payments/ingest/github",
            json.dumps(
                [{"deployment": {"environment": "kiosk"}, "deployment_status": {}}]
            ).encode(),
            {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            delivery = json.load(answer)["delivery"]
        page = look("alice", f"/ws/payments/deliveries/{delivery}")
        for _ in range(20):
            if page.get_by_role("button", name="Replay").count():
                break
            page.wait_for_timeout(250)
            page.reload()
        expect(page.get_by_role("button", name="Replay")).to_have_count(1)
        clean_in(page, scheme)

    def test_in_the_help(self, look, scheme):
        page = drawn(look("alice", EXECUTIVE))
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
        clean_in(page, scheme)


def test_all_six_tiles_stand_above_the_fold(look):
    page = drawn(look("alice", EXECUTIVE))
    for tile in page.locator(".tile").all():
        box = tile.bounding_box()
        assert box["y"] + box["height"] <= 900


def test_the_keyboard_alone_is_enough(look):
    page = drawn(look("alice", EXECUTIVE))
    page.keyboard.press("2")
    heading = page.get_by_role("heading", name="Incidents by workspace")
    expect(heading).to_be_focused()
    expect(page.get_by_role("button", name="Incidents", exact=True)).to_have_attribute(
        "aria-expanded", "true"
    )
    page.keyboard.press("/")
    page.keyboard.type("pay")
    expect(page.locator("article")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Incidents", exact=True)).to_be_focused()
    expect(page.locator(".expansion")).to_have_count(0)
    page.keyboard.press("p")
    expect(page.get_by_role("combobox", name="Period")).to_be_focused()


def test_the_keys_can_be_turned_off(look):
    page = drawn(look("alice", EXECUTIVE))
    page.keyboard.press("?")
    page.get_by_role("button", name="Turn the keys off").click()
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.keyboard.press("1")
    page.wait_for_timeout(300)
    expect(page.locator(".expansion")).to_have_count(0)


def test_the_address_says_what_is_seen_and_a_reload_keeps_it(look):
    page = drawn(look("alice", EXECUTIVE))
    page.get_by_role("combobox", name="Period").select_option("Last 90 days")
    page.get_by_role("region", name="SLOs", exact=True).get_by_role(
        "button", name=re.compile("Fastest burn")
    ).click()
    expect(page.get_by_role("region", name="SLOs by workspace")).to_contain_text(
        "worst first by fastest burn"
    )
    expect(page).to_have_url(re.compile("period=90&domain=slos&measure=fastest_burn"))
    page.reload()
    drawn(page)
    expect(page.get_by_role("combobox", name="Period")).to_have_value("90")
    expect(page.get_by_role("region", name="SLOs by workspace")).to_be_visible()
    page.goto(EXECUTIVE)
    drawn(page)
    expect(page.get_by_role("combobox", name="Period")).to_have_value("90")
    page.goto(EXECUTIVE + "?period=7")
    drawn(page)
    expect(page.get_by_role("combobox", name="Period")).to_have_value("7")


@long("tests/site/test_page.py::test_the_address_says_what_is_seen_and_a_reload_keeps_it")
def test_what_is_compared_stands_in_the_address_and_back_undoes_it(look):
    page = drawn(look("alice", EXECUTIVE + "?period=28"))
    choice = page.get_by_role("combobox", name="Compare with")
    sentences = page.locator(".answers").inner_text()
    before = page.locator(".heading").text_content()
    choice.select_option("vs a year ago")
    expect(page).to_have_url(re.compile(r"\?period=28&compare=year$"))
    expect(page.locator(".heading")).to_contain_text("2025")
    page.get_by_role("combobox", name="Period").select_option("Last 7 days")
    expect(page).to_have_url(re.compile(r"period=7&compare=year$"))
    choice.select_option("no comparison")
    expect(page.locator(".heading")).not_to_contain_text("vs")
    expect(page.locator(".tile .pill:not(:empty)")).to_have_count(0)
    page.reload()
    drawn(page)
    expect(choice).to_have_value("none")
    for _ in range(3):
        page.go_back()
    drawn(page)
    expect(choice).to_have_value("previous")
    expect(page.locator(".heading")).to_have_text(before or "")
    assert page.locator(".answers").inner_text() == sentences


@pytest.mark.parametrize(
    "stored",
    all_but(
        ['{"period": 12}'],
        [
            "{broken",
            '{"period": 12}',
            '{"start": "2026-13-01", "end": "2026-01-01"}',
            "null",
            "[]",
            '"x"',
        ],
    ),
)
def test_an_impossible_stored_period_is_dropped_with_a_notice(look, stored):
    page = drawn(look("alice", EXECUTIVE))
    page.evaluate("value => localStorage.setItem('vigilo.period', value)", stored)
    page.goto(EXECUTIVE)
    drawn(page)
    expect(page.get_by_role("combobox", name="Period")).to_have_value("28")
    expect(page.locator("#toasts")).to_contain_text("can not be used")
    assert page.evaluate("localStorage.getItem('vigilo.period')") is None


def test_a_custom_range_says_what_is_wrong_and_then_shows_it(look):
    page = drawn(look("alice", EXECUTIVE))
    page.get_by_role("combobox", name="Period").select_option("Custom range")
    start, end = page.get_by_label("Start", exact=True), page.get_by_label("End", exact=True)
    for first, last, wrong in (
        ("2026-03-31", "2026-01-01", "must not be before the start"),
        ("2024-01-01", "2026-01-01", "at most 366 days"),
        ("2026-01-01", "2199-01-01", "at most 366 days"),
    ):
        start.fill(first)
        end.fill(last)
        page.get_by_role("button", name="Apply").click()
        expect(page.locator("#custom-error")).to_contain_text(wrong)
    start.fill("2026-01-01")
    end.fill("2026-03-31")
    page.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(re.compile("start=2026-01-01&end=2026-03-31"))
    expect(page.locator("#page .heading")).to_contain_text("1 Jan – 31 Mar 2026")


@pytest.mark.parametrize(
    "wrong", all_but(["period=13"], ["period=13", "start=2026-11-01", "end=2026-11-01"])
)
def test_a_wrong_period_in_the_address_is_said(look, wrong):
    page = look("alice", f"{EXECUTIVE}?{wrong}")
    expect(page.get_by_role("heading", name="That period can not be shown")).to_be_visible()
    page.get_by_role("button", name="Show the last 28 days").click()
    drawn(page)


def test_the_theme_is_kept(visit):
    page = drawn(visit("alice", EXECUTIVE))
    other = page.context.new_page()
    other.goto("/exports")
    page.get_by_role("button", name="Theme").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    expect(other.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    drawn(page)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 21, 28)"


@long("tests/site/test_first_paint.py::test_nothing_moves_on_any_page")
def test_nothing_jumps_while_it_is_drawn(visit):
    page = visit("alice", "/start")
    page.add_init_script(
        "window.moved = 0; new PerformanceObserver(list => list.getEntries().forEach("
        "e => { if (!e.hadRecentInput) window.moved += e.value; }))"
        ".observe({type: 'layout-shift', buffered: true});"
    )
    page.goto(EXECUTIVE)
    drawn(page)
    assert page.evaluate("window.moved") < 0.1


def test_hover_and_focus_explain_the_figure(look):
    page = drawn(look("alice", EXECUTIVE))
    tip = page.locator("#tile-dora-tip")
    expect(tip).to_be_hidden()
    page.locator("#tile-dora .tile-title").hover()
    expect(tip).to_be_visible()
    for words in ("22 Nov 2026", "Production deployments that failed", "of 28 days", "(2023)"):
        expect(tip).to_contain_text(words)
    page.mouse.move(0, 0)
    page.get_by_role("button", name="Delivery (DORA)").focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(tip).to_be_visible()
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()


@long("tests/site/states/test_accessible.py::test_it_is_accessible")
def test_signed_out_elsewhere_leads_back_to_the_same_view(look, site):
    page = drawn(look("alice", EXECUTIVE + "?domain=dora"))
    page.context.clear_cookies()
    page.get_by_role("combobox", name="Period").select_option("Last 7 days")
    dialog = page.get_by_role("dialog", name="You have been signed out")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("link", name="Sign in")).to_have_attribute(
        "href", re.compile("next=.*domain%3Ddora")
    )


def test_who_may_not_see_it_is_told_so_without_a_number(look):
    page = look("bob", EXECUTIVE)
    expect(page.get_by_role("heading", name="You can not see this page")).to_be_visible()
    expect(page.locator("body")).to_contain_text("platform_admin_required")
    assert "%" not in page.locator("body").inner_text()


def test_carol_sees_three(look):
    page = drawn(look("carol", "/"))
    expect(page.locator("#page .heading")).to_contain_text("3 workspaces")
    page.get_by_role("button", name="Vendor risk").click()
    expect(page.locator("article")).to_have_count(3)


@long("tests/site/states/test_accessible.py::test_it_is_accessible")
def test_a_revoked_one_in_the_middle_of_their_work_is_told(look, site):
    page = drawn(look("carol", "/"))
    slugs = ("search", "identity", "iot-gateway")
    try:
        site.flask_each(*(("member", "revoke", "carol@demo.example", slug) for slug in slugs))
        page.get_by_role("combobox", name="Period").select_option("Last 7 days")
        expect(page.get_by_role("heading", name="You have been signed out")).to_be_visible()
    finally:
        site.flask_each(
            *(("member", "grant", "carol@demo.example", slug, "platform_admin") for slug in slugs)
        )


@long("tests/site/test_page.py::test_the_address_says_what_is_seen_and_a_reload_keeps_it")
def test_a_domain_opened_while_the_page_is_on_its_way_stays_open(look):
    """The page that was asked for before knows nothing of it, and comes after it."""
    page = drawn(look("alice", EXECUTIVE))
    held = []

    def hold(route):
        if (
            '"period":"90"' in (route.request.post_data or "")
            and "page.children" in route.request.post_data
        ):
            held.append(route)
        else:
            route.continue_()

    page.route(re.compile("_dash-update-component"), hold)
    page.get_by_role("combobox", name="Period").select_option("Last 90 days")
    page.get_by_role("region", name="SLOs", exact=True).get_by_role(
        "button", name=re.compile("Fastest burn")
    ).click()
    opened = page.get_by_role("region", name="SLOs by workspace")
    expect(opened).to_contain_text("worst first by fastest burn")
    assert held
    for route in held:
        route.continue_()
    expect(page.locator(".heading")).to_contain_text("25 Aug")
    page.wait_for_timeout(500)
    expect(opened).to_contain_text("worst first by fastest burn")
