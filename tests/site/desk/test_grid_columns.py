"""The columns of the records: at rest none stands half under the edge or the menu of the rows."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.deep import all_but, long
from tests.site.conftest import LISTS

EDGE = """() => {
    const box = element => element.getBoundingClientRect();
    const room = box(document.querySelector(".ag-center-cols-viewport"));
    const heads = [...document.querySelectorAll(".ag-header-viewport .ag-header-cell")].map(box);
    return heads.filter(head => head.left < room.right - 1 && head.right > room.right + 1).length;
}"""
HAS_MORE = "() => document.querySelector('#records').classList.contains('has-more')"


def opened(page: Page) -> Page:
    expect(page.locator(".ag-row .ag-cell").first).to_be_visible()
    return page


@pytest.mark.parametrize("width", all_but([1280], [768, 1280, 1440]))
@pytest.mark.parametrize("path", all_but(["governance/frameworks"], LISTS))
def test_no_column_is_cut_where_the_list_begins(look, path, width):
    page = opened(look("alice", f"/ws/payments/{path}", width=width))
    page.wait_for_function(f"() => ({EDGE})() === 0")
    page.wait_for_function(HAS_MORE)


@long("tests/site/desk/test_grid_columns.py::test_no_column_is_cut_where_the_list_begins")
def test_columns_are_fitted_to_another_window_and_the_edge_goes_at_the_end(look):
    page = opened(look("alice", "/ws/payments/incidents", width=1280))
    for width in (1440, 1024):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(f"() => ({EDGE})() === 0")
    page.locator(".ag-body-horizontal-scroll-viewport").evaluate("e => { e.scrollLeft = 9999 }")
    page.wait_for_function(f"() => !({HAS_MORE})()")


def test_a_width_that_somebody_chose_stays(look):
    page = opened(look("alice", "/ws/payments/incidents", width=1280))
    page.wait_for_function(HAS_MORE)
    head = page.locator(".ag-header-cell[col-id=title]")
    head.scroll_into_view_if_needed()
    before = head.bounding_box()
    grip = head.locator(".ag-header-cell-resize").bounding_box()
    x, y = grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 80, y, steps=4)
    page.mouse.up()
    narrower = head.bounding_box()["width"]
    assert narrower < before["width"] - 60
    page.set_viewport_size({"width": 1440, "height": 900})
    page.wait_for_function(
        "() => document.querySelector('.ag-center-cols-viewport').clientWidth > 1000"
    )
    page.evaluate("() => new Promise(drawn => requestAnimationFrame(() => setTimeout(drawn, 100)))")
    assert head.bounding_box()["width"] == narrower


def test_a_filter_that_nothing_passes_is_told_in_the_products_words(look):
    page = opened(look("alice", "/ws/payments/incidents", width=1280))
    page.locator(".ag-header-cell[col-id=key] .ag-icon-filter").click()
    page.keyboard.type("nothing-is-called-so")
    expect(page.locator(".ag-overlay")).to_have_text("No record matches the filters")
