"""Verdicts on changes as the JSON of the contract."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aggregators.pooling.changes import ChangeEvidence
from aggregators.pooling.measure_table import MeasureTable
from aggregators.signal.change import Verdict
from aggregators.signal.rules import SeriesKind
from aggregators.vocabulary.effects import Array

Json = dict[str, Any]
TESTED, BOUND = 2, 4
"""Digits after the point of standard errors and dispersion, and of an interval's ends: a hundredth of a
standard error and of a percentage point. More would be noise, and do not compress."""
ENDLESS = 1e6
"""Factor of change beyond which an interval is told without an end."""
VERDICT_NAMES = {verdict: verdict.value for verdict in Verdict}
UNTESTED: Mapping[Verdict, Json] = {
    verdict: {"verdict": verdict.value, "z": None, "phi": None, "interval": None, "test": None}
    for verdict in Verdict
}
"""Each verdict where there is no test behind it."""


def changes_json(table: MeasureTable, rows: Sequence[int]) -> list[Json]:
    """The verdict on each row's change and the test behind it; null where there is none."""
    verdict_of = table.verdict
    verdicts = [verdict_of[row] for row in rows]
    if table.change is None:
        return [UNTESTED[verdict] for verdict in verdicts]
    at = np.array(rows, int)
    return [
        UNTESTED[verdict]
        if verdict in (Verdict.CERTAIN, Verdict.NO_COMPARISON)
        else {
            "verdict": VERDICT_NAMES[verdict],
            "z": z,
            "phi": phi,
            "interval": interval,
            "test": test,
        }
        for verdict, z, phi, interval, test in zip(
            verdicts,
            _rounded_numbers(table.change.outcome.z[at], TESTED),
            _rounded_numbers(table.change.dispersion[at], TESTED),
            _intervals(table.change, at),
            table.change.tests(at),
            strict=True,
        )
    ]


def _intervals(evidence: ChangeEvidence, rows: np.ndarray) -> list[Json | None]:
    """Both ends where there are any; no upper one where nothing was there before."""
    of = "difference" if evidence.series.kind is SeriesKind.RATIO else "factor"
    ends = zip(
        _rounded_numbers(evidence.interval.low[rows], BOUND),
        _rounded_numbers(evidence.interval.high[rows], BOUND),
        strict=True,
    )
    return [
        None if low is None else {"low": low, "high": _finite_end(high), "of": of}
        for low, high in ends
    ]


def _finite_end(high: float | None) -> float | None:
    return None if high is None or high > ENDLESS else high


def _rounded_numbers(values: Array, digits: int) -> list[float | None]:
    """Numbers to so many digits after the point; None for what is none."""
    rounded = np.round(values, digits)
    if np.isfinite(rounded).all():
        return list(rounded.tolist())
    return [value if math.isfinite(value) else None for value in rounded.tolist()]
