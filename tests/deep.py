"""Effort of a run: few generated examples in ``make test``, many in ``make test-deep``; and the mark of
what ``make test-long`` repeats."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable

import pytest
from hypothesis import HealthCheck, settings

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"


def bound(seconds: float) -> float:
    """Seconds that something may take: as promised in ``make test-deep``; ten times that in ``make test``,
    which runs on any machine, however busy, and only has to see that it ends."""
    return seconds if DEEP else 10 * seconds


def examples(quick: int, deep: int) -> settings:
    """Settings of a generated test: its number of examples in ``make test`` and in ``make test-deep``.

    A busy machine or a fixture that is shared by the examples is no failure.
    """
    return settings(
        max_examples=deep if DEEP else quick,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def long(shown: str) -> pytest.MarkDecorator:
    """Mark of a dear repetition, which ``make test-long`` runs. ``shown`` names the test of ``make test``
    that shows the same rule for less: ``tests/folder/test_file.py::test_name``."""
    return pytest.mark.long(shown)


def all_but(
    few: Collection[object], values: Iterable[object], *, several: bool = False
) -> list[object]:
    """Values of a parameter, or tuples of several parameters' values: the few are tried in ``make test``,
    the others in ``make test-long``."""
    values = list(values)
    missing = [each for each in few if each not in values]
    assert few, "one at least is tried in make test"
    assert not missing, f"not among the values: {missing}"
    return [each if each in few else _long_case(*(each if several else (each,))) for each in values]


def every(nth: int, values: Iterable[object], *, several: bool = False) -> list[object]:
    """Values of a parameter, as of ``all_but``: each so many-th is tried in ``make test``."""
    values = list(values)
    return all_but(values[::nth], values, several=several)


def seeds(few: int, many: int, deep: int) -> list[object]:
    """Seeds of random cases, as values of a parameter: the first few of the many in ``make test`` and the
    rest in ``make test-long``, or as many as ``make test-deep`` tries."""
    if DEEP:
        return [pytest.param(range(deep), id="all")]
    return [pytest.param(range(few), id="first"), _long_case(range(few, many), id="rest")]


def efforts(few: int, many: int, deep: int) -> list[object]:
    """Settings of a generated test, as values of a parameter: few examples in ``make test``, many in
    ``make test-long``, or as many as ``make test-deep`` tries."""
    if DEEP:
        return [pytest.param(examples(deep, deep), id="all")]
    return [
        pytest.param(examples(few, deep), id="few"),
        _long_case(examples(many, deep), id="many"),
    ]


def _long_case(*values: object, id: str | None = None) -> object:
    """Case of a test of which other cases are in ``make test``."""
    return pytest.param(*values, id=id, marks=long("other cases of the same test"))
