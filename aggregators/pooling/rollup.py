"""Facts + domain + period -> figures: the organisation's, and cards worst first. Pure numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from aggregators.chosen.judging import AS_DECLARED, Judging
from aggregators.pooling.cards import ORG, Cards, FigureGrid, WorkspaceLabel
from aggregators.pooling.facts import Facts, FactScope, JoinedFacts
from aggregators.pooling.figures import Figure, figure_of_groups
from aggregators.pooling.measure_table import MeasureTable
from aggregators.pooling.plan import BASE, BEFORE, NOW, PARTS, Plan
from aggregators.signal.scatter import UNKNOWN, Scatter
from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.measure import FactsByName, Measure


@dataclass(frozen=True)
class DomainRollup:
    """A domain, evaluated: the organisation's figures by measure key, cards worst first, and the facts that
    they were made from."""

    domain: Domain
    figures: Mapping[str, Figure]
    cards: Cards
    facts: Facts

    def values_over(self, measure_key: str, label: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """A measure's value and n on the spans of a label: two frames, a row per (workspace, group),
        a column per span."""
        evaluation = self.domain.measure(measure_key).evaluate(self.facts.over[label])
        scopes, names = self.facts.scopes, ["workspace", "group"]
        index = (
            pd.MultiIndex.from_arrays([*zip(*scopes, strict=True)], names=names) if scopes else None
        )
        return pd.DataFrame(evaluation.value, index), pd.DataFrame(evaluation.n, index)


def roll(
    domain: Domain,
    facts: Facts,
    workspaces: Sequence[WorkspaceLabel],
    plan: Plan,
    union_seen: Mapping[str, int] | None = None,
    scatter: Scatter = UNKNOWN,
    judging: Judging = AS_DECLARED,
) -> DomainRollup:
    """A domain's figures from the facts of its workspaces, each ``judging`` by its own targets.

    ``union_seen`` gives, for NOW and BEFORE, on how many days any workspace had a snapshot.
    """
    joined = _joined_facts(facts, domain, union_seen or {})
    rows = [*((ORG, group) for group in facts.groups), *facts.scopes]
    slugs = [slug for slug, _ in rows]
    tables = {
        m.key: replace(
            MeasureTable.of(m, joined, plan, _names(m, facts, len(rows)), scatter, slugs),
            own=judging.rows(domain, m, rows),
        )
        for m in domain.measures
    }
    figures, cards = assemble(domain, tables, rows, workspaces, plan.period.query)
    facts.forget()
    return DomainRollup(domain, figures, cards, facts)


def workspace_figures(
    domain: Domain,
    facts: Facts,
    workspace: WorkspaceLabel,
    plan: Plan,
    scatter: Scatter = UNKNOWN,
    judging: Judging = AS_DECLARED,
) -> Mapping[str, Figure]:
    """The figures of a single workspace's card by measure key, without an organisation around it."""
    rows = list(facts.scopes)
    slugs = [slug for slug, _ in rows]
    tables = {
        m.key: replace(
            MeasureTable.of(m, facts.over, plan, _names(m, facts, len(rows)), scatter, slugs),
            own=judging.rows(domain, m, rows),
        )
        for m in domain.measures
    }
    grid = FigureGrid.of(domain, tables, rows, [workspace])
    return Cards.ranked(grid, plan.period.query)[0].figures


def _joined_facts(
    facts: Facts, domain: Domain, union_seen: Mapping[str, int]
) -> Mapping[str, FactsByName]:
    """The organisation's facts, where there is any workspace, and then those of the scopes, by the labels
    that a measure is evaluated over."""
    if not facts.scopes:
        return facts.over
    natures = domain.natures()
    joined: dict[str, FactsByName] = {}
    for label in (NOW, BEFORE, *PARTS, *({BASE} & facts.over.keys())):
        parts = PARTS.get(label, (label,))
        counts = [
            np.full(len(facts.plan.spans.get(part, ())), union_seen.get(part, np.nan))
            for part in parts
        ]
        pooled = facts.pooled(label, natures, np.concatenate(counts))
        joined[label] = JoinedFacts(natures, (pooled, facts.over[label]))
    return joined


def _names(measure: Measure, facts: Facts, rows: int) -> Sequence[str | None]:
    """Holders of a measure's extreme, a name a row; the organisation's first rows name nothing yet."""
    names = list(facts.names.get(measure.named_by or "", ()))
    return [None] * (rows - len(names)) + names if names else ()


class Assembled(NamedTuple):
    """The organisation's figures by measure key, and the cards of its workspaces."""

    figures: Mapping[str, Figure]
    cards: Cards


def assemble(
    domain: Domain,
    tables: Mapping[str, MeasureTable],
    rows: Sequence[FactScope],
    workspaces: Sequence[WorkspaceLabel],
    query: str,
) -> Assembled:
    """Figures and cards of tables whose rows are of these scopes: the organisation's groups first, under
    the slug ``ORG``. ``query`` asks for the same period."""
    groups = {group: row for row, (slug, group) in enumerate(rows) if slug == ORG}
    grid = FigureGrid.of(domain, tables, rows, workspaces)
    cards = Cards.ranked(grid, query)
    named = {key: _with_holders(table, groups, cards) for key, table in tables.items()}
    named_grid = replace(grid, tables=named)
    named_grid.fitted.update(grid.fitted)
    cards = Cards(named_grid, query, cards.members)
    return Assembled(
        {key: _organisation_figure(table, groups, domain) for key, table in named.items()}, cards
    )


def assemble_nothing(domain: Domain, days: int) -> Assembled:
    """A domain of which no snapshot was ever made, for a period of so many days."""
    tables = {m.key: MeasureTable.empty(m, days) for m in domain.measures}
    return assemble(domain, tables, (), (), "")


def _organisation_figure(table: MeasureTable, groups: Mapping[str, int], domain: Domain) -> Figure:
    """The organisation's figure; in a domain with groups the worst of them, with all ``by`` group."""
    if not groups:
        return Figure(table)
    return figure_of_groups(table, groups) if domain.by else Figure(table, groups[""])


def _with_holders(table: MeasureTable, groups: Mapping[str, int], cards: Cards) -> MeasureTable:
    """An extreme of the organisation names the object and the first workspace that hold it."""
    if not table.measure.named_by or not groups:
        return table
    names = list(table.names or [None] * len(table.seen))
    holders: list[str | None] = [None] * len(table.seen)
    for group, row in groups.items():
        rows = cards.rows(table.measure.key, group)
        (holding,) = np.nonzero(table.now.value[rows] == table.now.value[row])
        if len(holding):
            first = int(holding[0])
            holders[row] = cards.workspaces[first].slug
            names[row] = names[rows[first]]
    return replace(table, names=names, holders=holders)
