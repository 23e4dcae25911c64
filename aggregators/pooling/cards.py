"""Cards of a domain, a workspace each: their figures, their order, those that a name is part of.

Everything is computed in arrays of all workspaces; a card is made when somebody looks at it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import NamedTuple, overload
from urllib.parse import urlencode

import numpy as np

from aggregators.name_order import places
from aggregators.name_search import searchable
from aggregators.pooling.facts import FactScope
from aggregators.pooling.figures import Figure, figure_of_groups
from aggregators.pooling.measure_table import NO_ROW, MeasureTable
from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.effects import Array
from aggregators.vocabulary.measure import Better, Status

ORG = ""
"""The scope name of the whole organisation in measure tables."""


@dataclass(frozen=True, slots=True)
class WorkspaceLabel:
    """A workspace as a card shows it."""

    slug: str
    name: str
    accent: str | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A workspace in a domain. ``rank`` counts from 1, worst first; ``href`` is the workspace's own page of
    the domain for the same period; ``figures`` are by measure key; ``shrunken`` gives the value that a
    measure ranks it by; ``part`` is its contribution to a change where it is ranked by that."""

    slug: str
    name: str
    rank: int
    href: str
    figures: Mapping[str, Figure]
    accent: str | None = None
    shrunken: Callable[[str], float | None] = field(
        default=lambda _: None, repr=False, compare=False
    )
    part: float | None = None

    def narrowed_href(self, **links: str) -> str:
        """Address of the page with its list narrowed, for the same period."""
        page, _, period = self.href.partition("?")
        return f"{page}?{urlencode(links)}&{period}"


@dataclass(frozen=True, eq=False)
class FigureGrid:
    """Rows of each workspace in the measure tables of a domain.

    ``groups`` [workspace] are the rows by group ("" in a domain without groups); ``shown`` by measure key
    [workspace] the row of the workspace's figure, the worst of its groups; ``NO_ROW`` where it has none.
    ``fitted`` keeps what ``shrunken`` has computed.
    """

    domain: Domain
    workspaces: Sequence[WorkspaceLabel]
    tables: Mapping[str, MeasureTable]
    groups: Sequence[Mapping[str, int]]
    shown: Mapping[str, np.ndarray]
    fitted: dict[str, Array] = field(default_factory=dict, repr=False, init=False)

    @classmethod
    def of(
        cls,
        domain: Domain,
        tables: Mapping[str, MeasureTable],
        rows: Sequence[FactScope],
        workspaces: Sequence[WorkspaceLabel],
    ) -> FigureGrid:
        """The grid of tables whose rows are of these scopes; a scope of no workspace is left out."""
        index = {workspace.slug: i for i, workspace in enumerate(workspaces)}
        groups: list[dict[str, int]] = [{} for _ in workspaces]
        for row, (slug, group) in enumerate(rows):
            if slug in index and slug != ORG:
                groups[index[slug]][group] = row
        if domain.by is None:
            only = np.array([own.get("", NO_ROW) for own in groups], int)
            shown = dict.fromkeys(tables, only)
        else:
            shown = _worst_rows(tables, groups)
        return cls(domain, workspaces, tables, groups, shown)

    @cached_property
    def scopes(self) -> list[FactScope]:
        """Every (workspace, group) that has figures."""
        pairs = zip(self.workspaces, self.groups, strict=True)
        return [(workspace.slug, group) for workspace, own in pairs for group in own]

    def shrunken(self, measure_key: str) -> Array:
        """A measure's values as workspaces are ranked by them, a row as in its table: each group's
        workspaces drawn towards each other; NaN without data."""
        if measure_key not in self.fitted:
            self.fitted[measure_key] = self.tables[measure_key].shrunken(self._group_rows)
        return self.fitted[measure_key]

    @cached_property
    def _group_rows(self) -> list[list[int]]:
        """Rows of all workspaces in each group."""
        rows: dict[str, list[int]] = {}
        for own in self.groups:
            for group, row in own.items():
                rows.setdefault(group, []).append(row)
        return list(rows.values())

    def rows_of(self, group: str) -> np.ndarray:
        """Each workspace's row of a group; ``NO_ROW`` where it has none; int [workspace]."""
        if group not in self._rows_by_group:
            rows = [own.get(group, NO_ROW) for own in self.groups]
            self._rows_by_group[group] = np.array(rows, int)
        return self._rows_by_group[group]

    @cached_property
    def _rows_by_group(self) -> dict[str, np.ndarray]:
        return {}

    @cached_property
    def name_order(self) -> np.ndarray:
        """Where each workspace stands in the order of names, slugs between equal ones; int [workspace]."""
        slugs = [w.slug for w in self.workspaces]
        order = np.lexsort((slugs, places([w.name for w in self.workspaces])))
        return np.asarray(order.argsort(), int)


