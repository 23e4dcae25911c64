"""Messages of a moment or beside a field: accessible in both themes, on the phone and at the desk."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.deep import all_but
from tests.site.test_page import EXECUTIVE, clean_in, drawn


def _reversed(page: Page) -> None:
    page.get_by_role("combobox", name="Period").select_option("Custom range")
    page.get_by_label("Start", exact=True).fill("2026-03-31")
    page.get_by_label("End", exact=True).fill("2026-01-01")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#custom-error")).to_contain_text("must not be before the start")


def _signed_out(page: Page) -> None:
    page.context.clear_cookies()
    page.get_by_role("combobox", name="Period").select_option("Last 7 days")
    expect(page.get_by_role("dialog", name="You have been signed out")).to_be_visible()


def _failed(page: Page) -> None:
    told = '{"state": "failed", "error": "The disk is full.", "format": "pdf"}'
    page.route("**/exports/*/state", lambda route: route.fulfill(body=told))
    page.locator("#export").click()
    expect(page.locator("#toasts")).to_contain_text("The disk is full")


def _running(page: Page) -> None:
    told = '{"state": "running", "progress": 3, "steps": 9, "format": "pdf"}'
    page.route("**/exports/*/state", lambda route: route.fulfill(body=told))
    page.locator("#export").click()
    expect(page.locator("#toasts")).to_contain_text("Exporting 3 of 9")


def _refused(page: Page) -> None:
    page.goto("/exports")
    page.locator("#start").fill("2026-03-31")
    page.locator("#end").fill("2026-01-01")
    page.get_by_role("button", name="Export", exact=True).click()
    expect(page.locator("#end-error")).to_have_text("The end must not be before the start.")
    expect(page.locator("#end")).to_be_focused()


MESSAGES = [_reversed, _signed_out, _failed, _running, _refused]


@pytest.mark.parametrize("width", all_but([390], [390, 1280]))
@pytest.mark.parametrize("bring", all_but([_signed_out, _failed, _refused], MESSAGES))
def test_it_is_accessible(look, bring: Callable[[Page], None], width: int, scheme: str):
    page = drawn(look("alice", f"{EXECUTIVE}?period=28", width=width))
    bring(page)
    expect(page).to_have_url(re.compile("/platform/executive|/exports"))
    clean_in(page, scheme)
