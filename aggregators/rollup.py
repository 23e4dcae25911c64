"""Facts + domain + period -> figures: the organisation's, and cards worst first. Pure numpy.

Everything is computed in arrays of all workspaces; a ``Figure`` or a ``Card`` is made when somebody
looks at it. A page shows 24 cards of a thousand.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import overload

import numpy as np
import pandas as pd

from aggregators.effects import Array
from aggregators.facts import Facts, JoinedFacts, Scope
from aggregators.figures import Card, Evidence, Figure, Points
from aggregators.measure import DAYS_SEEN, Better, Domain, Evaluation, Measure, Status, Unit
from aggregators.measure import Facts as Named
from aggregators.spans import BEFORE, NOW, STEP, STEP_BEFORE, TRAILING, TRAILING_BEFORE, Plan

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
    """One domain, evaluated: org figures and cards, and the facts for whoever asks more of them."""

    domain: Domain
    figures: Mapping[str, Figure]
    cards: Cards
    facts: Facts

    def over(self, measure_key: str, label: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """A measure's value and n on the spans of a label: two frames, a row per (workspace, group),
        a column per span."""
        found = self.domain.measure(measure_key).evaluate(self.facts.over[label])
        scopes = list(self.facts.scopes)
        index = pd.MultiIndex.from_tuples(scopes, names=["workspace", "group"]) if scopes else None
        return pd.DataFrame(found.value, index), pd.DataFrame(found.n, index)


def roll(
    domain: Domain,
    facts: Facts,
    places: Sequence[Place],
    plan: Plan,
    union_seen: Mapping[str, int] | None = None,
) -> Rolled:
    """A domain's figures from the facts of its workspaces.

    ``union_seen`` gives, for NOW and BEFORE, on how many days any workspace had a snapshot.
    """
    joined = _joined(facts, domain, union_seen or {})
    rows = [*((ORG, group) for group in facts.groups), *facts.scopes]
    tables = {m.key: Table.of(m, joined, plan, facts, rows) for m in domain.measures}
    cards = Cards(domain, tuple(places), _Grid.of(domain, tables, rows, places), plan.period.query)
    groups = list(facts.groups) if domain.by else [""]
    figures = {key: _org(table, groups, domain, cards) for key, table in tables.items()}
    facts.forget()
    return Rolled(domain, figures, cards, facts)


def alone(domain: Domain, facts: Facts, place: Place, plan: Plan) -> Mapping[str, Figure]:
    """The figures of a single workspace's card, without an organisation around it."""
    rows = list(facts.scopes)
    tables = {m.key: Table.of(m, facts.over, plan, facts, rows) for m in domain.measures}
    cards = Cards(domain, (place,), _Grid.of(domain, tables, rows, [place]), plan.period.query)
    return cards[0].figures


def _joined(facts: Facts, domain: Domain, union_seen: Mapping[str, int]) -> Mapping[str, Named]:
    """By label the organisation's facts, where there is any workspace, and then those of the scopes."""
    if not facts.scopes:
        return facts.over
    natures = domain.natures()
    return {
        label: JoinedFacts(natures, (facts.pooled(label, natures, union_seen.get(label)), own))
        for label, own in facts.over.items()
    }


