"""Contributions of members to the change of a pooled figure: exact decompositions in numpy.

Every function takes two aligned arrays per quantity, a member (workspace) per element, NaN or None
where it has no data, and gives effects in the figure's unit that add up to the pooled figure's
change. A kind of measure chooses its own (``Measure.effects``); docs/decisions.md says why these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aggregators.vocabulary.sketch import Sketch

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Effects:
    """Per member, in the figure's unit. ``total`` is ``rate`` (its own figure changed) plus ``mix``
    (its weight did) where the kind has weights; both are None where it has none."""

    total: Array
    rate: Array | None = None
    mix: Array | None = None


def difference(now: Array, before: Array) -> Effects:
    """Of a sum: each member's own difference, no data counting 0 as it does in the sum."""
    return Effects(np.nan_to_num(now) - np.nan_to_num(before))


def midpoint(part: tuple[Array, Array], whole: tuple[Array, Array]) -> Effects:
    """Of pooled parts over pooled wholes, each as (now, before), the pooled wholes above 0.

    With weights w = whole / sum of wholes, ratios r and the pooled ratio R, bars for the mean of the
    two periods: rate = mean w x change of r, mix = change of w x (mean r - mean R). A member without
    a whole in one period has no ratio there; it is taken to be that of the other, so all of its
    effect is mix. Source: Marshall, Edgeworth and Bennet's midpoint decomposition.
    """
    parts, wholes = ([np.nan_to_num(a) for a in pair] for pair in (part, whole))
    pooled = sum(p.sum() / w.sum() for p, w in zip(parts, wholes, strict=True)) / 2
    now, before = _ratios(parts, wholes)
    weight, earlier = (w / w.sum() for w in wholes)
    rate = (weight + earlier) / 2 * (now - before)
    mix = (weight - earlier) * ((now + before) / 2 - pooled) + _strays(parts, wholes)
    return Effects(rate + mix, rate, mix)


def _ratios(parts: list[Array], wholes: list[Array]) -> tuple[Array, Array]:
    """Each member's ratio in the two periods; one that it has not is that of the other, else 0."""
    now, before = (
        np.divide(p, w, out=np.full_like(p, np.nan), where=w > 0)
        for p, w in zip(parts, wholes, strict=True)
    )
    filled = np.where(np.isnan(now), before, now), np.where(np.isnan(before), now, before)
    return np.nan_to_num(filled[0]), np.nan_to_num(filled[1])


def _strays(parts: list[Array], wholes: list[Array]) -> Array:
    """Effect of parts without their whole, which are in the pooled ratio all the same."""
    now, before = (np.where(w > 0, 0.0, p) / w.sum() for p, w in zip(parts, wholes, strict=True))
    return np.asarray(now - before)


def highest(now: Array, before: Array) -> Effects:
    """Of a maximum: a rise belongs to those who hold the new one, a fall to those who held the old
    one (had any of them stayed, nothing had fallen); several share it equally."""
    after, earlier = (np.where(np.isnan(a), -np.inf, a) for a in (now, before))
    change = after.max() - earlier.max()
    holds = after == after.max() if change > 0 else earlier == earlier.max()
    return Effects(np.where(holds, change / holds.sum(), 0.0))


def lowest(now: Array, before: Array) -> Effects:
    """Of a minimum: as ``highest``, turned round."""
    return Effects(-highest(-now, -before).total)


def quantile(now: Sequence[Sketch | None], before: Sequence[Sketch | None], q: float) -> Effects:
    """Of the q-quantile of merged distributions, in seconds; both merged ones hold something.

    The quantile moves from one value to the other because the share of durations that lie below the
    values between them changes. That share, averaged over the values between, is a pooled ratio: its
    ``midpoint`` effects are scaled to the quantile's change. What the rank itself moves (of 2
    durations the median is the first, of 3 the second) goes to the mix by mean weight; with it the
    sum that is scaled is never 0 and never points the wrong way.
    """
    pairs = (now, before)
    merged = [Sketch.merged(s for s in sketches if s) for sketches in pairs]
    end, start = (m.quantile(q) or 0.0 for m in merged)
    if end == start:
        return Effects(*np.zeros((3, len(now))))
    low, high = sorted((end, start))
    n = [np.array([s.n if s else 0 for s in sketches], float) for sketches in pairs]
    below = [np.array([_mean_count_below(s, low, high) for s in sketches]) for sketches in pairs]
    share = midpoint((below[0], below[1]), (n[0], n[1]))
    aim = [(np.floor(q * (m.n - 1)) + 0.5) / m.n for m in merged]
    weight = (n[0] / merged[0].n + n[1] / merged[1].n) / 2
    aside = share.total - weight * (aim[0] - aim[1])
    scale = (end - start) / aside.sum()
    rate = share.rate * scale
    return Effects(aside * scale, rate, aside * scale - rate)


def _mean_count_below(sketch: Sketch | None, low: float, high: float) -> float:
    """How many durations lie below a value, on average over the values from ``low`` to ``high``."""
    if sketch is None:
        return 0.0
    shares = np.clip((high - sketch.values) / (high - low), 0.0, 1.0)
    return float(shares @ sketch.counts)
