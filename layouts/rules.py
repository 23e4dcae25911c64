"""Rules that the server decides and the page's scripts obey, written where assets/page/state/rules.js
reads them: each stands once, here or in what is imported."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dash import html
from dash.development.base_component import Component

from aggregators.vocabulary.period import DEFAULT_PRESET, EARLIEST, MAX_DAYS, PRESETS
from layouts import ids
from layouts.focus import LINKS, MAX_FIND, MAX_LINK, MAX_PINS
from layouts.pieces.parts import data


@dataclass(frozen=True, slots=True)
class PageRules:
    """Rules that depend on the installation: ``today`` where its figures are reported, and the instant
    that day ends (None when the clock is frozen)."""

    today: date
    day_ends: datetime | None

    @classmethod
    def at(cls, now: datetime, *, is_frozen: bool) -> PageRules:
        """The rules at an instant, given in the reporting time zone."""
        tomorrow = now.date() + timedelta(days=1)
        midnight = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=now.tzinfo)
        return cls(now.date(), None if is_frozen else midnight)


def rules_element(rules: PageRules) -> Component:
    """The element that holds them; it shows nothing."""
    ends = {} if rules.day_ends is None else data(day_ends=rules.day_ends.isoformat())
    return html.Div(
        id=ids.RULES,
        hidden=True,
        **data(
            presets=" ".join(map(str, PRESETS)),
            default_preset=DEFAULT_PRESET,
            max_days=MAX_DAYS,
            earliest=EARLIEST.isoformat(),
            today=rules.today.isoformat(),
            links=" ".join(LINKS),
            max_link=MAX_LINK,
            max_find=MAX_FIND,
            max_pins=MAX_PINS,
        ),
        **ends,
    )
