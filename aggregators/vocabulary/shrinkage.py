"""Empirical-Bayes means: figures of many workspaces, each drawn towards the others by as much as chance may
have moved it. Pure numpy.

A workspace that failed 1 of 2 deployments is not the worst of a hundred, and one that failed 3 of 9 may
well be worse than one that failed none of 12. The prior is fitted to all of them at the read, so that no
rule about enough events is needed. Every function takes an element a workspace, all of them with data, and
gives a value each in the figure's unit; equal evidence gives equal values, so that ties stay ties.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aggregators.vocabulary.effects import Array

PRIOR_SIZE, PRIOR_SPREAD = 12.0, 1.0
"""A prior is expected to weigh as much as so many events, give or take a factor of e: what it is taken for
where a few workspaces say little about it."""
GRID = 40
"""How many shares, from 0.05 to 99.95 %, at which the shape of the prior is looked at."""
PRIOR_WORKSPACES = 60.0
"""The fitted beta counts as so many workspaces when its shape is mended to theirs: with twelve it is a
beta, with a thousand it follows them (NDCG of the first ten 0.936 against 0.920 of the beta alone)."""
MENDINGS = 10
LEAST = 1e-280
"""Weight of a share that the prior holds for impossible, beside its likeliest."""
FINEST, SECOND = 0.02, 1.0


def of_ratios(part: Array, whole: Array) -> Array:
    """Posterior means of shares, parts of wholes above 0: a beta prior by its likelihood, mended to the
    shape that the workspaces have."""
    (x, n), each, alike = np.unique(
        np.stack([part, whole]), axis=1, return_inverse=True, return_counts=True
    )
    count = alike.astype(float)
    a, b = _beta(x, n, count)
    return np.asarray(_posterior_means(x, n, count, (a, b))[each.reshape(-1)])


def _beta(x: Array, n: Array, count: Array) -> tuple[float, float]:
    """The beta that makes the counts likeliest, with a weak prior on how much it weighs."""
    mean = ((x * count).sum() + 0.5) / ((n * count).sum() + 1.0)

    def likelihood(at: Array) -> float:
        share, size = 1 / (1 + np.exp(-at[0])), np.exp(at[1])
        a, b = share * size, (1 - share) * size
        # One call for all of them: there are some fifty looks at the likelihood a measure.
        logs = _log_gamma(np.concatenate([x + a, n - x + b, n + size, [a, b, size]]))
        of_part, of_rest, of_whole = logs[:-3].reshape(3, -1)
        prior = logs[-3] + logs[-2] - logs[-1]
        return float(count @ (of_part + of_rest - of_whole - prior)) - _surprise(at[1])

    at = _climb(likelihood, np.array([np.log(mean / (1 - mean)), np.log(PRIOR_SIZE)]))
    share, size = float(1 / (1 + np.exp(-at[0]))), float(np.exp(at[1]))
    return share * size, (1 - share) * size


def _posterior_means(x: Array, n: Array, count: Array, beta: tuple[float, float]) -> Array:
    """Posterior means under the beta, its shape mended by some steps of expectation and maximisation: a
    mixture of betas, one around each share of a grid and half as wide as its steps. Points alone would draw
    a workspace of many events to the next of them."""
    end = float(np.log(0.9995 / 0.0005))
    share = 1 / (1 + np.exp(-np.linspace(-end, end, GRID)))
    mean = beta[0] / (beta[0] + beta[1])
    size = 4 * ((GRID - 1) / (2 * end)) ** 2 / (mean * (1 - mean))
    log_start = beta[0] * np.log(share) + beta[1] * np.log1p(-share)
    # A beta of many workspaces that are alike is 0 to a computer: it is told beside its peak, and nowhere
    # as 0, for a workspace that lies apart has to lie somewhere.
    start = np.maximum(np.exp(log_start - log_start.max()), LEAST)
    start = weight = start / start.sum()
    # Events say less of where a beta lies than of a point: as much as size * n / (size + n) of them.
    log_likelihood = np.outer(x, np.log(share)) + np.outer(n - x, np.log1p(-share))
    log_likelihood *= (size / (size + n))[:, None]
    likelihood = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True))
    for _ in range(MENDINGS):
        explained = (count / (likelihood @ weight)) @ likelihood
        weight = (weight * explained + PRIOR_WORKSPACES * start) / (count.sum() + PRIOR_WORKSPACES)
    posterior = likelihood * weight
    around = (posterior @ share) / posterior.sum(axis=1)
    return np.asarray((x + size * around) / (n + size))


def of_rates(count: Array, exposure: Array) -> Array:
    """Posterior means of events a unit of exposure (above 0): (x + a) / (e + b), a gamma prior by its
    likelihood, expected to be as wide as its mean (a = 1)."""
    mean = (count.sum() + 0.5) / exposure.sum()

    def likelihood(at: Array) -> float:
        a, b = np.exp(at[1]), np.exp(at[1] - at[0])
        each = _log_gamma(count + a) - (count + a) * np.log(exposure + b)
        prior = a * np.log(b) - _log_gamma(np.array([a]))[0]
        return float(each.sum() + prior * len(count)) - 0.5 * float(at[1]) ** 2

    at = _climb(likelihood, np.array([np.log(mean), 0.0]))
    a, b = np.exp(at[1]), np.exp(at[1] - at[0])
    return np.asarray((count + a) / (exposure + b))


def of_durations(value: Array, events: Array) -> Array:
    """Durations in seconds, each of so many ``events``, drawn together on the logarithmic scale: the mean
    of their logarithms weighs as much as so many events as the variance of single durations is that between
    the workspaces. Under a second counts as one, as in a figure of 0."""
    logs = np.log(np.maximum(value, SECOND))

    def likelihood(at: Array) -> float:
        variance = np.exp(at[0]) + np.exp(at[1]) / events
        weight = 1 / variance
        centre = (logs * weight).sum() / weight.sum()
        loss = float((np.log(variance) + (logs - centre) ** 2 * weight).sum())
        return -0.5 * (loss + float(at[0] ** 2 + (at[1] - 1) ** 2))  # both expected near 1

    between, within = np.exp(_climb(likelihood, np.array([0.0, 1.0])))
    weight = events / (events + within / between)
    centre = (logs * weight).sum() / weight.sum()
    return np.asarray(np.exp(weight * logs + (1 - weight) * centre))


def _surprise(log_size: float) -> float:
    return float(0.5 * ((log_size - np.log(PRIOR_SIZE)) / PRIOR_SPREAD) ** 2)


def _climb(likelihood: Callable[[Array], float], start: Array) -> Array:
    """The place of the highest likelihood, by steps along each axis that are halved where none helps."""
    at, step = start, np.full(len(start), 0.5)
    best = likelihood(at)
    while step[0] > FINEST:
        moved = False
        for axis in range(len(at)):
            for sign in (1.0, -1.0):
                further = at.copy()
                further[axis] += sign * step[axis]
                if (value := likelihood(further)) > best:
                    at, best, moved = further, value, True
                    break
        if not moved:
            step = step / 2
    return at


def _log_gamma(x: Array) -> Array:
    """Logarithm of the gamma function above 0, by Stirling's series eight further on (to 1e-11)."""
    below = x * (x + 1) * (x + 2) * (x + 3) * (x + 4) * (x + 5) * (x + 6) * (x + 7)
    y = x + 8
    inverse = 1 / y
    square = inverse * inverse
    series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)))
    return np.asarray((y - 0.5) * np.log(y) - y + 0.9189385332046727 + series - np.log(below))
