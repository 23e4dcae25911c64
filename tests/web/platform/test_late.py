"""Sources that fell silent are told over the figures that they feed, to those who look after them."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from auth import tokens
from ingest.pulling import store
from ingest.pulling.runner import SourceContext
from ingest.pulling.store import NewSource
from tests.web.test_callbacks import body, send
from tests.webworld import WebWorld

SILENT = "update source set last_success_at = now() - interval '3 hours 5 minutes'"


@pytest.fixture
def source(web: WebWorld) -> int:
    """PagerDuty of the organisation, every five minutes."""
    database, alice = web.world.database, web.people["alice"]
    new = NewSource("pagerduty", "Our pager", {}, "secret")
    box = SourceContext(database, web.world.settings).box
    return store.create(database.job, box, new, (alice.user_id, alice.email))


def change(web: WebWorld, statement: str) -> None:
    with web.world.database.job.begin() as connection:
        connection.execute(text(statement))


def test_a_silent_source_is_told_with_its_domain_and_how_long_ago(web, source):
    change(web, SILENT)
    told = send(web.sign_in("alice"), body()).text
    assert "Some of what is shown may be behind." in told
    assert "Incidents: last read 3 h 5 min ago from Our pager" in told


def marks(told: str) -> dict[str, str]:
    """Marks of the tiles: their words by the tile's domain."""
    told = told.encode().decode("unicode_escape").replace('\\"', '"')
    tiles = re.findall(r'<section id="tile-(\w+)".*?</section>', told, re.DOTALL)
    assert len(tiles) == 6
    parts = re.split(r'<section id="tile-(\w+)"', told)
    found = {key: re.search(r'class="tile-late"[^>]*aria-label="([^"]*)"', part)
             for key, part in zip(parts[1::2], parts[2::2], strict=True)}  # fmt: skip
    return {key: match[1] for key, match in found.items() if match}


def test_the_tile_of_the_domain_that_it_feeds_has_a_mark_in_words(web, source, monkeypatch):
    monkeypatch.setattr("web.platform.sources.broken.SECONDS", -1.0)
    change(web, SILENT)
    told = send(web.sign_in("alice"), body()).text
    words = "Incidents may be behind: last read 3 h 5 min ago from Our pager"
    assert marks(told) == {"incidents": words}
    change(web, "update source set last_success_at = now()")
    fresh = send(web.sign_in("alice"), body()).text
    assert marks(fresh) == {}
    assert "<!--late" not in fresh


def test_the_api_says_which_domains_are_behind_to_whoever_looks_after_them(web, source):
    change(web, SILENT)
    alice = web.sign_in("alice")
    told = alice.get("/api/v1/platform/sources/late").json
    (one,) = told["sources"]
    assert (one["name"], one["domains"]) == ("Our pager", ["incidents"])
    assert 11_000 < one["seconds"] < 11_200
    assert web.sign_in("bob").get("/api/v1/platform/sources/late").json == {"sources": []}
    assert web.sign_in("viewer").get("/api/v1/platform/sources/late").json == {"sources": []}
    token = tokens.create(web.world.database.job, "alice@x.example")
    bearer = {"Authorization": f"Bearer {token}"}
    by_token = web.browser().get("/api/v1/platform/sources/late", headers=bearer).json
    assert [each["name"] for each in by_token["sources"]] == ["Our pager"]


@pytest.mark.parametrize(
    "statement",
    [
        "update source set last_success_at = now() - interval '12 minutes', state = 'failing'",
        f"{SILENT}, enabled = false",
    ],
)
def test_one_that_is_in_time_or_paused_is_not(web, source, statement):
    change(web, statement)
    assert "may be behind" not in send(web.sign_in("alice"), body()).text


def test_one_that_was_never_read_says_so(web, source):
    change(web, "update source set made_at = now() - interval '1 day'")
    told = send(web.sign_in("alice"), body()).text
    assert "Incidents: never read from Our pager" in told


def test_a_workspaces_source_is_its_keepers_affair(web, source):
    change(web, f"{SILENT}, home_workspace = {web.world.beta}")
    web.world.revoke(web.people["alice"], web.world.beta)
    assert "may be behind" not in send(web.sign_in("alice"), body()).text
