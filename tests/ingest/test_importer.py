"""Duplicates, --workspace, strict, isolation, many rows; and that no row is ever lost."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from ingest.desk import corrections, meanings
from ingest.importer import BATCH, load
from ingest.kinds import KINDS
from ingest.report import ImportOutcome
from storage.context import NoSuchWorkspace, job_in
from tests.deep import all_but, efforts
from tests.ingest.bounded.memory import peak

HEAD = "workspace,key,name,tier\n"


def count(database, workspace_id: int, table=KINDS["vendors"].table) -> int:
    with job_in(database.job, workspace_id) as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_key_that_stands_twice_with_other_values_is_told(bring, stored):
    outcome = bring("vendors", HEAD + "payments,v,Acme,1\npayments,v,Acme, 1\npayments,v,Acme,2\n")
    assert (outcome.written, outcome.unchanged, outcome.rejected) == (2, 1, 0)
    assert outcome.warnings == ["v: tier is told in two ways at once: 1, 2; 2 is taken"]
    assert stored("vendors")[0]["tier"] == 2


def test_the_same_key_in_two_workspaces_is_two_records(bring, stored):
    outcome = bring("vendors", HEAD + "payments,v,Acme,1\nsearch,v,Other,2\n")
    assert outcome.written == 2
    assert stored("vendors", "payments")[0]["name"] == "Acme"
    assert stored("vendors", "search")[0]["name"] == "Other"


def test_a_corrected_row_after_a_bad_one_is_taken(bring):
    outcome = bring("vendors", HEAD + "payments,v,Acme,7\npayments,v,Acme,1\n")
    assert (outcome.written, outcome.rejected) == (1, 1)


def test_the_workspace_may_come_from_the_command_line(bring, stored):
    assert bring("vendors", "key,name,tier\nv,Acme,1\n", workspace="search").written == 1
    assert [v["key"] for v in stored("vendors", "search")] == ["v"]
    outcome = bring(
        "vendors", HEAD + ",w,Acme,1\nsearch,x,Acme,1\npayments,y,Acme,1\n", workspace="search"
    )
    assert outcome.written == 2
    assert outcome.rejects[0].reason == "names 'payments', but --workspace says search"
    assert stored("vendors", "payments") == []
    with pytest.raises(NoSuchWorkspace, match="no workspace 'nowhere'"):
        bring("vendors", "key,name,tier\nv,Acme,1\n", workspace="nowhere")


def test_without_workspace_the_column_is_required(bring):
    assert "required column workspace" in bring("vendors", "key,name,tier\nv,Acme,1\n").problem


def test_strict_writes_nothing_when_any_row_of_any_file_is_bad(database, workspaces, tmp_path):
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(HEAD + "payments,v,Acme,1\nsearch,v,Acme,1\n")
    bad.write_text(HEAD + "edge-cdn,v,Acme,1\nedge-cdn,w,Acme,9\n")
    first, second = load(database, KINDS["vendors"], [good, bad], strict=True)
    assert (first.written, first.withheld) == (0, 2)
    assert (second.written, second.withheld, second.rejected) == (0, 1, 1)
    assert [count(database, w) for w in workspaces.values()] == [0, 0, 0]
    (only,) = load(database, KINDS["vendors"], [good], strict=True)
    assert (only.written, only.withheld) == (2, 0)
    assert [count(database, w) for w in workspaces.values()] == [1, 1, 0]


def test_strict_counts_a_file_that_can_not_be_read(database, workspaces, tmp_path):
    good = tmp_path / "good.csv"
    good.write_text(HEAD + "payments,v,Acme,1\n")
    load(database, KINDS["vendors"], [good, tmp_path / "gone.csv"], strict=True)
    assert count(database, workspaces["payments"]) == 0


def test_strict_sees_what_the_same_import_has_written(bring):
    rows = "".join(f"payments,d-{i},2026-11-01T00:00:00Z,failed\n" for i in range(BATCH + 1))
    head = "workspace,key,completed_at,outcome\n"
    assert bring("deployments", head + rows, strict=True).written == BATCH + 1


@pytest.mark.parametrize("batches", all_but([6], [6, 12]))
def test_many_rows_in_bounded_memory(database, workspaces, tmp_path: Path, batches: int):
    start, slugs = datetime(2026, 1, 1), tuple(workspaces)

    def bring(rows: int) -> int:
        path = tmp_path / f"{rows}.csv"
        with path.open("w") as out:
            out.write("workspace,key,completed_at,outcome\n")
            for i in range(rows):
                at = (start + timedelta(seconds=i)).isoformat()
                out.write(f"{slugs[i % 3]},d-{rows}-{i},{at}Z,successful\n")
        outcomes: list[ImportOutcome] = []
        held = peak(lambda: outcomes.extend(load(database, KINDS["deployments"], [path])))
        assert [(o.read, o.written) for o in outcomes] == [(rows, rows)]
        return held

    few, many = bring(2 * BATCH), bring(batches * BATCH)
    assert many < 2 * few, (few, many)
    per_workspace = [count(database, w, KINDS["deployments"].table) for w in workspaces.values()]
    assert sum(per_workspace) == (2 + batches) * BATCH


WORDS = st.sampled_from(
    [
        "payments",
        "search",
        "nowhere",
        "",
        "v-1",
        "v-2",
        "Acme",
        "1",
        "4",
        "9",
        '"',
        "é",
        "\0",
        "a\nb",
    ]
)


@pytest.mark.parametrize("effort", efforts(few=8, many=25, deep=500))
def test_every_row_is_written_or_reported(bring, stored, effort):
    """``bring`` holds the sum of the counts against the rows read."""

    @effort
    @given(st.lists(st.lists(WORDS, min_size=1, max_size=5), max_size=12), st.booleans())
    def holds(rows, strict):
        before = {(s, v["key"]): v for s in ("payments", "search") for v in stored("vendors", s)}
        lines = [",".join('"' + c.replace('"', '""') + '"' for c in row) for row in rows]
        outcome = bring("vendors", HEAD + "".join(line + "\n" for line in lines), strict=strict)
        assert outcome.read == len(rows)
        assert len(outcome.rejects) == outcome.rejected
        after = {(s, v["key"]): v for s in ("payments", "search") for v in stored("vendors", s)}
        changed = sum(before.get(key) != value for key, value in after.items())
        assert outcome.written >= changed
        expected = {tuple(row[:2]) for row in rows if _good(row)}
        if not (strict and outcome.failed):
            assert expected <= after.keys()

    holds()


def _good(row: list[str]) -> bool:
    """Told apart without the program's own parsers."""
    return (
        len(row) == 4
        and row[0] in ("payments", "search")
        and all(row[1:])
        and row[3] in ("1", "4")
        and not any(c in cell for cell in row for c in "\0\n")
    )


