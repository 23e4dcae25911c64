"""The verdict on a change, one figure at a time, from the counts of two periods: slow and obvious, what the
arrays of the dashboard must equal."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

LIKELY, CERTAIN = 1.8, 2.65
FEW = 5
Counts = tuple[float, float]
"""Events, and attempts or days."""
Errors = Callable[[Counts, Counts, float], float | None]


def of_ratio(now: Counts, before: Counts, scatter: float) -> float | None:
    """Standard errors between two ratios; None where one of them is of nothing."""
    if not now[1] or not before[1]:
        return None
    if now[1] < FEW:
        return _mid_p(now, before) / math.sqrt(scatter)
    failed = [(now[0], now[1]), (before[0], before[1])]
    passed = [(n - x, n) for x, n in failed]
    deviance = _against_pooled(failed) + _against_pooled(passed)
    return _signed(now, before, deviance, scatter)


def of_rate(now: Counts, before: Counts, scatter: float) -> float | None:
    """Standard errors between two rates; None where one of them is of no days."""
    if not now[1] or not before[1]:
        return None
    return _signed(now, before, _against_pooled([now, before]), scatter)


def verdict(
    errors: Errors, now: Counts, before: Counts, scatter: float, worse: int, delta: float | None
) -> tuple[str, float]:
    """The verdict, and the standard errors that it is of; ``worse`` is 1 where a rise is worse, else
    -1."""
    if delta is None:
        return "no_comparison", 0.0
    z = errors(now, before, scatter)
    most = now[1] if errors is of_ratio else now[0] + 10 + 10 * before[0]
    ends = [errors((x, now[1]), before, scatter) for x in (0.0, most)]
    if z is None or max(abs(end or 0.0) for end in ends) < LIKELY:
        return "too_few", z or 0.0
    if z * delta <= 0:
        return "within_noise", z
    better_or_worse = "worse" if z * worse > 0 else "better"
    if abs(z) >= CERTAIN:
        return better_or_worse, z
    return ("likely_" + better_or_worse if abs(z) >= LIKELY else "within_noise"), z


def _against_pooled(cells: list[Counts]) -> float:
    """Sum of ``o log(o / expected)`` where both periods have the rate of both together."""
    pooled = sum(x for x, _ in cells) / sum(e for _, e in cells)
    return sum(x * math.log(x / (e * pooled)) for x, e in cells if x > 0)


def _signed(now: Counts, before: Counts, deviance: float, scatter: float) -> float:
    rose = now[0] / now[1] - before[0] / before[1]
    return math.copysign(math.sqrt(max(2 * deviance, 0.0) / scatter), rose) if rose else 0.0


def _mid_p(now: Counts, before: Counts) -> float:
    """Fisher's mid-p as standard errors: tables with the same margins, each with its probability."""
    (x, n), (x_before, n_before) = ((int(a), int(b)) for a, b in (now, before))
    marked, whole = x + x_before, n + n_before
    tables = [
        math.comb(marked, k) * math.comb(whole - marked, n - k) / math.comb(whole, n)
        for k in range(n + 1)
    ]
    above = sum(tables[x + 1 :]) + tables[x] / 2
    return NormalDist().inv_cdf(1 - min(max(above, 1e-15), 1 - 1e-15))
