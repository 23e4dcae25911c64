"""Duplicates, --workspace, strict, isolation, many rows; and that no row is ever lost."""

import tracemalloc
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from storage.context import job_in
from storage.models import vendor
from storage.records.importer import BATCH, NoSuchWorkspace, load
from storage.records.kinds import DEPLOYMENTS, VENDORS
from storage.records.seen import Seen

HEAD = "workspace,key,name,tier\n"


def count(database, workspace_id: int, table=vendor) -> int:
    with job_in(database.job, workspace_id) as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_key_that_stands_twice_with_other_values_names_the_first_line(bring, stored):
    outcome = bring("vendors", HEAD + "payments,v,Acme,1\npayments,v,Acme, 1\npayments,v,Acme,2\n")
    assert (outcome.written, outcome.duplicates, outcome.rejected) == (1, 1, 1)
    (reject,) = outcome.rejects
    assert (reject.line, reject.column) == (4, "key")
    assert reject.reason == "the record stands already in line 2, with other values"
    assert stored("vendors")[0]["tier"] == 1


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
    first, second = load(database, VENDORS, [good, bad], strict=True)
    assert (first.written, first.held) == (0, 2)
    assert (second.written, second.held, second.rejected) == (0, 1, 1)
    assert [count(database, w) for w in workspaces.values()] == [0, 0, 0]
    (only,) = load(database, VENDORS, [good], strict=True)
    assert (only.written, only.held) == (2, 0)
    assert [count(database, w) for w in workspaces.values()] == [1, 1, 0]


def test_strict_counts_a_file_that_can_not_be_read(database, workspaces, tmp_path):
    good = tmp_path / "good.csv"
    good.write_text(HEAD + "payments,v,Acme,1\n")
    load(database, VENDORS, [good, tmp_path / "gone.csv"], strict=True)
    assert count(database, workspaces["payments"]) == 0


def test_strict_sees_what_the_same_import_has_written(bring):
    rows = "".join(f"payments,d-{i},2026-11-01T00:00:00Z,failed\n" for i in range(BATCH + 1))
    head = "workspace,key,completed_at,outcome\n"
    assert bring("deployments", head + rows, strict=True).written == BATCH + 1


def test_many_rows_in_bounded_memory(database, workspaces, tmp_path: Path):
    path = tmp_path / "big.csv"
    start, slugs = datetime(2026, 1, 1), tuple(workspaces)
    with path.open("w") as out:
        out.write("workspace,key,completed_at,outcome\n")
        for i in range(30_000):
            at = (start + timedelta(seconds=i)).isoformat()
            out.write(f"{slugs[i % 3]},d-{i},{at}Z,successful\n")
    tracemalloc.start()
    (outcome,) = load(database, DEPLOYMENTS, [path])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (outcome.read, outcome.written) == (30_000, 30_000)
    assert peak < 30_000_000, peak
    per_workspace = [count(database, w, DEPLOYMENTS.table) for w in workspaces.values()]
    assert per_workspace == [10_000, 10_000, 10_000]


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


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.lists(WORDS, min_size=1, max_size=5), max_size=12), st.booleans())
def test_every_row_is_written_or_reported(bring, stored, rows, strict):
    """``bring`` holds the sum of the counts against the rows read."""
    before = {(s, v["key"]): v for s in ("payments", "search") for v in stored("vendors", s)}
    lines = [",".join('"' + c.replace('"', '""') + '"' for c in row) for row in rows]
    outcome = bring("vendors", HEAD + "".join(line + "\n" for line in lines), strict=strict)
    assert outcome.read == len(rows)
    assert len(outcome.rejects) == outcome.rejected
    after = {(s, v["key"]): v for s in ("payments", "search") for v in stored("vendors", s)}
    assert outcome.written == sum(before.get(key) != value for key, value in after.items())
    expected = {tuple(row[:2]) for row in rows if _good(row)}
    if not (strict and outcome.failed):
        assert expected <= after.keys()


def _good(row: list[str]) -> bool:
    """Told apart without the program's own parsers."""
    return (
        len(row) == 4
        and row[0] in ("payments", "search")
        and all(row[1:])
        and row[3] in ("1", "4")
        and not any(c in cell for cell in row for c in "\0\n")
    )


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), max_size=40))
def test_seen_remembers_the_first_of_each_key(pairs):
    first: dict[int, tuple[int, int]] = {}
    with Seen() as seen:
        for line, (key, content) in enumerate(pairs, 2):
            expected = first.get(key)
            got = seen.before(key, line, content)
            assert got == (expected and (expected[0], expected[1] == content))
            first.setdefault(key, (line, content))
