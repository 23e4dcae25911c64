"""Tests of a measure's change in every scope: evidence of both periods, dispersion, verdicts. Pure
numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import chain, repeat
from statistics import NormalDist

import numpy as np

from aggregators.pooling.plan import (
    BASE,
    BEFORE,
    NOW,
    POOLED,
    STEP,
    STEPPED,
    TRAILING,
    Plan,
)
from aggregators.signal.change import (
    VERDICTS,
    ChangeOutcome,
    Sample,
    Verdict,
    compare_samples,
    verdicts,
)
from aggregators.signal.interval import ChangeInterval, expected_ends, of_change
from aggregators.signal.rules import SMALL_RATIO, SeriesKind
from aggregators.signal.scatter import Scatter
from aggregators.signal.series import TestableSeries, durations_of, series_of
from aggregators.vocabulary.effects import Array
from aggregators.vocabulary.kinds import Quantile
from aggregators.vocabulary.measure import DAYS_SEEN, Evaluation, FactsByName, Measure, or_zero
from aggregators.vocabulary.period import Compare

SAME = 1e-12
"""A change below it is rounding."""


@dataclass(frozen=True, eq=False)
class ChangeEvidence:
    """Evidence of a tested change, a scope an element and one without data behind them: both periods,
    and how many times the sampling error the series scatters."""

    series: TestableSeries
    now: Sample
    before: Sample
    dispersion: Array

    @cached_property
    def outcome(self) -> ChangeOutcome:
        """Standard errors of each change."""
        return compare_samples(self.series.kind, self.now, self.before, self.dispersion)

    @cached_property
    def interval(self) -> ChangeInterval:
        """Interval of each change."""
        return of_change(self.series.kind, self.now, self.before, self.dispersion)

    def __getstate__(self) -> dict[str, object]:
        """The evidence alone: what follows from it is computed again."""
        return {name: getattr(self, name) for name in ("series", "now", "before", "dispersion")}

    def verdicts(self, worse_sign: float, delta: Array) -> list[Verdict]:
        """Verdict on each change that the figure shows as ``delta``."""
        return [VERDICTS[code] for code in verdicts(self.outcome, worse_sign, delta).tolist()]

    def test(self, row: int) -> str:
        """Name of the test of a row."""
        return self.tests(np.array([row]))[0]

    def tests(self, rows: np.ndarray) -> list[str]:
        """Names of the tests of some rows."""
        usual = TESTS[self.series.kind]
        if self.series.kind is not SeriesKind.RATIO:
            return [usual] * len(rows)
        return ["Fisher's mid-p" if few else usual for few in self.now.e[rows] < SMALL_RATIO]


TESTS = {
    SeriesKind.RATIO: "binomial deviance",
    SeriesKind.RATE: "Poisson deviance",
    SeriesKind.DURATION: "means of logs",
}


def change_evidence(
    measure: Measure,
    over: Mapping[str, FactsByName],
    evaluations: tuple[Evaluation, Evaluation],
    plan: Plan,
    scatter: Scatter,
    slugs: Sequence[str],
) -> ChangeEvidence | None:
    """Evidence of a measure over facts [row, span]; ``evaluations`` are those of now and before with
    the row without data; ``slugs`` name each row's workspace, "" the organisation. None for what no
    test fits, and where nobody is named."""
    series = series_of(measure)
    if series is None or not slugs:
        return None
    samples = _samples(measure, series, over, evaluations, plan, scatter)
    dispersion = scatter.of(series, slugs, plan.period.days)
    weight = or_zero(samples[0].e + samples[1].e)[: len(slugs)]
    return ChangeEvidence(series, *samples, _with_whole(dispersion, weight, slugs))


def drifts_of(measure: Measure, scatter: Scatter, slugs: Sequence[str]) -> dict[int, date]:
    """Since when the measure drifts in a row, of those that do."""
    series = series_of(measure)
    since = scatter.drifts.get(series.key, {}) if series else {}
    return {row: since[slug] for row, slug in enumerate(slugs) if slug in since} if since else {}


@dataclass(frozen=True, eq=False)
class ExpectedPoints:
    """Expectation of a series' points from the 84 days before its period; of durations from the period
    before. ``base`` and ``centre`` [row + 1]: the evidence, and the figure of durations. What a point rests
    on is worked out for the rows that are drawn: ``rests_on`` [row, point] are attempts of a ratio, else
    days seen, each of ``shares`` [point] of a usual day, with ``a_day`` [row] durations; ``is_a_day`` where
    events are shown a day."""

    kind: SeriesKind
    base: Sample
    centre: Array
    rests_on: np.ndarray
    dispersion: Array
    shares: Array
    a_day: Array
    is_a_day: bool

    def between(self, rows: int | np.ndarray, errors: Array) -> ChangeInterval:
        """Ends [band, point] for each point of a row, or [band, row, point] of several: a band for each of
        the standard ``errors`` [band, 1] (of several rows [band, 1, 1]) around the expected figure."""
        at = np.asarray(rows)[..., None]
        base = Sample(*(part[at] for part in (self.base.x, self.base.e, self.base.squares)))
        rests_on = self.rests_on[rows].astype(float)
        exposure, unit = rests_on, np.ones(1)
        if self.kind is SeriesKind.RATE:
            exposure = rests_on * self.shares
            if self.is_a_day:
                unit = 1 / np.where(rests_on > 0, rests_on, np.nan)
        elif self.kind is SeriesKind.DURATION:
            usual = self.a_day[at] * rests_on
            exposure, unit = np.maximum(usual - 2 * np.sqrt(usual), usual / 3), self.centre[at]
        ends = expected_ends(self.kind, base, exposure, self.dispersion[at], errors)
        return ChangeInterval(ends.low * unit, ends.high * unit)


NOTHING = np.empty(0)


def expected_points(
    measure: Measure,
    over: Mapping[str, FactsByName],
    plan: Plan,
    change: ChangeEvidence | None,
    evaluation: Evaluation,
    scatter: Scatter,
) -> ExpectedPoints | None:
    """Expectation of a measure's points, whose ``evaluation`` is of both periods and every point; None for
    what no test fits, and where nothing was read before."""
    if change is None or BASE not in over or not plan.points:
        return None
    label, whole_label = (TRAILING, POOLED) if measure.trailing else (STEP, STEPPED)
    points, dispersion = slice(2, 2 + len(plan.points)), change.dispersion
    if change.series.kind is SeriesKind.RATIO:
        base = measure.evaluate(over[BASE])
        sample = _one_longer(base.numerator[:, 0], base.denominator[:, 0])
        attempts = evaluation.denominator[:, points].astype(np.float32)
        kind = SeriesKind.RATIO
        return ExpectedPoints(kind, sample, NOTHING, attempts, dispersion, NOTHING, NOTHING, False)
    days = or_zero(over[whole_label][DAYS_SEEN][:, points]).astype(np.uint16)
    if change.series.kind is SeriesKind.DURATION:
        if plan.period.compare is not Compare.PREVIOUS:
            return None
        return _expected_durations(measure, over, change, evaluation.value[:, 1], days)
    shares = scatter.exposures(change.series, [*plan.spans[label], *plan.spans[BASE]])
    events = measure.evaluate(over[BASE]).numerator[:, 0]
    sample = _one_longer(events, over[BASE][DAYS_SEEN][:, 0] * shares[-1])
    kind, exposures = SeriesKind.RATE, np.array(shares[:-1])
    return ExpectedPoints(
        kind, sample, NOTHING, days, dispersion, exposures, NOTHING, measure.trailing
    )


def _one_longer(x: Array, e: Array) -> Sample:
    """Evidence of counts with the row without data behind it."""
    return Sample.counted(np.append(x, np.nan), np.append(e, np.nan))


def _expected_durations(
    measure: Measure,
    over: Mapping[str, FactsByName],
    change: ChangeEvidence,
    centre: Array,
    days: np.ndarray,
) -> ExpectedPoints:
    """Expectation of durations by the period before, whose figure is ``centre``. How many are behind a
    point of a quantile is not kept, so it is as many as there usually are, less what chance may take of
    them."""
    base, now = change.before, change.now
    both = (or_zero(over[label][DAYS_SEEN][:, 0]) for label in (NOW, BEFORE))
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = (np.maximum(base.squares - base.x**2 / base.e, 0.0) + 22.0) / (base.e + 10.0)
        number = (or_zero(now.e) + or_zero(base.e))[:-1]
        a_day = number / np.maximum(sum(both), 1.0)
    sample = Sample(base.x, base.e, variance * _spread_of(measure))
    kind, figures = change.series.kind, np.append(centre, np.nan)
    return ExpectedPoints(kind, sample, figures, days, change.dispersion, NOTHING, a_day, False)


def _spread_of(measure: Measure) -> float:
    """Variance of what is shown of durations, in variances of their logs over their number: of a quantile
    as of a normal distribution, of a mean as its logs have it."""
    if not isinstance(measure, Quantile):
        return 2.0
    at = NormalDist().inv_cdf(measure.q)
    return measure.q * (1 - measure.q) / NormalDist().pdf(at) ** 2


@dataclass(frozen=True, slots=True, eq=False)
class WatchedRows:
    """Words of the watch on a series, a scope an element and one without data behind them: evidence that it
    drifts, and days that a doubling needs to be told. NaN where nothing is known."""

    evidence: Array
    days_to_tell: Array


def watched_of(measure: Measure, scatter: Scatter, slugs: Sequence[str]) -> WatchedRows | None:
    """Words of the watch on a measure in each row; None where it does not look at it."""
    series = series_of(measure)
    pair_by_slug = scatter.watched.get(series.key) if series else None
    if not pair_by_slug:
        return None
    nothing = np.nan, np.nan
    pairs = chain.from_iterable(map(pair_by_slug.get, slugs, repeat(nothing)))
    numbers = np.fromiter(chain(pairs, nothing), float, 2 * len(slugs) + 2).reshape(-1, 2)
    return WatchedRows(numbers[:, 0], np.where(numbers[:, 1] > 0, numbers[:, 1], np.nan))


def _with_whole(dispersion: Array, weight: Array, slugs: Sequence[str]) -> Array:
    """Dispersion of each row, the organisation's that of its parts by their evidence; 1 without data."""
    is_whole = np.array([slug == "" for slug in slugs], bool)
    parts = weight * ~is_whole
    if is_whole.any() and parts.sum() > 0:
        dispersion = np.where(is_whole, (parts * dispersion).sum() / parts.sum(), dispersion)
    return np.append(dispersion, 1.0)


