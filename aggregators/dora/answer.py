"""Worst change failure rate: whose changes fail most often, with its interval. Pure."""

from __future__ import annotations

import math

import numpy as np

from aggregators import words
from aggregators.pooling.cards import Worst
from aggregators.pooling.dashboard import Answer
from aggregators.pooling.figures import Figure
from aggregators.pooling.rollup import DomainRollup
from aggregators.question import Question, QuestionContext
from aggregators.vocabulary import formats

RATE = "change_failure_rate"
QUESTION = Question(f"worst_{RATE}", "Worst change failure rate", order=1, measure=RATE)
Z_95 = 1.959963984540054


def wilson(part: float, whole: float) -> tuple[float, float]:
    """The 95 % Wilson score interval of a proportion, as fractions."""
    p, z2 = part / whole, Z_95**2
    centre = (p + z2 / (2 * whole)) / (1 + z2 / whole)
    half = Z_95 / (1 + z2 / whole) * math.sqrt(p * (1 - p) / whole + z2 / (4 * whole**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def answer(dora: DomainRollup, context: QuestionContext) -> Answer:
    """The first by the rate, worst first, among workspaces whose deployments failed at all."""
    ended = np.nan_to_num(dora.cards.evidence(RATE))
    judged = int(np.count_nonzero(ended))
    if not judged:
        return QUESTION.nothing(
            "No workspace ended a production deployment in this period.", {"judged": 0}
        )
    worst = dora.cards.worst_by(RATE)
    if worst is None:
        reason = (
            f"None of {formats.counted(ended.sum(), 'production deployment')} failed, "
            f"in {formats.counted(judged, 'workspace')}."
        )
        return QUESTION.nothing(reason, {"judged": judged})
    return _worst_rate(worst, judged, context)


def _worst_rate(worst: Worst, judged: int, context: QuestionContext) -> Answer:
    """Answer about the workspace whose rate is worst, and what it rests on."""
    rate = worst.figure
    failed, ended = rate.evidence.numerator or 0.0, rate.evidence.denominator or 0.0
    low, high = wilson(failed, ended)
    sentence = (
        f"{_workspace_words(worst, judged)}: {words.figure(rate)}, "
        f"{formats.number(failed)} of {formats.counted(ended, 'deployment')} "
        f"(95 % interval {formats.span_of_percent(low, high)}){_change_clause(rate, context)}."
        f"{_higher_clause(worst)}"
    )
    evidence = {
        "failed": failed,
        "deployments": ended,
        "interval_low": low,
        "interval_high": high,
        "delta_points": rate.delta,
        "judged": judged,
        "above": worst.above,
        "after_shrinking": worst.card.shrunken(RATE),
    }
    href = worst.card.narrowed_href(failed="yes")
    return QUESTION.found(sentence, words.figure(rate), worst.card, evidence, href)


def _workspace_words(worst: Worst, judged: int) -> str:
    """Workspace of the rate; others that have the very same are counted."""
    if judged == 1:
        return f"{worst.card.name} alone ended deployments"
    if worst.equal and not worst.above:
        return f"{worst.card.name} and {formats.counted(worst.equal, 'other')}"
    return worst.card.name


def _change_clause(rate: Figure, context: QuestionContext) -> str:
    """Change on the period before, which is named where the page compares with another."""
    if rate.delta is None:
        return ""
    if not words.has_visible_change(rate):
        return f", no change{context.since_before}"
    return f", {words.delta(rate)}{context.since_before}, {words.verdict(rate)}"


def _higher_clause(worst: Worst) -> str:
    """Workspaces whose figure is higher, on so little that they are not ranked worst."""
    if not worst.above:
        return ""
    rates = "rate is" if worst.above == 1 else "rates are"
    return f" {formats.number(worst.above)} other {rates} higher."
