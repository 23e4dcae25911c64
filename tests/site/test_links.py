"""Each link of the dashboard leads to the very thing, whatever the period; Back undoes a step."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.deep import DEEP, all_but, long

EXECUTIVE = "/ws/payments/platform/executive"
RANGE = "start=2026-10-05&end=2026-11-01"
PERIODS = (
    ("period=7", "period=28", "period=90", "period=365", RANGE) if DEEP else ("period=28", RANGE)
)
ANSWERED = PERIODS if DEEP else (RANGE,)
DROPPED = "start=2026-10-01&end=2026-11-20"
"""A range in which a framework of the demo drops by more than 5 points against the days before it."""
CHARTED = ("period=28", "period=90", DROPPED) if DEEP else (DROPPED,)
STEADY = ("period=7", "period=365", RANGE) if DEEP else (RANGE,)
"""Days in which none drops as far, or before which there are no figures."""


def count_of(page: Page) -> int:
    """Records that the page's list tells."""
    told = page.locator("#records-count")
    expect(told).to_have_text(re.compile(r"\d"))
    return int(re.search(r"\d+", told.inner_text().replace(",", ""))[0])


@pytest.mark.parametrize("period", all_but([RANGE], PERIODS))
def test_a_cell_opens_as_many_certificates_as_it_says(look, period):
    page = look("alice", f"{EXECUTIVE}?domain=certificates&{period}")
    cell = page.get_by_role("link", name=re.compile(r": \d+.* Expiring within 30 days")).first
    said = int(re.match(r"\d+", cell.inner_text())[0])
    cell.click()
    expect(page).to_have_url(re.compile("within=30&status=expiring"))
    assert period in page.url
    assert count_of(page) == said


def test_an_incident_of_the_grid_opens_its_page_by_mouse_and_by_keyboard(look):
    page = look("alice", "/ws/payments/incidents")
    link = page.locator(".ag-cell a.record-link").first
    expect(link).to_be_visible(timeout=20_000)
    name = link.inner_text()
    link.click()
    for heading in ("Correct", "Merge", "Withdraw"):
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile(f"/records/incidents/{name}$"))
    page.go_back()
    cell = page.locator(".ag-cell", has=page.locator("a.record-link")).nth(1)
    name = cell.inner_text()
    cell.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/records/incidents/{name}$"))


@pytest.mark.parametrize(
    ("path", "kind"),
    all_but(
        [("monitor/certs", "certificates")],
        [
            ("governance/frameworks", "control-results|framework-controls"),
            ("monitor/certs", "certificates"),
        ],
        several=True,
    ),
)
def test_a_row_that_sums_records_up_opens_what_it_is_made_of(look, path, kind):
    page = look("alice", f"/ws/payments/{path}")
    link = page.locator(".ag-cell a.record-link").first
    expect(link).to_be_visible(timeout=20_000)
    link.click()
    expect(page).to_have_url(re.compile(f"/records/({kind})/"))
    expect(page.get_by_role("rowheader").first).to_be_visible()


@long("tests/site/test_links.py::test_a_cell_opens_as_many_certificates_as_it_says")
@pytest.mark.parametrize("period", ANSWERED)
def test_an_answer_opens_as_many_failed_deployments_as_it_says(look, period):
    page = look("alice", f"{EXECUTIVE}?{period}")
    sentence = page.locator(".answer").first
    failed = int(re.search(r"(\d+) of \d+ deployments", sentence.inner_text())[1])
    sentence.get_by_role("link").click()
    assert period in page.url
    assert count_of(page) == failed


@pytest.mark.parametrize("period", CHARTED)
def test_a_chevron_opens_the_framework_that_it_stands_beside(look, period):
    page = look("alice", f"{EXECUTIVE}?domain=compliance&{period}")
    chevron = page.locator(".chevron").first
    framework = chevron.locator("xpath=..").locator(".bar-name").inner_text()
    chevron.click()
    expect(page.get_by_role("heading", name=f"{framework}: control pass rate")).to_be_visible()
    assert period in page.url
    expect(page.locator(".narrowed")).to_contain_text(f"of {framework} whose result is failing")


@long("tests/site/test_links.py::test_a_chevron_opens_the_framework_that_it_stands_beside")
@pytest.mark.parametrize("period", STEADY)
def test_no_chevron_stands_where_no_framework_dropped_that_far(look, period):
    page = look("alice", f"{EXECUTIVE}?domain=compliance&{period}")
    expect(page.locator(".expansion .bar-name").first).to_be_visible()
    expect(page.locator(".chevron")).to_have_count(0)


def test_why_opens_the_evidence_and_back_closes_one_thing_at_a_time(look):
    page = look("alice", EXECUTIVE + "?period=28")
    page.get_by_role("button", name="Incidents", exact=True).click()
    expect(page.get_by_role("region", name="Incidents by workspace")).to_be_visible()
    page.get_by_role("button", name="Why : Worst change failure rate").click()
    drawer = page.get_by_role("dialog", name="Why Payments")
    expect(drawer.get_by_role("heading", name="Why Payments")).to_be_focused()
    expect(drawer.get_by_role("group", name="Records").get_by_role("row")).to_have_count(7)
    drawer.get_by_role("button", name=re.compile("^Next answer")).click()
    expect(page.get_by_role("dialog", name="Why Identity")).to_be_visible()
    page.go_back()
    expect(drawer).to_be_visible()
    page.go_back()
    expect(page.locator("#drawer")).not_to_be_visible()
    expect(page.get_by_role("region", name="Incidents by workspace")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("region", name="Incidents by workspace")).to_have_count(0)
    expect(page).to_have_url(re.compile("/platform/executive"))


