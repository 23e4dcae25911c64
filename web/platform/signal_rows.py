"""Rows of the signals' page: each signal with its line, counts beyond their threshold with theirs, and the
signal that is told whole beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from itertools import count
from typing import Any

from markupsafe import Markup

from aggregators import words as figure_words
from aggregators.companions import WATCHED
from aggregators.pooling.dashboard import Dashboard
from aggregators.pooling.figures import Figure
from aggregators.vocabulary.period import Ask
from layouts.pieces.sparkline import sparkline
from reading.signals import facts, open_signals, words
from reading.signals.facts import FactSignal
from reading.signals.open_signals import DriftSignal
from reading.signals.promise import promise
from reading.signals.signals_json import PERIOD
from reading.signals.whole import shown as whole
from storage.digests.channels import watched_night
from storage.viewer import Viewer
from web.platform.signal_detail import LINE_DAYS, detail, find_signal, key_of
from web.services import Services

MOST_FACTS = 40
MOST_LINES = 200
"""Rows that have a line; a longer list has been read to its end by nobody."""
TOLD = {
    "acknowledged": "Acknowledged",
    "snoozed": "Put off",
    "explained": "Explained",
    "dismissed": "Dismissed as noise",
    "open": "Open again",
}

WORDS = {
    "words": words,
    "figure": figure_words.figure,
    "lowered": figure_words.within_sentence,
    "told": TOLD,
    "key": key_of,
}
"""Functions and words of the templates."""


def signals_for_page(
    services: Services, viewer: Viewer, slug: str = "", key: str = ""
) -> Mapping[str, Any]:
    """Everything that the page shows, of one workspace where it is named."""
    today = services.settings.now().date()
    every = open_signals.read(services.database, viewer, today)
    signals = [s for s in every if slug in ("", s.workspace.slug)]
    dashboard = services.read(viewer, Ask(PERIOD))
    newest = dashboard.as_of or today - timedelta(days=1)
    with services.database.reader.connect() as connection:
        watched = watched_night(connection)
    night = watched or newest
    facts_shown = [f for f in facts.facts(dashboard) if slug in ("", f.slug)]
    together = [] if slug else _ongoing_together(services, viewer)
    listed = _by_list(signals, night, today)
    named = find_signal([*together, *signals], key)
    beside = named or next(iter([*listed["new"], *listed["still"]]), None)
    is_asked = named is not None or bool(slug)
    return {
        "night": night,
        "watched": watched is not None,
        "unwatched": newest if watched and watched < newest else None,
        "whole": together,
        **listed,
        **_counts(facts_shown, newest),
        "workspaces": len(dashboard.scope.slugs),
        "series": len(WATCHED),
        "promise": promise(services.database, len(dashboard.scope.slugs)),
        "dismissed": sum(s.state == "dismissed" for s in signals),
        "total": len(signals),
        "slow": _slow(dashboard, slug) if slug else (),
        **WORDS,
        "only_slug": slug,
        "detail": detail(services, beside, dashboard, with_services=is_asked) if beside else None,
        "is_chosen": named is not None,
        "line": _lines(services, viewer),
    }


def _by_list(
    signals: Sequence[DriftSignal], night: date, today: date
) -> dict[str, list[DriftSignal]]:
    """Signals by the list that they stand in."""
    ongoing = [s for s in signals if s.ended_on is None]
    seen = [s for s in ongoing if not s.is_hidden(today)]
    return {
        "new": [s for s in seen if s.is_new(night)],
        "still": [s for s in seen if not s.is_new(night)],
        "hidden": [s for s in ongoing if s.is_hidden(today)],
        "ended": [s for s in signals if s.ended_on is not None],
    }


def _counts(facts: Sequence[FactSignal], newest: date) -> dict[str, Any]:
    """Counts beyond their threshold: those that passed it on the last day stand with what is new."""
    fresh = [f for f in facts if f.since == newest]
    others = [f for f in facts if f.since != newest]
    return {
        "new_facts": fresh[:MOST_FACTS],
        "facts": others[:MOST_FACTS],
        "more_facts": max(len(others) - MOST_FACTS, 0) + max(len(fresh) - MOST_FACTS, 0),
    }


def _lines(
    services: Services, viewer: Viewer
) -> Callable[[DriftSignal | FactSignal], Markup | None]:
    """Draws the line of a row, of a drift from the dashboard of so many days, of a count from the one that
    it was found in. Of the first rows alone: the others are told in words."""
    every = cache(lambda: services.read(viewer, Ask(LINE_DAYS)))
    left = count(MOST_LINES, -1)

    def line(signal: DriftSignal | FactSignal) -> Markup | None:
        if next(left) <= 0:
            return None
        figure = signal.figure if isinstance(signal, FactSignal) else _figure(every(), signal)
        return sparkline(figure, since=signal.since) if figure is not None else None

    return line


def _figure(dashboard: Dashboard, signal: DriftSignal) -> Figure | None:
    """The measure of a signal over the dashboard's days; None where the workspace left the scope."""
    scorecard, slug = dashboard.scorecard(signal.watched.domain.key), signal.workspace.slug
    key = signal.watched.measure.key
    if not slug:
        return scorecard.figures[key]
    return scorecard.cards.find(slug).figures[key] if slug in dashboard.scope.names else None


def _ongoing_together(services: Services, viewer: Viewer) -> list[DriftSignal]:
    """Drifts of all workspaces in scope together."""
    return [s for s in whole.read(services.database, viewer) if s.ended_on is None]


def _slow(dashboard: Dashboard, slug: str) -> list[tuple[str, str]]:
    """Measures of a workspace, and the time that the watch needs to tell a drift of each."""
    cards = [
        (s.domain, card) for s in dashboard.scorecards for card in s.cards if card.slug == slug
    ]
    return [
        (watched.measure.title, figure_words.slow_to_tell(card.figures[watched.measure.key]))
        for watched in WATCHED.values()
        for domain, card in cards
        if domain is watched.domain and card.figures[watched.measure.key].days_to_tell
    ]
