"""The figures of one workspace from its records as they stand now, beside those of the snapshot.

The collectors are the nightly job's own, so that the two differ only by what has happened since.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from aggregators import catalogue
from aggregators.pooling.figures import Figure
from aggregators.pooling.measure_table import MeasureTable, with_no_row
from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.measure import DAYS_SEEN, Evaluation, FactsByName, Measure, Nature
from aggregators.vocabulary.period import Span
from aggregators.vocabulary.sketch import Histogram, Sketch
from reading.record_days import RecordDays
from settings import Settings
from storage.chosen import store

COUNTS = catalogue.parts("counts")
"""Queries of each domain, by its key."""
OVER_DAYS = {Nature.FLOW, Nature.DISTRIBUTION}
NO_GROUP = "group"
"""Column that stands for the groups of a domain without any."""


def live(
    connection: Connection,
    workspace_id: int,
    domain: Domain,
    span: Span,
    now: datetime,
    settings: Settings,
) -> dict[str, Figure]:
    """A domain's figures over a span that may end today, by measure key; groups under ``by``."""
    days = RecordDays(
        connection,
        workspace_id,
        span.start,
        span.end,
        store.rules(connection, settings),
        now,
    )
    facts = _facts(days, domain)
    return {m.key: _figure(m, facts, domain) for m in domain.measures}


@dataclass(frozen=True, slots=True)
class LiveFacts:
    """Facts of each group ("" without groups), an element each, and label columns by name."""

    groups: list[str]
    facts: FactsByName
    names: pd.DataFrame


def _facts(days: RecordDays, domain: Domain) -> LiveFacts:
    """Flows added up, levels of the last day, distributions over all days; of the groups that there are on
    the last day."""
    natures, collector, by = domain.natures(), COUNTS[domain.key], domain.by or NO_GROUP
    if domain.by and not OVER_DAYS.intersection(natures.values()):
        days = replace(days, first=days.last)
    daily = _by_group(days, collector.FACTS, by)
    last = daily[daily.index.get_level_values("day") == days.last].droplevel("day")
    groups = sorted(last.index) if domain.by else [""]
    last = last.reindex(groups)
    facts: dict[str, object] = {DAYS_SEEN: np.full(len(groups), float(len(days.index)))}
    for fact, nature in natures.items():
        if nature is Nature.DISTRIBUTION:
            facts[fact] = _histogram(days.query(collector.DURATIONS[fact]), by, groups)
        elif nature is Nature.FLOW:
            totals = daily[fact].astype(float).groupby(level=by).sum()
            facts[fact] = totals.reindex(groups, fill_value=0.0).to_numpy(float)
        else:
            facts[fact] = last[fact].to_numpy(float)
    return LiveFacts(groups, facts, last)


def _by_group(days: RecordDays, queries: Iterable[str], by: str) -> pd.DataFrame:
    """Rows of several queries by group and day."""
    frames = (days.query(sql) for sql in queries)
    if by == NO_GROUP:
        frames = (frame.assign(**{NO_GROUP: ""}) for frame in frames)
    return pd.concat([frame.set_index([by, "day"]) for frame in frames], axis=1)


def _histogram(durations: pd.DataFrame, by: str, groups: Sequence[str]) -> Histogram:
    """Durations of each group."""
    if by == NO_GROUP:
        return Histogram.of([Sketch.of(durations["seconds"])])
    return Histogram.of([Sketch.of(durations["seconds"][durations[by] == g]) for g in groups])


def _figure(measure: Measure, live: LiveFacts, domain: Domain) -> Figure:
    table = _measure_table(measure, live)
    if domain.by is None:
        return Figure(table, 0)
    return Figure(
        table, by={group: Figure(table, row, group) for row, group in enumerate(live.groups)}
    )


def _measure_table(measure: Measure, live: LiveFacts) -> MeasureTable:
    """The measure over the groups; nothing earlier to compare with, and every day was seen."""
    evaluation, seen = measure.evaluate(live.facts), live.facts[DAYS_SEEN]
    table = MeasureTable.empty(measure, int(seen.max(initial=0)))
    parts = (evaluation.value, evaluation.numerator, evaluation.denominator, evaluation.n)
    never = np.zeros(len(seen))
    return replace(
        table,
        now=Evaluation(*map(with_no_row, parts)),
        before=Evaluation(*[with_no_row(np.full(len(seen), np.nan))] * 4),
        seen=with_no_row(seen, 0.0),
        seen_before=with_no_row(never, 0.0),
        series=np.empty((len(seen), 0)),
        series_before=np.empty((len(seen), 0)),
        names=_names(measure, live),
    )


def _names(measure: Measure, live: LiveFacts) -> list[str | None]:
    """Holders of the measure's extreme, one a group and one for no group; empty where it names none."""
    if not measure.named_by:
        return []
    labels = live.names[measure.named_by]
    return [label if isinstance(label, str) else None for label in labels] + [None]
