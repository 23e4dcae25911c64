"""Roll-backs undo deployments, in PostgreSQL as in plain Python; and a change reaches production once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from aggregators.dora.records import lead_times
from storage.context import job_in
from tests.deep import efforts
from tests.plain.delivery_rules import undone_when
from tests.world import World

NINE = datetime(2026, 4, 2, 9, tzinfo=UTC)


ROLLED_BACK = "select key, rolled_back_at from deployment where rolled_back_at is not null"


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


STEPS = st.lists(
    st.tuples(st.sampled_from(["deploy", "fail", "cancel", "roll back"]), st.integers(0, 30)),
    max_size=14,
)


@pytest.mark.parametrize("effort", efforts(few=6, many=25, deep=500))
def test_roll_backs_match_deployments_as_brackets_do(server, settings, effort):
    @effort
    @given(data=STEPS, other=STEPS)
    def holds(data, other):
        world = World(server, settings)
        team = world.workspace(f"team-{datetime.now().timestamp():.6f}".replace(".", "-")[:30])
        expected = {}
        for service, steps in (("api", data), ("web", other)):
            deployments, roll_backs = [], []
            for number, (step, minute) in enumerate(steps):
                key = f"{service}-{number:02d}"
                if step == "roll back":
                    roll_backs.append(
                        {"key": key, "rolled_back_at": at(minute), "service": service}
                    )
                else:
                    outcome = {"deploy": "successful", "fail": "failed", "cancel": "cancelled"}[
                        step
                    ]
                    deployments.append(
                        {
                            "key": key,
                            "completed_at": at(minute),
                            "outcome": outcome,
                            "service": service,
                        }
                    )
            world.add(team, "deployment", deployments)
            world.add(team, "roll_back", roll_backs)
            counted = [
                (d["key"], d["completed_at"]) for d in deployments if d["outcome"] != "cancelled"
            ]
            expected |= undone_when(counted, [r["rolled_back_at"] for r in roll_backs])
        with job_in(server.job, team) as connection:
            rows = connection.execute(text(ROLLED_BACK)).all()
        assert {row.key: row.rolled_back_at for row in rows} == expected

    holds()


def told_lead_times(world: World, team: int) -> list[tuple[str, float]]:
    """Deployment and hours of each lead time."""
    with job_in(world.database.job, team) as connection:
        rows = connection.execute(text(lead_times("true")), {"w": team, "zone": "UTC"}).all()
    return sorted((row.key, row.seconds / 3600) for row in rows)


def deployments(*each: tuple[str, float, str]) -> list[dict]:
    return [
        {"key": key, "created_at": at(60 * hour - 30), "completed_at": at(60 * hour), "outcome": outcome,
         "service": "api"}
        for key, hour, outcome in each
    ]  # fmt: skip


def changes(*each: tuple[str, str, float]) -> list[dict]:
    return [{"deployment": d, "key": key, "committed_at": at(60 * hour)} for d, key, hour in each]


def test_a_change_counts_once_with_the_first_success_that_carries_it(database, settings):
    world = World(database, settings)
    team = world.workspace("team")
    world.add(
        team, "deployment", deployments(("v1", 10, "successful"), ("v1-again", 20, "successful"))
    )
    world.add(team, "deployment_change", changes(("v1", "c", 4), ("v1-again", "c", 4)))
    assert told_lead_times(world, team) == [("v1", 6)]


def test_what_a_failed_attempt_listed_arrives_with_the_next_success(database, settings):
    world = World(database, settings)
    team = world.workspace("team")
    world.add(team, "deployment", deployments(("bad", 10, "failed"), ("good", 12, "successful")))
    world.add(team, "deployment_change", changes(("bad", "c", 4), ("good", "d", 11)))
    assert told_lead_times(world, team) == [("good", 1), ("good", 8)]


def test_a_deployment_without_changes_counts_from_its_creation_only_where_none_was_ever_told(
    database, settings
):
    world = World(database, settings)
    team = world.workspace("team")
    world.add(team, "deployment", deployments(("v1", 10, "successful"), ("v2", 12, "successful")))
    assert told_lead_times(world, team) == [("v1", 0.5), ("v2", 0.5)]
    world.add(team, "deployment_change", changes(("v1", "c", 4)))
    assert told_lead_times(world, team) == [("v1", 6)]


def test_two_successes_of_one_instant_bring_a_change_once(database, settings):
    world = World(database, settings)
    team = world.workspace("team")
    world.add(team, "deployment", deployments(("a", 10, "successful"), ("b", 10, "successful")))
    world.add(team, "deployment_change", changes(("a", "c", 4), ("b", "c", 4)))
    assert told_lead_times(world, team) == [("a", 6)]


def test_an_attempt_and_a_success_of_one_instant_bring_a_change_once(database, settings):
    world = World(database, settings)
    team = world.workspace("team")
    at_ten = deployments(("a", 10, "failed"), ("b", 10, "successful"), ("c", 12, "successful"))
    world.add(team, "deployment", at_ten)
    world.add(team, "deployment_change", changes(("a", "x", 4), ("b", "x", 4), ("c", "x", 4)))
    assert told_lead_times(world, team) == [("b", 6)]


def test_a_withdrawn_deployment_tells_no_change(database, settings):
    world = World(database, settings)
    team = world.workspace("team")
    withdrawn, stands = deployments(("gone", 9, "successful"), ("v1", 10, "successful"))
    world.add(team, "deployment", [withdrawn | {"left_out": "withdrawn"}])
    world.add(team, "deployment", [stands])
    world.add(team, "deployment_change", changes(("gone", "c", 4)))
    assert told_lead_times(world, team) == [("v1", 0.5)]
