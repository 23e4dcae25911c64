"""Which workspaces moved a figure of the organisation, and by how much: exact to the last digit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aggregators.effects import Array
from aggregators.facts import Facts
from aggregators.figures import Figure, Scorecard
from aggregators.measure import Facts as Named
from aggregators.sketch import Histogram
from aggregators.spans import BEFORE, NOW


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one workspace adds to the change of the organisation's figure, in the measure's unit.

    ``total`` is ``rate`` (its own figure changed) plus ``mix`` (its weight among the workspaces
    did); both are None for a kind of measure without weights.
    """

    slug: str
    total: float
    rate: float | None = None
    mix: float | None = None


def contributions(
    scorecard: Scorecard, measure_key: str, group: str | None = None
) -> tuple[Contribution, ...]:
    """What the workspaces contribute to a measure's ``delta``; the totals add up to it.

    Largest first, of equal ones that for the worse, then by slug; workspaces that changed nothing
    are left out. Empty where there is no delta: no data, or nothing to compare with. In a domain
    with groups it is for ``group``, else for the one that the figure is of. Raises KeyError for a
    measure or a group that is not there.
    """
    figure = scorecard.figures[measure_key]
    if group is not None:
        figure = (figure.by or {})[group]
    if scorecard.facts is None or figure.delta is None:
        return ()
    found = _found(figure, scorecard.facts)
    worse = figure.measure.badness
    return tuple(sorted(found, key=lambda c: (-abs(c.total), -worse(c.total), c.slug)))


def combined(several: Sequence[Contribution]) -> Contribution:
    """What several workspaces contribute together, under no slug."""
    total = math.fsum(c.total for c in several)
    splits = [(c.rate, c.mix) for c in several if c.rate is not None and c.mix is not None]
    if not splits:
        return Contribution("", total)
    rate, mix = (math.fsum(parts) for parts in zip(*splits, strict=True))
    return Contribution("", total, rate, mix)


def _found(figure: Figure, facts: Facts) -> list[Contribution]:
    """Those of the workspaces that changed anything, in the order of the facts."""
    rows = facts.groups[figure.group or ""]
    read = set(figure.measure.natures())
    now, before = (_of(facts.over[label], read, rows) for label in (NOW, BEFORE))
    days = figure.evidence.days_seen, figure.previous_evidence.days_seen
    effects = figure.measure.effects(now, before, days)
    rates, mixes = (_listed(a, len(rows)) for a in (effects.rate, effects.mix))
    slugs = [facts.scopes[row][0] for row in rows]
    whole = zip(slugs, effects.total.tolist(), rates, mixes, strict=True)
    return [Contribution(*one) for one in whole if one[1]]


def _of(facts: Named, read: set[str], rows: np.ndarray) -> Named:
    """Some facts of some scopes in the one span of a label, distributions as sketches."""
    found = {}
    for fact in read:
        held = facts[fact]
        found[fact] = held.take(rows, 0) if isinstance(held, Histogram) else held[rows, 0]
    return found


def _listed(effect: Array | None, count: int) -> list[float] | list[None]:
    return [None] * count if effect is None else effect.tolist()
