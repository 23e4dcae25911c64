"""More workspaces than are drawn at first: the next ones come on demand, and what is there stays."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine, text

from storage import embedded
from tests.deep import long
from tests.site.conftest import ROOT
from tests.site.test_page import drawn, violations

MANY = 80


@pytest.fixture(scope="module", autouse=True)
def frank(site) -> Iterator[None]:
    """Viewer of eighty workspaces that nobody else sees, one of them with a snapshot."""
    engine = create_engine(embedded.start(site.data_dir).set(database=embedded.DATABASE))
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into app_user (email, password_hash) select 'frank@demo.example',"
                " password_hash from app_user where email = 'alice@demo.example'"
            )
        )
        connection.execute(
            text(
                "with made as (insert into workspace (slug, name)"
                " select 'many-' || n, 'Many ' || to_char(n, 'FM000') from generate_series(1, :n) n"
                " returning id)"
                " insert into membership (workspace_id, user_id, role)"
                " select m.id, u.id, 'platform_admin' from made m, app_user u"
                " where u.email = 'frank@demo.example'"
            ),
            {"n": MANY},
        )
        connection.execute(
            text(
                "update workspace set snapshot_day = (select max(snapshot_day) from workspace)"
                " where slug like 'many-%'"
            )
        )
    command = [sys.executable, "-m", "flask", "--app", "app", "snapshot", "run"]
    subprocess.run([*command, "--workspace", "many-1"], cwd=ROOT, env=site.environment, check=True)
    yield
    engine.dispose()
    embedded.stop(site.data_dir)


def opened(visit) -> Page:
    page = drawn(visit("frank", "/"))
    page.get_by_role("button", name="Delivery (DORA)").click()
    expect(page.locator("article")).to_have_count(24)
    return page


def test_the_next_cards_come_behind_those_that_are_there(look):
    page = opened(look)
    expect(page.locator(".expansion-count")).to_contain_text("24 of 80, worst first by")
    page.locator("article").first.evaluate("card => { card.mine = true; }")
    more = page.get_by_role("button", name="Show more")
    more.focus()
    page.keyboard.press("Enter")
    expect(page.locator("article")).to_have_count(72)
    expect(page.locator("#live")).to_have_text("72 of 80 workspaces")
    expect(page.locator(".expansion-count")).to_contain_text("72 of 80, worst first by")
    expect(more).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("article")).to_have_count(MANY)
    expect(more).to_have_count(0)
    expect(page.locator("article").nth(72).get_by_role("link").first).to_be_focused()
    assert page.locator("article").first.evaluate("card => card.mine"), "drawn again"
    ranks = page.locator("article .rank").all_inner_texts()
    assert ranks == [str(n) for n in range(1, MANY + 1)]
    names = [a.get_attribute("aria-labelledby") for a in page.locator("article").all()]
    assert len(set(names)) == MANY
    assert violations(page) == []


@long("tests/site/test_long_lists.py::test_the_next_cards_come_behind_those_that_are_there")
def test_comparing_leaves_the_cards_where_they_are(look):
    page = opened(look)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator("article")).to_have_count(72)
    pin = page.locator(".pin").nth(60)
    pin.click()
    expect(pin).to_have_attribute("aria-pressed", "true")
    expect(pin).to_contain_text("Pinned")
    expect(page.get_by_role("heading", name=re.compile("compared"))).to_be_visible()
    expect(page.locator("article")).to_have_count(72)
    page.get_by_role("button", name="Clear").click()
    expect(pin).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("heading", name=re.compile("compared"))).to_have_count(0)
    expect(page.locator("article")).to_have_count(72)


@long("tests/site/test_long_lists.py::test_the_next_cards_come_behind_those_that_are_there")
def test_another_order_begins_anew(look):
    page = opened(look)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator("article")).to_have_count(72)
    page.keyboard.press("/")
    page.keyboard.type("Many 07")
    expect(page.locator("article")).to_have_count(10)
    expect(page.locator(".expansion-count")).to_contain_text("10 of 80")
    expect(page.locator("#find")).to_be_focused()
    page.locator("#find").fill("")
    expect(page.locator("article")).to_have_count(24)
    expect(page.locator(".expansion-count")).to_contain_text("24 of 80")
    page.get_by_role("button", name="Table").click()
    rows = page.locator(".expansion tbody tr")
    expect(rows).to_have_count(24)
    page.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(72)
    assert violations(page) == []


def test_cards_of_figures_that_are_gone_are_not_mixed_with_new_ones(look):
    page = opened(look)
    page.locator("[data-more]").evaluate("button => { button.dataset.order = 'another'; }")
    page.get_by_role("button", name="Show more").click()
    page.wait_for_timeout(500)
    expect(page.locator("article")).to_have_count(24)


@long("tests/site/test_long_lists.py::test_the_next_cards_come_behind_those_that_are_there")
def test_a_failure_can_be_tried_again(look):
    page = opened(look)
    page.route("**/_dash-update-component*", lambda route: route.fulfill(status=503))
    page.get_by_role("button", name="Show more").click()
    expect(page.locator("#toasts")).to_contain_text("can not be reached")
    page.unroute_all()
    page.get_by_role("button", name="Show more").click()
    expect(page.locator("article")).to_have_count(72)
