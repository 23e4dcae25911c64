"""The pack's small print: scope, instants and the names that workspaces go by."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from aggregators import words
from aggregators.figures import Card, Dashboard, Figure, Scope
from exports.pack.type import Type

NO_WORKSPACES = "No workspaces in scope."
NO_SNAPSHOT = "No snapshot has been made yet."
NOBODY = "Every workspace in scope is read and none is left out."


def called(card: Card, type_: Type) -> str:
    """A workspace's name; with its slug where the fonts lack some of its letters."""
    if not type_.clean(card.name):
        return card.slug
    return f"{card.name} ({card.slug})" if type_.lacks(card.name) else card.name


def counted_in(scope: Scope) -> str:
    """ "12 of 15" where some are left out, else "12"."""
    total = f" of {words.number(scope.total)}" if scope.total != len(scope.slugs) else ""
    return words.number(len(scope.slugs)) + total


def left_out(scope: Scope, type_: Type, room: float, size: float) -> list[str]:
    """One line a reason: who is left out of the scope, or could not be read."""
    found = [
        f"{words.REASONS.get(reason, reason).capitalize()}: {type_.listed(names, room, size)}"
        for reason, names in scope.left_out.items()
        if names
    ]
    if scope.unavailable:
        names = [scope.names.get(slug, slug) for slug in scope.unavailable]
        found.append(f"Could not be read: {type_.listed(names, room, size)}")
    return found


def instant(at: datetime, zone: str) -> str:
    """ "23 Nov 2026, 00:10" in the reporting zone."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{words.day(local.date())}, {local:%H:%M}"


def nothing(dashboard: Dashboard) -> str | None:
    """Why there is no figure at all, None where there may be."""
    if not dashboard.scope.slugs:
        return NO_WORKSPACES
    return NO_SNAPSHOT if dashboard.as_of is None else None


def label(figure: Figure) -> str:
    """A figure's title, with its group where it is of one: "Control pass rate, HIPAA"."""
    return figure.measure.title + (f", {figure.group}" if figure.group else "")