def _samples(
    measure: Measure,
    series: TestableSeries,
    over: Mapping[str, FactsByName],
    evaluations: tuple[Evaluation, Evaluation],
    plan: Plan,
    scatter: Scatter,
) -> tuple[Sample, Sample]:
    if series.kind is SeriesKind.DURATION:
        durations = durations_of(measure)
        now, before = (_moments(over[label][str(durations)].moments) for label in (NOW, BEFORE))
        return now, before
    if series.kind is SeriesKind.RATIO:
        now, before = (Sample.counted(e.numerator, e.denominator) for e in evaluations)
        return now, before
    shares = scatter.exposures(series, [plan.spans[NOW][0], plan.spans[BEFORE][0]])
    now, before = (
        Sample.counted(e.numerator, np.append(over[label][DAYS_SEEN][:, 0] * share, np.nan))
        for e, label, share in zip(evaluations, (NOW, BEFORE), shares, strict=True)
    )
    return now, before


def _moments(moments: Array) -> Sample:
    """Number, sum of logs and of squared logs [3, row, 1] as evidence."""
    n, logs, squares = (np.append(part[:, 0], np.nan) for part in moments)
    return Sample(logs, n, squares)


def verdicts_on(
    measure: Measure, evidence: ChangeEvidence | None, delta: Array, worse_sign: float
) -> list[Verdict]:
    """Verdict on each change: certain where nothing is sampled, too few where there is no evidence of
    it."""
    if evidence is not None:
        every = evidence.verdicts(worse_sign, np.where(np.abs(delta) < SAME, 0.0, delta))
    else:
        unknown = Verdict.CERTAIN if series_of(measure) is None else Verdict.TOO_FEW
        every = [unknown] * len(delta)
    nothing = np.isnan(delta).tolist()
    return [
        Verdict.NO_COMPARISON if none else one for one, none in zip(every, nothing, strict=True)
    ]
