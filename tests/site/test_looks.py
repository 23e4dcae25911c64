"""Looks that are easily wrong: lists before the scripts, words that stay whole, tables between the phone
and the desk."""

from __future__ import annotations

import re

import pytest
from markupsafe import escape
from playwright.sync_api import Page, Route, expect

from aggregators.pooling.dashboard import Answer
from layouts.executive.answers import sentence as sentence_of
from tests.deep import all_but, long
from tests.site.conftest import LISTS

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
    all_but(
        [("?period=90&compare=year", "Last 90 days", "vs a year ago")],
        [
            ("", "Last 28 days", "vs period before"),
            ("?period=90&compare=year", "Last 90 days", "vs a year ago"),
            ("?start=2026-11-01&end=2026-11-20", "Custom range", "vs period before"),
        ],
        several=True,
    ),
)
def test_the_lists_are_right_before_the_scripts(look, query, period, compared):
    page = look("alice", "/help")
    page.route("**/_dash-component-suites/**", lambda route: route.abort())
    page.route("**/page/main.js", lambda route: route.abort())
    page.goto(EXECUTIVE + query, wait_until="domcontentloaded")
    page.wait_for_timeout(500)
    chosen = page.evaluate(
        "[...document.querySelectorAll('select')].map(s => s.selectedOptions[0].textContent)"
    )
    assert period in chosen
    assert compared in chosen
    page.unroute_all()
    page.goto("about:blank")


@long("tests/site/test_signals.py::test_a_server_that_is_silent_leaves_the_page_as_it_was")
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


@pytest.mark.parametrize("width", all_but([768], [768, 1280, 1440]))
def test_the_name_of_a_framework_stays_in_one_piece(look, width):
    page = look("alice", f"{EXECUTIVE}?period=90&domain=compliance", width=width)
    expect(page.locator(".bar-name").first).to_be_visible(timeout=20_000)
    assert max(lines(page, ".bar-name")) == 1
    headline = page.locator("#tile-compliance .headline")
    expect(headline).to_contain_text("Control pass rate, HIPAA")


@pytest.mark.parametrize("width", all_but([768], [768, 1024]))
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
SHOW_IN_LINES = f"""(element, shown) => {{
    element.innerHTML = shown;
    return ({HEIGHT_IN_LINES})(element, "");
}}"""


NARROW = (320, 720, 1280)
WIDER = (390, 719, 768, 1024, 1099, 1100, 1199, 1200, 1440)
LONG, FURTHER = (
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunter",
    "Kundenbeziehungsmanagement",
)
LONGEST = (
    f"{LONG}: 31.9 %, 129 of 1,291 deployments (95 % interval 23.2 to 42.0 %), +18.5 pts on the period"
    " before, within noise. 11 other rates are higher.",
    f"As of 22 Nov 2026: {LONG}: SOC2 CC6.1 lapses in 14 days (seen 13 Nov 2026); 12 SOC2 controls"
    f" within 30. Already out: 22, e.g. SOC2 CC9.2 in {FURTHER}.",
    f"As of 22 Nov 2026: Projection without dates: {LONG}'s SOC2 pass rate falls from 92.0 %"
    f" to 85.1 % in 30 days. Already out: 12, e.g. SOC2 CC9.2 in {FURTHER}.",
    f"As of 22 Nov 2026: 4 certificates expire within 30 days: {LONG} 2, {FURTHER} 1, {FURTHER} 2 1.",
    "As of 22 Nov 2026: 12 of 1,200 workspaces hold 88 % of the 1,225 certificates that expire within"
    f" 30 days; {LONG} and 3 others have most, 112 each.",
    f"{LONG}'s MTTR rose three sprints in a row: 12 h 46 min → 12 h 59 min → 13 h 33 min → 14 h 41 min"
    " (sprints 28 Sep 2025 – 22 Nov 2026). 12 others too.",
)
"""Each kind of answer at its longest."""


@pytest.mark.parametrize("widths", all_but([NARROW], [NARROW, WIDER]))
def test_every_answer_takes_four_lines_at_most(look, widths):
    page = look("alice", "/start?choose=1")
    page.route(re.compile("/platform/executive"), with_its_own_face)
    page.goto(f"{EXECUTIVE}?period=28")
    sentences = page.locator("#page .answer-sentence")
    expect(sentences.first).to_contain_text("95 % interval")
    page.evaluate("document.fonts.ready.then(() => true)")
    taken = {}
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        for name in ("Payments", "Notifications and messaging"):
            for number, sentence in enumerate(sentences.all()):
                taken[width, name, number] = sentence.evaluate(HEIGHT_IN_LINES, name)
    page.set_viewport_size({"width": 390, "height": 900})
    for words in LONGEST:
        answer = Answer("", "", words, True, workspace_name=LONG, href="/", further=[FURTHER])
        shown = "".join(map(escape, sentence_of(answer)))
        taken[words] = sentences.first.evaluate(SHOW_IN_LINES, shown)
    assert {key: lines for key, lines in taken.items() if lines > 4} == {}


@pytest.mark.parametrize("width", all_but([390], [390, 1280]))
def test_what_is_new_leads_to_the_workspace_that_drifts(look, width):
    page = look("alice", f"{EXECUTIVE}?period=90", width=width)
    news = page.get_by_role("region", name="New last night")
    expect(news.get_by_role("listitem")).to_have_count(3)
    expect(news).to_contain_text("3 new, 3 open")
    news.get_by_role("link", name="Search").click()
    page.wait_for_url("**/ws/search/incidents?period=28")
    expect(page.locator("h1")).to_contain_text("Search: Incidents")


@pytest.mark.parametrize(
    "page_of",
    all_but(
        ["governance/frameworks"],
        LISTS,
    ),
)
def test_no_word_of_a_heading_is_cut(look, page_of):
    page = look("alice", f"/ws/payments/{page_of}?period=28", width=1440)
    expect(page.locator(".ag-cell").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    headings = page.locator(".ag-header-cell:not(.row-menu-head) .ag-header-cell-text")
    told = headings.evaluate_all(f"""all => all.map((one) => [
        one.textContent, ({LINES})(one), one.clientWidth, one.scrollWidth])""")
    assert told
    for words, lines_of_it, seen, needed in told:
        assert lines_of_it <= len(words.split()), words
        assert needed <= seen, words


@pytest.mark.parametrize("width", all_but([720, 768], [720, 768, 1280]))
def test_days_and_hours_of_an_export_stay_whole(site, look, width):
    page = look("alice", "/exports", width=width)
    ready = page.locator(".jobs tbody tr").filter(
        has=page.get_by_role("link", name=re.compile("^Download the export"))
    )
    if not ready.count():
        page.get_by_label("or from").fill("2025-11-24")
        page.get_by_label("to", exact=True).fill("2026-11-22")
        page.get_by_label("Format").first.select_option("csv")
        page.get_by_role("button", name="Export", exact=True).click()
    expect(ready.first).to_be_visible()
    whole = ".jobs span.nw" if width == 720 else ".jobs td.nw, .jobs .nw:not(.row)"
    assert len(lines(page, whole)) >= 6
    assert max(lines(page, whole)) == 1
    for row in ready.all():
        tops = row.locator(".acts form").evaluate_all(
            "forms => forms.map(form => form.getBoundingClientRect().top)"
        )
        assert len(set(tops)) == 1, "Again and Delete stand side by side"
    scrolled = page.locator(".tw").first.evaluate("box => box.scrollWidth - box.clientWidth")
    assert scrolled <= 0
