"""Facts + domain + period -> Scorecard: org figures, cards worst first, deltas, series. Pure pandas."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from aggregators.figures import Card, Evidence, Figure, Series
from aggregators.measure import DAYS_SEEN, Domain, Measure, Status
from aggregators.spans import BEFORE, NOW, Plan, pooled

ORG = ""
"""The scope name of the whole organisation in figure tables."""


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace as a card shows it."""

    slug: str
    name: str
    accent: str | None = None


@dataclass(frozen=True)
class Rolled:
    """One domain, evaluated: org figures and cards, and the facts for whoever asks more of them.

    ``facts`` is indexed by (workspace, group, span); the group is "" in a domain without groups.
    """

    domain: Domain
    figures: Mapping[str, Figure]
    cards: tuple[Card, ...]
    facts: pd.DataFrame
    plan: Plan

    def over(self, measure_key: str, prefix: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """A measure's value and n on the spans "prefix N": two frames, a row per (workspace, group),
        a column per N."""
        labels = self.plan.labels(prefix)
        found = self.domain.measure(measure_key).evaluate(self.facts)
        scopes = _scopes(self.facts, self.plan)
        index = pd.MultiIndex.from_tuples(scopes, names=["workspace", "group"]) if scopes else None
        value, n = (
            pd.DataFrame(_grid(series, self.plan), index, list(self.plan.spans))[labels]
            for series in (found.value, found.n)
        )
        return value, n


def _scopes(facts: pd.DataFrame, plan: Plan) -> list[tuple[str, str]]:
    """The (workspace, group) of each block of rows: a facts frame is scopes x the plan's spans."""
    return [(slug, group) for slug, group, _ in facts.index[:: len(plan.spans)]]


def _grid(column: pd.Series, plan: Plan) -> np.ndarray:
    """A column of a facts frame as an array [scope, span]."""
    return np.asarray(column.to_numpy().reshape(-1, len(plan.spans)))


def roll(
    domain: Domain,
    facts: pd.DataFrame,
    places: Sequence[Place],
    plan: Plan,
    union_seen: Mapping[str, int] | None = None,
) -> Rolled:
    """A domain's figures from the facts of its workspaces.

    ``facts`` as in Rolled, workspaces by slug. ``union_seen`` gives, for NOW and BEFORE, on how many
    days any workspace had a snapshot.
    """
    org = pooled(facts, domain.natures())
    for label, seen in (union_seen or {}).items():
        rows = org.index.get_level_values("span") == label
        org.loc[rows, DAYS_SEEN] = np.where(org.loc[rows, DAYS_SEEN] > 0, seen, 0)
    org = pd.concat({ORG: org}, names=["workspace"])
    tables = {m.key: _Table(m, pd.concat([org, facts]), domain, plan) for m in domain.measures}
    groups = _groups(_scopes(facts, plan))
    cards = tuple(
        Card(
            p.slug,
            p.name,
            0,
            f"{domain.page(p.slug)}?{plan.period.query}",
            {key: table.figure(p.slug, groups.get(p.slug, ())) for key, table in tables.items()},
            p.accent,
        )
        for p in places
    )
    every = sorted({g for found in groups.values() for g in found})
    figures = {key: _named(table.figure(ORG, every), cards, key) for key, table in tables.items()}
    return Rolled(domain, figures, ranked(cards, domain, domain.headline), facts, plan)


def _groups(scopes: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """The groups of each workspace, by name."""
    found: dict[str, set[str]] = {}
    for slug, group in scopes:
        found.setdefault(slug, set()).add(group)
    return {slug: tuple(sorted(groups)) for slug, groups in found.items()}


class _Table:
    """One measure evaluated on every scope, group and span, to cut figures from."""

    def __init__(self, measure: Measure, facts: pd.DataFrame, domain: Domain, plan: Plan) -> None:
        found = measure.evaluate(facts)
        self.measure, self.plan, self.grouped = measure, plan, domain.by is not None
        self.row = {scope: i for i, scope in enumerate(_scopes(facts, plan))}
        self.column = {label: i for i, label in enumerate(plan.spans)}
        self.values = _grid(found.value, plan).astype(float)
        self.numerator = _grid(found.numerator, plan).astype(float)
        self.denominator = _grid(found.denominator, plan).astype(float)
        self.n = _grid(found.n, plan).astype(float)
        self.days = np.nan_to_num(_grid(facts[DAYS_SEEN], plan).astype(float))
        self.names = _grid(facts[measure.named_by], plan) if measure.named_by else None

    def figure(self, scope: str, groups: Iterable[str]) -> Figure:
        """The figure of a scope: its own, or with groups the worst of them with all ``by`` group."""
        by = {group: self._one(scope, group) for group in groups}
        if not self.grouped:
            return by.get("") or self._nothing()
        if not by:
            return self._nothing()
        worst = max(by.values(), key=lambda f: (f.has_data, badness(f)))
        return replace(worst, by=by)

    def _nothing(self) -> Figure:
        return Figure(self.measure, evidence=Evidence(days_expected=self.plan.period.days))

    def _one(self, scope: str, group: str) -> Figure:
        row = self.row.get((scope, group))
        if row is None:
            return self._nothing()
        value, before = self._at(row, NOW), self._at(row, BEFORE)
        evidence = self._evidence(row, NOW)
        seen_before = self._days(row, BEFORE)
        infinite = value is not None and math.isinf(value)
        return Figure(
            self.measure,
            None if infinite else value,
            None if before is None or math.isinf(before) else before,
            comparable=seen_before * 2 >= self.plan.period.days,
            low_sample=value is not None and self.measure.is_low_sample(evidence.n),
            over_budget=infinite,
            evidence=evidence,
            previous_evidence=self._evidence(row, BEFORE),
            series=self._series(row, "", self.plan.points),
            previous_series=self._series(row, "-before", self.plan.points_before),
            group=group or None,
        )

    def _at(self, row: int, label: str) -> float | None:
        value = self.values[row, self.column[label]]
        return None if math.isnan(value) else float(value)

    def _days(self, row: int, label: str) -> int:
        return int(self.days[row, self.column[label]])

    def _evidence(self, row: int, label: str) -> Evidence:
        at = row, self.column[label]
        name = None if self.names is None else self.names[at]
        return Evidence(
            _known(self.numerator[at]),
            _known(self.denominator[at]),
            _known(self.n[at]),
            self._days(row, label),
            self.plan.period.days,
            name if isinstance(name, str) else None,
        )

    def _series(self, row: int, suffix: str, points: Sequence[date]) -> Series:
        """The points of a span: pooled over the trailing window, or of the step alone; a step
        without any snapshot is a gap."""
        kind = "trailing" if self.measure.trailing else "step"
        found = []
        for i, day in enumerate(points):
            value = self._at(row, f"{kind}{suffix} {i}")
            gap = value is None or math.isinf(value) or not self._days(row, f"step{suffix} {i}")
            found.append((day, None if gap else value))
        return tuple(found)


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _named(figure: Figure, cards: tuple[Card, ...], key: str) -> Figure:
    """An org's extreme names the object and the workspace that hold it, group by group."""
    if not figure.measure.named_by:
        return figure
    by = {g: _holder(f, cards, key, g) for g, f in figure.by.items()} if figure.by else None
    return replace(_holder(figure, cards, key, figure.group), by=by)


def _holder(figure: Figure, cards: tuple[Card, ...], key: str, group: str | None) -> Figure:
    for card in cards:
        own = card.figures[key]
        if group is not None:
            own = (own.by or {}).get(group, own)
        same = own.over_budget if figure.over_budget else own.value == figure.value
        if own.has_data and figure.has_data and same:
            evidence = replace(figure.evidence, name=own.evidence.name, workspace=card.slug)
            return replace(figure, evidence=evidence)
    return figure


def badness(figure: Figure) -> float:
    """How bad a figure is, higher is worse; no data is least."""
    if figure.over_budget:
        return math.inf
    return -math.inf if figure.value is None else figure.measure.badness(figure.value)


def ranked(cards: Iterable[Card], domain: Domain, measure_key: str) -> tuple[Card, ...]:
    """Cards worst first by a measure, ranks from 1: a total, deterministic order.

    Enough data before low samples before no data; then the worse value; then the domain's ties
    (the supporting counts), worse first; then the name, then the slug.
    """

    def order(card: Card) -> tuple:
        figure = card.figures[measure_key]
        tier = 2 if not figure.has_data else 1 if figure.low_sample else 0
        ties = [-badness(card.figures[tie]) for tie in domain.ties if tie != measure_key]
        return (tier, -badness(figure), *ties, card.name.casefold(), card.slug)

    return tuple(replace(card, rank=i) for i, card in enumerate(sorted(cards, key=order), 1))


def worst(cards: Sequence[Card], domain: Domain) -> tuple[Card, Figure] | None:
    """The workspace that the tile names: the worst by ``worst_by``, None when nobody stands out
    (no data, or a level of nothing)."""
    key = domain.worst_by or domain.headline
    for card in ranked(cards, domain, key)[:1]:
        figure = card.figures[key]
        if figure.has_data and not figure.low_sample and _stands_out(figure):
            return card, figure
    return None


def _stands_out(figure: Figure) -> bool:
    """Zero expiring certificates, or a rate of 0, make nobody the worst."""
    best = 0.0 if figure.measure.better == "lower" else 1.0
    return figure.value != best or figure.status is Status.BAD
