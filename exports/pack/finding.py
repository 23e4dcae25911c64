"""A domain in one sentence, for the title of its page, and how the domain stands."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from aggregators import words
from aggregators.contributions import contributions
from aggregators.figures import Card, Figure, Scorecard
from aggregators.measure import Measure, Status, Unit
from aggregators.rollup import worst

SMALL, LARGE = 0.1, 3.0
"""Of the change: what others offset is told from the one; a workspace's part beyond the other is told
without figures, the change being the small rest of large moves both ways."""
SEVERITY = (Status.NO_DATA, Status.GOOD, Status.WATCH, Status.BAD)


def finding(scorecard: Scorecard, called: Callable[[Card], str] = lambda card: card.name) -> str:
    """ "Change failure rate rose by 2.3 points to 14.2 %; Payments alone accounts for 1.9 of them".

    ``called`` gives the name that a workspace goes by. Where the figure stands still, or has nothing
    to be compared with, the worst workspace is named instead; one workspace alone is not the worst
    of anything, nor is anybody where all stand at their best.
    """
    claim = _claim(scorecard.headline)
    if not scorecard.headline.has_data or len(scorecard.cards) < 2:
        return claim
    rest = _moved(scorecard, called) or _worst(scorecard, called)
    return f"{claim}; {rest}" if rest else claim


def _claim(head: Figure) -> str:
    subject = head.measure.title + (f" ({head.group})" if head.group else "")
    if not head.has_data:
        return f"{subject}: no data in this period"
    now, unit = words.figure(head), head.measure.unit
    if head.delta is None or head.previous is None:
        return f"{subject}: {now}" + ("" if head.over_budget else ", nothing earlier to compare")
    if _held(head):
        return f"{subject} held at {now}"
    if unit is Unit.COUNT and head.previous == 0:
        return f"{subject} rose from 0 to {now}"
    by = "" if words.is_nothing(head.delta, unit) else f" by {words.size(head.delta, unit)}"
    return f"{subject} {'rose' if head.delta > 0 else 'fell'}{by} to {now}"


def _held(head: Figure) -> bool:
    """Whether the figure reads as it did before."""
    return words.figure(head) == words.value(head.previous, head.measure.unit)


def _moved(scorecard: Scorecard, called: Callable[[Card], str]) -> str:
    """Who moved the headline: whoever contributes most in the direction in which it went, and what
    of it; empty where it did not move, or nobody knows."""
    head = scorecard.headline
    if not head.delta or _held(head):
        return ""
    found = contributions(scorecard, scorecard.domain.headline)
    along = [c for c in found if c.total * head.delta > 0]
    if not along:
        return ""
    if words.is_nothing(along[0].total, head.measure.unit):
        return "no single workspace stands out"
    name = next(called(card) for card in scorecard.cards if card.slug == along[0].slug)
    totals = [c.total for c in along]
    equals = sum(math.isclose(total, totals[0]) for total in totals)
    return _together(name, equals, totals[0], head) if equals > 1 else _alone(name, totals, head)


def _together(name: str, equals: int, total: float, head: Figure) -> str:
    """Several contribute the same and more than anybody else."""
    who, delta = f"{name} and {words.counted(equals - 1, 'other')}", head.delta or 0.0
    if math.isclose(total * equals, delta):
        return f"{who} account for it equally"
    did = "added" if delta > 0 else "took off"
    return f"{who} {did} most, {_short(total, head.measure.unit)} each"


def _alone(name: str, along: Sequence[float], head: Figure) -> str:
    """One contributes most: ``along`` are the contributions in the direction of the change, which
    others may have offset in part."""
    delta, unit, first = head.delta or 0.0, head.measure.unit, along[0]
    against = math.fsum(along) - delta
    if abs(against) > SMALL * abs(delta) and not words.is_nothing(against, unit):
        return _offset(name, along, delta, unit)
    if words.size(first, unit) == words.size(delta, unit):
        return f"{name} accounts for all of it"
    if 2 * abs(first) >= abs(delta):
        return f"{name} alone accounts for {_of_it(first, unit)}"
    return f"{name} has the largest part, {_of_it(first, unit)}"


def _offset(name: str, along: Sequence[float], delta: float, unit: Unit) -> str:
    """As ``_alone``, where others moved the figure the other way."""
    up = delta > 0
    if abs(along[0]) > LARGE * abs(delta):
        way = "pushed it up" if up else "pulled it down"
        return f"{name} {way} most, others offset most of that"
    whole = math.fsum(along)
    first, added, against = (_short(x, unit) for x in (along[0], whole, whole - delta))
    did, undid = ("added", "took back") if up else ("took off", "added back")
    if first == added:
        return f"{name} alone {did} {first}, others {undid} {against}"
    return f"{name} {did} most ({first} of {added}), others {undid} {against}"


def _of_it(total: float, unit: Unit) -> str:
    """A part of the change that was just named: "1.9 of them" (points), "50 min of it"."""
    them = unit in (Unit.RATIO, Unit.COUNT)
    return f"{_short(total, unit)} of {'them' if them else 'it'}"


def _short(change: float, unit: Unit) -> str:
    """A size whose points were named before."""
    return words.size(change, unit).removesuffix(" points")


def _worst(scorecard: Scorecard, called: Callable[[Card], str]) -> str:
    found = worst(scorecard.cards, scorecard.domain)
    if found is None:
        return ""
    card, figure = found
    return f"{called(card)} is worst{_by(figure, scorecard.headline)}"


def _by(figure: Figure, head: Figure) -> str:
    """What the worst is worst by, where that is not the figure of the claim."""
    if figure.measure.key == head.measure.key:
        return f" ({figure.group} {words.figure(figure)})" if figure.group else ""
    return f" ({lowered(figure.measure.title)} {words.figure(figure)})"


def lowered(title: str) -> str:
    """A title within a sentence: "Fastest burn" -> "fastest burn", "MTTR" as it is."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def judged(measure: Measure) -> bool:
    """Whether the measure has a threshold at all."""
    return measure.watch is not None or measure.bad is not None


def standing(scorecard: Scorecard) -> Figure:
    """The figure whose status is the domain's: the headline's where it has thresholds, else the worst
    of those shown with it that have (open incidents are neither good nor bad, an open P1 is)."""
    head = scorecard.headline
    if judged(head.measure) or not head.has_data:
        return head
    keys = dict.fromkeys((*head.measure.beside, *scorecard.domain.supporting))
    others = [scorecard.figures[key] for key in keys]
    ranked = [f for f in others if judged(f.measure) and f.has_data]
    return max(ranked, key=lambda f: SEVERITY.index(f.status), default=head)