def _worst_rows(
    tables: Mapping[str, MeasureTable], groups: Sequence[Mapping[str, int]]
) -> dict[str, np.ndarray]:
    """Each workspace's row with the worst figure of a measure, the first group's of equal ones."""
    owner = np.array([i for i, own in enumerate(groups) for _ in own], int)
    rows = np.array([row for own in groups for row in own.values()], int)
    shown = {key: np.full(len(groups), NO_ROW) for key in tables}
    for key, table in tables.items():
        # Stable, so that of equal ones the first stays first.
        order = np.lexsort((-table.badness[rows], owner))
        first = np.r_[True, np.diff(owner[order]) > 0] if len(order) else order.astype(bool)
        shown[key][owner[order][first]] = rows[order][first]
    return shown


class Worst(NamedTuple):
    """A workspace that stands out, and by which figure.

    ``above`` counts those whose shown figure is worse although they are ranked after it; ``equal`` those
    that show the same.
    """

    card: Card
    figure: Figure
    above: int = 0
    equal: int = 0


class Cards(Sequence[Card]):
    """Cards in an order, with the ranks that they have in it.

    ``members`` [card] index the grid's workspaces, ``ranks`` [card] count from 1, ``parts`` [card] are the
    contributions to a change where the cards are ranked by them, ``order`` names an order that is not that
    of a value. Some of the cards keep their ranks.
    """

    def __init__(
        self,
        grid: FigureGrid,
        query: str,
        members: np.ndarray,
        ranks: np.ndarray | None = None,
        parts: Array | None = None,
        order: str = "",
    ) -> None:
        self.grid, self.query, self.members, self.parts = grid, query, members, parts
        self.order = order
        self.ranks: np.ndarray = np.arange(1, len(members) + 1) if ranks is None else ranks

    @classmethod
    def ranked(cls, grid: FigureGrid, query: str) -> Cards:
        """Every workspace, worst first by the domain's headline; ``query`` asks for the same period."""
        cards = cls(grid, query, np.arange(len(grid.workspaces)))
        return cards.worst_first_by(grid.domain.headline)

    @property
    def domain(self) -> Domain:
        """The domain that they are of."""
        return self.grid.domain

    def __len__(self) -> int:
        return len(self.members)

    @overload
    def __getitem__(self, at: int) -> Card: ...
    @overload
    def __getitem__(self, at: slice) -> Cards: ...

    def __getitem__(self, at: int | slice) -> Card | Cards:
        if isinstance(at, slice):
            return self._cards_at(at)
        member = int(self.members[at])
        workspace = self.grid.workspaces[member]
        return Card(
            workspace.slug,
            workspace.name,
            int(self.ranks[at]),
            self.href(workspace),
            CardFigures(self.grid, member),
            workspace.accent,
            partial(self._shrunken_of, member),
            None if self.parts is None else float(self.parts[at]),
        )

    def _shrunken_of(self, member: int, measure_key: str) -> float | None:
        value = self.grid.shrunken(measure_key).item(self.grid.shown[measure_key][member])
        return value if math.isfinite(value) else None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]

    def href(self, workspace: WorkspaceLabel) -> str:
        """The workspace's own page of the domain, for the same period."""
        return f"{self.domain.page(workspace.slug)}?{self.query}"

    @property
    def hrefs(self) -> list[str]:
        """Address of each card."""
        pages = self.domain.pages([workspace.slug for workspace in self.workspaces])
        return [f"{page}?{self.query}" for page in pages]

    @property
    def workspaces(self) -> list[WorkspaceLabel]:
        """The workspace of each card."""
        return [self.grid.workspaces[member] for member in self.members]

    @property
    def groups(self) -> list[Mapping[str, int]]:
        """The rows of each card's groups, by name."""
        return [self.grid.groups[member] for member in self.members]

    def where(self, chosen: Sequence[bool]) -> Cards:
        """Some of the cards, a truth value a card; they keep their ranks."""
        return self._cards_at(np.array(chosen, bool))

    def _cards_at(self, chosen: slice | np.ndarray) -> Cards:
        parts = None if self.parts is None else self.parts[chosen]
        ranks = self.ranks[chosen]
        return Cards(self.grid, self.query, self.members[chosen], ranks, parts, self.order)

    def matching(self, part: str) -> Cards:
        """The cards, ranks kept, whose workspace's name or slug holds ``part``, in any case and with or
        without its accents."""
        part = searchable(part.strip())
        if not part:
            return self
        return self.where([part in searchable(w.name) or part in w.slug for w in self.workspaces])

    def find(self, slug: str) -> Card:
        """The card of a workspace. Raises KeyError."""
        return self[self._place_by_slug[slug]]

    @cached_property
    def _place_by_slug(self) -> dict[str, int]:
        return {workspace.slug: at for at, workspace in enumerate(self.workspaces)}

    def rows(self, measure_key: str, group: str | None = None) -> np.ndarray:
        """The row of each card's figure in a measure's table, of a group where one is named."""
        if group is None:
            return np.asarray(self.grid.shown[measure_key][self.members])
        return np.asarray(self.grid.rows_of(group)[self.members])

    def values(self, measure_key: str) -> Array:
        """The value of each card's figure, in their order; NaN without data, infinite over budget."""
        return np.asarray(self.grid.tables[measure_key].now.value[self.rows(measure_key)])

    def moves(self, measure_key: str) -> Array:
        """The worst change of each card's figures, in their order: one of its groups may fall while the
        one that the card shows stands still. NaN without a comparison."""
        table = self.grid.tables[measure_key]
        rows = [list(own.values()) or [NO_ROW] for own in self.groups]
        bad = np.nan_to_num(table.measure.badness(table.delta), nan=-np.inf)
        return table.delta[[max(own, key=bad.item) for own in rows]]

    def evidence(self, measure_key: str) -> Array:
        """How many events are behind each card's figure, in their order; NaN without any."""
        return np.asarray(self.grid.tables[measure_key].now.n[self.rows(measure_key)])

    @property
    def scopes(self) -> list[FactScope]:
        """Every (workspace, group) that has figures, whatever the order of the cards."""
        return self.grid.scopes

    def by_scope(self, measure_key: str) -> Array:
        """A measure's value of each of ``scopes``; NaN without data."""
        rows = np.array([row for own in self.grid.groups for row in own.values()], int)
        return np.asarray(self.grid.tables[measure_key].now.value[rows])

    def worst_first_by(self, measure_key: str) -> Cards:
        """The cards worst first by a measure, ranks from 1: a total, deterministic order.

        The worse value as ``FigureGrid.shrunken`` has it; then the domain's ties (the supporting counts),
        worse first; then the name, then the slug. No data comes last.
        """
        table = self.grid.tables[measure_key]
        bad = table.bad(self.grid.shrunken(measure_key))
        return self.worst_first(bad[self.rows(measure_key)], measure_key)

    def worst_first(
        self, bad: Array, measure_key: str, parts: Array | None = None, name: str = ""
    ) -> Cards:
        """The cards by ``bad`` [card], highest first, ranks from 1; ties as ``worst_first_by`` has them.
        ``parts`` [card] are told with the cards, and the order's ``name``."""
        ties = [-self._badness(key) for key in self.domain.ties if key != measure_key]
        names = self.grid.name_order[self.members]
        order = np.lexsort((names, *reversed(ties), -bad))
        shares = None if parts is None else parts[order]
        return Cards(self.grid, self.query, self.members[order], None, shares, name)

    def _badness(self, measure_key: str) -> Array:
        """How bad the figure of each card is as it is shown."""
        return np.asarray(self.grid.tables[measure_key].badness[self.rows(measure_key)])

    def highest(self, measure_key: str) -> Card:
        """The card with the highest value, the first by name of equal ones; there is one card at least."""
        values = np.nan_to_num(self.values(measure_key))
        (highest,) = np.nonzero(values == values.max())
        names = self.grid.name_order[self.members[highest]]
        return self[int(highest[names.argmin()])]

    def worst(self) -> Worst | None:
        """The workspace that the tile names: the first by the domain's ``worst_by`` that could stand
        better; None when nobody stands out (no data, or a level of nothing)."""
        return self.worst_by(self.domain.worst_by or self.domain.headline)

    def worst_by(self, measure_key: str) -> Worst | None:
        """The first in the order of a measure that could stand better; None when nobody stands out."""
        order = self.worst_first_by(measure_key)
        bad = order._badness(measure_key)
        has_value = ~np.isneginf(bad)
        best = 0.0 if self.domain.measure(measure_key).better is Better.LOWER else -1.0
        statuses = self.grid.tables[measure_key].status
        rows = order.rows(measure_key)
        for at in np.flatnonzero(has_value):
            if bad[at] != best or statuses[rows[at]] is Status.BAD:
                above, equal = np.count_nonzero(bad > bad[at]), np.count_nonzero(bad == bad[at])
                card = order[int(at)]
                return Worst(card, card.figures[measure_key], int(above), int(equal) - 1)
        return None

    def extremes(self, measure_key: str) -> tuple[float, float] | None:
        """The lowest and highest point of the series of those with enough data, else of all; None
        where there is no point. A burn without end is beyond every scale, and does not make it."""
        table, rows = self.grid.tables[measure_key], self.rows(measure_key)
        rows = rows[rows != NO_ROW]
        enough = rows[~np.isnan(table.now.value[rows]) & ~table.low_sample[rows]]
        points = table.series[enough if len(enough) else rows]
        finite = points[np.isfinite(points)]
        return (float(finite.min()), float(finite.max())) if finite.size else None


class CardFigures(Mapping[str, Figure]):
    """Figures of a card by measure key, each made when it is looked at."""

    def __init__(self, grid: FigureGrid, member: int) -> None:
        self._grid, self._member = grid, member
        self._made: dict[str, Figure] = {}

    def __getitem__(self, key: str) -> Figure:
        if key not in self._made:
            self._made[key] = self._make(self._grid.tables[key])
        return self._made[key]

    def _make(self, table: MeasureTable) -> Figure:
        rows = self._grid.groups[self._member]
        if not rows:
            return Figure(table)
        return figure_of_groups(table, rows) if self._grid.domain.by else Figure(table, rows[""])

    def __iter__(self) -> Iterator[str]:
        return iter(self._grid.tables)

    def __len__(self) -> int:
        return len(self._grid.tables)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and dict(self) == dict(other)

    __hash__ = None  # type: ignore[assignment]