@dataclass(frozen=True, eq=False)
class Table:
    """One measure evaluated for the organisation's groups (the first rows) and every scope.

    ``now`` and ``before`` are arrays [row]; ``seen`` and ``seen_before`` the days seen; ``series`` and
    ``series_before`` [row, point], NaN for a gap; ``names`` [row] who holds an extreme.
    """

    measure: Measure
    now: Evaluation
    before: Evaluation
    seen: Array
    seen_before: Array
    series: Array
    series_before: Array
    names: Sequence[str | None]
    plan: Plan

    @classmethod
    def of(
        cls,
        measure: Measure,
        over: Mapping[str, Named],
        plan: Plan,
        facts: Facts,
        rows: Sequence[Scope],
    ) -> Table:
        """The measure over the facts of the organisation and of the scopes, by label."""
        now, before = (_flat(measure.evaluate(over[label])) for label in (NOW, BEFORE))
        days, days_before = (np.nan_to_num(over[label][DAYS_SEEN][:, 0]) for label in (NOW, BEFORE))
        names = list(facts.names.get(measure.named_by or "", ()))
        return cls(
            measure,
            now,
            before,
            days,
            days_before,
            _series(measure, over, TRAILING if measure.trailing else STEP, STEP, len(rows)),
            _series(
                measure,
                over,
                TRAILING_BEFORE if measure.trailing else STEP_BEFORE,
                STEP_BEFORE,
                len(rows),
            ),
            [None] * (len(rows) - len(names)) + names if names else (),
            plan,
        )

    @cached_property
    def comparable(self) -> np.ndarray:
        """Whether at least half of the previous period's days were seen."""
        return np.asarray(self.seen_before * 2 >= self.plan.period.days)

    @cached_property
    def low_sample(self) -> np.ndarray:
        """Too few events behind the figure to rank it among the others."""
        n = self.now.n
        low = (n > 0) & (n < self.measure.low_sample_below)
        return np.asarray(low & ~np.isnan(self.now.value))

    @cached_property
    def badness(self) -> Array:
        """How bad each figure is, higher is worse; no data is least."""
        sign = 1.0 if self.measure.better is Better.LOWER else -1.0
        value = self.now.value
        bad = np.where(np.isnan(value), -np.inf, sign * value)
        return np.asarray(np.where(np.isinf(value), np.inf, bad))

    @cached_property
    def delta(self) -> Array:
        """Each figure's change; NaN where there is none, as ``Figure.delta``."""
        known = self.comparable & np.isfinite(self.now.value) & np.isfinite(self.before.value)
        nothing = np.full(len(known), np.nan)
        return np.asarray(np.subtract(self.now.value, self.before.value, out=nothing, where=known))

    @cached_property
    def relative_delta(self) -> Array:
        """The change as a fraction of the previous value, as ``Figure.relative_delta``."""
        before = np.abs(self.before.value)
        known = (before > 0) & (self.measure.unit is not Unit.RATIO)
        nothing = np.full(len(known), np.nan)
        return np.asarray(np.divide(self.delta, before, out=nothing, where=known))

    @cached_property
    def status(self) -> list[str]:
        """Each figure's status, as ``Figure.status``."""
        sign, value = (1 if self.measure.better is Better.LOWER else -1), self.now.value
        found = np.full(len(value), Status.GOOD.value, object)
        for limit, status in ((self.measure.watch, Status.WATCH), (self.measure.bad, Status.BAD)):
            if limit is not None:
                found[sign * value >= sign * limit] = status.value
        found[np.isnan(value)] = Status.NO_DATA.value
        found[np.isinf(value)] = Status.BAD.value
        return list(found)

    def figure(self, row: int, group: str | None = None) -> Figure:
        """The figure of a row."""
        value, before = float(self.now.value[row]), _known(self.before.value[row])
        return Figure(
            self.measure,
            _known(value),
            before,
            comparable=bool(self.comparable[row]),
            low_sample=bool(self.low_sample[row]),
            over_budget=math.isinf(value),
            evidence=self._evidence(self.now, self.seen, row, named=True),
            previous_evidence=self._evidence(self.before, self.seen_before, row),
            series=Points(self.plan.points, self.series[row]),
            previous_series=Points(self.plan.points_before, self.series_before[row]),
            group=group or None,
        )

    def nothing(self) -> Figure:
        """The figure of a scope that has no row."""
        return Figure(self.measure, evidence=Evidence(days_expected=self.plan.period.days))

    def _evidence(
        self, found: Evaluation, seen: Array, row: int, *, named: bool = False
    ) -> Evidence:
        return Evidence(
            _known(found.numerator[row]),
            _known(found.denominator[row]),
            _known(found.n[row]),
            int(seen[row]),
            self.plan.period.days,
            self.names[row] if named and self.names else None,
        )


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _flat(found: Evaluation) -> Evaluation:
    return Evaluation(
        *(a[:, 0] for a in (found.value, found.numerator, found.denominator, found.n))
    )


