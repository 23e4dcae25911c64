"""Tests that the table of faults names are there; the documented pgbouncer is the tested one."""

from __future__ import annotations

import ast

import pytest

from docs import faults
from tests.served import ROOT

NAMED = sorted(
    {test for tests in (*faults.SHOWN_BY.values(), *faults.ALSO.values()) for test in tests}
)


@pytest.mark.parametrize("test", NAMED)
def test_it_is_there(test):
    file, _, name = test.partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert not name or name in functions


def test_every_measured_fault_stands_in_the_table():
    assert set(faults.measured()) <= set(faults.SHOWN_BY)


def test_the_documented_pgbouncer_is_the_one_that_is_tested():
    written = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    assert (ROOT / "deploy" / "pgbouncer.ini").read_text(encoding="utf-8").strip() in written
