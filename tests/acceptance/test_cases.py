"""Inputs as people's tools send them, through the public commands and the API: every figure is right.

Each case says what happened in the world and which figures are right, worked out by hand. They are not
part of the project: they lie beside the real inputs, in a folder ``cases``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deep import long

PROJECT = Path(__file__).parents[2]
LONGEST = 900
"""Seconds that all cases may take on a busy machine; a minute is usual."""


@pytest.fixture
def cases() -> Path:
    """The folder of cases, beside that of the real inputs; skips where it is absent."""
    data = Path(os.environ.get("VIGILO_ACCEPTANCE_DATA", PROJECT / "../shared/data"))
    folder = (data.parent / "cases").resolve()
    if not (folder / "run_cases.py").is_file():
        pytest.skip(f"no cases at {folder}: they lie beside the folder of VIGILO_ACCEPTANCE_DATA")
    return folder


@long("tests/reading/test_figures_against_raw_records.py::test_every_figure_equals_the_raw_records")
def test_every_case_gives_the_figures_of_what_happened(cases):
    runner = [sys.executable, cases / "run_cases.py", cases, "--project", PROJECT]
    ended = subprocess.run(runner, capture_output=True, text=True, timeout=LONGEST, check=False)
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    assert ", 0 failed" in ended.stdout, ended.stdout
