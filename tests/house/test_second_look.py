"""Tests that failed beside others are looked at once more: few of them, alone, and never in silence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "second_look.py"
ONCE = """
from pathlib import Path
def test_late():
    seen = Path("seen")
    first = not seen.exists()
    seen.touch()
    assert not first
"""
NEVER = "import pytest\n@pytest.mark.parametrize('n', range({}))\ndef test_wrong(n): assert False\n"


def looked_at_twice(folder: Path, tests: str) -> subprocess.CompletedProcess[str]:
    """Second look at a project of these tests, after a first run."""
    (folder / "test_it.py").write_text(tests)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    run = {"cwd": folder, "env": environment, "capture_output": True, "text": True, "check": False}
    first = subprocess.run([sys.executable, "-m", "pytest", "-q", "--rootdir", "."], **run)
    assert first.returncode == (1 if "False" in tests or "first" in tests else 0), first.stdout
    return subprocess.run([sys.executable, str(SCRIPT)], **run)


def test_what_passes_alone_is_named(tmp_path):
    done = looked_at_twice(tmp_path, ONCE)
    assert done.returncode == 0
    assert "FAILED BESIDE OTHERS, PASSED ALONE" in done.stdout
    assert "test_it.py::test_late" in done.stdout


@pytest.mark.parametrize("many", [1, 10])
def test_what_fails_again_has_failed(tmp_path, many):
    done = looked_at_twice(tmp_path, NEVER.format(many))
    assert done.returncode == 1
    assert f"{many} failed" in done.stdout


def test_one_that_fails_again_is_not_hidden_by_one_that_passes(tmp_path):
    assert looked_at_twice(tmp_path, ONCE + NEVER.format(1)).returncode == 1


def test_many_are_no_accident(tmp_path):
    done = looked_at_twice(tmp_path, NEVER.format(11))
    assert done.returncode == 1
    assert "11 tests failed" in done.stdout
    assert "Once more" not in done.stdout


def test_nothing_to_look_at_is_a_failure_too(tmp_path):
    assert looked_at_twice(tmp_path, "def test_right(): pass\n").returncode == 1
