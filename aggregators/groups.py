"""A domain that is told by group, a framework for instance: what each workspace's card says of it."""

from __future__ import annotations

from typing import NamedTuple

from aggregators.figures import Card, Figure, Scorecard
from aggregators.measure import Domain
from aggregators.rollup import Cards

NAMED = 3
"""Groups that a workspace lacks and that are named one by one; of more, only the number is told."""


class Groups(NamedTuple):
    """Of one card: the ``rows`` in the order of their names, None where the workspace lacks the group,
    and the ``absent`` ones that have no row of their own."""

    rows: tuple[tuple[str, Figure | None], ...]
    absent: tuple[str, ...]


def every(scorecard: Scorecard, key: str) -> list[str]:
    """Every group that the organisation or any workspace has, by name."""
    if isinstance(scorecard.cards, Cards):
        return sorted({group for _, group in scorecard.cards.scopes})
    figures = (scorecard.figures[key], *(card.figures[key] for card in scorecard.cards))
    return sorted({group for figure in figures for group in figure.by or {}})


def of(card: Card, key: str, groups: list[str]) -> Groups:
    """The card's own groups, and those that it lacks. With few lacking, every card has the same rows."""
    by = card.figures[key].by or {}
    held = {group: figure for group, figure in by.items() if figure.has_data}
    absent = tuple(group for group in groups if group not in held)
    if len(absent) <= NAMED:
        return Groups(tuple((group, held.get(group)) for group in groups), ())
    return Groups(tuple((group, held[group]) for group in groups if group in held), absent)


def dropped(figure: Figure, domain: Domain) -> bool:
    """Whether the headline fell by strictly more than the domain's alert."""
    return (
        domain.drop_alert is not None
        and figure.delta is not None
        and figure.measure.key == domain.headline
        and -figure.delta > domain.drop_alert + 1e-9
    )
