"""Every kind of measure, of random organisations: the dashboard equals the slow computation."""

from __future__ import annotations

import math
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregators.pooling.contributions import contributions
from aggregators.pooling.dashboard import Dashboard
from aggregators.pooling.figures import Figure
from aggregators.vocabulary.period import Ask
from reading.dashboard import read
from reading.workspace_page import read_workspace
from tests.conftest import empty
from tests.deep import efforts
from tests.generated import LAST, workspaces, zones
from tests.plain.records import RECORDS, Expected, Oracle, Records, quantile
from tests.world import World


def load(database, installation, organisation: list[Records]):
    """Puts an organisation into an emptied database, snapshots included; returns its admin."""
    empty(database)
    world = World(database, installation)
    alice = world.person("alice@x.example")
    for n, records in enumerate(organisation):
        slug = f"team-{n}"
        made = world.workspace(slug)
        world.member(alice, made, "platform_admin")
        for table in RECORDS:
            world.add(made, table, getattr(records, table))
        for first, last in _runs(sorted(records.days)):
            world.backfill(first, last, slug)
    return alice


def _runs(days: list[date]):
    """Consecutive days as (first, last)."""
    start = None
    for i, day in enumerate(days):
        start = start or day
        if i + 1 == len(days) or days[i + 1] != day + timedelta(days=1):
            yield start, day
            start = None


def agree(figure: Figure, expected: Expected | float | None, what: str) -> None:
    """The figure is the expected one, evidence included."""
    want = expected if isinstance(expected, Expected) else Expected(expected)
    if want.value is not None and math.isinf(want.value):
        assert figure.over_budget, what
        assert figure.value is None, what
        return
    assert figure.value == (None if want.value is None else pytest.approx(want.value)), what
    if want.denominator and figure.value is not None:
        assert figure.evidence.numerator == pytest.approx(want.numerator), what
        assert figure.evidence.denominator == pytest.approx(want.denominator), what


def agree_quantiles(figures, prefix50: str, prefix90: str, times: list[float]) -> None:
    for key, q in ((prefix50, 0.5), (prefix90, 0.9)):
        exact = quantile(times, q)
        if exact is None:
            assert figures[key].value is None, key
        elif exact < 1:
            assert figures[key].value == 0.0, key
        else:
            assert figures[key].value == pytest.approx(exact, rel=0.02), key
        assert (figures[key].evidence.n or 0) == len(times)


def check(dashboard: Dashboard, organisation: list[Records], zone: ZoneInfo) -> None:
    """Every card and the org, measure by measure."""
    period = dashboard.period
    for slug, members in [
        *((f"team-{n}", [records]) for n, records in enumerate(organisation)),
        (None, organisation),
    ]:
        oracle = Oracle(members, period.start, period.end, zone)
        figures = {
            s.domain.key: s.figures
            if slug is None
            else next(c for c in s.cards if c.slug == slug).figures
            for s in dashboard.scorecards
        }
        check_scope(figures, oracle, slug or "the organisation")


def check_series(dashboard: Dashboard, organisation: list[Records], zone: ZoneInfo) -> None:
    """Every point: rates and durations over the days up to it, levels as they stood then."""
    period = dashboard.period
    for slug, members in [
        *((f"team-{n}", [records]) for n, records in enumerate(organisation)),
        (None, organisation),
    ]:
        for domain, key in SERIES:
            scorecard = dashboard.scorecard(domain)
            figures = scorecard.figures if slug is None else scorecard.cards.find(slug).figures
            for end, value in figures[key].series:
                first = max(end - timedelta(days=period.step - 1), period.start)
                step = Oracle(members, first, end, zone)
                window = Oracle(members, end - timedelta(days=period.window - 1), end, zone)
                what = f"{slug}: {key} on {end}"
                if not step.days_seen():
                    assert value is None, what
                elif key in ("open", "expired"):
                    level = step.open().value if key == "open" else step.expired()
                    assert value == level, what
                elif key == "change_failure_rate":
                    assert value == pytest.approx(window.change_failure_rate().value), what
                elif slug is None or end in members[0].days:
                    times = (
                        window.lead_times() if key.startswith("lead") else window.recovery_times()
                    )
                    exact = quantile(times, 0.9 if key.endswith("p90") else 0.5)
                    near = None if exact is None else pytest.approx(exact, rel=0.02, abs=1)
                    assert value == near, what


SERIES = (
    ("dora", "change_failure_rate"),
    ("dora", "lead_time_for_changes"),
    ("dora", "lead_time_p90"),
    ("dora", "mttr"),
    ("incidents", "open"),
    ("certificates", "expired"),
)
"""A rate, durations, and levels."""


