"""Workspaces that a page has room for: all of them, or the worst and how many are left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from aggregators import words
from aggregators.pooling import groups
from aggregators.pooling.cards import Card
from aggregators.pooling.dashboard import Scorecard
from aggregators.pooling.figures import Figure
from aggregators.vocabulary import formats
from aggregators.vocabulary.measure import Better, Status, Unit

WORST = 10
"""Workspaces that are shown where not all have room."""
FEWEST = 2
"""Groups that are shown of a workspace with many, so that ten workspaces have room."""
BESIDE = 24
"""Letters of a note that have room under the workspace's name, and so take no row."""


class PlaceRow(NamedTuple):
    """A row: a workspace (None: the organisation) or one of its groups. ``figure`` is the one that is
    drawn; where it is None the ``note`` stands in its place, else under the name; ``is_first`` of a
    workspace's rows."""

    card: Card | None
    figures: Mapping[str, Figure]
    figure: Figure | None
    group: str = ""
    note: str = ""
    is_first: bool = True


class Listed(NamedTuple):
    """Rows of a page; the workspaces that have none, and what there is to say of those."""

    rows: tuple[PlaceRow, ...]
    shown: tuple[Card, ...]
    left: int
    also: str


def rows_of(scorecard: Scorecard, room: int) -> Listed:
    """Rows of a scorecard's workspaces, worst first, for a page with ``room`` of them."""
    if scorecard.domain.by:
        return _group_rows(scorecard, room)
    key, cards = scorecard.domain.headline, scorecard.cards
    if len(cards) <= max(room, 1):
        shown = tuple(cards)
    else:
        measured = (card for card in cards if card.figures[key].has_data)
        worse = (card for card in measured if not _at_best(card.figures[key]))
        shown = tuple(card for card, _ in zip(worse, range(min(WORST, room)), strict=False))
    rows = tuple(PlaceRow(card, card.figures, card.figures[key]) for card in shown)
    return Listed(rows, shown, len(cards) - len(shown), _words_about_rest(scorecard, shown))


def _words_about_rest(scorecard: Scorecard, shown: Sequence[Card]) -> str:
    """Words about those that are left: how many stand at their best, how many have no figure."""
    key, named = scorecard.domain.headline, {card.slug for card in shown}
    left = [card.figures[key] for card in scorecard.cards if card.slug not in named]
    best = [figure for figure in left if figure.has_data and _at_best(figure)]
    silent = sum(not figure.has_data for figure in left)
    parts = (
        f"{formats.number(len(best))} at {words.figure(best[0])}" if best else "",
        f"{formats.number(silent)} without data" if silent else "",
    )
    return ", ".join(filter(None, parts))


def _at_best(figure: Figure) -> bool:
    """Whether it could not stand better: a list of the worst would be wrong about it."""
    if figure.status is Status.BAD or figure.over_budget:
        return False
    if figure.measure.better is Better.LOWER:
        return figure.value == 0
    return figure.measure.unit is Unit.RATIO and figure.value == 1


def _group_rows(scorecard: Scorecard, room: int) -> Listed:
    """A row a group; of many groups the worst of each workspace, and how many more it has."""
    every = groups.all_groups(scorecard)
    each = max(FEWEST, room // min(max(len(scorecard.cards), 1), WORST) - 1)
    rows: list[PlaceRow] = []
    shown: list[Card] = []
    for card in scorecard.cards:
        block = list(_block(card, scorecard.domain.headline, every, each))
        if rows and len(rows) + len(block) > room:
            break
        rows += block[:room]
        shown.append(card)
    return Listed(tuple(rows), tuple(shown), len(scorecard.cards) - len(shown), "")


def _block(card: Card, key: str, every: list[str], most: int) -> Iterator[PlaceRow]:
    """Rows of a workspace: its groups by name, or the worst of many, and one about the others."""
    own = groups.groups_of_card(card, key, every)
    rows = [(group, figure) for group, figure in own.rows if figure is not None]
    absent = [group for group, figure in own.rows if figure is None]
    rest: list[tuple[str, Figure]] = []
    if len(rows) > most + 1:
        rows.sort(key=lambda row: _bad(row[1]), reverse=True)
        rows, rest = rows[:most], rows[most:]
    lacking = ", ".join(absent) if absent else f"{len(own.absent)} others" if own.absent else ""
    missing = f"{lacking} not set up" if lacking else ""
    is_beside = len(rows) > 1 and not rest and len(missing) <= BESIDE
    for number, (group, figure) in enumerate(rows):
        figures = {one: (of.by or {}).get(group, of) for one, of in card.figures.items()}
        note = missing if is_beside and number == 1 else ""
        yield PlaceRow(card, figures, figure, group, note, not number)
    if note := "; ".join(filter(None, (_rest_of_groups(rest), "" if is_beside else missing))):
        yield PlaceRow(card, card.figures, None, note=note, is_first=not rows)


def _bad(figure: Figure) -> float:
    return figure.measure.badness(figure.value or 0.0)


def _rest_of_groups(rest: Sequence[tuple[str, Figure]]) -> str:
    """ "29 more, 76.2 % or better"; empty without any."""
    if not rest:
        return ""
    return f"{formats.number(len(rest))} more, {words.figure(rest[0][1])} or better"
