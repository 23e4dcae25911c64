"""Answers to the questions that the domains ask on the executive page, in the page's order. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType

from aggregators import catalogue
from aggregators.pooling.dashboard import Answer
from aggregators.pooling.rollup import DomainRollup
from aggregators.question import Question, QuestionContext

MODULES = dict(sorted(catalogue.parts("answer").items(), key=lambda part: part[1].QUESTION.order))
"""Modules with a ``QUESTION`` and its ``answer``, by the domain's key."""


def need_trend(rolled: Mapping[str, DomainRollup]) -> tuple[str, ...]:
    """Keys of the evaluated domains whose answer looks at the last days one by one."""
    return tuple(
        key
        for key, module in MODULES.items()
        if key in rolled and hasattr(module, "needs_trend") and module.needs_trend(rolled[key])
    )


def answers(
    rolled: Mapping[str, DomainRollup],
    context: QuestionContext,
    trends: Mapping[str, DomainRollup],
) -> tuple[Answer, ...]:
    """Answers from the evaluated domains by key, and from those of ``need_trend`` day by day."""
    return tuple(
        _answer(module, rolled[key], replace(context, trend=trends.get(key)))
        for key, module in MODULES.items()
        if key in rolled
    )


def _answer(module: ModuleType, domain: DomainRollup, context: QuestionContext) -> Answer:
    """The module's answer; of a period that nobody looked at, that this is so."""
    question: Question = module.QUESTION
    if context.seen.why_none and not question.looks_back:
        return question.nothing(context.seen.why_none)
    answer: Answer = module.answer(domain, context)
    return answer