def check_contributions(dashboard: Dashboard) -> None:
    """Contributions of the workspaces add up to the organisation's change."""
    for scorecard in dashboard.scorecards:
        for key, figure in scorecard.figures.items():
            found = contributions(scorecard, key)
            assert {c.slug for c in found} <= {card.slug for card in scorecard.cards}
            if figure.delta is None:
                assert found == ()
            else:
                size = max(
                    abs(figure.value), abs(figure.previous), *(abs(c.total) for c in found), 0
                )
                total = sum(c.total for c in found)
                assert total == pytest.approx(figure.delta, abs=1e-9 * size), key


def check_scope(figures, oracle: Oracle, who: str) -> None:
    seen = oracle.days_seen()
    dora, incident = figures["dora"], figures["incidents"]
    assert dora["change_failure_rate"].evidence.days_seen == seen, who
    agree(dora["change_failure_rate"], oracle.change_failure_rate(), f"{who}: CFR")
    agree(dora["deploy_frequency"], oracle.deploy_frequency(), f"{who}: frequency")
    agree_quantiles(dora, "lead_time_for_changes", "lead_time_p90", oracle.lead_times())
    agree_quantiles(dora, "mttr", "mttr_p90", oracle.recovery_times())
    agree(incident["open"], oracle.open(), f"{who}: open")
    agree(incident["open_p1"], oracle.open("p1"), f"{who}: open p1")
    agree(incident["mtta"], oracle.mean("acknowledged_at"), f"{who}: MTTA")
    agree(incident["mttr"], oracle.mean("resolved_at"), f"{who}: MTTR")
    agree(incident["postmortem_coverage"], oracle.postmortem_coverage(), f"{who}: postmortems")
    assert (incident["opened"].evidence.n or 0) == oracle.opened(), who
    slos = figures["slos"]
    agree(slos["objectives_in_budget"], oracle.objectives_in_budget(), f"{who}: in budget")
    agree(slos["fastest_burn"], oracle.fastest_burn(), f"{who}: burn")
    compliance = figures["compliance"]
    for framework in ("SOC2", "HIPAA"):
        for key, expected in (
            ("pass_rate", oracle.pass_rate(framework)),
            ("coverage", oracle.coverage(framework)),
            ("days_to_lapse", Expected(oracle.days_to_lapse(framework))),
        ):
            found = (compliance[key].by or {}).get(framework)
            if found is None:
                assert expected.value is None, f"{who}: {framework} {key}"
            else:
                agree(found, expected, f"{who}: {framework} {key}")
    certs = figures["certificates"]
    for days in (7, 30, 90):
        agree(certs[f"within_{days}"], oracle.expiring(days), f"{who}: within {days}")
    agree(certs["expired"], oracle.expired(), f"{who}: expired")
    out, active, never = oracle.tier1()
    vendor = figures["vendors"]
    agree(vendor["tier1_out_of_review"], out, f"{who}: out of review")
    if out is not None:
        rate = Expected((active - out) / active if active else None, active - out, active)
        agree(vendor["tier1_in_review_rate"], rate, f"{who}: in review")
        agree(vendor["never_reviewed"], never, f"{who}: never reviewed")


@pytest.mark.parametrize("effort", efforts(few=4, many=10, deep=200))
def test_every_figure_equals_the_raw_records(server, settings_of_test, effort):
    @effort
    @given(
        st.lists(workspaces(), min_size=1, max_size=3),
        st.sampled_from([1, 7, 28, 45, 60, 90, 365]),
        zones,
    )
    def holds(organisation, length, zone):
        installation = settings_of_test.model_copy(update={"time_zone": zone})
        alice = load(server, installation, organisation)
        if not any(records.days for records in organisation):
            return
        start = LAST - timedelta(days=length - 1)
        dashboard = read(server, alice, Ask(None, start, LAST), installation)
        check(dashboard, organisation, installation.zone)
        check_series(dashboard, organisation, installation.zone)
        check_contributions(dashboard)
        for scorecard in dashboard.scorecards:
            for card in scorecard.cards:
                view = read_workspace(
                    server,
                    alice,
                    card.slug,
                    scorecard.domain.key,
                    Ask(None, start, LAST),
                    installation,
                )
                assert view.figures == card.figures

    holds()


@pytest.fixture
def settings_of_test(settings):
    """Hypothesis has a name of its own for settings."""
    return settings


def test_objectives_without_any_traffic_are_no_data_and_not_a_zero(database, settings_of_test):
    """Found on real specs: five objectives, no events yet, and "0 exhausted" on the tile."""
    world = World(database, settings_of_test)
    alice, quiet = world.person("alice@x.example"), world.workspace("quiet")
    world.member(alice, quiet, "platform_admin")
    world.add(quiet, "objective", [{"key": "o", "target_percent": 99.0, "window_days": 30}])
    world.backfill(LAST, LAST)
    figures = read(database, alice, Ask(7), settings_of_test).scorecard("slos").figures
    silent = ("objectives_in_budget", "in_budget", "exhausted", "fastest_burn", "budget_remaining")
    assert {key: figures[key].value for key in silent} == dict.fromkeys(silent)
    assert figures["no_traffic"].value == 1
