"""Days that late records touch are marked, and the next night makes them again."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from ingest.due.remake import remake
from storage.context import job_in
from storage.snapshot import job
from tests.conftest import TODAY
from tests.world import World

FIRST = TODAY - timedelta(days=80)


def day(ago: int) -> date:
    return TODAY - timedelta(days=ago)


@pytest.fixture
def snapshots(database, settings, workspaces):
    """Eighty days of snapshots of every workspace, before anything was told."""
    World(database, settings).backfill(FIRST, day(1))
    return workspaces


def marked(database, workspace: int) -> tuple[date, bool] | None:
    """First day that is to be made again, and whether at once."""
    with job_in(database.job, workspace) as connection:
        row = connection.execute(text("select first_day, at_once from snapshot_due")).first()
    return (row.first_day, row.at_once) if row else None


def deployment(key: str, ago: int) -> str:
    return f"key,completed_at,outcome\n{key},{day(ago)}T09:00:00Z,successful\n"


def ended(database, workspace: int, on: date) -> int:
    query = text(
        "select ended_deployments_total from workspace_usage_snapshot where snapshot_date = :day"
    )
    with job_in(database.job, workspace) as connection:
        return int(connection.execute(query, {"day": on}).scalar_one())


def test_a_late_record_waits_for_the_night(database, settings, snapshots, bring):
    team = snapshots["payments"]
    bring("deployments", deployment("d", 50), workspace="payments")
    assert marked(database, team) == (day(51), False)
    assert remake(database, settings, at_once=True) == 0
    assert remake(database, settings) == 1
    assert ended(database, team, day(50)) == 1
    assert marked(database, team) is None


def test_the_same_file_again_marks_nothing(database, settings, snapshots, bring):
    bring("deployments", deployment("d", 50), workspace="payments")
    remake(database, settings)
    bring("deployments", deployment("d", 50), workspace="payments")
    assert marked(database, snapshots["payments"]) is None


def test_a_record_of_today_marks_nothing(database, settings, snapshots, bring):
    bring("deployments", deployment("d", -1), workspace="payments")
    assert marked(database, snapshots["payments"]) is None


def test_the_night_takes_a_mark_of_its_own_days_away(database, settings, snapshots, bring):
    bring("deployments", deployment("d", 5), workspace="payments")
    bring("deployments", deployment("e", 60), workspace="search")
    job.run(database, day(1), settings)
    assert marked(database, snapshots["payments"]) is None
    assert marked(database, snapshots["search"]) == (day(61), False)


def test_a_backfill_takes_the_marks_of_its_days_away(database, settings, snapshots, bring):
    bring("deployments", deployment("d", 60), workspace="payments")
    job.backfill(database, day(30), day(1), settings)
    assert marked(database, snapshots["payments"]) == (day(61), False)
    job.backfill(database, day(70), day(1), settings)
    assert marked(database, snapshots["payments"]) is None


def test_an_end_told_late_marks_from_the_end_on(database, settings, snapshots, bring):
    head = "key,opened_at,resolved_at\n"
    bring("incidents", f"{head}i,{day(70)}T09:00:00Z,\n", workspace="payments")
    remake(database, settings)
    bring("incidents", f"{head}i,{day(70)}T09:00:00Z,{day(40)}T09:00:00Z\n", workspace="payments")
    assert marked(database, snapshots["payments"]) == (day(41), False)


def test_what_moves_marks_where_it_was_too(database, settings, snapshots, bring):
    bring("deployments", deployment("d", 60), workspace="payments")
    remake(database, settings)
    bring("deployments", deployment("d", 10), workspace="payments")
    assert marked(database, snapshots["payments"]) == (day(61), False)


def test_an_incident_marks_the_deployment_that_caused_it(database, settings, snapshots, bring):
    bring("deployments", deployment("d", 60), workspace="payments")
    remake(database, settings)
    bring("incidents", f"key,opened_at,caused_by\ni,{day(20)}T09:00:00Z,d\n", workspace="payments")
    assert marked(database, snapshots["payments"]) == (day(61), False)


def test_a_change_counts_with_its_deployment(database, settings, snapshots, bring):
    bring("deployments", deployment("d", 20), workspace="payments")
    remake(database, settings)
    bring(
        "changes",
        f"deployment,key,committed_at\nd,c,{day(75)}T09:00:00Z\nunknown,c,{day(75)}T09:00:00Z\n",
        workspace="payments",
    )
    assert marked(database, snapshots["payments"]) == (day(21), False)


@pytest.mark.parametrize("undoes", [1, 2])
def test_a_roll_back_marks_what_it_undoes(database, settings, snapshots, bring, undoes):
    for key, ago in (("a", 70), ("b", 60)):
        bring("deployments", deployment(key, ago), workspace="payments")
    for minute in range(undoes):
        remake(database, settings)
        bring(
            "roll-backs",
            f"key,rolled_back_at\nr{minute},{day(20)}T09:0{minute}:00Z\n",
            workspace="payments",
        )
    assert marked(database, snapshots["payments"]) == (day(61 if undoes == 1 else 71), False)


def test_a_vendor_without_a_day_marks_everything(database, settings, snapshots, bring):
    bring("vendors", "key,name,tier\nv,Vendor,1\n", workspace="payments")
    marks = marked(database, snapshots["payments"])
    assert marks is not None
    assert marks[0] < FIRST
    assert remake(database, settings) == 1


def test_every_kind_can_be_told_where_there_are_snapshots(database, settings, snapshots, bring):
    instant = f"{day(30)}T09:00:00Z"
    for kind, content in (
        ("slos", "key,target_percent\no,99\n"),
        ("slo-days", f"key,day,good,total\no,{day(30)},9,10\n"),
        ("control-results", f"framework,control,result,assessed_at\nf,c,compliant,{instant}\n"),
        ("asset-retirements", f"asset,retired_at\nhost,{instant}\n"),
        ("vendors", f"key,name,tier,added_on\nv,Vendor,1,{day(30)}\n"),
        ("vendor-reviews", f"vendor,completed_on\nv,{day(30)}\n"),
        ("certificates", f"fingerprint,not_before,not_after\n{'ab' * 32},{instant},{instant}\n"),
    ):
        remake(database, settings)
        assert bring(kind, content, workspace="payments").written == 1, kind
        assert marked(database, snapshots["payments"]) is not None, kind
