"""Contributions of workspaces to the change of a figure of the organisation: exact to the last digit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from aggregators.pooling.cards import Cards
from aggregators.pooling.dashboard import Scorecard
from aggregators.pooling.facts import Facts
from aggregators.pooling.figures import Figure
from aggregators.pooling.plan import BEFORE, NOW
from aggregators.vocabulary.effects import Array
from aggregators.vocabulary.measure import DAYS_SEEN, Evaluation, FactsByName, Nature


@dataclass(frozen=True, slots=True)
class Contribution:
    """Share of a workspace in the change of the organisation's figure, in the measure's unit.

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
    """Contributions of the workspaces to a measure's ``delta``; the totals add up to it.

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
    moved = _nonzero_contributions(figure, scorecard.facts)
    worse = figure.measure.badness
    return tuple(sorted(moved, key=lambda c: (-abs(c.total), -worse(c.total), c.slug)))


def _nonzero_contributions(figure: Figure, facts: Facts) -> list[Contribution]:
    """Contributions of the workspaces that changed anything, in the order of the facts."""
    rows = facts.groups[figure.group or ""]
    natures = figure.measure.natures()
    now, before = (_facts_of_rows(facts.over[label], natures, rows) for label in (NOW, BEFORE))
    days = figure.evidence.days_seen, figure.previous_evidence.days_seen
    effects = figure.measure.effects(now, before, days)
    rates, mixes = (_effect_list(a, len(rows)) for a in (effects.rate, effects.mix))
    slugs = [facts.scopes[row][0] for row in rows]
    effect_rows = zip(slugs, effects.total.tolist(), rates, mixes, strict=True)
    return [Contribution(*parts) for parts in effect_rows if parts[1]]


def _facts_of_rows(
    facts: FactsByName, natures: Mapping[str, Nature], rows: np.ndarray
) -> FactsByName:
    """Some facts of some scopes in the one span of a label, distributions as sketches."""
    chosen = {}
    for fact in {*natures, DAYS_SEEN}:
        values = facts[fact]
        is_distribution = natures.get(fact) is Nature.DISTRIBUTION
        chosen[fact] = values.take(rows, 0) if is_distribution else values[rows, 0]
    return chosen


def _effect_list(effect: Array | None, count: int) -> list[float] | list[None]:
    return [None] * count if effect is None else effect.tolist()


def parts(scorecard: Scorecard, measure_key: str) -> Array | None:
    """Contribution of each card, in their order, to the change of a figure: from its table, so that
    a scorecard that was kept has them too. None without a change, and of a kind that needs its facts."""
    figure, cards = scorecard.figures[measure_key], scorecard.cards
    if figure.delta is None:
        return None
    rows = cards.rows(measure_key, figure.group if scorecard.domain.by else None)
    now, before = (_rows_of(of, rows) for of in (figure.table.now, figure.table.before))
    days = figure.evidence.days_seen, figure.previous_evidence.days_seen
    effects = figure.measure.parts(now, before, days)
    return None if effects is None else effects.total


def _rows_of(evaluation: Evaluation, rows: np.ndarray) -> Evaluation:
    parts = (evaluation.value, evaluation.numerator, evaluation.denominator, evaluation.n)
    return Evaluation(*(part[rows] for part in parts))


VALUE, CONTRIBUTION, DRIFT = "value", "contribution", "drift"


def _by_contribution(scorecard: Scorecard, measure_key: str) -> Cards | None:
    """The largest parts in what got worse first, then those who moved nothing, then the largest for the
    better last; None where nobody's part is known."""
    shares = parts(scorecard, measure_key)
    if shares is None:
        return None
    measure = scorecard.domain.measure(measure_key)
    return scorecard.cards.worst_first(measure.badness(shares), measure_key, shares, CONTRIBUTION)


def _by_drift(scorecard: Scorecard, measure_key: str) -> Cards | None:
    """The strongest evidence that the measure drifts first, those that the watch does not know last; None
    where the watch has not looked at it."""
    cards = scorecard.cards
    watched = cards.grid.tables[measure_key].watched
    if watched is None:
        return None
    evidence = watched.evidence[cards.rows(measure_key)]
    return cards.worst_first(np.nan_to_num(evidence, nan=-np.inf), measure_key, name=DRIFT)


ORDERS: Mapping[str, Callable[[Scorecard, str], Cards | None]] = {
    VALUE: lambda scorecard, measure_key: scorecard.cards.worst_first_by(measure_key),
    DRIFT: _by_drift,
    CONTRIBUTION: _by_contribution,
}
"""Orders that cards can be ranked in, by name; None where a scorecard has not what one needs."""


def orders_of(scorecard: Scorecard, measure_key: str) -> tuple[str, ...]:
    """Names of the orders that there are of a measure."""
    return tuple(
        name for name, order in ORDERS.items() if order(scorecard, measure_key) is not None
    )


def in_order(scorecard: Scorecard, measure_key: str, order: str) -> Cards:
    """The cards ranked by a measure in one of its orders; by its value where there is no such order."""
    ranked = ORDERS.get(order, ORDERS[VALUE])(scorecard, measure_key)
    return scorecard.cards.worst_first_by(measure_key) if ranked is None else ranked
