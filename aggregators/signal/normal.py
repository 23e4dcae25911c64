"""Normal quantiles and tails of arrays, and Fisher's mid-p for a few events. Own code because numpy
has none and scipy is 100 MB for three functions."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from aggregators.signal.rules import SMALL_RATIO
from aggregators.vocabulary.effects import Array

STANDARD = NormalDist()


def z_of(p: Array) -> Array:
    """Standard normal quantile of ``1 - p``; p is kept within the range of a double."""
    kept = np.clip(p, 1e-15, 1 - 1e-15)
    return np.array([STANDARD.inv_cdf(1 - one) for one in kept.ravel().tolist()]).reshape(p.shape)


def upper_tail(z: float) -> float:
    """Probability above ``z``."""
    return 0.5 * math.erfc(z / math.sqrt(2))


def mid_p_z(x: Array, n: Array, x_before: Array, n_before: Array) -> Array:
    """Standard errors that Fisher's mid-p of ``x`` of ``n`` against ``x_before`` of ``n_before`` is
    worth, positive where the ratio rose; ``n`` is below SMALL_RATIO."""
    every, wholes = x + x_before, n + n_before
    mass = np.stack([_hypergeometric(k, n, every, wholes) for k in range(SMALL_RATIO)])
    k = np.arange(SMALL_RATIO)[:, None]
    at = (mass * (k == x)).sum(axis=0)
    above = (mass * (k > x)).sum(axis=0) + at / 2
    return z_of(above)


def _hypergeometric(k: int, n: Array, marked: Array, whole: Array) -> Array:
    """Probability of ``k`` marked among ``n`` drawn of ``whole``, of which ``marked`` are."""
    total = np.ones_like(n, dtype=float)
    for draw in range(SMALL_RATIO - 1):
        is_drawn = draw < n
        rest = np.maximum(whole - draw, 1.0)
        left = np.maximum(marked - draw, 0.0) if draw < k else None
        if left is not None:
            total *= np.where(is_drawn, left / rest, 0.0)
        else:
            total *= np.where(is_drawn, np.maximum(whole - marked - (draw - k), 0.0) / rest, 1.0)
    orders = np.array(
        [math.comb(drawn, k) if drawn >= k else 0 for drawn in n.astype(int).tolist()]
    )
    return np.asarray(total * orders)