def _series(
    measure: Measure,
    over: Mapping[str, Named],
    label: str,
    step: str,
    rows: int,
) -> Array:
    """The points of a span: pooled over the trailing window, or of the step alone; a step without
    any snapshot is a gap."""
    if label not in over:
        return np.empty((rows, 0))
    value = measure.evaluate(over[label]).value
    seen = over[step][DAYS_SEEN] > 0
    return np.where(seen & np.isfinite(value), value, np.nan)


@dataclass(frozen=True, eq=False)
class _Grid:
    """Where each place's figures are: ``rows`` of its scopes in the tables, and per measure the row
    that its figure is of (the worst of its groups), -1 where it has none."""

    tables: Mapping[str, Table]
    groups: Sequence[Mapping[str, int]]
    shown: Mapping[str, np.ndarray]

    @classmethod
    def of(
        cls,
        domain: Domain,
        tables: Mapping[str, Table],
        rows: Sequence[Scope],
        places: Sequence[Place],
    ) -> _Grid:
        at = {place.slug: i for i, place in enumerate(places)}
        groups: list[dict[str, int]] = [{} for _ in places]
        for row, (slug, group) in enumerate(rows):
            if slug in at and slug != ORG:
                groups[at[slug]][group] = row
        if domain.by is None:
            only = np.array([held.get("", -1) for held in groups], int)
            return cls(tables, groups, dict.fromkeys(tables, only))
        return cls(tables, groups, {k: _worst_rows(t, groups) for k, t in tables.items()})


def _worst_rows(table: Table, groups: Sequence[Mapping[str, int]]) -> np.ndarray:
    """Of each place the row with the worst figure, the first group's of equal ones; -1 without any."""
    owner = np.array([i for i, held in enumerate(groups) for _ in held], int)
    row = np.array([r for held in groups for r in held.values()], int)
    found = np.full(len(groups), -1)
    order = np.lexsort((np.arange(len(row)), -table.badness[row], owner))
    first = np.r_[True, np.diff(owner[order]) > 0] if len(order) else order.astype(bool)
    found[owner[order][first]] = row[order][first]
    return found


def _taken(values: np.ndarray, rows: np.ndarray, missing: float | bool) -> np.ndarray:
    """The values of some rows; ``missing`` where there is none (-1)."""
    found = np.full(rows.shape, missing, values.dtype)
    there = rows >= 0
    found[there] = values[rows[there]]
    return found


