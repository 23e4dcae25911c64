"""Form of a packed preset: the values of each snapshot table that it holds, and their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aggregators.pooling.plan import TRAILING, TRAILING_BEFORE, Plan
from aggregators.pooling.snapshot_rows import steps_of
from aggregators.vocabulary.domain import USAGE
from aggregators.vocabulary.measure import Nature, trailing_quantile
from aggregators.vocabulary.sketch import QUANTILES

FORM = "border values, durations by slot and bucket"
"""Name of the form: what is packed in another one is of another name, and nobody asks for it."""
TOTAL_OF_DAYS = "days_total"
"""Running total of the days that have a row."""
SUMMARY = 3 + len(QUANTILES)
"""Numbers that are kept of the durations in a period: how many, sum of logs, of squared logs, quantiles."""
BUCKETS = 1 << 11
"""Buckets of a slot, counted from the one of durations under a second."""
HIGHEST_COUNT = 0xFFFF
"""Most durations that one entry of a bucket counts: two bytes; of more it has several entries."""


@dataclass(frozen=True, slots=True)
class TableForm:
    """Values of one snapshot table: its ``columns`` on every border day, and its ``distributions``."""

    table: str
    columns: tuple[str, ...]
    distributions: tuple[str, ...]

    @classmethod
    def of(cls, table: str, natures: Mapping[str, Nature], window: int) -> TableForm:
        """Form of a table with facts of these natures; ``window`` is the days of a point of a series."""
        days = (TOTAL_OF_DAYS,) if table == USAGE else ()
        flows = (f"{fact}_total" for fact, nature in natures.items() if nature is Nature.FLOW)
        named = tuple(f for f, nature in natures.items() if nature is Nature.DISTRIBUTION)
        levels = (
            fact
            for fact, nature in natures.items()
            if nature not in (Nature.FLOW, Nature.DISTRIBUTION)
        )
        quantiles = (trailing_quantile(name, q, window) for name in named for q in QUANTILES)
        return cls(table, (*days, *flows, *levels, *quantiles), named)


@dataclass(frozen=True, slots=True)
class Slots:
    """Slots that durations are counted in: 0 the period before, 1 the period, then the steps of the series
    of both, the newest first. ``first`` has the first slot of a label of trailing spans, ``steps`` how many
    there are, ``count`` is how many slots there are in all."""

    first: Mapping[str, int]
    steps: Mapping[str, int]
    count: int

    @classmethod
    def of(cls, plan: Plan) -> Slots:
        """Slots of a plan."""
        first, steps, slot = {}, {}, 2
        for label in (TRAILING, TRAILING_BEFORE):
            first[label] = slot
            steps[label] = steps_of(plan.spans[label], plan.period.step)
            slot += steps[label]
        return cls(first, steps, slot)
