"""A domain with groups: one card per workspace, one bar per framework, 0 to 100."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from aggregators import groups, words
from aggregators.figures import Card, Figure, Scorecard
from aggregators.measure import Domain
from layouts.card import card_head
from layouts.markup import html
from layouts.parts import evidence_line, pill, unseen


def bars(scorecard: Scorecard, cards: Sequence[Card], measure_key: str) -> list[Markup]:
    """The cards."""
    every = groups.every(scorecard, measure_key)
    return [_card(c, scorecard.domain, measure_key, every) for c in cards]


def _card(shown: Card, domain: Domain, measure_key: str, every: list[str]) -> Markup:
    rows, absent = groups.of(shown, measure_key, every)
    listed = [_row(group, figure, shown, domain) for group, figure in rows]
    if absent:
        listed.append(_absent(absent, bool(rows)))
    return html.Article(
        [card_head(shown), html.Ul(listed, className="bars")],
        className="card",
        **{"aria-labelledby": f"card-{shown.slug}"},
    )


def _absent(names: Sequence[str], others: bool) -> Markup:
    return html.Li(
        html.Span(
            f"{len(names)} {'others ' if others else ''}not set up",
            className="muted",
            title=", ".join(names),
        ),
        className="bar-row",
    )


def _row(group: str, figure: Figure | None, shown: Card, domain: Domain) -> Markup:
    if figure is None or not figure.has_data:
        return html.Li(
            [html.Span(group, className="bar-name"), html.Span("not set up", className="muted")],
            className="bar-row",
        )
    change: Markup = pill(figure)
    if groups.dropped(figure, domain):
        change = html.A(
            [f"▼ {words.points(figure.delta or 0)}", unseen(f", {shown.name} {group}")],
            href=shown.href,
            className="chevron",
        )
    return html.Li(
        [
            html.Span(group, className="bar-name"),
            html.Span(
                words.figure(figure),
                className=f"bar-value status-{figure.status.value}",
                title=evidence_line(figure),
            ),
            change,
            _bar(figure, domain) if figure.measure.key == domain.headline else None,
        ],
        className="bar-row",
    )


def _bar(figure: Figure, domain: Domain) -> Markup:
    share = min(max(figure.value or 0.0, 0.0), 1.0)
    target = domain.target
    return html.Span(
        [
            html.Span(
                className=f"bar-fill fill-{figure.status.value}",
                style={"width": f"{share * 100:.1f}%"},
            ),
            html.Span(className="bar-target", style={"left": f"{target * 100:.0f}%"})
            if target
            else None,
        ],
        className="bar",
        role="img",
        **{
            "aria-label": f"{figure.group}: {words.figure(figure)}"
            + (f", target {words.percent(target, 0)}" if target else "")
        },
    )
