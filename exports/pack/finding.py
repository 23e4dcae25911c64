"""A domain in one sentence, for the title of its page, and how the domain stands."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from aggregators import words
from aggregators.pooling.cards import Card, Worst
from aggregators.pooling.contributions import contributions
from aggregators.pooling.dashboard import Scorecard
from aggregators.pooling.figures import Figure
from aggregators.signal.change import Verdict
from aggregators.vocabulary import formats
from aggregators.vocabulary.measure import Measure, Status, Unit
from aggregators.vocabulary.period import Compare

SMALL, LARGE = 0.1, 3.0
"""Of the change: what others offset is told from the one; a workspace's part beyond the other is told
without figures, the change being the small rest of large moves both ways."""
MATERIAL = 0.01
"""Change of a ratio below which it is no news."""
SEVERITY = (Status.NO_DATA, Status.GOOD, Status.WATCH, Status.BAD)


def finding(scorecard: Scorecard, called: Callable[[Card], str] = lambda card: card.name) -> str:
    """Title of the domain's page, what matters most first, by evidence and by size.

    "Change failure rate rose by 2.3 points to 14.2 %; Payments alone accounts for 1.9 of them"; but where
    it hardly moved, or for the better, and a workspace stands bad, that one is named: "Payments is worst
    (31.6 %); change failure rate fell by 0.1 points to 8.4 %". ``called`` gives the name that a workspace
    goes by. One workspace alone is not the worst of anything, nor is anybody where all stand at their best.
    """
    head = scorecard.headline
    claim = _claim(head)
    if not head.has_data or len(scorecard.cards) < 2:
        return claim
    worst = scorecard.cards.worst()
    grave = worst is not None and worst.figure.status is Status.BAD
    bettered = head.change == "better"
    if worst and grave and not matters(head):
        return f"{_worst(scorecard, worst, called)}; {words.within_sentence(claim)}"
    moved = "" if grave and bettered else _mover_clause(scorecard, called)
    rest = moved or (_worst(scorecard, worst, called) if worst else "")
    return f"{claim}; {rest}" if rest else claim


def matters(head: Figure) -> bool:
    """Whether a change is large enough to be the news, and more than chance."""
    if not words.has_visible_change(head) or head.verdict in (
        Verdict.WITHIN_NOISE,
        Verdict.TOO_FEW,
    ):
        return False
    return head.measure.unit is not Unit.RATIO or abs(head.delta or 0.0) >= MATERIAL


def _claim(head: Figure) -> str:
    subject = head.measure.title + (f" ({head.group})" if head.group else "")
    if not head.has_data:
        return f"{subject}: no data in this period"
    now, unit = words.figure(head), head.measure.unit
    if head.delta is None or head.previous is None:
        is_alone = head.over_budget or head.table.compare is Compare.NONE
        return f"{subject}: {now}" + ("" if is_alone else ", nothing earlier to compare")
    if _is_unchanged(head):
        return f"{subject} held at {now}"
    if unit is Unit.COUNT and head.previous == 0:
        return f"{subject} rose from 0 to {now}"
    by = (
        f" by {formats.size(head.delta, unit, head.value)}"
        if words.has_visible_change(head)
        else ""
    )
    return f"{subject} {'rose' if head.delta > 0 else 'fell'}{by} to {now}"


def _is_unchanged(head: Figure) -> bool:
    """Whether the figure reads as it did before."""
    return words.figure(head) == words.previous_value(head)


def _mover_clause(scorecard: Scorecard, called: Callable[[Card], str]) -> str:
    """The clause about who moved the headline: whoever contributes most in the direction in which it
    went, and how much; empty where it did not move, or nobody knows."""
    head = scorecard.headline
    if not head.delta or _is_unchanged(head):
        return ""
    moves = contributions(scorecard, scorecard.domain.headline)
    along = [c for c in moves if c.total * head.delta > 0]
    if not along:
        return ""
    if _is_nothing(along[0].total, head):
        return "no single workspace stands out"
    name = next(called(card) for card in scorecard.cards if card.slug == along[0].slug)
    totals = [c.total for c in along]
    equals = sum(math.isclose(total, totals[0]) for total in totals)
    return (
        _equal_parts_clause(name, equals, totals[0], head)
        if equals > 1
        else _largest_part_clause(name, totals, head)
    )


def _equal_parts_clause(name: str, equals: int, total: float, head: Figure) -> str:
    """Several contribute the same and more than anybody else."""
    who, delta = f"{name} and {formats.counted(equals - 1, 'other')}", head.delta or 0.0
    if math.isclose(total * equals, delta):
        return f"{who} account for it equally"
    did = "added" if delta > 0 else "took off"
    return f"{who} {did} most, {_size_of_change(total, head)} each"


def _largest_part_clause(name: str, along: Sequence[float], head: Figure) -> str:
    """The clause of the largest contribution: ``along`` are those in the direction of the change, which
    others may have offset in part."""
    delta, first = head.delta or 0.0, along[0]
    against = math.fsum(along) - delta
    if abs(against) > SMALL * abs(delta) and not _is_nothing(against, head):
        return _offset(name, along, head)
    if _size_of_change(first, head) == _size_of_change(delta, head):
        return f"{name} accounts for all of it"
    if 2 * abs(first) >= abs(delta):
        return f"{name} alone accounts for {_of_it(first, head)}"
    return f"{name} has the largest part, {_of_it(first, head)}"


def _offset(name: str, along: Sequence[float], head: Figure) -> str:
    """As ``_largest_part_clause``, where others moved the figure the other way."""
    delta = head.delta or 0.0
    up = delta > 0
    if abs(along[0]) > LARGE * abs(delta):
        way = "pushed it up" if up else "pulled it down"
        return f"{name} {way} most, others offset most of that"
    whole = math.fsum(along)
    first, added, against = (_size_of_change(x, head) for x in (along[0], whole, whole - delta))
    did, undid = ("added", "took back") if up else ("took off", "added back")
    if first == added:
        return f"{name} alone {did} {first}, others {undid} {against}"
    return f"{name} {did} most ({first} of {added}), others {undid} {against}"


def _of_it(total: float, head: Figure) -> str:
    """A part of the change that was just named: "1.9 of them" (points), "50 min of it"."""
    them = head.measure.unit in (Unit.RATIO, Unit.COUNT)
    return f"{_size_of_change(total, head)} of {'them' if them else 'it'}"


def _size_of_change(change: float, head: Figure) -> str:
    """A size in the unit of the figure, its points named before."""
    return formats.size(change, head.measure.unit, head.value).removesuffix(" points")


def _is_nothing(change: float, head: Figure) -> bool:
    return formats.is_nothing(change, head.measure.unit, head.value)


def _worst(scorecard: Scorecard, worst: Worst, called: Callable[[Card], str]) -> str:
    """ "Payments is worst (31.6 %)", as far as the figures that are shown bear it out."""
    others = (
        f" and {formats.counted(worst.equal, 'other')} are worst" if worst.equal else " is worst"
    )
    stands = " is ranked worst" if worst.above else others
    return f"{called(worst.card)}{stands}{_figure_in_brackets(worst.figure, scorecard.headline)}"


def _figure_in_brackets(figure: Figure, head: Figure) -> str:
    """The figure by which the worst is worst, where that is not the figure of the claim."""
    if figure.measure.key == head.measure.key:
        group = f"{figure.group} " if figure.group else ""
        return f" ({group}{words.figure(figure)})"
    return f" ({words.within_sentence(figure.measure.title)} {words.figure(figure)})"


def has_threshold(measure: Measure) -> bool:
    """Whether the measure has a threshold at all."""
    return measure.watch is not None or measure.bad is not None


def status_figure(scorecard: Scorecard) -> Figure:
    """The figure whose status is the domain's: the headline's where it has thresholds, else the worst
    of those shown with it that have (open incidents are neither good nor bad, an open P1 is)."""
    head = scorecard.headline
    if has_threshold(head.measure) or not head.has_data:
        return head
    keys = dict.fromkeys((*head.measure.beside, *scorecard.domain.supporting))
    others = [scorecard.figures[key] for key in keys]
    ranked = [f for f in others if has_threshold(f.measure) and f.has_data]
    return max(ranked, key=lambda f: SEVERITY.index(f.status), default=head)