class Cards(Sequence[Card]):
    """Cards in an order, each made when it is looked at; the first has the rank ``first``."""

    def __init__(
        self,
        domain: Domain,
        places: tuple[Place, ...],
        grid: _Grid,
        query: str,
        order: np.ndarray | None = None,
        first: int = 1,
    ) -> None:
        self.domain, self.places, self.grid, self.query = domain, places, grid, query
        self.order: np.ndarray = self.by(domain.headline).order if order is None else order
        self.first = first

    def __len__(self) -> int:
        return len(self.order)

    @overload
    def __getitem__(self, at: int) -> Card: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Card]: ...

    def __getitem__(self, at: int | slice) -> Card | Sequence[Card]:
        if isinstance(at, slice):
            return tuple(self[i] for i in range(*at.indices(len(self))))
        return self._card(int(range(len(self))[at]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]

    def _card(self, at: int) -> Card:
        place = self.places[self.order[at]]
        return Card(
            place.slug,
            place.name,
            at + self.first,
            self.href(place),
            CardFigures(self.grid, int(self.order[at]), self.domain.by is not None),
            place.accent,
        )

    def take(self, ranks: slice) -> Cards:
        """Some of the cards, with the ranks that they have."""
        first = ranks.indices(len(self))[0] + self.first
        return Cards(self.domain, self.places, self.grid, self.query, self.order[ranks], first)

    def where(self, chosen: Sequence[bool]) -> Sequence[Card]:
        """Those that are chosen, with the ranks that they have."""
        return [self[at] for at, wanted in enumerate(chosen) if wanted]

    def href(self, place: Place) -> str:
        """The workspace's own page of the domain, for the same period."""
        return f"{self.domain.page(place.slug)}?{self.query}"

    def groups(self) -> list[Mapping[str, int]]:
        """The row of each group, card by card."""
        return [self.grid.groups[i] for i in self.order]

    def find(self, slug: str) -> Card:
        """The card of a workspace. Raises KeyError."""
        return self._card(self._at[slug])

    @cached_property
    def _at(self) -> dict[str, int]:
        return {self.places[i].slug: at for at, i in enumerate(self.order)}

    def of(self, measure_key: str, group: str | None = None) -> np.ndarray:
        """The row of each card in a measure's table, in the order of the cards; -1 without one."""
        if group is None:
            return np.asarray(self.grid.shown[measure_key][self.order])
        return np.array([self.grid.groups[i].get(group, -1) for i in self.order], int)

    def values(self, measure_key: str) -> Array:
        """The value of each card's figure, in their order; NaN without data, infinite over budget."""
        return _taken(self.grid.tables[measure_key].now.value, self.of(measure_key), np.nan)

    def evidence(self, measure_key: str) -> Array:
        """How many events are behind each card's figure, in their order; NaN without any."""
        return _taken(self.grid.tables[measure_key].now.n, self.of(measure_key), np.nan)

    def most(self, measure_key: str) -> Card:
        """The card with the highest value, the first by name of equal ones; there is one card at least."""
        values = np.nan_to_num(self.values(measure_key))
        (held,) = np.nonzero(values == values.max())
        names = [(self.places[self.order[i]].name, self.places[self.order[i]].slug) for i in held]
        return self[int(held[min(range(len(held)), key=names.__getitem__)])]

    def extremes(self, measure_key: str) -> tuple[float, float] | None:
        """The lowest and highest point of the series of those with enough data, else of all; None
        where there is no point."""
        table, rows = self.grid.tables[measure_key], self.of(measure_key)
        rows = rows[rows >= 0]
        enough = rows[~np.isnan(table.now.value[rows]) & ~table.low_sample[rows]]
        points = table.series[enough if len(enough) else rows]
        if np.isnan(points).all():
            return None
        return float(np.nanmin(points)), float(np.nanmax(points))

    @cached_property
    def scopes(self) -> list[Scope]:
        """Every (workspace, group) that has figures."""
        return [
            (p.slug, g) for p, held in zip(self.places, self.grid.groups, strict=True) for g in held
        ]

    def by_scope(self, measure_key: str) -> Array:
        """A measure's value of each of ``scopes``; NaN without data."""
        rows = np.array([row for held in self.grid.groups for row in held.values()], int)
        return np.asarray(self.grid.tables[measure_key].now.value[rows])

    def by(self, measure_key: str) -> Cards:
        """The same cards worst first by a measure, as ``ranked`` orders them."""
        domain, tables, shown = self.domain, self.grid.tables, self.grid.shown

        def badness(key: str) -> Array:
            return _taken(tables[key].badness, shown[key], -np.inf)

        bad = badness(measure_key)
        low = _taken(tables[measure_key].low_sample, shown[measure_key], False)
        tier = np.where(np.isneginf(bad), 2, np.where(low, 1, 0))
        ties = [-badness(key) for key in domain.ties if key != measure_key]
        order = np.lexsort((self._by_name, *reversed(ties), -bad, tier))
        return Cards(domain, self.places, self.grid, self.query, order)

    @cached_property
    def _by_name(self) -> np.ndarray:
        """The place of each workspace in the order of names, slugs between equal ones."""
        keys = [(p.name.casefold(), p.slug) for p in self.places]
        rank = np.empty(len(keys), int)
        rank[sorted(range(len(keys)), key=keys.__getitem__)] = np.arange(len(keys))
        return rank


class CardFigures(Mapping[str, Figure]):
    """One card's figures by measure, each made when it is looked at."""

    def __init__(self, grid: _Grid, place: int, grouped: bool) -> None:
        self._grid, self._place, self._grouped = grid, place, grouped
        self._made: dict[str, Figure] = {}

    def __getitem__(self, key: str) -> Figure:
        if key not in self._made:
            self._made[key] = self._make(self._grid.tables[key], key)
        return self._made[key]

    def _make(self, table: Table, key: str) -> Figure:
        row = int(self._grid.shown[key][self._place])
        if row < 0:
            return table.nothing()
        if not self._grouped:
            return table.figure(row)
        held = self._grid.groups[self._place]
        by = {group: table.figure(at, group) for group, at in held.items()}
        group = next(group for group, at in held.items() if at == row)
        return replace(by[group], by=by)

    def __iter__(self) -> Iterator[str]:
        return iter(self._grid.tables)

    def __len__(self) -> int:
        return len(self._grid.tables)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and dict(self) == dict(other)

    __hash__ = None  # type: ignore[assignment]


def _org(table: Table, groups: Sequence[str], domain: Domain, cards: Cards) -> Figure:
    """The organisation's figure; in a domain with groups the worst of them, with all ``by`` group."""
    if not len(table.now.value):
        return table.nothing()
    by = {group: _held(table, row, group, cards) for row, group in enumerate(groups)}
    if domain.by is None:
        return by[""]
    worst = max(by.values(), key=lambda f: (f.has_data, badness(f)))
    return replace(worst, by=by)


def _held(table: Table, row: int, group: str, cards: Cards) -> Figure:
    """An extreme names the object and the first workspace that hold it."""
    figure = table.figure(row, group)
    if not figure.measure.named_by or not figure.has_data:
        return figure
    rows = cards.of(figure.measure.key, group)
    holds = _taken(table.now.value, rows, np.nan) == table.now.value[row]
    if not holds.any():
        return figure
    at = int(holds.argmax())
    held_by = cards.places[cards.order[at]].slug
    name = table.names[rows[at]] if table.names else None
    return replace(figure, evidence=replace(figure.evidence, name=name, workspace=held_by))


def badness(figure: Figure) -> float:
    """How bad a figure is, higher is worse; no data is least."""
    if figure.over_budget:
        return math.inf
    return -math.inf if figure.value is None else figure.measure.badness(figure.value)


def ranked(cards: Iterable[Card], domain: Domain, measure_key: str) -> Sequence[Card]:
    """Cards worst first by a measure, ranks from 1: a total, deterministic order.

    Enough data before low samples before no data; then the worse value; then the domain's ties
    (the supporting counts), worse first; then the name, then the slug.
    """
    if isinstance(cards, Cards):
        return cards.by(measure_key)

    def order(card: Card) -> tuple:
        figure = card.figures[measure_key]
        tier = 2 if not figure.has_data else 1 if figure.low_sample else 0
        ties = [-badness(card.figures[tie]) for tie in domain.ties if tie != measure_key]
        return (tier, -badness(figure), *ties, card.name.casefold(), card.slug)

    return tuple(replace(card, rank=i) for i, card in enumerate(sorted(cards, key=order), 1))


def named(cards: Sequence[Card], part: str) -> Sequence[Card]:
    """The cards, ranks kept, whose workspace's name or slug holds ``part``, in any case and with or
    without its accents."""
    wanted = plain(part.strip())
    if not wanted:
        return cards
    if isinstance(cards, Cards):
        places = [cards.places[i] for i in cards.order]
        return cards.where([wanted in plain(p.name) or wanted in p.slug for p in places])
    return [card for card in cards if wanted in plain(card.name) or wanted in card.slug]


STROKES = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "þ": "th"} | {"æ": "ae", "œ": "oe"}
)
"""Letters that Unicode does not take apart, as they are typed without them."""


def plain(text: str) -> str:
    """A text as it is searched for: without case, accents and strokes."""
    apart = unicodedata.normalize("NFKD", text.casefold().translate(STROKES))
    return "".join(c for c in apart if not unicodedata.combining(c))


def extremes(cards: Sequence[Card], measure_key: str) -> tuple[float, float] | None:
    """As ``Cards.extremes``, of any cards."""
    if isinstance(cards, Cards):
        return cards.extremes(measure_key)
    figures = [c.figures[measure_key] for c in cards]
    enough = [f for f in figures if f.has_data and not f.low_sample] or figures
    known = [value for f in enough for _, value in f.series if value is not None]
    return (min(known), max(known)) if known else None


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
