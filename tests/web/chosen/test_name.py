"""Name that people have given their organisation: told wherever it is named, over what is configured."""

from __future__ import annotations

import re

import pytest

from tests.web.chosen.test_page import PATH, audited, marked, row, send
from tests.webworld import API, PASSWORD, WebWorld
from web.server.installation import Installation

NAME = "org_name"


def fresh(web: WebWorld, settings) -> Installation:
    """The installation as a process that starts now has it."""
    return Installation(settings, web.world.database)


def test_it_is_chosen_on_the_page_told_everywhere_and_audited(web, settings):
    alice = web.sign_in("alice", PASSWORD)
    before = settings.org_name
    assert row(alice.get(PATH).text, "Organisation’s name").startswith(before)
    assert send(alice, NAME, "  Łódź \t Holdings ").status_code == 302
    assert marked(web) == 0, "no day is counted anew for a name"
    assert audited(web)[-1] == ("alice@x.example", NAME, {"to": "Łódź Holdings"})
    told = row(alice.get(PATH).text, "Organisation’s name")
    assert told.startswith("Łódź Holdings Set here alice@x.example")
    assert "holds from" not in told
    page = alice.get(PATH).text
    assert re.search(r"<b[^>]*>Łódź Holdings</b>", page)
    assert alice.get(f"{API}?period=7").json["organisation"] == "Łódź Holdings"
    assert "Łódź Holdings" in web.browser().get("/login").text


def test_what_was_read_before_is_no_answer_any_more(web):
    alice = web.sign_in("alice", PASSWORD)
    tag = {"If-None-Match": alice.get(f"{API}?period=7").headers["ETag"]}
    assert alice.get(f"{API}?period=7", headers=tag).status_code == 304
    send(alice, NAME, "Northwind")
    assert alice.get(f"{API}?period=7", headers=tag).status_code == 200


def test_taken_back_the_configured_one_holds(web, settings):
    alice = web.sign_in("alice", PASSWORD)
    send(alice, NAME, "Northwind")
    assert fresh(web, settings).settings.organisation == "Northwind"
    assert send(alice, NAME, "", action="unset").status_code == 302
    assert fresh(web, settings).settings.organisation == settings.org_name


@pytest.mark.parametrize("value", ["", "   ", "x" * 121, "a\u202eb"])
def test_a_name_that_is_none_is_told_at_its_field(web, settings, value):
    answer = send(web.sign_in("alice", PASSWORD), NAME, value)
    assert answer.status_code == 422
    assert 'id="set-wrong"' in answer.text
    assert fresh(web, settings).settings.organisation == settings.org_name


def test_it_is_no_workspaces(web):
    assert send(web.sign_in("alice", PASSWORD), NAME, "X", workspace="alpha").status_code == 422
