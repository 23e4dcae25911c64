"""The watch over a whole scope: told to whoever may see each of its workspaces, and to nobody else."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from aggregators.vocabulary.period import Ask
from reading import dashboard
from reading.signals import night, words
from reading.signals.open_signals import DriftSignal
from reading.signals.whole import shown
from storage.context import as_viewer
from storage.viewer import Viewer
from tests.conftest import TODAY
from tests.deep import long
from tests.reading.signals.watched import after_the_night
from tests.stored_rows import built_once
from tests.world import World, at

LAST = TODAY - timedelta(days=1)
FIRST = LAST - timedelta(days=119)
DRIFT = LAST - timedelta(days=20)
CFR = "failed_deployments/ended_deployments"
SLUGS = ("ada", "bell", "curie", "darwin")


def deployments(numbers: np.random.Generator) -> list[dict[str, object]]:
    """Three a day, of which twice as many fail since the drift: too few to be told in one workspace."""
    rows = []
    for day in (FIRST + timedelta(days=n) for n in range(120)):
        rate = 0.3 if day >= DRIFT else 0.1
        for number in range(3 if day.weekday() < 5 else 1):
            outcome = "failed" if numbers.random() < rate else "successful"
            row = {"key": f"{day}-{number}", "completed_at": at(day, number + 1)}
            rows.append({**row, "outcome": outcome, "environment": "production"})
    return rows


@pytest.fixture
def world(database, settings) -> World:
    return built_once(database, __name__, lambda: drifting_together(World(database, settings)))


@pytest.fixture
def watched(database, settings) -> World:
    """World of this file after the watch of its last night."""
    return built_once(
        database,
        f"{__name__} watched",
        lambda: after_the_night(database, settings, drifting_together),
    )


def drifting_together(made: World) -> World:
    """Four teams with a few deployments each, of which more fail since the same day."""
    made.alice = made.person("alice@x.example")
    numbers = np.random.default_rng(11)
    made.ids = {}
    for slug in SLUGS:
        made.ids[slug] = made.workspace(slug)
        made.member(made.alice, made.ids[slug], "platform_admin")
        made.add(made.ids[slug], "deployment", deployments(numbers))
    made.backfill(FIRST, LAST)
    return made


def told(world: World, viewer: Viewer) -> list[DriftSignal]:
    return [s for s in shown.read(world.database, viewer) if s.ended_on is None]


def since_on_the_tile(world: World, viewer: Viewer, settings) -> date | None:
    read = dashboard.read(world.database, viewer, Ask(28), settings)
    return read.scorecard("dora").figures["change_failure_rate"].drifting_since


def test_what_all_do_together_is_told_since_when_though_no_workspace_is(watched, settings):
    (drift,) = told(watched, watched.alice)
    assert (drift.series, drift.grade) == (CFR, "drifting")
    assert abs((drift.since - DRIFT).days) <= drift.give_or_take
    assert words.sentence(drift).startswith(
        "All your workspaces together: change failure rate drifts"
    )
    assert since_on_the_tile(watched, watched.alice, settings) == drift.since
    cards = (
        dashboard.read(watched.database, watched.alice, Ask(28), settings).scorecard("dora").cards
    )
    rates = [card.figures["change_failure_rate"].drifting_since for card in cards]
    assert rates == [None] * len(SLUGS)


def test_it_is_of_the_sum_of_the_records(watched):
    """Usual is the fading share of all failures up to 28 days ago, now the share since it began."""
    (drift,) = told(watched, watched.alice)
    with watched.database.job.begin() as connection:
        rows = []
        for id in watched.ids.values():
            connection.execute(text("select vigilo.enter('job', :w)"), {"w": id})
            query = "select completed_at::date as day, outcome = 'failed' as failed from deployment"
            rows += connection.execute(text(query)).all()
    weights = {
        row: 0.5 ** ((LAST - timedelta(days=28) - row.day).days / 150)
        for row in set(rows)
        if row.day <= LAST - timedelta(days=28)
    }
    past = [(weights[row], row.failed) for row in rows if row in weights]
    usual = sum(w for w, failed in past if failed) / sum(w for w, _ in past)
    recent = [row.failed for row in rows if row.day >= drift.since]
    assert drift.usual == pytest.approx(usual, rel=1e-9)
    assert drift.now == pytest.approx(sum(recent) / len(recent), rel=1e-9)


def test_nobody_is_told_of_a_scope_that_is_not_theirs(world, settings):
    bob, carol = world.person("bob@x.example"), world.person("carol@x.example")
    for slug in SLUGS[:2]:
        world.member(bob, world.ids[slug], "platform_admin")
        world.member(carol, world.ids[slug], "viewer")
    night.run(world.database, LAST)
    assert told(world, carol) == []
    sums = {viewer.email: told(world, viewer) for viewer in (world.alice, bob)}
    assert sums["alice@x.example"]
    assert [s.usual for s in sums["bob@x.example"]] != [s.usual for s in sums["alice@x.example"]]
    world.revoke(world.alice, world.ids["darwin"])
    assert told(world, world.alice) == []
    assert since_on_the_tile(world, world.alice, settings) is None
    night.run(world.database, LAST)
    (drift,) = told(world, world.alice)
    assert drift.usual != sums["alice@x.example"][0].usual


def test_the_web_role_can_read_the_table_in_no_way(watched):
    with (
        as_viewer(watched.database.web, watched.alice) as connection,
        pytest.raises(ProgrammingError, match="permission denied"),
    ):
        connection.execute(text("select * from scope_watch"))


def test_of_one_workspace_alone_its_own_series_tell(world):
    dora = world.person("dora@x.example")
    world.member(dora, world.ids["ada"], "platform_admin")
    night.run(world.database, LAST)
    with world.database.job.begin() as connection:
        people = connection.execute(text("select user_id from scope_watch")).scalars().all()
    assert people == [world.alice.user_id]


@long("tests/reading/signals/test_night.py::test_night_after_night_tells_the_same_as_all_at_once")
def test_night_after_night_tells_the_same_as_all_at_once(world):
    for back in (3, 2, 1, 0):
        night.run(world.database, LAST - timedelta(days=back))
    nightly = told(world, world.alice)
    with world.database.job.begin() as connection:
        connection.execute(text("delete from scope_watch"))
    night.run(world.database, LAST)
    (at_once,) = told(world, world.alice)
    (nightly_one,) = nightly
    assert (nightly_one.since, nightly_one.usual) == (at_once.since, pytest.approx(at_once.usual))
    assert nightly_one.evidence == pytest.approx(at_once.evidence, abs=1e-6)


def test_a_person_who_leaves_takes_their_sums_with_them(watched):
    for slug in SLUGS:
        watched.revoke(watched.alice, watched.ids[slug])
    night.run(watched.database, LAST)
    with watched.database.job.begin() as connection:
        assert connection.execute(text("select count(*) from scope_watch")).scalar_one() == 0


def test_scopes_of_unequal_age_go_on_together(world):
    night.run(world.database, LAST - timedelta(days=2))
    bob = world.person("bob@x.example")
    for slug in SLUGS[1:]:
        world.member(bob, world.ids[slug], "platform_admin")
    for back in (1, 0):
        night.run(world.database, LAST - timedelta(days=back))
    together = {v.email: told(world, v) for v in (world.alice, bob)}
    for viewer in (world.alice, bob):
        with world.database.job.begin() as connection:
            connection.execute(text("delete from scope_watch"))
        night.run(world.database, LAST)
        for one, alone in zip(together[viewer.email], told(world, viewer), strict=True):
            assert (one.series, one.since) == (alone.series, alone.since)
            assert one.evidence == pytest.approx(alone.evidence, abs=1e-6)
