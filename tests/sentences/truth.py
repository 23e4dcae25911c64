"""Facts of the raw records: figures, changes and shares of workspaces, the slow and obvious way."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from zoneinfo import ZoneInfo

from aggregators.catalogue import DOMAINS
from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.measure import LOWER, Measure, Unit
from aggregators.vocabulary.period import Period, Span
from tests.plain.records import Expected, Oracle, Records

FRAMEWORKS = ("HIPAA", "SOC2")
READ: Mapping[str, Callable[[Oracle, str], Expected]] = {
    "change_failure_rate": lambda oracle, _: oracle.change_failure_rate(),
    "open": lambda oracle, _: oracle.open(),
    "objectives_in_budget": lambda oracle, _: oracle.objectives_in_budget(),
    "fastest_burn": lambda oracle, _: Expected(oracle.fastest_burn()),
    "pass_rate": lambda oracle, group: oracle.pass_rate(group),
    "within_7": lambda oracle, _: Expected(oracle.expiring(7)),
    "within_30": lambda oracle, _: Expected(oracle.expiring(30)),
    "tier1_out_of_review": lambda oracle, _: Expected(oracle.tier1()[0]),
}
"""Measures that sentences speak of, by key."""


@dataclass(frozen=True)
class Change:
    """A figure now and before as the records have them, and whether the two can be compared."""

    now: Expected
    before: Expected
    comparable: bool

    @property
    def delta(self) -> float | None:
        known = self.comparable and self.now.value is not None and self.before.value is not None
        if not known or math.isinf(self.now.value) or math.isinf(self.before.value):
            return None
        return self.now.value - self.before.value


@dataclass(frozen=True)
class Truth:
    """An organisation's records, the period asked about, and the last day of any snapshot."""

    organisation: Sequence[Records]
    period: Period
    as_of: date
    zone: ZoneInfo
    names: Sequence[str]

    @property
    def everybody(self) -> range:
        return range(len(self.organisation))

    def index(self, name: str) -> int:
        """The workspace of that name."""
        assert self.names.count(name) == 1, name
        return self.names.index(name)

    def oracle(self, members: Sequence[int], span: Span) -> Oracle:
        chosen = [self.organisation[n] for n in members]
        return Oracle(chosen, span.start, min(span.end, self.as_of), self.zone)

    def change(self, key: str, members: Sequence[int], group: str = "") -> Change:
        """A measure of some workspaces together, in this period and the one before."""
        now, before = (
            READ[key](self.oracle(members, span), group)
            for span in (self.period.span, self.period.previous)
        )
        seen = self.oracle(members, self.period.previous).days_seen()
        return Change(now, before, 2 * seen >= self.period.days)

    def groups(self, domain: Domain) -> tuple[str, ...]:
        return FRAMEWORKS if domain.by else ("",)

    def worst_group(self, domain: Domain, members: Sequence[int], key: str) -> str | None:
        """The group that a figure is of: the worst, the first by name of equal ones; None without data."""
        told = {g: self.change(key, members, g).now.value for g in self.groups(domain)}
        known = {g: value for g, value in told.items() if value is not None}
        return max(known, key=lambda g: bad(domain.measure(key), known[g])) if known else None

    def shown(self, domain: Domain, key: str) -> dict[int, float]:
        """The value that each workspace shows, of those with one."""
        values = {}
        for n in self.everybody:
            group = self.worst_group(domain, [n], key)
            if group is not None:
                values[n] = self.change(key, [n], group).now.value
        return values

    @cached_property
    def days_seen(self) -> int:
        return self.oracle(self.everybody, self.period.span).days_seen()

    @property
    def last_day(self) -> date | None:
        """The last snapshot in the period or before it."""
        days = {d for records in self.organisation for d in records.days if d <= self.period.end}
        return max(days, default=None)

    def shares(self, key: str, group: str) -> dict[int, float]:
        """Part of each workspace in the change of the organisation's figure."""
        changes = {n: self.change(key, [n], group) for n in self.everybody}
        if not any(c.now.denominator or c.before.denominator for c in changes.values()):
            return {n: (c.now.value or 0.0) - (c.before.value or 0.0) for n, c in changes.items()}
        return midpoints(changes)


def midpoints(changes: Mapping[int, Change]) -> dict[int, float]:
    """Parts in the change of a pooled ratio: mean weight times change of ratio, change of weight times
    distance of the mean ratio from the pooled one; a ratio that is not there is the other period's."""
    parts, wholes = {}, {}
    for label in ("now", "before"):
        told = {n: getattr(c, label) for n, c in changes.items()}
        parts[label] = {n: (e.numerator or 0.0) if e.denominator else 0.0 for n, e in told.items()}
        wholes[label] = {n: e.denominator or 0.0 for n, e in told.items()}
    total = {label: sum(wholes[label].values()) for label in wholes}
    pooled = sum(sum(parts[label].values()) / total[label] for label in total) / 2
    shares = {}
    for n in changes:
        ratio = {label: parts[label][n] / wholes[label][n] for label in total if wholes[label][n]}
        now, before = (
            ratio.get("now", ratio.get("before", 0)),
            ratio.get("before", ratio.get("now", 0)),
        )
        weight = {label: wholes[label][n] / total[label] for label in total}
        shares[n] = (weight["now"] + weight["before"]) / 2 * (now - before)
        shares[n] += (weight["now"] - weight["before"]) * ((now + before) / 2 - pooled)
    return shares


def bad(measure: Measure, value: float) -> float:
    """How bad a value is, higher is worse; a burn without end is the worst."""
    if math.isinf(value):
        return math.inf
    return value if measure.better is LOWER else -value


def is_best(measure: Measure, value: float) -> bool:
    """Whether a value could not stand better."""
    if measure.better is LOWER:
        return value == 0 and (measure.bad is None or measure.bad > 0)
    return measure.unit is Unit.RATIO and value == 1


def domain_of(measure_title: str) -> Domain:
    """The domain with a measure of that title, whatever the case of its first letter."""
    wanted = measure_title.casefold()
    return next(d for d in DOMAINS if wanted in {m.title.casefold() for m in d.measures})
