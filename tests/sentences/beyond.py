"""Facts beyond a threshold, as the page of the signals, the digest and the assistant tell them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, timedelta

from aggregators import words
from aggregators.catalogue import DOMAINS
from aggregators.pooling.dashboard import Dashboard
from aggregators.signal.series import series_of
from aggregators.vocabulary import formats
from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.measure import LOWER, Measure
from exports.digest.message import MOST, message
from exports.digest.news import DigestNews
from reading.signals.facts import facts
from tests.plain import snapshot
from tests.plain.clock import Clock, Facts
from tests.plain.records import Records
from tests.sentences.kinds import DAY, NAME, NUMBER, SentenceKinds, whole
from tests.sentences.truth import FRAMEWORKS, Truth

FACTS, SUBJECTS, QUIET = SentenceKinds(), SentenceKinds(), SentenceKinds()
Level = float | str | None
"""A level at the end of a day; None is no data."""


def _part(facts_of_day: Facts, part: str, of: str) -> Level:
    among = facts_of_day.get(of)
    return facts_of_day[part] / among if among else None  # type: ignore[operator]


def _if(facts_of_day: Facts, tracked: str, *names: str) -> Level:
    return sum(facts_of_day[name] for name in names) if facts_of_day[tracked] else None  # type: ignore[misc]


LEVELS: Mapping[str, Callable[[Facts], Level]] = {
    "open_p1": lambda day: _if(day, "incidents_tracked", "open_p1"),
    "oldest_open": lambda day: day["oldest_open_seconds"],
    "objectives_in_budget": lambda d: _part(d, "objectives_in_budget", "objectives_with_data"),
    "fastest_burn": lambda day: day["fastest_burn"],
    "budget_remaining": lambda day: day["budget_remaining"],
    "within_7": lambda day: _if(day, "certificates_tracked", "cert_7"),
    "within_30": lambda day: _if(day, "certificates_tracked", "cert_7", "cert_30"),
    "expired": lambda day: _if(day, "certificates_tracked", "cert_expired"),
    "tier1_out_of_review": lambda day: day.get("tier1_out_of_review"),
    "tier1_in_review_rate": lambda day: _part(day, "tier1_in_review", "tier1_active"),
    "longest_overdue": lambda day: day.get("longest_overdue_days"),
}
"""Levels that have a threshold, by measure, from a workspace's plain facts of a day."""


def _passing(facts_of_day: Facts) -> Level:
    applicable = sum(
        facts_of_day[result]  # type: ignore[misc]
        for result in ("compliant", "partial", "non_compliant", "not_assessed")
    )
    return facts_of_day["compliant"] / applicable if applicable else None  # type: ignore[operator]


def _covered(facts_of_day: Facts) -> Level:
    assessed = sum(facts_of_day[r] for r in ("compliant", "partial", "non_compliant"))  # type: ignore[misc]
    applicable = assessed + facts_of_day["not_assessed"]  # type: ignore[operator]
    return assessed / applicable if applicable else None


OF_FRAMEWORKS: Mapping[str, Callable[[Facts], Level]] = {
    "pass_rate": _passing,
    "coverage": _covered,
    "days_to_lapse": lambda day: day["days_to_lapse"],
    "lapsed": lambda day: day["lapsed"],
}
"""Levels of a framework that have a threshold, from its plain facts of a day."""


def thresholded() -> list[tuple[Domain, Measure]]:
    """Every measure that is a fact beyond a threshold: counted completely, and with a bad value."""
    return [
        (domain, measure)
        for domain in DOMAINS
        for measure in domain.measures
        if series_of(measure) is None and measure.bad is not None
    ]


def level(records: Records, measure: Measure, group: str, clock: Clock) -> Level:
    """Level of a workspace at the end of a day on which it has a snapshot."""
    if group:
        framework = snapshot.compliance(records, clock).get(group)
        return OF_FRAMEWORKS[measure.key](framework) if framework else None
    return LEVELS[measure.key](snapshot.facts(records, clock))


def is_beyond(measure: Measure, value: Level) -> bool:
    if value is None or measure.bad is None:
        return False
    if math.isinf(float(value)):
        return True
    return bool(value >= measure.bad if measure.better is LOWER else value <= measure.bad)  # type: ignore[operator]


