"""Strip over the answers of what began to drift last night: who, how much, since when, a link to it."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from markupsafe import Markup

from aggregators.vocabulary import formats
from aggregators.words import within_sentence
from layouts.pieces.icons import icon
from layouts.pieces.markup import html
from layouts.pieces.parts import hidden_text, link

SIGNALS = "/platform/signals"


class NewDrift(NamedTuple):
    """A drift: workspace, measure, page that shows it, usual value and that of now, and its first day."""

    name: str
    measure: str
    href: str
    values: tuple[str, str]
    since: date
    is_sure: bool


class News(NamedTuple):
    """Drifts that a night has told for the first time, the surest of them; how many they are, and how many
    are open by now."""

    night: date
    drifts: tuple[NewDrift, ...]
    fresh: int
    open_now: int


def news_strip(news: News, now: datetime | None = None) -> Markup:
    """A line a drift, and the way to all of them."""
    is_last = now is None or (now.date() - news.night).days <= 1
    title = "New last night" if is_last else f"New on {formats.day(news.night, year=False)}"
    everything = f"{formats.number(news.fresh)} new, {formats.number(news.open_now)} open"
    return html.Section(
        [
            html.H2([icon("pulse"), title], id="news-title"),
            html.Ul([_line(drift) for drift in news.drifts]),
            html.A([everything, hidden_text(": all signals")], href=SIGNALS, className="news-all"),
        ],
        className="news",
        **{"aria-labelledby": "news-title"},
    )


def _line(drift: NewDrift) -> Markup:
    """A new drift as a line that leads to its signal."""
    usual, now = drift.values
    drifting = "drifting" if drift.is_sure else "may be drifting"
    return html.Li(
        [
            link(drift.name, drift.href, "ws", title=drift.name),
            html.Span(
                [
                    within_sentence(drift.measure),
                    html.Span(
                        [" ", html.B(f"{usual} → {now}"), f", {drifting}"], className="hide-sm"
                    ),
                    f" since {formats.day(drift.since, year=False)}",
                ],
                className="news-what",
            ),
        ]
    )
