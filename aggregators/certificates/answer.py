"""Most expiring certificates: who holds those that expire within 30 days. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

import numpy as np

from aggregators.name_order import by_name
from aggregators.pooling.cards import Card
from aggregators.pooling.dashboard import Answer
from aggregators.pooling.rollup import DomainRollup
from aggregators.question import Question, QuestionContext
from aggregators.vocabulary import formats

SOON = "within_30"
QUESTION = Question("expiring_certificates", "Most expiring certificates", order=3, measure=SOON)
ENOUGH_CERTIFICATES = 5
HOARD = 0.8


def answer(certificates: DomainRollup, context: QuestionContext) -> Answer:
    """Holders of the certificates that expire within 30 days."""
    known = certificates.cards.values(SOON)
    total = float(np.nansum(known))
    if np.isnan(known).all():
        return QUESTION.nothing("No certificate is on record at that time.")
    if total == 0:
        return QUESTION.nothing(
            context.dated("No certificate expires within 30 days."), {"total": 0}
        )
    return (
        _few_answer(certificates, context)
        if total < ENOUGH_CERTIFICATES
        else _many_answer(certificates, context)
    )


def _few_answer(certificates: DomainRollup, context: QuestionContext) -> Answer:
    """Too few to speak of hoarding: each holder is named."""
    cards = certificates.cards
    named = by_name(sorted(cards, key=lambda card: card.slug), lambda card: card.name)
    holders = sorted(
        (card for card in named if card.figures[SOON].value),
        key=lambda card: -(card.figures[SOON].value or 0.0),
    )
    counts = [card.figures[SOON].value or 0.0 for card in holders]
    total = sum(counts)
    if total == 1:
        sentence = f"The only certificate that expires within 30 days is {holders[0].name}'s."
    else:
        shares = (
            f"{card.name} {formats.number(n)}" for card, n in zip(holders, counts, strict=True)
        )
        sentence = (
            f"{formats.number(total)} certificates expire within 30 days: {', '.join(shares)}."
        )
    evidence = {"total": total, "held": counts[0], "share": counts[0] / total}
    others = [card.name for card in holders[1:]]
    return _answer_of(
        certificates, context.dated(sentence), formats.number(total), holders[0], evidence, others
    )


def _many_answer(certificates: DomainRollup, context: QuestionContext) -> Answer:
    """Whether one workspace hoards them, else how few hold most."""
    expiring = np.sort(np.nan_to_num(certificates.cards.values(SOON)))[::-1]
    total, most = float(expiring.sum()), float(expiring[0])
    card, share = certificates.cards.highest(SOON), most / total
    evidence: dict[str, object] = {"total": total, "held": most, "share": share}
    expire = f"{formats.counted(total, 'certificate')} that expire within 30 days"
    if share >= HOARD:
        sentence = (
            f"{card.name} holds {formats.number(most)} of the {expire} "
            f"({formats.percent(share, 0)})."
        )
        return _answer_of(
            certificates, context.dated(sentence), formats.percent(share, 0), card, evidence
        )
    running = expiring.cumsum()
    few = int(np.argmax(running >= HOARD * total)) + 1
    hold = float(running[few - 1]) / total
    evidence |= {"workspaces": few, "of": len(expiring), "hold": hold}
    others = int(np.count_nonzero(expiring == most)) - 1
    whose = (
        f"{card.name} and {formats.counted(others, 'other')} have" if others else f"{card.name} has"
    )
    each = " each" if others else ""
    sentence = (
        f"{formats.number(few)} of {formats.counted(len(expiring), 'workspace')} hold "
        f"{formats.percent(hold, 0)} of the {expire}; {whose} most, {formats.number(most)}{each}."
    )
    return _answer_of(
        certificates, context.dated(sentence), f"{few} of {len(expiring)}", card, evidence
    )


def _answer_of(
    certificates: DomainRollup,
    sentence: str,
    figure: str,
    card: Card,
    evidence: Mapping[str, object],
    further: Sequence[str] = (),
) -> Answer:
    """Answer that leads to the card's list, narrowed to what expires soon."""
    href = card.narrowed_href(**dict(parse_qsl(certificates.domain.cell_queries[SOON])))
    return QUESTION.found(sentence, figure, card, evidence, href, further)
