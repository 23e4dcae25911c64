"""Usual ways to call a change, on the evidence that the watch reads, each as a number that grows with how
worse a workspace looks by its rule: [workspace, night]. All are calibrated to the same false flags."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from aggregators.signal.rules import LAG, SeriesKind
from aggregators.signal.watch import DailyEvidence

NOTHING = -99.0
Rival = Callable[[DailyEvidence], np.ndarray]


def window(values: np.ndarray, days: int, back: int = 0) -> np.ndarray:
    """Sums over ``days`` that end ``back`` days ago [workspace, night]; 0 before there are so many."""
    running = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    sums = np.zeros(values.shape)
    first = days + back
    sums[:, first - 1 :] = (
        running[:, days : values.shape[1] + 1 - back] - running[:, : values.shape[1] + 1 - first]
    )
    return sums


def level(history: DailyEvidence, days: int, back: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Value over some days, and the exposure behind it; in logs of durations."""
    x, e = window(history.x, days, back), window(history.e, days, back)
    return np.divide(x, e, out=np.full_like(x, np.nan), where=e > 0), e


def _as_evidence(values: np.ndarray) -> np.ndarray:
    return np.nan_to_num(values, nan=NOTHING, posinf=99.0, neginf=NOTHING)


def _worse(history: DailyEvidence, difference: np.ndarray) -> np.ndarray:
    return -difference if history.is_fall else difference


def relative_delta(history: DailyEvidence) -> np.ndarray:
    """28 days against the 28 before, as a share of the earlier value."""
    (now, _), (before, _) = level(history, 28), level(history, 28, 28)
    with np.errstate(invalid="ignore", divide="ignore"):
        change = (
            np.exp(now - before) - 1
            if history.kind is SeriesKind.DURATION
            else (now - before) / before
        )
    return _as_evidence(_worse(history, change))


def z_score(history: DailyEvidence) -> np.ndarray:
    """A week against mean and scatter of the weeks in the 84 days before it."""
    now, _ = level(history, 7)
    weeks = np.stack([level(history, 7, 7 * back)[0] for back in range(1, 13)])
    with np.errstate(invalid="ignore", divide="ignore"):
        score = (now - _mean(weeks)) / np.sqrt(_mean((weeks - _mean(weeks)) ** 2))
    return _as_evidence(_worse(history, score))


def _mean(values: np.ndarray) -> np.ndarray:
    known = ~np.isnan(values)
    total = np.where(known, values, 0.0).sum(axis=0)
    count = known.sum(axis=0)
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 1)


def xmr(history: DailyEvidence) -> np.ndarray:
    """XmR chart of weeks with rules 1, 2 and 4 of Western Electric, in sigmas of rule 1."""
    weeks = np.stack([level(history, 7, 7 * back)[0] for back in range(24)])
    sigma = _mean(np.abs(np.diff(weeks[12:], axis=0))) / 1.128
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = _worse(history, (weeks[:8] - _mean(weeks[12:])) / sigma)
    scores = np.nan_to_num(scores, nan=NOTHING, posinf=99.0, neginf=NOTHING)
    second_of_three = np.sort(scores[:3], axis=0)[1] * 1.5
    run_of_eight = np.where(scores.min(axis=0) > 0, 3.0 + scores.min(axis=0), NOTHING)
    return np.maximum.reduce([scores[0], second_of_three, run_of_eight])


