"""Ways of counting that change with the days: each day by its own, against the slow computation."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregators.chosen.changes import Steps
from aggregators.chosen.counting import CountingRules
from aggregators.chosen.known import find_setting
from aggregators.incidents.counts import FACTS as OF_INCIDENTS
from aggregators.vendors.counts import FACTS as OF_VENDORS
from ingest.desk.choosing import Choice, choose
from ingest.due.remake import remake
from reading.record_days import RecordDays
from storage.context import job_in
from storage.snapshot.tables import usage_snapshot
from tests.conftest import empty
from tests.deep import efforts
from tests.generated import LAST, teams, zones
from tests.plain.clock import Clock
from tests.plain.records import span_days
from tests.plain.snapshot import facts
from tests.storage.snapshot.stored import fill, rows
from tests.storage.snapshot.test_against_records import same_facts
from tests.world import World, at

CADENCE = st.lists(st.integers(1, 800), min_size=4, max_size=4)


def changing(values: st.SearchStrategy) -> st.SearchStrategy[Steps]:
    """Values that change on a few of the last days."""
    days = st.lists(st.integers(0, 40), max_size=3, unique=True).map(
        lambda ago: tuple(sorted(LAST - timedelta(days=n) for n in ago))
    )
    return days.flatmap(
        lambda since: st.tuples(*[values] * (len(since) + 1)).map(lambda v: Steps(since, v))
    )


@pytest.fixture
def installation(settings):
    """Settings of the program; Hypothesis has a name of its own for settings."""
    return settings


@pytest.mark.parametrize("effort", efforts(few=5, many=20, deep=200))
def test_each_day_is_counted_by_what_held_on_it(server, installation, effort):
    @effort
    @given(teams(), changing(CADENCE), changing(st.integers(1, 30)), zones)
    def holds(records, reviews, postmortems, zone):
        empty(server)
        world = World(server, installation.model_copy(update={"time_zone": zone}))
        made, first = fill(world, "team", records), LAST - timedelta(days=40)
        rules = CountingRules(zone, reviews, postmortems)

        def grace(day: date) -> timedelta:
            return timedelta(days=postmortems.on(day))

        clocks = [Clock(day, world.settings.zone) for day in span_days(first, LAST)]
        expected = {c.day: facts(records, c, reviews.on(c.day), grace) for c in clocks}
        with job_in(server.job, made) as connection:
            same_facts(
                RecordDays(connection, made, first, LAST, rules).facts(
                    (*OF_VENDORS, *OF_INCIDENTS)
                ),
                expected,
            )

    holds()


def test_a_change_counts_its_own_days_anew_and_no_other(database, settings):
    """A vendor reviewed 200 days ago: in review by a year, out of it by half a year."""
    world = World(database, settings)
    team = world.workspace("team")
    last = settings.now().date() - timedelta(days=1)
    since = last - timedelta(days=3)
    world.add(team, "vendor", [{"key": "v", "name": "V", "tier": 1}])
    reviewed = {"vendor": "v", "completed_on": last - timedelta(days=200)}
    world.add(team, "vendor_review", [reviewed])
    world.backfill(last - timedelta(days=9), last)
    setting = find_setting("review_days")
    value = setting.read("180, 365, 730, 730", "")
    choose(database, Choice(setting, value, since, "a@x.example"), "UTC")
    assert remake(database, settings, at_once=True) == 1
    out = {
        row["snapshot_date"]: row["tier1_out_of_review"]
        for row in rows(database, team)[usage_snapshot.name]
    }
    assert out == {day: float(day >= since) for day in span_days(last - timedelta(days=9), last)}


def test_another_zone_counts_every_day_anew(database, settings):
    """A deployment half an hour before midnight in UTC is of the next day in Berlin."""
    world = World(database, settings)
    team = world.workspace("team")
    last = settings.now().date() - timedelta(days=1)
    deployed = {"key": "d", "completed_at": at(last - timedelta(days=5), 23.5)}
    world.add(team, "deployment", [deployed | {"outcome": "successful"}])
    world.backfill(last - timedelta(days=9), last)
    setting = find_setting("time_zone")
    choose(database, Choice(setting, "Europe/Berlin", last, "a@x.example"), "UTC")
    assert remake(database, settings, at_once=True) == 1
    totals = [
        row["successful_deployments_total"] for row in rows(database, team)[usage_snapshot.name]
    ]
    assert totals == [0.0] * 5 + [1.0] * 5
