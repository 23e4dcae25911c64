"""Effort of a run: few generated examples in ``make test``, many in ``make test-deep``."""

from __future__ import annotations

import os

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
