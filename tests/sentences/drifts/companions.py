"""Companions of a drift in words: each change and verdict from the raw records, the surest first."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from statistics import median

from aggregators import words
from aggregators.companions import DEPLOYMENTS, MOST, WATCHED, companions
from aggregators.pooling.dashboard import Dashboard
from aggregators.signal.rules import SHIPPED_DISPERSION, SHIPPED_STRETCH, SeriesKind
from aggregators.signal.stretch import stretch_of_days
from aggregators.vocabulary import formats
from aggregators.vocabulary.measure import LOWER, Measure, Unit
from tests.plain import verdicts
from tests.plain.records import Expected, Oracle
from tests.sentences.kinds import SentenceKinds
from tests.sentences.truth import Change, Truth

MOVED_WITH = SentenceKinds()
WORDS = {
    "worse": "worse",
    "likely_worse": "likely worse",
    "likely_better": "likely better",
    "better": "better",
    "within_noise": "within noise",
    "too_few": "too few to tell",
}
UNCLEAR = 0.15
"""Standard errors by which a test of durations may be off: they are kept to two in a hundred."""


def _tracked(oracle: Oracle, told: Expected) -> Expected:
    return told if oracle.open().value is not None else Expected(None)


def _opened(oracle: Oracle) -> Expected:
    count = oracle.opened()
    return _tracked(oracle, Expected(count, count, oracle.days_seen()))


def _due(oracle: Oracle) -> Expected:
    """The rest is watched: what is missing is what is worse."""
    told = oracle.postmortem_coverage()
    return Expected(told.value, (told.denominator or 0) - (told.numerator or 0), told.denominator)


COUNTED: Mapping[str, Callable[[Oracle], Expected]] = {
    "failed_deployments/ended_deployments": lambda oracle: oracle.change_failure_rate(),
    "successful_deployments": lambda oracle: oracle.deploy_frequency(),
    "incidents_opened": _opened,
    "postmortems_published/postmortems_due": _due,
}
"""Series that are counted: the figure, what is watched of it, and of how many."""
TIMES: Mapping[str, Callable[[Oracle], list[float]]] = {
    "lead_time": lambda oracle: oracle.lead_times(),
    "recovery_time": lambda oracle: oracle.recovery_times(),
    "ack_time": lambda oracle: oracle.incident_times("acknowledged_at"),
    "resolve_time": lambda oracle: oracle.incident_times("resolved_at"),
}


def change_of(truth: Truth, series: str, members: list[int]) -> tuple[Change, float]:
    """A figure now and before, and how many standard errors lie between: NaN where there is no test."""
    spans = truth.period.span, truth.period.previous
    oracles = [truth.oracle(members, span) for span in spans]
    comparable = 2 * oracles[1].days_seen() >= truth.period.days
    if series in COUNTED:
        now, before = (COUNTED[series](oracle) for oracle in oracles)
        return Change(now, before, comparable), _of_counts(truth, series, now, before)
    each = [TIMES[series](oracle) for oracle in oracles]
    middle = _mean if WATCHED[series].domain.key == "incidents" else median
    now, before = (Expected(middle(times) if times else None) for times in each)
    return Change(now, before, comparable), _of_times(truth, each)


def _mean(times: list[float]) -> float:
    return sum(times) / len(times)


def _scatter(truth: Truth, series: str) -> float:
    of = WATCHED[series].series
    by_days = SHIPPED_STRETCH[of.kind, of.is_fall]
    return SHIPPED_DISPERSION[of.kind] * stretch_of_days(by_days, truth.period.days)


def _of_counts(truth: Truth, series: str, now: Expected, before: Expected) -> float:
    errors = verdicts.of_ratio if "/" in series else verdicts.of_rate
    counts = [(float(e.numerator or 0), float(e.denominator or 0)) for e in (now, before)]
    told = errors(counts[0], counts[1], _scatter(truth, series))
    return math.nan if told is None else told


def _of_times(truth: Truth, each: list[list[float]]) -> float:
    """Difference of the mean logs over its error; a little is added to the variance of few."""
    if not all(each):
        return math.nan
    logs = [[math.log(max(t, 1.0)) for t in times] for times in each]
    means = [sum(own) / len(own) for own in logs]
    within = sum((x - m) ** 2 for own, m in zip(logs, means, strict=True) for x in own)
    variance = (within + 22.0) / (len(logs[0]) + len(logs[1]) + 10.0)
    scatter = _scatter(truth, "lead_time")
    error = math.sqrt(variance * scatter * (1 / len(logs[0]) + 1 / len(logs[1])))
    return (means[0] - means[1]) / error


def members_of(truth: Truth, slug: str) -> list[int]:
    return [int(slug.partition("-")[2])] if slug else list(truth.everybody)


@MOVED_WITH.of(r"In the same (?P<days>\d+) days?: (?P<figures>.+)\.")
def moved_with_it(truth: Truth, days: str, figures: str, slug: str, series: str) -> None:
    """Each is so; and none that is surer is missing."""
    assert int(days) == truth.period.days
    told = [one.rpartition("|") for one in _parted(figures)]
    named = [_series(title) for title, _, _ in told]
    assert series not in named
    assert len(set(named)) == len(named) <= MOST + 1
    members = members_of(truth, slug)
    changes = {key: change_of(truth, key, members) for key in WATCHED if key != series}
    for key, (_, _, change) in zip(named, told, strict=True):
        check_change(key, change, *changes[key])
    moved = [key for key, (_, _, change) in zip(named, told, strict=True) if is_beyond(change)]
    sure = [abs(changes[key][1]) for key in moved]
    assert all(a >= b - UNCLEAR for a, b in pairwise(sure))
    missing = {key: abs(z) for key, (change, z) in changes.items() if key not in named}
    surely = {key for key, z in missing.items() if z > verdicts.LIKELY + UNCLEAR}
    for key in surely:
        change, z = changes[key]
        if change.delta is not None and change.delta * _rises(key) * z > 0 and _could(key, change):
            assert len(moved) >= MOST, (key, z, figures)
            assert missing[key] <= min(sure[:MOST]) + UNCLEAR


def _rises(key: str) -> float:
    """1 where more of the figure is more of what is watched; of what is missing -1."""
    return -1.0 if WATCHED[key].series.is_complement else 1.0


def _could(key: str, change: Change) -> bool:
    """Whether the change can be seen: what reads 0.0 is none."""
    measure = WATCHED[key].measure
    return not formats.is_nothing(change.delta or 0.0, measure.unit, change.now.value)


def _parted(figures: str) -> list[str]:
    """Title and change of each figure, a bar between: a title may hold a comma, no sign and no number."""
    titles = sorted((words.within_sentence(w.measure.title) for w in WATCHED.values()), key=len)
    told = []
    for one in figures.split("; "):
        (title,) = [t for t in reversed(titles) if one.startswith(t + " ")][:1]
        told.append(f"{title}|{one[len(title) + 1 :]}")
    return told


def _series(title: str) -> str:
    (key,) = (k for k, w in WATCHED.items() if words.within_sentence(w.measure.title) == title)
    return key


def is_beyond(change: str) -> bool:
    return change.rpartition(" · ")[2] in ("worse", "likely worse", "better", "likely better")


def check_change(key: str, told: str, change: Change, z: float) -> None:
    """The words of a change: how much, and whether that is more than chance."""
    measure, delta = WATCHED[key].measure, change.delta
    assert delta is not None, (key, told)
    if WATCHED[key].series.kind is SeriesKind.DURATION:
        check_times(measure, told, change, z)
        return
    if formats.is_nothing(delta, measure.unit, change.now.value):
        assert told == "No change"
        return
    moved = formats.shift(delta, measure.unit, change.now.value)
    if measure.unit is not Unit.RATIO and change.before.value == 0:
        moved += ", from 0"
    assert told.startswith(moved + " · "), (key, told, moved)
    check_verdict(measure, told, z * _rises(key), delta)


def check_verdict(measure: Measure, told: str, z: float, delta: float) -> None:
    word = told.rpartition(" · ")[2]
    if word == "too few to tell":
        return
    worse = z if measure.better is LOWER else -z
    allowed = {
        verdict
        for off in (-UNCLEAR, 0.0, UNCLEAR)
        for verdict in [_word(worse + off, agrees=z * delta > 0)]
    }
    assert word in allowed, (measure.key, told, z)


def _word(worse: float, *, agrees: bool) -> str:
    if abs(worse) < verdicts.LIKELY or not agrees:
        return "within noise"
    side = "worse" if worse > 0 else "better"
    return side if abs(worse) >= verdicts.CERTAIN else f"likely {side}"


def check_times(measure: Measure, told: str, change: Change, z: float) -> None:
    now, before = float(change.now.value or 0), float(change.before.value or 0)
    slack = 0.03 * (now + before) + 60.0
    if told == "No change":
        assert abs(now - before) <= slack
        return
    moved, _, _ = told.partition(" · ")
    seconds = seconds_of(moved.removesuffix(", from 0"))
    assert abs(seconds - (now - before)) <= slack + _rounded(seconds), (measure.key, told)
    check_verdict(measure, told, z, seconds)


def _rounded(seconds: float) -> float:
    """Half of the smaller unit that is told."""
    return 1800.0 if abs(seconds) >= 86400 else 30.0


def seconds_of(text: str) -> float:
    """ "+1 h 20 min" in seconds."""
    units = {"d": 86400, "h": 3600, "min": 60, "s": 1}
    told = sum(int(n) * units[unit] for n, unit in re.findall(r"(\d+) (d|h|min|s)\b", text))
    return -told if text.startswith(formats.MINUS) else told


def check_companions(truth: Truth, dashboard: Dashboard) -> None:
    """Companions of every series of every workspace, and of all together."""
    slugs = [f"team-{n}" for n in truth.everybody[:4]]
    for slug in ("", *slugs):
        for series in (*list(WATCHED)[:2], "resolve_time"):
            told = words.moved_with_it(companions(dashboard, slug, series))
            MOVED_WITH.check(truth, [told] if told else [], slug=slug, series=series)
    assert DEPLOYMENTS in WATCHED
