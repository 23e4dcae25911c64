"""The six kinds of measure: count, level, rate, ratio, mean, quantile."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from aggregators.vocabulary import effects, shrinkage
from aggregators.vocabulary.effects import Array, Effects
from aggregators.vocabulary.measure import (
    DAYS_SEEN,
    LEVEL_MAX,
    LEVEL_MIN,
    LEVEL_SUM,
    PER_DAY,
    RATIO,
    SECONDS,
    Days,
    Distribution,
    Evaluation,
    FactsByName,
    Measure,
    Nature,
    Unit,
)
from aggregators.vocabulary.sketch import QUANTILES

LOW_SAMPLE_RATIO, LOW_SAMPLE_MEAN = 10, 3
"""Events below which a figure is a low sample: of a ratio, and of a mean or a quantile."""


def _nothing(facts: FactsByName) -> Array:
    """No data, in the shape of the facts."""
    return np.full_like(facts[DAYS_SEEN], np.nan)


def _total(facts: FactsByName, columns: tuple[str, ...]) -> Array:
    """The sum of what is known; NaN where nothing is."""
    if len(columns) == 1:
        return np.asarray(facts[columns[0]])
    each = np.stack([facts[column] for column in columns])
    unknown = np.isnan(each)
    return np.where(unknown.all(axis=0), np.nan, np.where(unknown, 0.0, each).sum(axis=0))


def _quotient(part: Array, whole: Array) -> Array:
    """A part over its whole; no data where the whole is 0."""
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def _pooled_parts(now: Evaluation, before: Evaluation) -> Effects | None:
    """Midpoints of pooled quotients; None where a period has no whole at all."""
    if not (np.nansum(now.denominator) > 0 and np.nansum(before.denominator) > 0):
        return None
    return effects.midpoint(
        (now.numerator, before.numerator), (now.denominator, before.denominator)
    )


@dataclass(frozen=True)
class Count(Measure):
    """A flow: summed over days, summed over workspaces."""

    of: str = field(kw_only=True)

    kind = "count"
    trailing = False

    def natures(self) -> dict[str, Nature]:
        return super().natures() | {self.of: Nature.FLOW}

    def _evaluate(self, facts: FactsByName) -> Evaluation:
        count = facts[self.of]
        return Evaluation(count, count, _nothing(facts), count)

    def parts(self, now: Evaluation, before: Evaluation, days: Days) -> Effects:
        return effects.difference(now.numerator, before.numerator)


CHANGED = {
    LEVEL_MAX: effects.highest,
    LEVEL_MIN: effects.lowest,
}
"""How the change of an extreme falls to the workspaces."""


@dataclass(frozen=True)
class Level(Measure):
    """A gauge: the last snapshot within the period; the facts ``of`` are added up on each row."""

    of: tuple[str, ...] = field(kw_only=True)
    over: Nature = field(default=LEVEL_SUM, kw_only=True)

    kind = "level"
    trailing = False

    def __post_init__(self) -> None:
        if self.over is not LEVEL_SUM and len(self.of) != 1:
            raise ValueError(f"{self.key}: a maximum or minimum is of one fact")

    def natures(self) -> dict[str, Nature]:
        return super().natures() | dict.fromkeys(self.of, self.over)

    def _evaluate(self, facts: FactsByName) -> Evaluation:
        level = _total(facts, self.of)
        numerator = level if self.over is LEVEL_SUM else _nothing(facts)
        return Evaluation(level, numerator, _nothing(facts), _nothing(facts))

    def parts(self, now: Evaluation, before: Evaluation, days: Days) -> Effects:
        if self.over is LEVEL_SUM:  # of whoever has nothing of it too, as in the sum
            return effects.difference(now.numerator, before.numerator)
        return CHANGED[self.over](now.value, before.value)


@dataclass(frozen=True)
class Rate(Measure):
    """A flow per day seen."""

    of: str = field(kw_only=True)
    unit: Unit = field(default=PER_DAY, kw_only=True)

    kind = "rate"
    prior = "gamma"

    def natures(self) -> dict[str, Nature]:
        return super().natures() | {self.of: Nature.FLOW}

    def _evaluate(self, facts: FactsByName) -> Evaluation:
        count, days = facts[self.of], facts[DAYS_SEEN]
        return Evaluation(_quotient(count, days), count, days, count)

    def parts(self, now: Evaluation, before: Evaluation, days: Days) -> Effects:
        return effects.difference(now.numerator / days[0], before.numerator / days[1])

    def shrunken(self, evaluation: Evaluation) -> Array:
        return shrinkage.of_rates(evaluation.numerator, evaluation.denominator)


@dataclass(frozen=True)
class Ratio(Measure):
    """Numerators over denominators, pooled; of flows, or ``at_end`` of levels (a census, no sample)."""

    part: tuple[str, ...] = field(kw_only=True)
    whole: tuple[str, ...] = field(kw_only=True)
    at_end: bool = field(default=False, kw_only=True)
    unit: Unit = field(default=RATIO, kw_only=True)

    kind = "ratio"

    @property
    def low_sample_below(self) -> int:  # type: ignore[override]
        """Ten events; a census of objectives, controls or vendors is complete whatever its size."""
        return 0 if self.at_end else LOW_SAMPLE_RATIO

    @property
    def prior(self) -> str:  # type: ignore[override]
        """A beta of the shares; a census has none."""
        return "" if self.at_end else "beta"

    @property
    def trailing(self) -> bool:  # type: ignore[override]
        """A level has no days to pool."""
        return not self.at_end

    def natures(self) -> dict[str, Nature]:
        nature = LEVEL_SUM if self.at_end else Nature.FLOW
        return super().natures() | dict.fromkeys(self.part + self.whole, nature)

    def _evaluate(self, facts: FactsByName) -> Evaluation:
        part, whole = _total(facts, self.part), _total(facts, self.whole)
        return Evaluation(_quotient(part, whole), part, whole, whole)

    def parts(self, now: Evaluation, before: Evaluation, days: Days) -> Effects | None:
        return _pooled_parts(now, before)

    def shrunken(self, evaluation: Evaluation) -> Array:
        if self.at_end:
            return evaluation.value
        return shrinkage.of_ratios(evaluation.numerator, evaluation.denominator)


@dataclass(frozen=True)
class Mean(Measure):
    """A sum over a count, pooled: never an average of averages."""

    total: str = field(kw_only=True)
    count: str = field(kw_only=True)
    durations: str | None = field(default=None, kw_only=True)
    """Distribution of the same durations, which a change is tested on: one long one moves a mean alone."""
    unit: Unit = field(default=SECONDS, kw_only=True)

    kind = "mean"
    prior = "normal of the logarithms"
    low_sample_below = LOW_SAMPLE_MEAN

    def natures(self) -> dict[str, Nature]:
        return super().natures() | dict.fromkeys((self.total, self.count), Nature.FLOW)

    def _evaluate(self, facts: FactsByName) -> Evaluation:
        total, count = facts[self.total], facts[self.count]
        return Evaluation(_quotient(total, count), total, count, count)

    def parts(self, now: Evaluation, before: Evaluation, days: Days) -> Effects | None:
        return _pooled_parts(now, before)

    def shrunken(self, evaluation: Evaluation) -> Array:
        return shrinkage.of_durations(evaluation.value, evaluation.n)


@dataclass(frozen=True)
class Quantile(Measure):
    """A quantile of the merged distributions, within 2 % of the exact one over the raw records."""

    of: str = field(kw_only=True)
    q: float = field(kw_only=True)
    unit: Unit = field(default=SECONDS, kw_only=True)

    kind = "quantile"
    prior = "normal of the logarithms"
    low_sample_below = LOW_SAMPLE_MEAN

    def __post_init__(self) -> None:
        if self.q not in QUANTILES:
            raise ValueError(f"{self.key}: the snapshot keeps no {self.q}-quantile")

    def natures(self) -> dict[str, Nature]:
        return super().natures() | {self.of: Nature.DISTRIBUTION}

    def _evaluate(self, facts: FactsByName) -> Evaluation:
        durations: Distribution = facts[self.of]
        return Evaluation(durations.quantile(self.q), _nothing(facts), durations.n, durations.n)

    def effects(self, now: FactsByName, before: FactsByName, days: Days) -> Effects:
        return effects.quantile(now[self.of], before[self.of], self.q)

    def shrunken(self, evaluation: Evaluation) -> Array:
        return shrinkage.of_durations(evaluation.value, evaluation.n)
