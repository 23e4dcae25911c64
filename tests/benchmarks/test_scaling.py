"""The costs of docs/scaling.md are computed as they say."""

from __future__ import annotations

import pytest

from benchmarks.report import scaling

FIGURES = {
    "read_ms_200_28": 100.0,
    "read_ms_1000_28": 340.0,
    "scope_ms_200": 2.0,
    "scope_ms_1000": 10.0,
    "bytes_per_workspace_day": 1_000.0,
    "snapshot_ms_per_workspace": 100.0,
}


@pytest.mark.parametrize(
    ("workspaces", "milliseconds"), [(100, 70), (200, 100), (1_000, 340), (10_000, 3_040)]
)
def test_a_read_lies_on_the_line_through_what_was_measured(workspaces, milliseconds):
    assert scaling.read_ms(FIGURES, workspaces) == pytest.approx(milliseconds)


def test_a_small_read_never_falls_below_its_share():
    steep = FIGURES | {"read_ms_200_28": 50.0, "read_ms_1000_28": 1_000.0}
    assert scaling.read_ms(steep, 100) == 25


def test_the_night_and_the_disk_grow_with_the_workspaces():
    assert scaling.night_seconds(FIGURES, 10_000) == 1_000
    assert scaling.bytes_a_year(FIGURES, 1_000) == 365e6


def test_the_table_has_a_line_a_size():
    lines = scaling.costs(FIGURES)
    assert len(lines) == 2 + len(scaling.SIZES)
    assert lines[3] == "| 1,000 | 340 ms | 176 | 10 ms | 1.7 min | 365 MB |"


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [(0.123, "0.12 ms"), (12.3, "12 ms"), (999, "999 ms"), (1_500, "1.5 s"), (42_000, "42 s"),
     (90_000, "1.5 min"), (7_200_000, "2 h")],
)  # fmt: skip
def test_durations_have_two_digits(milliseconds, shown):
    assert scaling.span(milliseconds) == shown


def test_the_kept_figures_are_complete():
    figures = scaling.load(scaling.LATEST)
    assert set(FIGURES) <= set(figures)
    assert all(value > 0 for value in figures.values())