@pytest.mark.parametrize(
    "spelling",
    [
        "caf\u00e9",
        "cafe\u0301",
        "\u00a0caf\u00e9\u00a0",
        "\u200bcaf\u00e9",
        "\ufeffcaf\u00e9 ",
        "\u200ecaf\u00e9\u200f",
        "caf\u00e9\u2060",
        "\u2009caf\u00e9\u3000",
    ],
)
def test_a_key_that_looks_the_same_is_the_same(bring, stored, spelling):
    for key in ("caf\u00e9", spelling):
        bring("vendors", f"name,key,tier\nCafe,{key},1\n", workspace="payments")
    assert [row["key"] for row in stored("vendors")] == ["caf\u00e9"]


IN_NO_FIGURE = {
    "deployments": (
        "key,completed_at,outcome,environment\n"
        "a,2026-11-20T09:00:00Z,successful,qa\nb,2026-11-20T09:00:00Z,cancelled,production\n"
        "c,2026-11-20T09:00:00Z,successful,production\n",
        "deployments.csv",
        {"environment 'qa' is not production": 1, "cancelled": 1},
    ),
    "incidents": (
        '{"externalURL": "x", "groupKey": "g", "alerts": ['
        '{"labels": {"alertname": "Watchdog"}, "startsAt": "2026-11-20T09:00:00Z"},'
        '{"labels": {"alertname": "Full"}, "startsAt": "2026-11-20T09:00:00Z"},'
        '{"labels": {"alertname": "Odd"}, "startsAt": "yesterday"}]}',
        "alerts.json",
        {"a heartbeat, no incident": 1, "no record yet": 1},
    ),
}


@pytest.mark.parametrize("kind", IN_NO_FIGURE)
def test_what_is_in_no_figure_is_told_of_a_repetition_too(bring, kind):
    content, name, reasons = IN_NO_FIGURE[kind]
    for _ in range(2):
        assert bring(kind, content, name, workspace="payments").uncounted == reasons


def test_what_was_taken_out_since_is_told_of_a_repetition(bring, database, workspaces):
    content, name, _ = IN_NO_FIGURE["deployments"]
    bring("deployments", content, name, workspace="payments")
    payments = (workspaces["payments"], "payments")
    corrections.withdraw(database, payments, "deployments", "c", "erin@x.example")
    meanings.change(database, payments, "environment", "qa", "production", "erin@x.example")
    outcome = bring("deployments", content, name, workspace="payments")
    assert (outcome.unchanged, outcome.uncounted) == (3, {"cancelled": 1, "withdrawn": 1})


def test_after_many_rows_plans_are_of_many_rows(bring, database):
    known = "select reltuples from pg_class where oid = 'public.vendor'::regclass"

    def believed() -> float:
        with database.job.connect() as connection:
            return connection.exec_driver_sql(known).scalar_one()

    bring("vendors", HEAD + "payments,v,Acme,1\n")
    rows = [f"payments,v{n},Acme {n},1" for n in range(2 * BATCH)]
    assert believed() < BATCH
    bring("vendors", HEAD + "\n".join(rows))
    assert believed() == 2 * BATCH + 1
