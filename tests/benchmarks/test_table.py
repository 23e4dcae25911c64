"""The table of the benchmark: what is missed, and what a run of some parts leaves in place."""

from __future__ import annotations

import json

import pytest

from benchmarks.report import table
from benchmarks.report.table import Row


@pytest.mark.parametrize(
    ("ratio", "target", "missed"), [(1.5, 1.3, False), (1.57, 1.3, True), (9, None, False)]
)
def test_a_target_is_missed_by_more_than_a_fifth(ratio, target, missed):
    assert Row("a", "b", ratio, 1.0, "ms", target).missed is missed


def test_a_run_of_some_parts_replaces_those_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "RESULTS", tmp_path)
    monkeypatch.setattr(table, "HISTORY", tmp_path / "history.jsonl")
    table.keep_results([Row("a", "x", 1, 1), Row("b", "y", 1, 1)], {"days": 800}, table.WHOLE)
    table.keep_results(
        [Row("b", "z", 2, 1), Row("c", "w", 1, 1)], {"days": 9}, table.WHOLE, is_whole_run=False
    )
    found = json.loads((tmp_path / "bench.json").read_text())
    assert [(row["part"], row["what"]) for row in found["rows"]] == [
        ("a", "x"),
        ("b", "z"),
        ("c", "w"),
    ]
    assert found["facts"] == {"days": 800}
    assert all(row["at"] for row in found["rows"])
    assert len((tmp_path / "history.jsonl").read_text().splitlines()) == 2


def test_a_run_over_more_workspaces_has_a_table_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "RESULTS", tmp_path)
    monkeypatch.setattr(table, "HISTORY", tmp_path / "history.jsonl")
    table.keep_results([Row("a", "x", 1, 1, target=2)], {"workspaces": 1000}, table.WHOLE)
    table.keep_results([Row("a", "x", 9, 1, target=11)], {"workspaces": 10000}, table.ABOVE)
    whole, above = (
        json.loads((tmp_path / f"{name}.json").read_text()) for name in (table.WHOLE, table.ABOVE)
    )
    assert (whole["rows"][0]["ratio"], above["rows"][0]["ratio"]) == (1, 9)
    lines = map(json.loads, (tmp_path / "history.jsonl").read_text().splitlines())
    assert [line.get("workspaces") for line in lines] == [None, 10000]
