"""Files that list all assets of their source retire those that they lack, once it is confirmed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from flask import Flask

from ingest.desk import meanings
from ingest.importer import load
from ingest.kinds import KINDS
from ingest.upkeep import compact
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
CONFIRMED = ("--authoritative", "--yes")
FIRST = ("F,c,db,compliant,2026-05-01T00:00Z", "F,c,web,compliant,2026-05-01T00:00Z")


def test_what_a_list_lacks_is_shown_and_retired_when_that_is_confirmed(listing, stored):
    listing(*FIRST, options=())
    asked = listing("F,c,db,compliant,2026-06-01T00:00Z")
    assert asked.exit_code == 1
    assert "payments/F: web is not listed any more" in asked.output
    assert stored("asset-retirements") == []
    done = listing("F,c,db,compliant,2026-06-01T00:00Z", options=CONFIRMED)
    assert (done.exit_code, "1 retired." in done.output) == (0, True)
    (row,) = stored("asset-retirements")
    assert (row["asset"], row["framework"], row["retired_at"].month) == ("web", "F", 6)
    again = listing("F,c,db,compliant,2026-06-01T00:00Z", options=CONFIRMED)
    assert "No asset is to be retired." in again.output


def test_other_frameworks_other_sources_and_newer_assets_stay(listing, stored, database, tmp_path):
    listing(*FIRST, "G,c,old,compliant,2026-05-01T00:00Z", options=())
    listing("F,c,new,compliant,2026-07-01T00:00Z", options=())
    xml = tmp_path / "r.xml"
    xml.write_text(SCAN.format("pass"))
    load(database, KINDS["control-results"], [xml], workspace="payments")
    listing("F,c,db,compliant,2026-06-01T00:00Z", options=CONFIRMED)
    assert [row["asset"] for row in stored("asset-retirements")] == ["web"]


def test_a_framework_under_two_names_is_one_list(listing, stored, database, workspaces):
    payments = (workspaces["payments"], "payments")
    meanings.change(database, payments, "framework", "SOC 2", "SOC2", "erin@x.example")
    told = ("SOC2,c,db,compliant,{}-01T00:00Z", "SOC 2,c,web,compliant,{}-02T00:00Z")
    listing(*(line.format("2026-05") for line in told), options=())
    done = listing(*(line.format("2026-06") for line in told), options=CONFIRMED)
    assert "No asset is to be retired." in done.output
    done = listing(told[0].format("2026-07"), options=CONFIRMED)
    assert "payments/SOC2: web is not listed any more" in done.output
    assert [row["asset"] for row in stored("asset-retirements")] == ["web"]


@pytest.mark.parametrize("is_compacted", [False, True])
def test_what_another_source_told_stays_after_its_statements_were_compacted(
    listing, stored, database, workspaces, bring, is_compacted
):
    for result in ("pass", "fail"):
        bring("control-results", SCAN.format(result), "scan.xml", workspace="payments")
    listing(*FIRST, options=())
    if is_compacted:
        with job_in(database.job, workspaces["payments"]) as connection:
            later = datetime.now(UTC) + timedelta(days=1)
            assert compact(connection, workspaces["payments"], later) == 1
    listing("F,c,db,compliant,2030-06-01T00:00Z", options=CONFIRMED)
    assert [row["asset"] for row in stored("asset-retirements")] == ["web"]


def test_a_list_that_can_not_be_read_whole_retires_nothing(listing, stored):
    listing(*FIRST, options=())
    result = listing("F,c,db,odd,2026-06-01T00:00Z", options=CONFIRMED)
    assert "Nothing was retired" in result.output
    assert stored("asset-retirements") == []
