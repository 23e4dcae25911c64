"""Tests that ``make test`` leaves to ``make test-long``: nothing is lost, and each rule keeps a test in
``make test``."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deep import DEEP, all_but, efforts, every, seeds
from tests.house.long_marks import LongMark, marked_by_hand, marks, short_tests
from tests.house.rules import Module, modules, without_collecting

ROOT = Path(__file__).parents[2]
SHOWN = "tests/web/test_pages.py::test_one"


@pytest.fixture(scope="module")
def house() -> Iterator[list[Module]]:
    with without_collecting():
        yield [module for module in modules() if module.is_test]


def commands(target: str) -> list[str]:
    """Lines that run pytest when the target is made, each as a whole."""
    run = ["make", "--dry-run", "--always-make", target]
    told = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines = told.replace("\\\n", " ").splitlines()
    return [line.partition("||")[0] for line in lines if "-m pytest" in line]


def test_the_two_share_the_tests_and_the_deep_run_has_them_all():
    (short,), (repeated,), (deep,) = map(commands, ("test", "test-long", "test-deep"))
    assert re.findall(r' -m "([^"]*)"', short) == ["not long"]
    assert re.findall(r' -m "([^"]*)"', repeated) == ["long"]
    assert ' -m "' not in deep
    for command in (short, repeated, deep):
        bare = re.sub(r' -m "[^"]*"| -o cache_dir=\S+', "", command)
        assert bare.split() == deep.split()
        assert not re.search(r" -k | --deselect | --ignore| tests/", bare)


def test_continuous_integration_runs_both():
    lines = (ROOT / ".ci/run").read_text().splitlines()
    assert "set -euo pipefail" in lines
    assert lines[-2:] == ["make test", "make test-long"]


def test_each_mark_names_a_test_that_make_test_runs(house):
    every = list(marks(house))
    assert every
    named = {(mark.shown or "").partition("::")[0] for mark in every}
    there = short_tests([module for module in house if module.path in named])
    assert [mark for mark in every if mark.shown not in there] == []


def test_nothing_is_marked_without_a_reason(house):
    assert list(marked_by_hand(house)) == []


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (f"@long('{SHOWN}')\ndef test_many(): ...", [SHOWN]),
        (f"pytestmark = [long('{SHOWN}')]", [SHOWN]),
        ("@long(WHY)\ndef test_many(): ...", [None]),
        ("@long()\ndef test_many(): ...", [None]),
        ("def test_many(): ...", []),
    ],
)
def test_marks_are_read_from_the_source(source, shown):
    module = Module("tests/web/test_many.py", source)
    assert [mark.shown for mark in marks([module])] == shown
    assert all(isinstance(mark, LongMark) for mark in marks([module]))


@pytest.mark.parametrize(
    ("source", "short"),
    [
        ("def test_one(): ...", True),
        (f"@long('{SHOWN}')\ndef test_one(): ...", False),
        (f"pytestmark = long('{SHOWN}')\ndef test_one(): ...", False),
        ("@pytest.mark.parametrize('n', all_but([1], [1, 2]))\ndef test_one(n): ...", True),
    ],
)
def test_a_test_is_short_where_one_case_of_it_is(source, short):
    assert (SHOWN in short_tests([Module("tests/web/test_pages.py", source)])) == short


def test_a_mark_by_hand_is_seen():
    module = Module("tests/web/test_pages.py", "@pytest.mark.long\ndef test_one(): ...")
    assert list(marked_by_hand([module])) == ["tests/web/test_pages.py:1"]


def test_all_but_a_few_values_are_marked():
    one, *others = all_but([1], [1, 2, (3, 4)])
    _, pair = all_but([(1, 2)], [(1, 2), (3, 4)], several=True)
    assert pair.values == (3, 4)
    assert one == 1
    assert [param.values for param in others] == [(2,), ((3, 4),)]
    assert all(param.marks for param in others)
    with pytest.raises(AssertionError):
        all_but([5], [1, 2])


def test_of_many_values_each_so_many_th_is_tried():
    one, *others = every(3, [(1, 2), (3, 4), (5, 6), (7, 8)], several=True)
    assert (one, others[-1]) == ((1, 2), (7, 8))
    assert [param.values for param in others[:2]] == [(3, 4), (5, 6)]


@pytest.mark.skipif(DEEP, reason="the deep run knows one effort")
def test_the_first_seeds_and_the_rest_are_all_seeds():
    first, rest = seeds(3, 10, 1000)
    assert [*first.values[0], *rest.values[0]] == list(range(10))
    assert [bool(each.marks) for each in (first, rest)] == [False, True]


@pytest.mark.skipif(DEEP, reason="the deep run knows one effort")
def test_more_examples_are_tried_where_there_is_time():
    few, many = efforts(3, 10, 1000)
    assert [each.values[0].max_examples for each in (few, many)] == [3, 10]
    assert [bool(each.marks) for each in (few, many)] == [False, True]
