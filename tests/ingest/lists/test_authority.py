"""Files that list all assets of their source retire those that they lack, once it is confirmed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import text

from ingest.desk import meanings
from ingest.importer import load
from ingest.kept.upkeep import compact
from ingest.kinds import KINDS
from ingest.lists.authority import lacked_assets, retire_assets
from ingest.lists.complete import ListChanged
from storage.context import job_in
from tests.ingest.test_command import RECORDS

HEAD = "workspace,framework,control,asset,result,assessed_at\n"


@pytest.fixture
def listing(database, workspaces, settings, tmp_path):
    """Imports lines of results through the command."""
    app = Flask("vigilo")
    app.extensions["vigilo"] = SimpleNamespace(database=database, settings=settings)
    app.cli.add_command(RECORDS)

    def run(*lines: str, options: tuple[str, ...] = ("--authoritative",)):
        path = tmp_path / "results.csv"
        path.write_text(HEAD + "".join(f"payments,{line}\n" for line in lines))
        args = ["records", "import", "control-results", str(path), *options]
        with app.app_context():
            return app.test_cli_runner().invoke(args=args)

    return run


SCAN = (
    '<TestResult xmlns="http://checklists.nist.gov/xccdf/1.2" end-time="2026-05-01T00:00:00Z">'
    '<profile idref="F"/><target>scanned</target>'
    '<rule-result idref="c"><result>{}</result></rule-result></TestResult>'
)
SNAPSHOT = text("""
insert into workspace_usage_snapshot (workspace_id, snapshot_date, computed_at, changed_at, days_total)
values (:w, date '2026-07-01', now(), now(), 1)
""")
CONFIRMED = ("--authoritative", "--yes")
FIRST = ("F,c,db,compliant,2026-05-01T00:00Z", "F,c,web,compliant,2026-05-01T00:00Z")


def test_what_a_list_lacks_is_shown_and_retired_when_that_is_confirmed(listing, absent):
    listing(*FIRST, options=())
    asked = listing("F,c,db,compliant,2026-06-01T00:00Z")
    assert asked.exit_code == 1
    assert "payments/F: web is not listed any more" in asked.output
    assert absent() == []
    done = listing("F,c,db,compliant,2026-06-01T00:00Z", options=CONFIRMED)
    assert (done.exit_code, "1 retired." in done.output) == (0, True)
    (row,) = absent()
    assert (row["asset"], row["framework"], row["retired_at"].month) == ("web", "F", 6)
    again = listing("F,c,db,compliant,2026-06-01T00:00Z", options=CONFIRMED)
    assert "No asset is to be retired." in again.output


def test_other_frameworks_other_sources_and_newer_assets_stay(listing, absent, database, tmp_path):
    listing(*FIRST, "G,c,old,compliant,2026-05-01T00:00Z", options=())
    listing("F,c,new,compliant,2026-07-01T00:00Z", options=())
    xml = tmp_path / "r.xml"
    xml.write_text(SCAN.format("pass"))
    load(database, KINDS["control-results"], [xml], workspace="payments")
    listing("F,c,db,compliant,2026-06-01T00:00Z", options=CONFIRMED)
    assert [row["asset"] for row in absent()] == ["web"]


def test_a_framework_under_two_names_is_one_list(listing, absent, database, workspaces):
    payments = (workspaces["payments"], "payments")
    meanings.change(database, payments, "framework", "SOC 2", "SOC2", "erin@x.example")
    told = ("SOC2,c,db,compliant,{}-01T00:00Z", "SOC 2,c,web,compliant,{}-02T00:00Z")
    listing(*(line.format("2026-05") for line in told), options=())
    done = listing(*(line.format("2026-06") for line in told), options=CONFIRMED)
    assert "No asset is to be retired." in done.output
    done = listing(told[0].format("2026-07"), options=CONFIRMED)
    assert "payments/SOC2: web is not listed any more" in done.output
    assert [row["asset"] for row in absent()] == ["web"]


@pytest.mark.parametrize("is_compacted", [False, True])
def test_what_another_source_told_stays_after_its_statements_were_compacted(
    listing, absent, database, workspaces, bring, is_compacted
):
    for result in ("pass", "fail"):
        bring("control-results", SCAN.format(result), "scan.xml", workspace="payments")
    listing(*FIRST, options=())
    if is_compacted:
        with job_in(database.job, workspaces["payments"]) as connection:
            later = datetime.now(UTC) + timedelta(days=1)
            assert compact(connection, workspaces["payments"], later) == 1
    listing("F,c,db,compliant,2030-06-01T00:00Z", options=CONFIRMED)
    assert [row["asset"] for row in absent()] == ["web"]


def test_a_list_that_can_not_be_read_whole_retires_nothing(listing, absent):
    listing(*FIRST, options=())
    result = listing("F,c,db,odd,2026-06-01T00:00Z", options=CONFIRMED)
    assert "Nothing was retired" in result.output
    assert absent() == []


def test_a_scan_that_was_read_before_is_a_list_too(bring, absent, database, tmp_path):
    """A scan is as it was when it was first received; as a list it counts from then on."""
    hosts = {name: tmp_path / f"{name}.xml" for name in ("one", "two", "one-later")}
    for name, path in hosts.items():
        text = SCAN.format("pass").replace("scanned", name.partition("-")[0])
        path.write_text(text.replace("2026-05", "2026-06") if "later" in name else text)
    load(database, KINDS["control-results"], [*hosts.values()], workspace="payments")
    for path in (hosts["one-later"], hosts["one"]):
        outcomes = load(
            database, KINDS["control-results"], [path], workspace="payments", is_whole=True
        )
        retire_assets(database, outcomes, lacked_assets(database, outcomes))
    assert [(row["asset"], row["retired_at"].month) for row in absent()] == [("two", 6)]


def test_an_asset_that_came_back_was_away_between(listing, absent):
    for month, assets in ((5, ("db", "web")), (6, ("db",)), (7, ("db", "web")), (8, ("db",))):
        told = (f"F,c,{asset},compliant,2026-{month:02}-01T00:00Z" for asset in assets)
        listing(*told, options=CONFIRMED)
    assert [(row["asset"], row["retired_at"].month) for row in absent()] == [("web", 6), ("web", 8)]


def test_a_later_list_with_the_same_evidence_says_that_it_was_never_away(listing, absent):
    for month, assets in ((5, ("db", "web")), (6, ("db",))):
        told = (f"F,c,{asset},compliant,2026-{month:02}-01T00:00Z" for asset in assets)
        listing(*told, options=CONFIRMED)
    assert len(absent()) == 1
    listing(FIRST[1], "F,c,db,compliant,2026-07-01T00:00Z", options=CONFIRMED)
    assert absent() == []


def test_what_is_told_late_was_not_there_either(listing, absent):
    listing("F,c,db,compliant,2026-06-01T00:00Z", options=CONFIRMED)
    listing("F,c,web,compliant,2026-05-01T00:00Z", options=())
    assert [row["asset"] for row in absent()] == ["web"]


def test_names_that_come_to_mean_one_framework_and_part_again_take_their_lists_along(
    listing, absent, database, workspaces
):
    listing("F,c,db,compliant,2026-05-01T00:00Z", "f,c,web,compliant,2026-05-01T00:00Z", options=())
    listing("f,c,db,compliant,2026-06-01T00:00Z", options=CONFIRMED)
    assert [(row["framework"], row["asset"]) for row in absent()] == [("f", "web")]
    payments = (workspaces["payments"], "payments")
    meanings.change(database, payments, "framework", "f", "F", "erin@x.example")
    assert [(row["framework"], row["asset"]) for row in absent()] == [("F", "web")]
    meanings.change(database, payments, "framework", "f", None, "erin@x.example")
    assert [(row["framework"], row["asset"]) for row in absent()] == [("f", "web")]


def test_what_somebody_retired_by_then_is_not_shown(listing, bring, absent):
    listing(*FIRST, options=())
    bring("asset-retirements", "asset,retired_at\nweb,2026-05-20T00:00Z\n", workspace="payments")
    done = listing("F,c,db,compliant,2026-06-01T00:00Z", options=CONFIRMED)
    assert "No asset is to be retired." in done.output


def test_what_is_lacked_by_then_and_was_not_shown_is_not_retired(
    listing, absent, database, tmp_path
):
    listing(*FIRST, options=())
    path = tmp_path / "list.csv"
    path.write_text(f"{HEAD}payments,F,c,db,compliant,2026-06-01T00:00Z\n")
    outcomes = load(database, KINDS["control-results"], [path], is_whole=True)
    shown = lacked_assets(database, outcomes)
    assert (len(shown), absent()) == (1, [])
    listing("F,c,late,compliant,2026-05-01T00:00Z", options=())
    with pytest.raises(ListChanged):
        retire_assets(database, outcomes, shown)
    assert absent() == []
    assert retire_assets(database, outcomes, lacked_assets(database, outcomes)) == 2


def test_the_days_that_a_list_touches_are_marked(listing, database, workspaces, settings):
    listing(*FIRST, options=())
    with job_in(database.job, workspaces["payments"]) as connection:
        connection.execute(SNAPSHOT, {"w": workspaces["payments"]})
    listing("F,c,db,compliant,2026-06-01T00:00Z", options=CONFIRMED)
    with job_in(database.job, workspaces["payments"]) as connection:
        due = connection.execute(text("select first_day from snapshot_due")).scalar_one()
    assert due == date(2026, 5, 31)
