"""Which spans of days a dashboard needs, and the facts of each span from rows at its borders.

The snapshot keeps running totals, so a span's flows and distributions are the difference of two
rows and a period's cost does not grow with its length.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from aggregators.measure import DAYS_SEEN, Nature
from aggregators.period import Period, Span, completed_sprints, day
from aggregators.sketch import Sketch

NOW, BEFORE = "now", "before"
SPRINTS = 4
TREND_DAYS = 28


@dataclass(frozen=True)
class Plan:
    """Every span of one reading, by label.

    ``now`` and ``before`` are the period and the previous one. ``trailing N``/``step N`` are the
    points of the series, ``trailing-before N``/``step-before N`` those of the previous period:
    pooled figures read the trailing window, levels and counts the step alone. ``sprint N`` and
    ``trend N`` serve the answers.
    """

    period: Period
    points: tuple[date, ...]
    points_before: tuple[date, ...]
    spans: Mapping[str, Span]

    @classmethod
    def of(cls, period: Period, as_of: date, sprint_days: int) -> Plan:
        """The plan for a period; sprints end at ``as_of``, the trend at the period's end."""
        points, before = period.points(), period.points(period.previous)
        spans = {NOW: period.span, BEFORE: period.previous}
        for suffix, days, within in (
            ("", points, period.span),
            ("-before", before, period.previous),
        ):
            for i, end in enumerate(days):
                first = max(end - day(period.step - 1), within.start)
                spans[f"step{suffix} {i}"] = Span(first, end)
                spans[f"trailing{suffix} {i}"] = Span(end - day(period.window - 1), end)
        for i, sprint in enumerate(completed_sprints(sprint_days, as_of, SPRINTS)):
            spans[f"sprint {i}"] = sprint
        for i in range(TREND_DAYS):
            last = period.end - day(TREND_DAYS - 1 - i)
            spans[f"trend {i}"] = Span(last, last)
        return cls(period, tuple(points), tuple(before), spans)

    @property
    def borders(self) -> list[date]:
        """Every day whose running totals are needed, ascending."""
        ends = {s.end for s in self.spans.values()}
        return sorted(ends | {s.start - day(1) for s in self.spans.values()})

    def labels(self, prefix: str) -> list[str]:
        """The labels "prefix 0", "prefix 1", ... in order."""
        return [label for label in self.spans if label.rsplit(" ", 1)[0] == prefix]


def unpacked(rows: pd.DataFrame, natures: Mapping[str, Nature]) -> pd.DataFrame:
    """Snapshot rows with their distributions as sketches. Raises BrokenSketch."""
    columns = [f"{fact}_total" for fact, nature in natures.items() if nature is Nature.DISTRIBUTION]
    return rows.assign(
        **{column: [Sketch.unpack(data) for data in rows[column]] for column in columns}
    )


def span_facts(
    borders: pd.DataFrame,
    scopes: list[tuple],
    spans: Mapping[str, Span],
    natures: Mapping[str, Nature],
    labels: Iterable[str] = (),
) -> pd.DataFrame:
    """Facts of every scope and span: index (*scope, span), columns DAYS_SEEN, facts, labels.

    ``borders`` is indexed by (*scope, day). A level is that of the last snapshot within the span;
    flows are those of the span's snapshot days; NaN, and 0 days seen, where it has none.
    """
    names = [*borders.index.names[:-1], "span"]
    index = pd.MultiIndex.from_tuples([(*s, label) for s in scopes for label in spans], names=names)
    last, first = (
        borders.reindex(
            pd.MultiIndex.from_tuples([(*s, pick(x)) for s in scopes for x in spans.values()])
        )
        for pick in (_last_day, _day_before)
    )
    starts = np.array([x.start for _ in scopes for x in spans.values()], dtype=object)
    within = np.array(
        [
            d is not None and d == d and d >= s
            for d, s in zip(last["snapshot_date"], starts, strict=True)
        ],
        dtype=bool,
    )
    columns: dict[str, object] = {}
    if "days_total" in borders:
        columns[DAYS_SEEN] = _less(last["days_total"], first["days_total"]).fillna(0.0).to_numpy()
    for fact, nature in natures.items():
        columns[fact] = _fact(fact, nature, last, first, within, spans)
    for label in labels:
        columns[label] = np.where(within, last[label].to_numpy(object), None)
    return pd.DataFrame(columns, index=index)


def _last_day(span: Span) -> date:
    return span.end


def _day_before(span: Span) -> date:
    return span.start - day(1)


def _fact(
    fact: str,
    nature: Nature,
    last: pd.DataFrame,
    first: pd.DataFrame,
    within: np.ndarray,
    spans: Mapping[str, Span],
) -> np.ndarray:
    if nature is Nature.FLOW:
        column = f"{fact}_total"
        return np.where(within, _less(last[column], first[column]).to_numpy(float), np.nan)
    if nature is not Nature.DISTRIBUTION:
        return np.where(within, last[fact].astype(float).to_numpy(), np.nan)
    pooled = [not label.startswith(("step", "trend", "sprint")) for label in spans]
    wanted = within & np.tile(pooled, len(within) // len(spans))
    column = f"{fact}_total"
    pairs = zip(wanted, last[column], first[column], strict=True)
    found = np.empty(len(within), dtype=object)
    found[:] = [(a - b if isinstance(b, Sketch) else a) if w else None for w, a, b in pairs]
    return found


def _less(last: pd.Series, first: pd.Series) -> pd.Series:
    return last.astype(float).reset_index(drop=True) - first.astype(float).fillna(0.0).reset_index(
        drop=True
    )


def _merged(sketches: pd.Series) -> Sketch | None:
    parts = [s for s in sketches if isinstance(s, Sketch)]
    return Sketch.merged(parts) if parts else None


POOLED_BY = {
    Nature.FLOW: "sum",
    Nature.LEVEL_SUM: "sum",
    Nature.LEVEL_MAX: "max",
    Nature.LEVEL_MIN: "min",
}


def pooled(facts: pd.DataFrame, natures: Mapping[str, Nature]) -> pd.DataFrame:
    """Facts pooled over workspaces, each by its nature: the index loses its first level.

    DAYS_SEEN is that of the workspace that saw most days; ``rollup`` puts the exact union where it
    matters.
    """
    groups = facts.groupby(level=list(range(1, facts.index.nlevels)), sort=False)
    columns = {DAYS_SEEN: groups[DAYS_SEEN].max()}
    for how in ("sum", "max", "min"):
        chosen = [fact for fact, nature in natures.items() if POOLED_BY.get(nature) == how]
        if chosen:
            columns |= dict(groups[chosen].agg(how, min_count=1).items())
    for fact, nature in natures.items():
        if nature is Nature.DISTRIBUTION:
            columns[fact] = groups[fact].agg(_merged)
    return pd.DataFrame(columns)
