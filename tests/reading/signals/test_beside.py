"""Companions of a drift: other measures beyond noise, and services by their part, as the records say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from aggregators import companions
from aggregators import words as figure_words
from aggregators.vocabulary.period import Ask
from reading import dashboard
from reading.signals import beside, open_signals, words
from reading.workspace_page import NotAMember
from tests.conftest import TODAY
from tests.stored_rows import built_once
from tests.world import World, at

LAST = TODAY - timedelta(days=1)
FIRST = LAST - timedelta(days=83)
DRIFT = LAST - timedelta(days=20)
CFR, FREQUENCY = "failed_deployments/ended_deployments", "successful_deployments"
BEFORE = LAST - timedelta(days=48)
"""First of the 28 days before the drift."""


@pytest.fixture
def world(database, settings) -> World:
    """A team whose checkout begins to fail and to wait, while its search does as ever."""
    return built_once(
        database, __name__, lambda: of_one_service_that_drifts(World(database, settings))
    )


def of_one_service_that_drifts(made: World) -> World:
    made.alice = made.person("alice@x.example")
    workspace_id = made.workspace("payments")
    made.member(made.alice, workspace_id, "platform_admin")
    made.rows = deployments(np.random.default_rng(3))
    made.add(workspace_id, "deployment", made.rows)
    for series in (CFR, FREQUENCY, "resolve_time"):
        signal = {"series": series, "opened_on": LAST, "grade": "drifting", "since": DRIFT,
                  "give_or_take": 3, "evidence": 14.0, "usual": 0.1, "now": 0.31, "extra": 17.2,
                  "seen_on": LAST}  # fmt: skip
        made.add(workspace_id, "watch_signal", [signal])
    made.backfill(FIRST, LAST)
    return made


def deployments(numbers: np.random.Generator) -> list[dict[str, object]]:
    rows = []
    for day in (FIRST + timedelta(days=n) for n in range(84)):
        for number in range(8):
            service = ("checkout", "search", "search", None)[number % 4]
            is_bad = service == "checkout" and day >= DRIFT
            failed = numbers.random() < (0.7 if is_bad else 0.1)
            ended = at(day, number + 8)
            rows.append({
                "key": f"{day}-{number}", "service": service, "environment": "production",
                "created_at": ended - timedelta(hours=6 if is_bad else 1),
                "completed_at": ended, "outcome": "failed" if failed else "successful",
            })  # fmt: skip
    return rows


def signal_of(world: World, series: str) -> open_signals.DriftSignal:
    read = open_signals.read(world.database, world.alice, TODAY)
    return next(s for s in read if s.series == series)


def counted(world: World, service: str, first: date, last: date) -> tuple[float, float]:
    """Failed deployments of a service and all of them, from the records as they were put in."""
    own = [
        row
        for row in world.rows
        if (row["service"] or "") == service and first <= row["completed_at"].date() <= last
    ]
    return sum(row["outcome"] == "failed" for row in own), len(own)


def test_services_are_told_by_their_part_and_the_parts_add_up(world, settings):
    signal = signal_of(world, CFR)
    parts = beside.services_of(world.database, world.alice, signal, settings)
    assert parts[0].service == "checkout"
    sides = (DRIFT, LAST), (BEFORE, DRIFT - timedelta(days=1))
    for part in parts:
        assert (part.now, part.before) == tuple(
            counted(world, part.service, *side) for side in sides
        )
    whole = [
        np.sum([counted(world, name, *days) for name in ("checkout", "search", "")], axis=0)
        for days in sides
    ]
    change = whole[0][0] / whole[0][1] - whole[1][0] / whole[1][1]
    assert sum(part.part for part in parts) == pytest.approx(change)
    told = words.services(signal, parts)
    failed, ended = counted(world, "checkout", DRIFT, LAST)
    assert told.startswith("By service: checkout +")
    assert f"({failed} of {ended}, before " in told


def test_of_a_rate_the_services_that_do_less_are_told(world, settings):
    signal = signal_of(world, FREQUENCY)
    first, *_ = beside.services_of(world.database, world.alice, signal, settings)
    assert first.service == "checkout"
    assert first.part < 0
    assert "checkout −" in words.services(signal, [first])
    assert " in 21 days, before " in words.services(signal, [first])


def test_other_measures_that_moved_are_told_surest_first_and_deployments_always(world, settings):
    shown = dashboard.read(world.database, world.alice, Ask(28), settings)
    keys = [figure.measure.key for figure in beside.moved_with(signal_of(world, CFR), shown)]
    assert "change_failure_rate" not in keys
    assert "deploy_frequency" in keys
    figures = beside.moved_with(signal_of(world, "resolve_time"), shown)
    assert figures[0].measure.key == "change_failure_rate"
    surest = [
        abs(f.table.change.outcome.z[f.row]) for f in figures if f.verdict in companions.MOVED
    ]
    assert surest == sorted(surest, reverse=True)
    said = figure_words.moved_with_it(figures)
    assert said.startswith("In the same 28 days: change failure rate +")
    assert " · worse" in said


def test_what_is_no_deployment_has_no_services_and_nobody_else_reads_them(world, settings):
    assert beside.is_by_service(signal_of(world, CFR))
    assert not beside.is_by_service(signal_of(world, "resolve_time"))
    bob = world.person("bob@x.example")
    with pytest.raises(NotAMember):
        beside.services_of(world.database, bob, signal_of(world, CFR), settings)


def test_a_drift_of_months_is_compared_over_ninety_days(world, settings):
    long = replace(signal_of(world, CFR), since=LAST - timedelta(days=700))
    assert beside.services_of(world.database, world.alice, long, settings) == []
