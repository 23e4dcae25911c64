"""Pages of an invitation, as axe sees them: whoever opens the link, signed in, with an account, without."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.site.conftest import PASSWORD, BrowsedSite
from tests.site.test_page import clean_in_both_themes

MEMBERS = "/ws/payments/admin/members"
NEWCOMER, HOLDER = "new.colleague@example.com", "account.holder@demo.example"
ABSENT = "never.came@example.com"


@pytest.fixture(scope="module", autouse=True)
def left_as_found(site: BrowsedSite) -> Iterator[None]:
    """An account that nobody else uses; who came goes again, and whoever never came is invited no more."""
    done = site.flask("user", "create", HOLDER, input=PASSWORD)
    assert done.returncode == 0, done.stderr
    yield
    site.flask_each(
        ("member", "revoke", NEWCOMER, "payments"),
        ("member", "revoke", HOLDER, "payments"),
        ("member", "uninvite", ABSENT, "payments"),
    )


@pytest.fixture
def invited(site: BrowsedSite):
    """``invited(email)``: the path of a link that is good."""

    def link(email: str) -> str:
        done = site.flask("member", "invite", email, "payments", "viewer", "--link")
        assert done.returncode == 0, done.stderr
        return urlsplit(done.stdout.strip()).path

    return link


def clean(page: Page) -> None:
    """Nothing to find in both themes, on a screen and on a phone."""
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 800})
        clean_in_both_themes(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_whoever_has_no_account_makes_one_and_comes_in(visit, invited):
    path = invited(NEWCOMER)
    page = visit(None, path)
    expect(page.get_by_role("heading", level=1)).to_contain_text("You are invited to")
    clean(page)
    page.get_by_label("Your name").fill("N" * 120)
    page.evaluate("document.querySelector('[name=password]').removeAttribute('minlength')")
    page.get_by_label("Choose a password").fill("short")
    page.get_by_role("button", name="Create the account and join").click()
    expect(page.get_by_role("alert")).to_contain_text("8 to 200 characters")
    clean(page)
    page.get_by_label("Choose a password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/ws/payments/**")
    page.goto(path)
    expect(page.get_by_role("heading", level=1)).to_contain_text("has ended")
    clean(page)


def test_whoever_has_an_account_is_led_through_the_sign_in(visit, invited):
    path = invited(HOLDER)
    page = visit(None, path)
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    clean(page)
    page = visit("alice", path)
    expect(page.get_by_text("Sign out, and open the link again.")).to_be_visible()
    clean(page)
    page = visit("account.holder", path)
    clean(page)
    page.get_by_role("button", name="Accept").click()
    page.wait_for_url("**/ws/payments/**")


def test_an_invitation_stands_on_the_page_of_members_until_it_is_withdrawn(visit, invited):
    invited(ABSENT)
    page = visit("alice", MEMBERS)
    expect(page.get_by_text(ABSENT).first).to_be_visible()
    clean(page)
