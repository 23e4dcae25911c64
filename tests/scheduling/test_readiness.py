"""Asks of the last days are ready after a snapshot, as those who asked may see it now."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from aggregators.vocabulary.period import Ask
from reading.caching import cached_dashboard
from reading.caching.asks import AGAIN, remember, remembered_asks
from reading.caching.cached_dashboard import read_cached
from reading.caching.dashboard_cache import DashboardCache
from scheduling.context import ScheduleContext
from scheduling.readiness import make_ready
from storage.identity.proof import Credential, Proof
from storage.snapshot import job
from tests.conftest import TODAY
from tests.webworld import make

LAST = TODAY - timedelta(days=1)


@pytest.fixture
def site(database, settings, tmp_path):
    """A world with a snapshot, where Alice and Bob asked for four weeks in their browsers."""
    web = make(database, settings)
    own = settings.model_copy(update={"cache_dir": tmp_path / "cache"})
    cache = DashboardCache(tmp_path / "cache")
    for who in ("alice", "bob"):
        in_browser = Proof.of(Credential.SESSION, who)
        remember(cache, replace(web.people[who], proof=in_browser), Ask(28))
    assert job.run(database, LAST, own).failed == {}
    yield web, own, cache
    cache.close()


def test_after_a_snapshot_nobody_computes_what_was_asked_for_before(site, database, monkeypatch):
    web, own, cache = site
    context = ScheduleContext(database, own)
    assert make_ready(context) == 1  # Bob is no platform admin
    read_now = []
    whole = cached_dashboard.read
    monkeypatch.setattr(
        cached_dashboard, "read", lambda *given: read_now.append(given) or whole(*given)
    )
    read_cached(database, web.people["alice"], Ask(28), own, cache)
    assert read_now == []
    read_cached(database, web.people["alice"], Ask(90), own, cache)
    assert len(read_now) == 1


def test_each_snapshot_is_made_ready_once(site, database):
    _, own, _ = site
    context = ScheduleContext(database, own)
    assert [make_ready(context), make_ready(context)] == [1, 0]
    assert job.run(database, LAST, own).failed == {}
    assert make_ready(context) == 1


def test_who_was_revoked_or_deactivated_meanwhile_is_passed_over(site, database):
    _, own, _ = site
    with database.owner.begin() as connection:
        connection.execute(text("update app_user set is_active = false"))
    assert make_ready(ScheduleContext(database, own)) == 0


def test_a_snapshot_of_hours_ago_is_left_to_those_who_ask(site, database):
    _, own, _ = site
    late = own.model_copy(update={"today": None})
    with database.owner.begin() as connection:
        connection.execute(text("update snapshot_run set finished_at = now() - interval '2 hours'"))
    assert make_ready(ScheduleContext(database, late)) == 0


def test_asks_are_noted_once_an_hour_newest_first_and_none_on_anybodys_behalf(site, monkeypatch):
    web, _, cache = site
    alice = replace(web.people["alice"], proof=Proof.of(Credential.TOKEN, "t"))
    remember(cache, web.people["alice"], Ask(7))
    assert web.people["alice"].proof.kind is Credential.TICKET
    remember(cache, alice, Ask(None, LAST, LAST))
    assert {a.preset for a in remembered_asks(cache)} == {28}
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + AGAIN + 1)
    remember(cache, alice, Ask(28))
    assert [a.email for a in remembered_asks(cache)] == ["alice@x.example", "bob@x.example"]
