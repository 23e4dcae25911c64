"""Series that can be tested, as the domains' measures declare them: flows alone. A level, or a ratio
of levels, is a census: it has no sampling error, and is judged by its thresholds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aggregators.signal.rules import SeriesKind
from aggregators.vocabulary.domain import USAGE, Domain
from aggregators.vocabulary.kinds import Count, Mean, Quantile, Rate, Ratio
from aggregators.vocabulary.measure import Better, Measure


@dataclass(frozen=True, slots=True)
class TestableSeries:
    """Daily evidence behind a measure. ``key`` names the facts that it is made of, so that the median
    and the mean of the same durations are one series. ``is_fall`` says that less of a rate is worse;
    ``is_complement`` that of a ratio the rest is watched, as more of it is worse."""

    __test__ = False

    key: str
    kind: SeriesKind
    facts: tuple[str, ...]
    is_fall: bool = False
    is_complement: bool = False


def series_of(measure: Measure) -> TestableSeries | None:
    """The series that a measure is tested on; None where there is nothing to test."""
    is_higher = measure.better is Better.HIGHER
    if isinstance(measure, Ratio) and not measure.at_end:
        key = f"{'+'.join(measure.part)}/{'+'.join(measure.whole)}"
        facts = (*measure.part, *measure.whole)
        return TestableSeries(key, SeriesKind.RATIO, facts, is_complement=is_higher)
    if isinstance(measure, Rate | Count):
        return TestableSeries(measure.of, SeriesKind.RATE, (measure.of,), is_fall=is_higher)
    durations = durations_of(measure)
    if durations:
        return TestableSeries(durations, SeriesKind.DURATION, (durations,))
    return None


def durations_of(measure: Measure) -> str | None:
    """The distribution of the durations that a measure is of."""
    if isinstance(measure, Quantile):
        return measure.of
    return measure.durations if isinstance(measure, Mean) else None


@dataclass(frozen=True, slots=True)
class WatchedSeries:
    """A series that the watch looks at each night, and the measure that it is shown as."""

    series: TestableSeries
    domain: Domain
    measure: Measure

    @property
    def key(self) -> str:
        """Key of the series."""
        return self.series.key


def watched_series(domains: Iterable[Domain]) -> list[WatchedSeries]:
    """Every series once, as the first measure that is of it. A count whose events stand in another series
    repeats that one, and is left out."""
    chosen: dict[str, WatchedSeries] = {}
    taken: set[str] = set()
    usage = [domain for domain in domains if domain.table == USAGE]
    for domain in usage:
        for measure in domain.measures:
            if isinstance(measure, Ratio | Mean) and series_of(measure):
                taken |= set(measure.natures())
    for domain in usage:
        for measure in domain.measures:
            series = series_of(measure)
            if series is None or (isinstance(measure, Count) and measure.of in taken):
                continue
            chosen.setdefault(series.key, WatchedSeries(series, domain, measure))
    return list(chosen.values())
