"""The phone: one row of controls, lists that can be skimmed, nothing that a finger misses."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.deep import DEEP, all_but
from tests.site.test_first_paint import EVERY, QUICK
from tests.site.test_page import drawn

EXECUTIVE = "/ws/payments/platform/executive"
FINGER = 40
"""Pixels of a side of what is touched, at least (design.md, tokens)."""
LENGTH = 2030
ROW = 64


def phone(visit, path: str, width: int = 390, **how) -> Page:
    return drawn(visit("alice", path, width=width, height=844, **how))


@pytest.mark.parametrize("width", all_but([320], [320, 390]))
def test_the_controls_stand_in_one_row_and_the_title_once(look, width):
    page = phone(look, EXECUTIVE, width)
    boxes = [page.locator(part).bounding_box() for part in ("#period", "[data-copy]", "#export")]
    assert len({round(box["y"] + box["height"] / 2) for box in boxes}) == 1
    assert all(box["height"] >= FINGER - 2 for box in boxes)
    title = page.locator(".topbar b")
    assert title.evaluate("e => e.scrollHeight <= e.clientHeight && e.scrollWidth <= e.clientWidth")
    assert page.get_by_role("heading", level=1).bounding_box()["height"] <= 2
    assert page.get_by_role("heading", level=1).inner_text() == title.inner_text()


def test_six_tiles_are_skimmed_and_each_of_their_measures_can_be_touched(look):
    page = phone(look, EXECUTIVE)
    page.reload()  # the font is there then; another's letters are wider
    drawn(page)
    assert page.evaluate("document.documentElement.scrollHeight") <= LENGTH
    for tile in page.locator("#page .tile").all():
        boxes = [measure.bounding_box() for measure in tile.locator(".supporting.measure").all()]
        assert len({box["y"] for box in boxes}) == 1
        assert all(box["height"] >= FINGER for box in boxes)


@pytest.mark.parametrize("domain", all_but(["dora"], ["dora", "compliance", "vendors"]))
def test_a_workspace_is_a_row_that_opens_on_touch(look, domain):
    page = phone(look, f"{EXECUTIVE}?domain={domain}")
    rows = page.locator(".expansion article")
    bars = [bool(row.locator(".bar-value").count()) for row in rows.all()]
    heights = [row.bounding_box()["height"] for row in rows.all()]
    assert all(height <= (96 if bar else ROW) for height, bar in zip(heights, bars, strict=True))
    rows.first.locator(".card-open").click()
    expect(rows.first.locator(".card-open")).to_have_attribute("aria-expanded", "true")
    assert rows.first.bounding_box()["height"] > heights[0]


@pytest.mark.parametrize("width", [320, 390] if DEEP else [320])
def test_no_page_is_wider_than_the_phone(look, width):
    page = look("alice", "/start?choose=1", width=width, height=844)
    wider = []
    for path in EVERY if DEEP else (*QUICK, "/help/definitions"):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wider.append(path)
    assert wider == []


def test_a_definition_has_the_width_of_the_page(look):
    page = look("alice", "/help/definitions", width=320, height=844)
    told = page.locator(".prose dd").first
    assert told.bounding_box()["width"] > 200


def test_the_chart_of_a_workspace_says_which_line_is_which(look):
    page = look("alice", "/ws/payments/analytics?period=90", width=390, height=844)
    names = page.locator(".chart-card .legendtext")
    expect(names.filter(has_text="This period")).to_be_visible()
    expect(names.filter(has_text="Previous period")).to_be_visible()


LONG_NAME = "شركة Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


@pytest.mark.parametrize(
    ("who", "path", "named"),
    [("alice", "/exports", ".topbar .w span"), (None, "/login", ".brand b")],
)
def test_a_long_name_of_the_organisation_stays_within_the_phone(look, who, path, named):
    page = look(who, path, width=320, height=844)
    before = page.locator(".topbar .w b").bounding_box() if who else None
    name = page.locator(named)
    name.evaluate("(element, name) => { element.textContent = name; }", LONG_NAME)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    if who:
        assert page.locator(".topbar .w b").bounding_box() == before
    expect(name).to_have_attribute("title", "Northwind Group")
