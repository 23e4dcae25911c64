"""A domain in one sentence, for the title of its page, and how the domain stands."""

from __future__ import annotations

from collections.abc import Callable

from aggregators import words
from aggregators.figures import Card, Figure, Scorecard
from aggregators.measure import Measure, Status
from aggregators.rollup import worst

SEVERITY = (Status.NO_DATA, Status.GOOD, Status.WATCH, Status.BAD)


def finding(scorecard: Scorecard, called: Callable[[Card], str] = lambda card: card.name) -> str:
    """ "Change failure rate rose to 14.2 %; Payments is worst".

    ``called`` gives the name that a workspace goes by. One workspace alone is not the worst of
    anything, nor is anybody where all stand at their best.
    """
    claim = _claim(scorecard.headline)
    found = worst(scorecard.cards, scorecard.domain)
    if not scorecard.headline.has_data or found is None or len(scorecard.cards) < 2:
        return claim
    card, figure = found
    return f"{claim}; {called(card)} is worst{_by(figure, scorecard.headline)}"


def _claim(head: Figure) -> str:
    subject = head.measure.title + (f" ({head.group})" if head.group else "")
    if not head.has_data:
        return f"{subject}: no data in this period"
    now = words.figure(head)
    if head.delta is None or head.previous is None:
        return f"{subject}: {now}" + ("" if head.over_budget else ", nothing earlier to compare")
    if now == words.value(head.previous, head.measure.unit):
        return f"{subject} held at {now}"
    return f"{subject} {'rose' if head.delta > 0 else 'fell'} to {now}"


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