def history(truth: Truth, own: int, measure: Measure, group: str) -> dict[date, Level]:
    """Levels of the days of the period on which the workspace has a snapshot."""
    records, span = truth.organisation[own], truth.period.span
    last = min(span.end, truth.as_of)
    days = [span.start + timedelta(n) for n in range((last - span.start).days + 1)]
    return {
        day: level(records, measure, group, Clock(day, truth.zone))
        for day in days
        if day in records.days
    }


def first_day(truth: Truth, told: Mapping[date, Level], measure: Measure) -> date | None:
    """The day since which every known day is beyond the threshold; None where the period begins so."""
    since = None
    for day, value in told.items():
        if value is not None:
            since = (since or day) if is_beyond(measure, value) else None
    return None if since == truth.period.span.start else since


@FACTS.of(
    rf"{NAME}: (?P<title>[\w ,/'-]+?)(?:, (?P<group>HIPAA|SOC2))? stands at (?P<value>.+?)"
    rf"(?: since (?P<since>{DAY}))?\. Certain\."
)
def beyond(truth: Truth, name: str, title, group, value, since) -> None:
    """The figure of the last snapshot is the records', beyond its threshold, and since the day named."""
    (measure,) = (m for _, m in thresholded() if words.within_sentence(m.title) == title)
    told = history(truth, truth.index(name), measure, group or "")
    stands = list(told.values())[-1]
    assert is_beyond(measure, stands)
    shown = None if math.isinf(float(stands or 0)) else stands
    assert value == (formats.OVER_BUDGET if shown is None else formats.value(shown, measure.unit))
    assert (formats.day(date.min) if since is None else since) == formats.day(
        first_day(truth, told, measure) or date.min
    )


@SUBJECTS.of(
    rf"Northwind Group: (?:(?P<count>{NUMBER}) new signals?|nothing new),"
    rf" (?:night of (?P<night>{DAY})|since (?P<since>{DAY}))"
)
def subject(truth: Truth, fresh: int, after: date, night, since, count) -> None:
    """As many as the records have begun to stand beyond a threshold after the day named."""
    assert whole(count or "0") == fresh
    assert since == formats.day(after) if since else night == formats.day(truth.as_of)


@QUIET.of(
    rf"(?P<count>{NUMBER}) workspaces? (?:were|was) looked at each night since (?P<since>{DAY});"
    r" nothing new began to drift\."
)
def quiet(truth: Truth, after: date, count, since) -> None:
    assert (whole(count), since) == (len(truth.organisation), formats.day(after))


def standing(truth: Truth) -> set[tuple[int, str, date | None]]:
    """Every workspace and measure that is beyond its threshold as the period ends, and since when; of a
    measure with frameworks the worst of them."""
    found = set()
    for domain, measure in thresholded():
        for own in truth.everybody:
            groups = FRAMEWORKS if domain.by else ("",)
            ends = {}
            for group in groups:
                told = history(truth, own, measure, group)
                if told and is_beyond(measure, list(told.values())[-1]):
                    ends[group] = first_day(truth, told, measure)
            found |= {(own, measure.key, since) for since in ends.values()}
    return found


def check_facts(truth: Truth, dashboard: Dashboard) -> None:
    """All facts of a dashboard: each is so, none is missing, and a digest tells those that are new."""
    if dashboard.period.step > 1:
        return
    told = facts(dashboard)
    expected = standing(truth)
    shown = {(truth.index(f.name), f.measure.key, f.since) for f in told}
    assert shown <= expected
    assert {pair[:2] for pair in shown} == {pair[:2] for pair in expected}
    after = truth.as_of - timedelta(days=3)
    fresh = tuple(f for f in told if f.since and f.since > after)
    news = DigestNews(truth.as_of, after, (), fresh, (), (), len(truth.organisation), "")
    made = message(news, dashboard.organisation, "https://vigilo.example")
    SUBJECTS.check(truth, [made.subject], fresh=len(fresh), after=after)
    for section in made.sections:
        lines = [line.text for line in section.lines]
        if section.title == "Nothing new":
            QUIET.check(truth, lines, after=after)
            continue
        if len(fresh) > MOST:
            assert lines.pop() == f"{len(fresh) - MOST} more stand on the page."
        assert len(lines) == min(len(fresh), MOST)
        FACTS.check(truth, lines)
    every = DigestNews(truth.as_of, after, (), tuple(told), (), (), 1, "")
    for start in range(0, len(told), MOST):
        part = DigestNews(
            truth.as_of, after, (), every.certain[start : start + MOST], (), (), 1, ""
        )
        (section,) = message(part, "", "").sections
        FACTS.check(truth, [line.text for line in section.lines])
