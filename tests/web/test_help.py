"""The help: articles of this product, found by their words, with the definitions from the code."""

from __future__ import annotations

import html
import re

import pytest
from flask.testing import FlaskClient

from aggregators.catalogue import DOMAINS
from tests.webworld import DAY, csrf
from web.help.articles import ARTICLES


def choose(browser: FlaskClient, name: str, value: str, **more: str) -> None:
    """Sets a setting of the organisation through its page."""
    form = {"name": name, "value": value, "since": DAY.isoformat(), "action": "set", **more}
    sent = browser.post("/admin/settings", data=form, headers=csrf(browser))
    assert sent.status_code == 302, sent.text


def words(browser: FlaskClient, article: str) -> str:
    """Text of an article."""
    page = browser.get(f"/help/{article}").text
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", page)).split())


@pytest.mark.parametrize("article", ARTICLES, ids=lambda each: each.slug)
def test_every_article_can_be_read(web, article):
    page = web.sign_in("bob").get(f"/help/{article.slug}")
    assert page.status_code == 200
    assert article.title in html.unescape(page.text)


def test_the_definitions_are_those_of_the_code(web):
    text = html.unescape(web.sign_in("bob").get("/help/definitions").text)
    assert all(m.definition in text for domain in DOMAINS for m in domain.measures)


def test_how_the_organisation_counts_is_what_its_settings_say(web):
    bob = web.sign_in("bob")
    assert "Sprint length 14 days As declared" in words(bob, "figures")
    assert "365 / 365 / 730 / 730 days As declared" in words(bob, "figures")
    alice = web.sign_in("alice")
    choose(alice, "sprint_days", "21")
    choose(alice, "review_days", "90, 180, 365, 730", confirmed="yes")
    told = words(bob, "figures")
    assert "Sprint length 21 days Chosen by the organisation, from 22 Nov 2026" in told
    assert "90 / 180 / 365 / 730 days Chosen by the organisation, from 22 Nov 2026" in told
    assert "alice@x.example" not in told


def test_the_targets_of_the_definitions_are_those_of_the_organisation(web):
    bob = web.sign_in("bob")
    assert "Target: under 15.0 %, watched from 10.0 %. As declared" in words(bob, "definitions")
    choose(web.sign_in("alice"), "dora.change_failure_rate", "12.5", watch="8 %")
    told = words(bob, "definitions")
    assert "Target: at most 12.5 %, watched beyond 8.0 %. Chosen by the organisation" in told
    assert "under 15.0 %" not in told


def test_an_article_is_found_by_words_of_its_text(web):
    browser = web.sign_in("bob")
    text = browser.get("/help?q=strict+residency").text
    assert "Residency and data protection</a></h3>" in text
    assert "Nothing has these words" in browser.get("/help?q=xylophone").text


def test_what_is_searched_for_is_text_and_no_markup(web):
    assert "<script>alert" not in web.sign_in("bob").get("/help?q=<script>alert(1)</script>").text
