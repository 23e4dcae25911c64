"""The order of files: what is begun first is there."""

from __future__ import annotations

import pytest

from tests.conftest import LONGEST_FIRST, TOGETHER
from tests.house.rules import ROOT


@pytest.mark.parametrize("name", [*(f"tests/{name}" for name in LONGEST_FIRST), *TOGETHER])
def test_what_is_begun_first_names_files(name):
    files = (path.relative_to(ROOT).as_posix() for path in ROOT.glob("tests/**/test_*.py"))
    assert any(file.startswith(name) for file in files)
