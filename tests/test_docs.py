"""The generated documents are what the code says."""

import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
GENERATOR = runpy.run_path(str(DOCS / "generate.py"), run_name="generator")


@pytest.mark.parametrize("name", GENERATOR["DOCUMENTS"])
def test_it_has_not_drifted(name):
    written = (DOCS / name).read_text(encoding="utf-8")
    assert written == GENERATOR["DOCUMENTS"][name](), "run `make docs`"
