"""A signal in words: who, how much, since when, how sure, and what it means if it goes on."""

from __future__ import annotations

from collections.abc import Sequence

from aggregators.companions import MOST
from aggregators.signal.rules import SeriesKind
from aggregators.vocabulary import formats
from aggregators.vocabulary.measure import RATIO, SECONDS, Unit
from aggregators.words import within_sentence
from reading.signals.beside import ServicePart
from reading.signals.open_signals import DriftSignal

SURE = {2: "Likely", 3: "Sure", 4: "Very sure"}
VERY_SURE = 3.0
"""Evidence above the threshold of the second grade that is very sure."""


def cells(signal: DriftSignal) -> int:
    """How sure, as cells of four."""
    if signal.grade != "drifting":
        return 2
    return 4 if signal.beyond >= VERY_SURE else 3


def how_sure(signal: DriftSignal) -> str:
    """How sure, as a word."""
    return SURE[cells(signal)]


def measure(signal: DriftSignal) -> str:
    """Name of what drifts; of durations of the typical one, which the test is of."""
    watched = signal.watched
    if watched.series.kind is SeriesKind.DURATION:
        return f"{watched.measure.title.partition(',')[0]}, typical"
    return watched.measure.title


def values(signal: DriftSignal) -> tuple[str, str]:
    """The usual value and the one of now."""
    watched, unit = signal.watched, _unit(signal)
    usual, now = signal.usual, signal.now
    if watched.series.is_complement:
        usual, now = 1 - usual, 1 - now
    larger = max(usual, now)
    return formats.value(usual, unit, larger), formats.value(now, unit, larger)


def _unit(signal: DriftSignal) -> Unit:
    kind = signal.watched.series.kind
    if kind is SeriesKind.RATIO:
        return RATIO
    return SECONDS if kind is SeriesKind.DURATION else Unit.PER_DAY


def since_when(signal: DriftSignal) -> str:
    """Since when, with its uncertainty."""
    days = formats.counted(signal.give_or_take, "day")
    return f"since {formats.day(signal.since)}, give or take {days}"


def impact(signal: DriftSignal) -> str:
    """Meaning of 28 days more of it; empty where the number says nothing."""
    series, extra = signal.watched.series, round(abs(signal.extra))
    if series.kind is SeriesKind.DURATION:
        if signal.usual <= 0:
            return ""
        return f"Each takes {formats.number(signal.now / signal.usual, 1)} times as long"
    if not extra:
        return ""
    more = "fewer" if signal.extra < 0 else "more"
    return f"About {formats.number(extra)} {more} in 28 days than usual, if it goes on"


def sentence(signal: DriftSignal) -> str:
    """The signal in one sentence."""
    usual, now = values(signal)
    drifts = "drifts" if signal.grade == "drifting" else "may be drifting"
    return (
        f"{signal.workspace.name}: {within_sentence(measure(signal))} {drifts}, {usual} to {now},"
        f" {since_when(signal)}. {how_sure(signal)}."
    )


def services(signal: DriftSignal, parts: Sequence[ServicePart]) -> str:
    """Services with the largest parts for the worse, in one sentence: "By service: checkout +3.1 pts (9 of
    40, before 2 of 38)."; empty where none has one."""
    measure = signal.watched.measure
    worse = [part for part in parts if measure.badness(part.part) > 0]
    if not worse:
        return ""
    sentences = [_service(signal, part) for part in worse[:MOST]]
    others = f"; {formats.counted(len(worse) - MOST, 'other')} less" if len(worse) > MOST else ""
    return f"By service: {'; '.join(sentences)}{others}."


def _service(signal: DriftSignal, part: ServicePart) -> str:
    unit = signal.watched.measure.unit
    joined = "in" if unit is Unit.PER_DAY else "of"
    now, before = (
        f"{formats.number(x)} {joined} {formats.number(of)}" for x, of in (part.now, part.before)
    )
    days = " days" if unit is Unit.PER_DAY else ""
    moved = formats.shift(part.part, unit, signal.now)
    return f"{part.service or 'no service named'} {moved} ({now}{days}, before {before}{days})"
