"""Targets and notes by keyboard, to where they are told; their pages, looked at by axe."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.deep import all_but

AXE = (Path(__file__).parent / "axe.min.js").read_text(encoding="utf-8")
EXECUTIVE = "/ws/payments/platform/executive?domain=dora&period=28"
PAGES = ("/admin/settings?edit=compliance.pass_rate", "/platform/annotations", "/exports")


def submit(page: Page, text: str) -> None:
    """Types into the field that has the cursor, and sends its form."""
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def test_a_target_set_by_keyboard_stands_on_the_cards_until_it_is_taken_back(look):
    page = look("alice", "/admin/settings")
    link = page.get_by_role("link", name="Set Change failure rate")
    link.focus()
    page.keyboard.press("Enter")
    expect(page.locator("input[name=value]")).to_be_focused()
    submit(page, "150")
    wrong = page.locator("input[name=value]")
    expect(wrong).to_be_focused()
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("alert")).to_contain_text("takes a percentage from 0 to 100")
    page.keyboard.press("Control+A")
    submit(page, "12.5")
    expect(page.locator(".toast")).to_contain_text("Change failure rate was set.")
    page.goto(EXECUTIVE)
    expect(page.locator("article.card").first).to_contain_text("target at most 12.5 %")
    page.goto("/admin/settings?edit=dora.change_failure_rate")
    page.get_by_role("button", name="Take back").click()
    expect(page.locator(".toast")).to_contain_text("taken back")


def test_a_note_by_keyboard_is_told_beside_the_cards_until_it_is_withdrawn(look):
    page = look("alice", "/platform/annotations")
    page.get_by_label("What happened").focus()
    submit(page, "Release freeze")
    expect(page.locator(".toast")).to_contain_text("Noted.")
    page.goto(EXECUTIVE)
    expect(page.locator(".noted")).to_contain_text("Release freeze")
    spark = page.locator("article.card .spark-box").first
    assert "Release freeze" in (spark.get_attribute("aria-label") or "")
    page.goto("/platform/annotations")
    page.get_by_role("button", name="Withdraw Release freeze").click()
    expect(page.locator(".toast")).to_contain_text("Withdrawn.")


@pytest.mark.parametrize("dark", all_but([True], [False, True]))
@pytest.mark.parametrize("width", all_but([320], [320, 1280]))
def test_the_pages_that_they_are_written_on_are_accessible(look, width, dark):
    page = look("alice", PAGES[0], width=width, dark=dark)
    for path in PAGES:
        page.goto(path)
        page.evaluate(AXE)
        report = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert [each["id"] for each in report["violations"]] == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
