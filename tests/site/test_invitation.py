"""Pages of an invitation, as axe sees them: whoever opens the link, signed in, with an account, without."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.deep import all_but
from tests.site.conftest import PASSWORD, BrowsedSite
from tests.site.test_page import clean_in

MEMBERS = "/ws/payments/admin/members"
PHONE = ((320, "light"),)
EVERY = tuple((width, scheme) for width in (1280, 320) for scheme in ("light", "dark"))


@dataclass(frozen=True)
class Invited:
    """Guests of a workspace, without an account, with one, and one that never comes; the path of each one's
    link; and how their pages are looked at."""

    newcomer: str
    holder: str
    absent: str
    paths: dict[str, str]
    looks: tuple[tuple[int, str], ...]

    def clean(self, page: Page) -> None:
        """Nothing to find, and nothing wider than the screen."""
        for width, scheme in self.looks:
            page.set_viewport_size({"width": width, "height": 800})
            clean_in(page, scheme)
            assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.fixture(scope="module", params=all_but([PHONE], [PHONE, EVERY]))
def invited(request: pytest.FixtureRequest, site: BrowsedSite) -> Iterator[Invited]:
    """An account that nobody else uses; who came goes again, and whoever never came is invited no more."""
    n = len(request.param)
    newcomer, holder, absent = (
        f"new.colleague{n}@example.com", f"account.holder{n}@demo.example", f"never.came{n}@example.com",
    )  # fmt: skip
    everyone = (newcomer, holder, absent)
    told = site.flask_each(
        ("user", "create", holder),
        *(("member", "invite", email, "payments", "viewer", "--link") for email in everyone),
        typed=PASSWORD,
    )
    paths = [urlsplit(link).path for link in re.findall(r"http\S+", told)]
    yield Invited(*everyone, dict(zip(everyone, paths, strict=True)), request.param)
    site.flask_each(
        ("member", "revoke", newcomer, "payments"),
        ("member", "revoke", holder, "payments"),
        ("member", "uninvite", absent, "payments"),
    )


def test_whoever_has_no_account_makes_one_and_comes_in(visit, invited):
    path, clean = invited.paths[invited.newcomer], invited.clean
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


def test_whoever_has_an_account_is_led_through_the_sign_in(look, invited):
    path, clean = invited.paths[invited.holder], invited.clean
    page = look(None, path)
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    clean(page)
    page = look("alice", path)
    expect(page.get_by_text("Sign out, and open the link again.")).to_be_visible()
    clean(page)
    page = look(invited.holder.partition("@")[0], path)
    clean(page)
    page.get_by_role("button", name="Accept").click()
    page.wait_for_url("**/ws/payments/**")


def test_an_invitation_stands_on_the_page_of_members_until_it_is_withdrawn(look, invited):
    page = look("alice", MEMBERS)
    expect(page.get_by_text(invited.absent).first).to_be_visible()
    invited.clean(page)
