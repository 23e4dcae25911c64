"""A domain that is told by group, a framework for instance: the groups of each workspace's card."""

from __future__ import annotations

from typing import NamedTuple

from aggregators.pooling.cards import Card
from aggregators.pooling.dashboard import Scorecard
from aggregators.pooling.figures import Figure
from aggregators.vocabulary.domain import Domain

NAMED = 3
"""Groups that a workspace lacks and that are named one by one; of more, only the number is told."""


class Groups(NamedTuple):
    """Groups of a card: the ``rows`` in the order of their names, None where the workspace lacks the group,
    and the ``absent`` ones that have no row of their own."""

    rows: tuple[tuple[str, Figure | None], ...]
    absent: tuple[str, ...]


def all_groups(scorecard: Scorecard) -> list[str]:
    """Every group that any workspace has, by name."""
    return sorted({group for _, group in scorecard.cards.scopes})


def groups_of_card(card: Card, key: str, groups: list[str]) -> Groups:
    """The card's own groups, and those that it lacks. With few lacking, every card has the same rows."""
    by = card.figures[key].by or {}
    with_figure = {group: figure for group, figure in by.items() if figure.has_data}
    absent = tuple(group for group in groups if group not in with_figure)
    if len(absent) <= NAMED:
        return Groups(tuple((group, with_figure.get(group)) for group in groups), ())
    return Groups(
        tuple((group, with_figure[group]) for group in groups if group in with_figure), absent
    )


def has_dropped(figure: Figure, domain: Domain) -> bool:
    """Whether the headline fell by strictly more than the domain's alert."""
    return (
        domain.drop_alert is not None
        and figure.delta is not None
        and figure.measure.key == domain.headline
        and -figure.delta > domain.drop_alert + 1e-9
    )
