"""The nightly watch on a real database: it names the workspace that drifts, and keeps its state."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from sqlalchemy import text

from aggregators.pooling.contributions import DRIFT as BY_DRIFT
from aggregators.pooling.contributions import in_order, orders_of
from aggregators.signal.scatter import Scatter
from aggregators.vocabulary.period import Ask
from aggregators.words import slow_to_tell
from reading import dashboard
from reading.caching.cached_dashboard import read_cached
from reading.caching.dashboard_cache import DashboardCache
from reading.encode import dashboard_json
from reading.signals import night, open_signals
from storage.context import as_viewer, job_in
from storage.executive.memberships import memberships
from storage.viewer import Viewer
from storage.watch import store
from tests.conftest import TODAY
from tests.deep import long
from tests.reading.signals.watched import after_the_night
from tests.stored_rows import built_once
from tests.world import World, at

LAST = TODAY - timedelta(days=1)
FIRST = LAST - timedelta(days=199)
DRIFT = LAST - timedelta(days=20)
CFR = "failed_deployments/ended_deployments"


@pytest.fixture
def world(database, settings) -> World:
    return built_once(database, __name__, lambda: one_that_drifts(World(database, settings)))


@pytest.fixture
def watched(database, settings) -> World:
    """World of this file after the watch of its last night."""
    return built_once(
        database,
        f"{__name__} watched",
        lambda: after_the_night(database, settings, one_that_drifts),
    )


def one_that_drifts(made: World) -> World:
    """Four calm teams and one whose deployments fail three times as often for three weeks."""
    made.alice = made.person("alice@x.example")
    numbers = np.random.default_rng(5)
    for slug in ("calm", "quiet", "still", "steady", "payments"):
        workspace_id = made.workspace(slug)
        made.member(made.alice, workspace_id, "platform_admin")
        made.add(workspace_id, "deployment", deployments(numbers, drifts=slug == "payments"))
    made.backfill(FIRST, LAST)
    return made


def deployments(numbers: np.random.Generator, *, drifts: bool) -> list[dict[str, object]]:
    rows = []
    for day in (FIRST + timedelta(days=n) for n in range(200)):
        rate = 0.45 if drifts and day >= DRIFT else 0.1
        for number in range(10):
            outcome = "failed" if numbers.random() < rate else "successful"
            key = f"{day}-{number}"
            row = {"key": key, "completed_at": at(day, number + 1), "outcome": outcome}
            rows.append({**row, "environment": "production"})
    return rows


def signals(world: World) -> list[tuple[str, str, date]]:
    read = open_signals.read(world.database, world.alice, LAST)
    return [(s.workspace.slug, s.series, s.since) for s in read if s.ended_on is None]


def test_the_workspace_that_drifts_is_named_with_the_day_since_when(world):
    outcome = night.run(world.database, LAST)
    assert (outcome.workspaces, outcome.rebuilt) == (5, True)
    ((slug, series, since),) = signals(world)
    assert (slug, series) == ("payments", CFR)
    assert abs((since - DRIFT).days) <= 5


def test_night_after_night_tells_the_same_as_all_at_once(world):
    for back in (3, 2, 1, 0):
        outcome = night.run(world.database, LAST - timedelta(days=back))
        assert outcome.rebuilt == (back == 3)
    nightly = evidence(world)
    world.sql("delete from watch_day")
    for workspace_id in ids(world):
        with job_in(world.database.job, workspace_id) as connection:
            connection.execute(text("delete from watch_state"))
    night.run(world.database, LAST)
    at_once = evidence(world)
    assert nightly[CFR] == pytest.approx(at_once[CFR], abs=1e-9)
    for series, values in at_once.items():
        assert nightly[series] == pytest.approx(values, abs=0.5), series


def ids(world: World) -> list[int]:
    with world.database.job.connect() as connection:
        return list(connection.execute(text("select id from workspace order by id")).scalars())


def evidence(world: World) -> dict[str, list[float]]:
    told: dict[str, list[float]] = {}
    for workspace_id in ids(world):
        with job_in(world.database.job, workspace_id) as connection:
            for row in connection.execute(text("select series, evidence from watch_series")):
                told.setdefault(row.series, []).append(row.evidence)
    return told


def test_the_same_night_again_changes_nothing(watched):
    first = signals(watched), evidence(watched)
    outcome = night.run(watched.database, LAST)
    assert not outcome.rebuilt
    assert signals(watched) == first[0]
    for series, values in evidence(watched).items():
        slack = 0.5 if "/" not in series else 1e-9  # the shares of the last 28 days settle
        assert values == pytest.approx(first[1][series], abs=slack), series


@long("tests/reading/signals/test_night.py::test_night_after_night_tells_the_same_as_all_at_once")
def test_a_backfill_of_long_ago_builds_the_state_anew(world):
    night.run(world.database, LAST)
    world.backfill(FIRST, FIRST + timedelta(days=3))
    assert night.run(world.database, LAST).rebuilt


def test_nobody_sees_a_signal_of_a_workspace_that_is_not_theirs(watched):
    bob = watched.person("bob@x.example")
    watched.member(bob, ids(watched)[0], "platform_admin")
    assert open_signals.read(watched.database, bob, LAST) == []
    watched.revoke(watched.alice, ids(watched)[-1])
    assert signals(watched) == []


def test_the_card_says_since_when_it_drifts_and_chips_read_the_stored_scatter(world, settings):
    before = dashboard.version(world.database, world.alice, Ask(28), settings)
    night.run(world.database, LAST)
    shown = dashboard.read(world.database, world.alice, Ask(28), settings)
    assert shown.version != before
    cards = {c.slug: c.figures["change_failure_rate"] for c in shown.scorecard("dora").cards}
    assert abs((cards["payments"].drifting_since - DRIFT).days) <= 5
    assert cards["calm"].drifting_since is None
    assert cards["payments"].verdict == "worse"
    assert {cards[slug].verdict for slug in ("calm", "quiet", "still", "steady")} <= {
        "within_noise", "likely_better", "likely_worse",
    }  # fmt: skip


def test_the_loop_over_the_scope_reads_the_scatter_that_each_workspace_reads_alone(watched):
    whole = scatter(watched, watched.alice)
    with as_viewer(watched.database.web, watched.alice) as connection:
        for own in memberships(connection):
            alone = open_signals.own_scatter(connection, own, FIRST)
            assert alone.stretch == whole.stretch
            for series, by_slug in alone.dispersion.items():
                assert by_slug == {own.slug: whole.dispersion[series][own.slug]}
    (drifts,) = whole.drifts.values()
    assert set(drifts) == {"payments"}
    assert abs((drifts["payments"] - DRIFT).days) <= 5


def test_the_scatter_of_a_workspace_is_for_its_platform_admins_alone(watched):
    bob, carol = watched.person("bob@x.example"), watched.person("carol@x.example")
    watched.member(bob, ids(watched)[0], "platform_admin")
    watched.member(carol, ids(watched)[-1], "viewer")
    seen = scatter(watched, bob)
    assert {slug for known in seen.dispersion.values() for slug in known} == {"calm"}
    assert seen.drifts == {}
    assert (scatter(watched, carol).dispersion, scatter(watched, carol).drifts) == ({}, {})
    watched.revoke(watched.alice, ids(watched)[-1])
    seen = scatter(watched, watched.alice)
    assert "payments" not in {slug for known in seen.dispersion.values() for slug in known}
    assert seen.drifts == {}


def test_a_drift_that_somebody_called_noise_is_none(watched):
    with job_in(watched.database.job, ids(watched)[-1]) as connection:
        connection.execute(text("update watch_signal set state = 'dismissed'"))
    assert scatter(watched, watched.alice).drifts == {}


def scatter(world: World, viewer: Viewer) -> Scatter:
    with world.database.job.connect() as connection:
        slugs = {
            row.id: row.slug for row in connection.execute(text("select id, slug from workspace"))
        }
    with as_viewer(world.database.web, viewer) as connection:
        return open_signals.scatter(connection, slugs, FIRST)


def test_by_drift_the_strongest_evidence_stands_first_and_few_events_are_said_to_need_time(
    watched, settings
):
    shown = dashboard.read(watched.database, watched.alice, Ask(7), settings).scorecard("dora")
    ranked = in_order(shown, "change_failure_rate", BY_DRIFT)
    assert (ranked.order, ranked[0].slug, ranked[0].rank) == (BY_DRIFT, "payments", 1)
    watched = shown.cards.grid.tables["change_failure_rate"].watched
    told = watched.evidence[ranked.rows("change_failure_rate")]
    assert list(told) == sorted(told, reverse=True)
    assert BY_DRIFT in orders_of(shown, "change_failure_rate")
    for card in ranked:
        figure = card.figures["change_failure_rate"]
        words = slow_to_tell(figure)
        assert words.endswith(f" would show after about {round(figure.days_to_tell, -1):.0f} days")


def test_open_signals_are_counted_as_the_page_lists_them(watched):
    assert counted(watched, TODAY) == (1, 1)
    with job_in(watched.database.job, ids(watched)[-1]) as connection:
        connection.execute(
            text("update watch_signal set state = 'snoozed', until = :until"), {"until": TODAY}
        )
    assert counted(watched, LAST) == (0, 0)
    assert counted(watched, TODAY) == (1, 1)
    watched.revoke(watched.alice, ids(watched)[-1])
    assert counted(watched, TODAY) == (0, 0)


def counted(world, today):
    """Open and new signals as the summary has them; the new ones that it tells are those of the page."""
    listed = open_signals.read(world.database, world.alice, today)
    with as_viewer(world.database.web, world.alice) as connection:
        told = open_signals.summary(connection, today, 9)
        assert open_signals.summary(connection, today, 0).newest == ()
    shown = [s for s in listed if s.ended_on is None and not s.is_hidden(today)]
    assert told.open_now == len(shown)
    assert list(told.newest) == [s for s in shown if s.is_new(told.night)]
    assert told.fresh == len(told.newest)
    return told.open_now, told.fresh


def test_what_drifts_leaves_what_was_expected_and_what_is_calm_stays_within(watched, settings):
    shown = dashboard.read(watched.database, watched.alice, Ask(28), settings).scorecard("dora")
    bands = {c.slug: c.figures["change_failure_rate"].band for c in shown.cards}
    assert bands["payments"].outside[-7:].all()
    assert not bands["payments"].outside[:5].any()
    for slug in ("calm", "quiet", "still", "steady"):
        assert bands[slug].outside.sum() <= 1
    for key in ("change_failure_rate", "deploy_frequency"):
        band = shown.figures[key].band
        values = [value for _, value in shown.figures[key].series]
        within = (band.low - 1e-9 <= values) & (values <= band.high + 1e-9)
        assert within[:5].all()
        assert len(band.low) == len(values)


def test_the_api_tells_where_each_workspaces_points_are_expected(watched, settings):
    shown = dashboard.read(watched.database, watched.alice, Ask(28), settings)
    told = {d["key"]: d for d in dashboard_json(shown)["domains"]}
    bands = 0
    for scorecard in shown.scorecards:
        answer = {w["slug"]: w["measures"] for w in told[scorecard.domain.key]["workspaces"]}
        for card in scorecard.cards:
            for key, figure in card.figures.items():
                expected = answer[card.slug][key]["expected"]
                assert (expected is None) == (figure.band is None)
                if figure.band is not None:
                    bands += 1
                    for name in ("low", "high"):
                        ends = np.array(expected[name], float)
                        assert ends == pytest.approx(
                            getattr(figure.band, name), rel=1e-3, nan_ok=True
                        )
                    assert expected["outside"] == figure.band.outside.tolist()
    assert bands >= 5
    rate = next(w for w in told["dora"]["workspaces"] if w["slug"] == "payments")
    assert all(rate["measures"]["change_failure_rate"]["expected"]["outside"][-7:])


def test_what_somebody_calls_noise_is_no_drift_any_more_in_dashboards_that_were_kept(
    watched, settings, tmp_path
):
    cache = DashboardCache(tmp_path / "cache")
    today = settings.now().date()

    def drifting(ask: Ask) -> dict[str, date]:
        shown = read_cached(watched.database, watched.alice, ask, settings, cache).scorecard("dora")
        figures = {card.slug: card.figures["change_failure_rate"] for card in shown.cards}
        return {
            slug: figure.drifting_since for slug, figure in figures.items() if figure.drifting_since
        }

    own_days = Ask(None, LAST - timedelta(days=12), LAST - timedelta(days=3))
    for ask in (Ask(7), own_days):
        assert set(drifting(ask)) == {"payments"}
    (signal,) = [
        s for s in open_signals.read(watched.database, watched.alice, today) if not s.ended_on
    ]
    key, workspace = (signal.series, signal.opened_on), signal.workspace.workspace_id
    noise = {"state": "dismissed", "until": None, "note": "", "by": "alice@x.example"}
    assert store.change(watched.database.job, workspace, key, noise)
    for ask in (Ask(7), own_days, Ask(None, LAST - timedelta(days=13), LAST)):
        assert drifting(ask) == {}
    assert store.change(watched.database.job, workspace, key, noise | {"state": "open"})
    assert set(drifting(Ask(7))) == {"payments"}
