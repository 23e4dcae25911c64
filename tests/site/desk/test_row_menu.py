"""The menu at the end of a row: by mouse and by keyboard, what it does, and what it refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.deep import all_but, long
from tests.site.test_page import violations

LIST = "/ws/lodz-logistics/incidents?period=365"
API = "/api/v1/ws/lodz-logistics/records/incidents"


def button(page: Page, row: int = 0) -> Locator:
    """The button of a row's menu."""
    shown = page.locator(f'.ag-row[row-index="{row}"] .row-menu')
    expect(shown).to_be_visible()
    return shown


def key_of(page: Page, row: int = 0) -> str:
    return button(page, row).get_attribute("aria-label").removeprefix("Actions for ")


def open_menu(page: Page, row: int = 0) -> Locator:
    """The menu of a row, opened by mouse."""
    button(page, row).click()
    menu = page.get_by_role("menu")
    expect(menu).to_be_visible()
    return menu


@pytest.fixture
def page(look) -> Page:
    return look("alice", LIST)


def post(page: Page, key: str, body: dict) -> dict:
    """Answer of the API to a correction."""
    token = next(c["value"] for c in page.context.cookies() if c["name"].endswith("_csrf_token"))
    return page.request.post(f"{API}/{key}", data=body, headers={"X-CSRFToken": token}).json()


@pytest.fixture
def incident(page: Page) -> Iterator[str]:
    """The key of the first incident, which is afterwards as it was before."""
    key = key_of(page)
    before = page.request.get(f"{API}/{key}").json()["record"]
    yield key
    now = page.request.get(f"{API}/{key}").json()["record"]
    if now["left_out"] == "withdrawn":
        post(page, key, {"withdraw": False})
    if now["merged_into"]:
        post(page, key, {"merge_into": ""})
    if now["title"] != before["title"]:
        post(page, key, {"correct": {"title": before["title"]}})


def test_the_menu_opens_by_mouse_and_closes_without_a_deed(page):
    menu = open_menu(page)
    expect(button(page)).to_have_attribute("aria-expanded", "true")
    names = ["Open the record", "Correct…", "Merge…", "Withdraw…"]
    expect(menu.get_by_role("menuitem")).to_have_text(names)
    expect(menu.get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    expect(button(page)).to_be_focused()
    expect(button(page)).to_have_attribute("aria-expanded", "false")
    open_menu(page)
    button(page).click()
    expect(page.get_by_role("menu")).to_have_count(0)
    open_menu(page)
    button(page, 6).click()
    expect(page.get_by_role("menu", name=f"Actions for {key_of(page, 6)}")).to_have_count(1)
    page.get_by_role("heading", level=1).click()
    expect(page.get_by_role("menu")).to_have_count(0)


def test_the_menu_opens_and_closes_by_keyboard_alone(page):
    expect(button(page, 1)).to_be_visible()
    cell = page.locator('.ag-row[row-index="1"] .row-menu-cell')
    first = page.locator(".ag-cell", has=page.locator("a.record-link")).nth(1)
    first.focus()
    page.keyboard.press("Control+ArrowRight")
    expect(cell).to_be_focused()
    for opens in ("Enter", " "):
        page.keyboard.press(opens)
        items = page.get_by_role("menuitem")
        expect(items.first).to_be_focused()
        page.keyboard.press("ArrowUp")
        expect(items.last).to_be_focused()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        expect(items.nth(1)).to_be_focused()
        page.keyboard.press("End")
        expect(items.last).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_role("menu")).to_have_count(0)
        expect(cell).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name=f"Correct {key_of(page, 1)}")
    expect(dialog.get_by_label("Field")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(cell).to_be_focused()


@long("tests/site/desk/test_row_menu.py::test_the_menu_opens_by_mouse_and_closes_without_a_deed")
def test_a_record_is_opened_from_its_menu(page):
    key = key_of(page)
    open_menu(page).get_by_role("menuitem", name="Open the record").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(key)


def test_a_correction_shows_in_the_row(page, incident):
    open_menu(page).get_by_role("menuitem", name="Correct").click()
    dialog = page.get_by_role("dialog", name=f"Correct {incident}")
    dialog.get_by_label("Field").select_option("opened_at")
    dialog.get_by_label("Value").fill("the day before yesterday")
    dialog.get_by_role("button", name="Correct").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Opened_at")
    dialog.get_by_label("Field").select_option("title")
    dialog.get_by_label("Value").fill("Corrected from its menu")
    dialog.get_by_role("button", name="Correct").click()
    expect(page.locator(".toast")).to_contain_text("Done; figures follow")
    row = page.locator(".ag-row", has_text="Corrected from its menu")
    expect(row.first).to_be_visible()
    expect(dialog).to_have_count(0)


@long("tests/site/desk/test_row_menu.py::test_a_correction_shows_in_the_row")
def test_a_merger_and_a_withdrawal_take_the_row_away(page, incident):
    other = key_of(page, 1)
    told = page.locator("#records-count")
    before = int(re.search(r"\d+", told.inner_text())[0])
    open_menu(page).get_by_role("menuitem", name="Merge").click()
    dialog = page.get_by_role("dialog", name=f"Merge {incident}")
    for wrong in (incident, "never told", ""):
        dialog.get_by_label("Key of the other").fill(wrong)
        dialog.get_by_role("button", name="Merge").click()
        expect(dialog.get_by_role("alert")).not_to_be_empty()
        expect(dialog.get_by_role("button", name="Merge")).to_be_enabled()
    dialog.get_by_label("Key of the other").fill(other)
    dialog.get_by_role("button", name="Merge").click()
    expect(told).to_have_text(re.compile(rf"^{before - 1} "))
    post(page, incident, {"merge_into": ""})
    page.reload()
    assert key_of(page) == incident
    open_menu(page).get_by_role("menuitem", name="Withdraw").click()
    page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
    expect(told).to_have_text(re.compile(rf"^{before - 1} "))
    expect(page.locator(".ag-row").first).not_to_contain_text(incident)


@pytest.mark.parametrize(
    ("width", "dark"),
    all_but([(390, True)], [(1280, False), (1280, True), (390, False), (390, True)], several=True),
)
def test_the_menu_and_its_questions_lie_within_the_page_and_hear_well(look, width, dark):
    page = look("alice", LIST, width=width, height=800, dark=dark)
    button(page).scroll_into_view_if_needed()
    menu = open_menu(page)
    box = menu.bounding_box()
    corners = (box["x"], box["y"], width - box["x"] - box["width"], 800 - box["y"] - box["height"])
    assert min(corners) >= 0
    assert violations(page) == []
    menu.get_by_role("menuitem", name="Correct").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []


def test_rows_that_sum_several_records_up_have_no_menu(look):
    page = look("alice", "/ws/lodz-logistics/monitor/certs")
    expect(page.locator(".ag-cell a.record-link").first).to_be_visible()
    expect(page.locator(".row-menu")).to_have_count(0)
