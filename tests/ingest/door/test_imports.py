"""Imported files in the workspaces that they told something: what became of them there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.door.deliveries import find_delivery, list_deliveries
from ingest.door.imports import note_imports
from ingest.door.janitor import tidy
from ingest.door.told_records import records_of
from ingest.importer import load
from ingest.kinds import KINDS

HEAD = "workspace,key,completed_at,outcome,environment\n"
TWO_TEAMS = (
    f"{HEAD}payments,d1,2026-11-02T09:00:00Z,successful,production\n"
    "payments,d2,2026-11-02T10:00:00Z,successful,qa\n"
    "payments,d3,2026-11-02,successful,production\n"
    "search,d1,2026-11-03T09:00:00Z,failed,production\n"
    "nobody,d9,2026-11-03T09:00:00Z,failed,production\n"
)


@pytest.fixture
def imported(database, workspaces, tmp_path: Path):
    """Imports a file and gives what its workspaces tell of it."""

    def run(content: str, name: str = "d.csv", kind: str = "deployments", **options) -> dict:
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        outcomes = load(database, KINDS[kind], [path], as_deliveries=True, **options)
        note_imports(database.job, "erin@x.example", kind, options.get("workspace"), outcomes)
        (id,) = {outcome.delivery for outcome in outcomes}
        told = {}
        for slug, workspace_id in workspaces.items():
            if list_deliveries(database, workspace_id, 5)[0]:
                told[slug] = find_delivery(database, workspace_id, id)
        return told

    return run


def counts(state: dict) -> tuple[int, int, int, int]:
    return state["read"], state["written"], state["unchanged"], state["quarantined"]


def test_each_workspace_is_told_of_its_rows(imported):
    told = imported(TWO_TEAMS)
    assert sorted(told) == ["payments", "search"]
    assert counts(told["payments"]) == (3, 2, 0, 1)
    assert counts(told["search"]) == (1, 1, 0, 0)
    payments = told["payments"]
    assert (payments["format"], payments["state"], payments["is_kept"]) == ("csv", "folded", False)
    assert payments["source"] == "d.csv, deployments, by erin@x.example"
    assert payments["in_no_figure"] == {"environment 'qa' is not production": 1}
    (row,) = payments["refused"]
    assert (row["pointer"], row["field"], row["record"]) == (
        "line 4",
        "completed_at",
        "payments/d3",
    )


def test_it_names_the_records_that_it_told(imported, database, workspaces):
    told = imported(TWO_TEAMS)
    total, records = records_of(database, workspaces["payments"], told["payments"]["delivery"], 10)
    assert total == 2
    assert [record.key for record in records] == ["d1", "d2"]


def test_a_file_again_tells_nothing_new_and_takes_no_record_from_the_first(
    imported, database, workspaces
):
    first = imported(TWO_TEAMS)["payments"]
    again = imported(TWO_TEAMS)["payments"]
    assert counts(again) == (3, 0, 2, 1)
    assert records_of(database, workspaces["payments"], first["delivery"], 10)[0] == 2
    assert records_of(database, workspaces["payments"], again["delivery"], 10) == (0, [])


def test_a_file_that_is_none_is_told_where_the_workspace_is_known(imported):
    told = imported("key;completed_at\n", workspace="search")
    assert sorted(told) == ["search"]
    assert counts(told["search"]) == (0, 0, 0, 1)
    assert "the delimiter is ;" in told["search"]["notes"][0]


def test_what_was_compacted_since_is_named_too(imported, database, workspaces):
    first = imported(TWO_TEAMS)["payments"]
    second = imported(TWO_TEAMS.replace("successful", "failed"))["payments"]
    assert tidy(database, datetime.now(UTC) + timedelta(days=1))[1] > 0
    for delivery in (first["delivery"], second["delivery"]):
        total, records = records_of(database, workspaces["payments"], delivery, 10)
        assert (total, [record.key for record in records]) == (2, ["d1", "d2"])


def test_held_back_is_not_written(imported):
    told = imported(TWO_TEAMS, strict=True)
    assert counts(told["payments"])[1] == 0
    assert any("strict" in note for note in told["payments"]["notes"])


def test_a_file_of_workspaces_is_nobodys(imported):
    assert imported("slug,name\nteam-a,Team\n", kind="workspaces") == {}
