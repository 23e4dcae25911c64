"""Facts that are signals without a test: counts beyond their threshold, as they stand on the last day.
Nothing of them is sampled, so nothing of them is chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from aggregators.name_order import by_name
from aggregators.pooling.cards import Card
from aggregators.pooling.dashboard import Dashboard, Scorecard
from aggregators.pooling.figures import Figure
from aggregators.signal.series import series_of
from aggregators.vocabulary.measure import Measure, Status


@dataclass(frozen=True, slots=True)
class FactSignal:
    """A count of a workspace beyond its threshold; ``since`` the first day within the period on which
    it was seen so, and has been ever since. None: it was so on the period's first day already."""

    slug: str
    name: str
    href: str
    domain: str
    figure: Figure
    since: date | None

    @property
    def measure(self) -> Measure:
        """The measure that it is of."""
        return self.figure.measure


def facts(dashboard: Dashboard) -> list[FactSignal]:
    """Counts beyond their threshold, the newest first, then by domain and workspace."""
    found_facts = [
        fact for scorecard in dashboard.scorecards for fact in _facts_of_scorecard(scorecard)
    ]
    named = by_name(found_facts, lambda fact: fact.name)
    return sorted(named, key=lambda f: (-(f.since or date.min).toordinal(), f.domain))


def _facts_of_scorecard(scorecard: Scorecard) -> Iterator[FactSignal]:
    measures = [measure for measure in scorecard.domain.measures if series_of(measure) is None]
    for card in scorecard.cards:
        for measure in measures:
            figure = card.figures[measure.key]
            if figure.status is Status.BAD:
                yield _fact(scorecard, card, figure)


def _fact(scorecard: Scorecard, card: Card, figure: Figure) -> FactSignal:
    return FactSignal(
        card.slug, card.name, card.href, scorecard.domain.title, figure, _first_day_beyond(figure)
    )


def _first_day_beyond(figure: Figure) -> date | None:
    """First of the last known days that are all beyond the threshold; None where that is the first day of
    the period, so that nobody knows since when."""
    series = figure.series
    known = np.flatnonzero(~np.isnan(series.values))
    standing = figure.measure.statuses(series.values[known])
    good = [n for n, status in enumerate(standing) if status is not Status.BAD]
    first = good[-1] + 1 if good else 0
    if first >= len(known) or known[first] == 0:
        return None
    return series.days[int(known[first])]
