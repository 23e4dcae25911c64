"""Questions of the executive page that a domain answers in one sentence with its evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from aggregators.pooling.cards import Card
from aggregators.pooling.dashboard import Answer, SeenDays
from aggregators.pooling.rollup import DomainRollup
from aggregators.vocabulary import formats
from aggregators.vocabulary.period import Span


@dataclass(frozen=True, slots=True)
class QuestionContext:
    """Material beside the domain's figures of the period, which ends with the day ``end``: the last sprints
    up to it, the last day of the organisation, the days that were looked at, the domain over the last days
    one by one where its answer ``needs_trend``, and whether the page compares with other days than those
    before, which the answers never do."""

    sprints: Sequence[Span]
    end: date
    as_of: date
    seen: SeenDays
    trend: DomainRollup | None = None
    is_compared_elsewhere: bool = False

    @property
    def since_before(self) -> str:
        """Words behind a change for the days that it is against, where the page's are others."""
        return " on the period before" if self.is_compared_elsewhere else ""

    def dated(self, sentence: str) -> str:
        """A sentence about how things stand, with its day where the period ended before the newest one."""
        return f"As of {formats.day(self.end)}: {sentence}" if self.end < self.as_of else sentence


@dataclass(frozen=True, slots=True)
class Question:
    """A question by its key and short title; ``order`` is where the page asks it, ``measure`` the one of
    the domain that its answer is about; one that ``looks_back`` asks of other days than the period's."""

    key: str
    title: str
    order: int
    measure: str
    looks_back: bool = False

    def nothing(
        self,
        sentence: str,
        evidence: Mapping[str, object] | None = None,
        further: Sequence[str] = (),
    ) -> Answer:
        """Answer that there is nothing to report."""
        return Answer(
            self.key,
            self.title,
            sentence,
            evidence=evidence or {},
            measure=self.measure,
            further=further,
        )

    def found(
        self,
        sentence: str,
        figure: str,
        card: Card,
        evidence: Mapping[str, object],
        href: str | None = None,
        further: Sequence[str] = (),
    ) -> Answer:
        """Answer that names a workspace by its card, leading to the card's page or to ``href``; ``further``
        are the names of others in it."""
        return Answer(
            self.key,
            self.title,
            sentence,
            True,
            figure,
            card.slug,
            card.name,
            href or card.href,
            evidence,
            self.measure,
            further,
        )
