"""The types of the program hold: looked at beside the other tests, as a first look takes a processor for
twenty seconds."""

from __future__ import annotations

import subprocess
import sys

from tests.house.rules import ROOT


def test_the_types_of_the_program_hold():
    told = subprocess.run(
        [sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
