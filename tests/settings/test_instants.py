"""Instants for programs are written in one place, in UTC wherever they come from."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import instants

ROOT = Path(__file__).parents[2]
TOOLS = {"tests", "benchmarks", "docs", "node_modules", "var"}
WRITTEN = re.compile(r"%Y-%m-%dT%H:%M|\+00:00[\"'], *[\"']Z")
"""A format of an instant, or the exchange of an offset for its Z."""
AWARE = st.datetimes(
    min_value=datetime(1900, 1, 2),
    timezones=st.sampled_from([UTC, ZoneInfo("Asia/Kathmandu"), ZoneInfo("America/St_Johns")]),
    allow_imaginary=False,
)


@given(AWARE)
def test_an_instant_is_the_same_one_read_back(at):
    in_utc = at.astimezone(UTC)
    assert datetime.fromisoformat(instants.exact(at)) == in_utc
    to_the_second = datetime.fromisoformat(instants.to_the_second(at))
    assert timedelta(0) <= in_utc - to_the_second < timedelta(seconds=1)
    for text in (instants.exact(at), instants.to_the_second(at)):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", text)


@pytest.mark.parametrize(
    ("timespec", "expected"),
    [
        ("auto", "2026-11-22T08:05:07.250000Z"),
        ("milliseconds", "2026-11-22T08:05:07.250Z"),
        ("seconds", "2026-11-22T08:05:07Z"),
    ],
)
def test_an_instant_is_as_exact_as_asked(timespec, expected):
    at = datetime(2026, 11, 22, 9, 5, 7, 250_000, ZoneInfo("Europe/Berlin"))
    assert instants.exact(at, timespec) == expected


def test_no_other_module_writes_them():
    ours = {
        path.relative_to(ROOT).as_posix(): path.read_text()
        for path in ROOT.rglob("*.py")
        if not (TOOLS & set(path.relative_to(ROOT).parts) or ".venv" in path.parts)
    }
    assert len(ours) > 100
    assert {path for path, source in ours.items() if WRITTEN.search(source)} == {"instants.py"}
