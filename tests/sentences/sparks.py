"""Sparklines in words, as those hear them who do not see them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

from aggregators.pooling.dashboard import Scorecard
from aggregators.vocabulary import formats
from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.measure import Measure
from layouts.executive.card import card
from tests.plain.records import Oracle
from tests.sentences.truth import READ, Truth

HEARD = re.compile(r'role="img" [^>]*aria-label="([^"]*)"')
OUTSIDE = re.compile(r", \d+ points? outside of what was expected$")


def check_sparks(truth: Truth, scorecard: Scorecard) -> None:
    """First, last, lowest and highest point of each card's line, from the raw records."""
    domain = scorecard.domain
    for shown in scorecard.cards:
        for key in {domain.headline, domain.worst_by or domain.headline}:
            (heard,) = HEARD.findall(str(card(shown, domain, key, (0.0, 1.0))))
            said = OUTSIDE.sub("", unescape(heard))
            told = list(
                points(truth, domain, key, truth.index(shown.name), shown.figures[key].group)
            )
            assert said == in_words(truth, domain.measure(key), told), (said, told)


def points(truth: Truth, domain: Domain, key: str, own: int, group: str | None) -> Iterator[float]:
    """Values of the line's days: a ratio of events over the days up to each, a level as it stood then; a
    burn without end is infinite."""
    period, records = truth.period, [truth.organisation[own]]
    flows = domain.measure(key).prior is not None
    for number in reversed(range(-(-period.days // period.step))):
        end = period.end - timedelta(days=number * period.step)
        first = max(end - timedelta(days=period.step - 1), period.start)
        begin = end - timedelta(days=period.window - 1) if flows else first
        if not Oracle(records, first, end, truth.zone).days_seen():
            continue
        value = READ[key](Oracle(records, begin, end, truth.zone), group or "").value
        if value is not None:
            yield value


def in_words(truth: Truth, measure: Measure, known: list[float]) -> str:
    if not known:
        return f"{measure.title}: no data"
    first, last, low, high = (
        formats.value(value, measure.unit, max(known))
        for value in (known[0], known[-1], min(known), max(known))
    )
    told = f"{measure.title}, {truth.period.days} days: {first} to {last}"
    return f"{told}, low {low}, high {high}"
