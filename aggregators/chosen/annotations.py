"""Annotations: what people noted on days, for whoever reads the figures of those days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from aggregators.catalogue import DOMAINS
from aggregators.chosen.amounts import read_day
from aggregators.chosen.known import WrongSettingValue
from aggregators.vocabulary import fields, formats
from aggregators.vocabulary.period import Span

LONGEST, LONGEST_DAYS = 280, 366
"""Characters of an annotation, and days that it may last."""
ABOUT = {"": "All figures"} | {
    key: title
    for domain in DOMAINS
    for key, title in (
        (domain.key, domain.title),
        *((f"{domain.key}.{m.key}", f"{domain.title}: {m.title}") for m in domain.measures),
    )
}
"""Subjects of annotations in words: everything, a domain, or one of its measures."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """A note on a day, or on days from the first to the last: of the organisation (no workspace), or of a
    workspace by its slug; ``about`` everything, a domain or a measure."""

    id: UUID
    workspace: str | None
    about: str
    first_day: date
    last_day: date
    text: str
    by: str
    at: datetime
    edited_at: datetime | None = None
    withdrawn_at: datetime | None = None

    @property
    def days(self) -> str:
        """The day, or the days."""
        if self.first_day == self.last_day:
            return formats.day(self.first_day)
        return formats.span(Span(self.first_day, self.last_day))

    def is_about(self, domain_key: str, measure_key: str) -> bool:
        """Whether it says something of a measure."""
        return self.about in ("", domain_key, f"{domain_key}.{measure_key}")

    def is_of(self, domain_key: str) -> bool:
        """Whether it says something of a domain, or of everything."""
        return self.about == "" or self.about.partition(".")[0] == domain_key

    def is_within(self, span: Span) -> bool:
        """Whether one of its days is within a span."""
        return self.first_day <= span.end and self.last_day >= span.start


def of_figure(
    annotations: Iterable[Annotation], domain_key: str, measure_key: str, slug: str | None = None
) -> list[Annotation]:
    """Annotations of a measure's figure, in the order of their days: the organisation's, and of a workspace
    its own."""
    own = [
        each
        for each in annotations
        if each.workspace in (None, slug) and each.is_about(domain_key, measure_key)
    ]
    return sorted(own, key=lambda each: (each.first_day, each.last_day, each.at))


@dataclass(frozen=True, slots=True)
class WrittenNote:
    """Note as somebody typed it, checked."""

    about: str
    first_day: date
    last_day: date
    text: str

    @classmethod
    def of(cls, text: str, first_day: str, last_day: str = "", about: str = "") -> WrittenNote:
        """Note of what was typed; its last day is the first where none was. Raises WrongSettingValue naming
        the field."""
        if about not in ABOUT:
            raise WrongSettingValue(
                "about", f"takes a domain or domain.measure, or nothing; got {about[:60]!r}"
            )
        first = _day("first_day", first_day)
        last = _day("last_day", last_day) if last_day.strip() else first
        if last < first:
            raise WrongSettingValue("last_day", f"comes before the first: {first}")
        if (last - first).days >= LONGEST_DAYS:
            raise WrongSettingValue("last_day", f"takes at most {LONGEST_DAYS} days in all")
        written = " ".join(text.split())
        if not written:
            raise WrongSettingValue("text", "takes a sentence")
        try:
            fields.text(LONGEST)(written)
        except ValueError as error:
            raise WrongSettingValue("text", str(error)) from error
        return cls(about, first, last, written)


def _day(field: str, typed: str) -> date:
    try:
        return read_day(typed)
    except ValueError as error:
        raise WrongSettingValue(field, str(error)) from error