@long("tests/site/test_links.py::test_why_opens_the_evidence_and_back_closes_one_thing_at_a_time")
def test_back_after_closing_goes_to_what_was_before_it_was_opened(look):
    page = look("alice", "/help")
    page.goto(EXECUTIVE + "?period=28")
    drawer, region = (
        page.locator("#drawer"),
        page.get_by_role("region", name="Incidents by workspace"),
    )
    page.locator("#period").select_option("90")
    page.get_by_role("button", name="Incidents", exact=True).click()
    expect(region).to_be_visible()
    page.get_by_role("button", name=re.compile("^Why : ")).first.click()
    expect(drawer).to_be_visible()
    drawer.get_by_role("button", name=re.compile("^Next answer")).click()
    expect(page).to_have_url(re.compile("why="))
    page.keyboard.press("Escape")
    expect(drawer).not_to_be_visible()
    expect(page).to_have_url(re.compile("period=90&domain=incidents&measure=open$"))
    page.keyboard.press("Escape")
    expect(region).to_have_count(0)
    expect(page).to_have_url(re.compile("period=90$"))
    page.go_back()
    expect(page).to_have_url(re.compile("period=28$"))
    expect(drawer).not_to_be_visible()
    page.go_back()
    expect(page).to_have_url(re.compile("/help$"))
    page.go_forward()
    page.go_forward()
    page.go_forward()
    expect(region).to_be_visible()


@long("tests/site/test_links.py::test_why_opens_the_evidence_and_back_closes_one_thing_at_a_time")
def test_back_after_closing_what_a_link_opened_leaves_the_page(look):
    page = look("alice", "/help")
    page.goto(EXECUTIVE + "?period=28&domain=dora&why=mttr_climbing")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.reload()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).not_to_be_visible()
    expect(page.locator(".expansion")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(re.compile("/help$"))


@long("tests/site/test_links.py::test_why_opens_the_evidence_and_back_closes_one_thing_at_a_time")
def test_what_is_done_in_the_moment_of_closing_is_done_after_it(look):
    page = look("alice", EXECUTIVE + "?period=28")
    page.get_by_role("button", name=re.compile("^Why : ")).first.click()
    expect(page.get_by_role("dialog").get_by_title("Close", exact=True)).to_be_visible()
    page.evaluate(
        """() => {
            document.querySelector("#drawer [data-why-close]").click();
            document.querySelector("#tile-incidents .tile-button").click();
        }"""
    )
    expect(page.get_by_role("region", name="Incidents by workspace")).to_be_visible()
    expect(page.locator("#drawer")).not_to_be_visible()
    expect(page).to_have_url(re.compile("period=28&domain=incidents&measure=open$"))


def test_escape_closes_the_topmost_thing_only(look):
    page = look("alice", EXECUTIVE + "?period=28&domain=dora&why=mttr_climbing")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).not_to_be_visible()
    page.keyboard.press("c")
    expect(page.locator(".toast")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".toast")).to_have_count(0)
    expect(page.locator(".expansion")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".expansion")).to_have_count(0)


@long("tests/site/test_links.py::test_escape_closes_the_topmost_thing_only")
def test_keys_do_nothing_under_a_drawer_that_lost_the_focus(look):
    """An element that had the focus may be drawn anew, and then nothing in the drawer has it."""
    page = look("alice", EXECUTIVE + "?period=28&domain=dora&why=mttr_climbing")
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.locator("#drawer-title")).to_be_focused()
    for key in ("c", "2", "Escape"):
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press(key)
        expect(page.locator("#drawer")).to_be_visible(visible=key != "Escape")
        expect(page.locator(".toast")).to_have_count(0)
    expect(page.locator(".expansion")).to_be_visible()
    assert "domain=dora" in page.url


@long("tests/site/test_page.py::test_carol_sees_three")
def test_a_link_of_another_admin_opens_in_ones_own_scope(look):
    page = look("carol", "/ws/no-such-place/platform/executive?period=28")
    expect(page.locator("#page .heading")).to_contain_text("3 workspaces")


def test_slash_finds_a_workspace_from_anywhere(look):
    page = look("alice", "/exports")
    page.keyboard.press("/")
    page.get_by_role("searchbox", name="Find a workspace").fill("lodz")
    expect(page.locator("#switch-list a")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Łódź logistics")


def test_the_first_answer_shows_the_shell_and_the_page_before_any_script(look, site):
    page = look("alice", EXECUTIVE)
    first = page.request.get(site.address + EXECUTIVE).text()
    for told in ("Northwind Group", "Executive dashboard", "Export PDF", "tile skeleton"):
        assert told in first