def split_t(history: DailyEvidence) -> np.ndarray:
    """Welch's t of the daily values of 28 days against those of 84 before (after Apache Otava)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        daily = history.x / history.e
    known = np.isfinite(daily) & (history.e > 0)
    values = np.where(known, daily, 0.0)
    parts = []
    for days, back in ((28, 0), (84, 28)):
        n = window(known.astype(float), days, back)
        mean = window(values, days, back) / np.maximum(n, 1)
        variance = window(values**2, days, back) / np.maximum(n, 1) - mean**2
        parts.append((n, mean, np.maximum(variance, 0) / np.maximum(n - 1, 1)))
    (n, now, error), (n_before, before, error_before) = parts
    with np.errstate(invalid="ignore", divide="ignore"):
        t = (now - before) / np.sqrt(error + error_before)
    return _as_evidence(np.where((n > 2) & (n_before > 2), _worse(history, t), NOTHING))


def exact(history: DailyEvidence) -> np.ndarray:
    """Two-sample test of 28 days against 84 before, as the signed root of its deviance."""
    return two_samples(history, 28, 84, 28)


def two_samples(history: DailyEvidence, days: int, days_before: int, back: int) -> np.ndarray:
    """Signed root of the deviance between two windows, chance alone."""
    x, e = window(history.x, days), window(history.e, days)
    x0, e0 = window(history.x, days_before, back), window(history.e, days_before, back)
    with np.errstate(invalid="ignore", divide="ignore"):
        if history.kind is SeriesKind.DURATION:
            squares = window(history.squares, days_before, back)
            variance = np.maximum(squares - x0 * x0 / e0, 0.01) / np.maximum(e0 - 1, 1)
            return _as_evidence((x / e - x0 / e0) / np.sqrt(variance * (1 / e + 1 / e0)))
        pooled = (x + x0) / (e + e0)
        deviance = _cell(x, e * pooled) + _cell(x0, e0 * pooled)
        if history.kind is SeriesKind.RATIO:
            deviance += _cell(e - x, e * (1 - pooled)) + _cell(e0 - x0, e0 * (1 - pooled))
        sign = np.sign(x / e - x0 / e0)
        return _as_evidence(_worse(history, sign * np.sqrt(2 * np.maximum(deviance, 0))))


def _cell(counted: np.ndarray, expected: np.ndarray) -> np.ndarray:
    safe = np.maximum(counted, 1e-12) / np.maximum(expected, 1e-12)
    return np.where(counted > 0, counted * np.log(safe), 0.0)


def exact_bh(history: DailyEvidence) -> np.ndarray:
    """Exact tests after Benjamini and Hochberg over the workspaces of a night: minus the log of q."""
    z = exact(history)
    log_p = _log_tail(z)
    order = np.argsort(log_p, axis=0)
    rank = np.arange(1, len(z) + 1)[:, None]
    stepped = np.take_along_axis(log_p, order, axis=0) + np.log(len(z) / rank)
    stepped = np.minimum.accumulate(stepped[::-1], axis=0)[::-1]
    adjusted = np.empty_like(stepped)
    np.put_along_axis(adjusted, order, stepped, axis=0)
    return -adjusted


def _log_tail(z: np.ndarray) -> np.ndarray:
    """Log of the upper tail of the normal distribution, by Mills' ratio; monotone, within 1 %."""
    high = np.maximum(z, 0.0)
    return np.where(
        z < 0,
        -0.01 * np.minimum(-z, 60),
        -(high**2) / 2 - np.log(high + np.sqrt(high**2 + 4)) + np.log(2) - 0.23,
    )


def glr(history: DailyEvidence) -> np.ndarray:
    """Generalised likelihood ratio: the best of windows of 7 to 56 days against 182 before."""
    return np.maximum.reduce(
        [two_samples(history, days, 182, days) for days in (7, 14, 21, 28, 42, 56)]
    )


def cusum(history: DailyEvidence) -> np.ndarray:
    """CUSUM for a doubling (or halving) against the fading mean of the watch, chance alone."""
    keep = 0.5 ** (1 / 150)
    factor = 0.5 if history.is_fall else 2.0
    x = e = squares = np.zeros(len(history.x))
    total, evidence = np.zeros(len(history.x)), np.full(history.x.shape, NOTHING)
    for day in range(LAG, history.days):
        past = history.night(day - LAG)
        x, e, squares = keep * x + past.x, keep * e + past.e, keep * squares + past.squares
        night = history.night(day)
        if history.kind is SeriesKind.DURATION:
            mean = x / np.maximum(e, 1e-9)
            variance = (np.maximum(squares - x * mean, 0) + 22) / (e + 10)
            step = np.log(factor) * (night.x - night.e * mean)
            step = (step - night.e * np.log(factor) ** 2 / 2) / variance
        else:
            step = night.x * np.log(factor) - night.e * (x + 0.5) / (e + 0.5) * (factor - 1)
        if day >= 2 * LAG:
            total = np.maximum(total, 0) + step
            evidence[:, day] = total
    return evidence


RIVALS: Mapping[str, Rival] = {
    "relative delta, 28 days": relative_delta,
    "z-score of a week": z_score,
    "XmR with run rules": xmr,
    "split t-test": split_t,
    "exact tests": exact,
    "exact tests with BH": exact_bh,
    "GLR, 7 to 56 days": glr,
    "CUSUM for a doubling": cusum,
}
