"""A domain with groups: one card per workspace, one bar per framework, 0 to 100."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from aggregators import words
from aggregators.pooling import groups
from aggregators.pooling.cards import Card
from aggregators.pooling.dashboard import Scorecard
from aggregators.pooling.figures import Figure
from aggregators.vocabulary import formats
from aggregators.vocabulary.domain import Domain
from layouts.executive.card import card_head
from layouts.pieces.markup import html
from layouts.pieces.parts import evidence_line, hidden_text, pill


def bars(scorecard: Scorecard, cards: Sequence[Card], measure_key: str) -> list[Markup]:
    """The cards."""
    every = groups.all_groups(scorecard)
    return [_card(c, scorecard.domain, measure_key, every) for c in cards]


def _card(shown: Card, domain: Domain, measure_key: str, every: list[str]) -> Markup:
    rows, absent = groups.groups_of_card(shown, measure_key, every)
    lead = shown.figures[measure_key].group
    listed = [_row(group, figure, shown, domain, group == lead) for group, figure in rows]
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


def _row(group: str, figure: Figure | None, shown: Card, domain: Domain, is_lead: bool) -> Markup:
    """A group of a card; the one that leads is what a phone shows of it."""
    if figure is None or not figure.has_data:
        return html.Li(
            [html.Span(group, className="bar-name"), html.Span("not set up", className="muted")],
            className="bar-row",
        )
    change: Markup = pill(figure)
    if groups.has_dropped(figure, domain):
        change = html.A(
            [
                f"▼ {formats.points(figure.delta or 0)} · {words.verdict(figure)}",
                hidden_text(f", {shown.name} {group}"),
            ],
            href=shown.narrowed_href(framework=group, result="failing"),
            className="chevron",
        )
    return html.Li(
        [
            html.Span(group, className="bar-name"),
            html.Span(
                words.figure(figure),
                className=f"bar-value status-{figure.status.value}",
                title=" · ".join(filter(None, (evidence_line(figure), _target(figure)))),
            ),
            change,
            _bar(figure) if figure.measure.key == domain.headline else None,
        ],
        className="bar-row bar-lead" if is_lead else "bar-row",
    )


def _target(figure: Figure) -> str:
    whose = words.giver_of_target(figure.measure)
    return f"{words.target(figure)} ({whose})" if whose else ""


def _bar(figure: Figure) -> Markup:
    """A share as a bar with its target."""
    share = min(max(figure.value or 0.0, 0.0), 1.0)
    target = figure.measure.aim
    return html.Span(
        [
            html.Span(
                className=f"bar-fill fill-{figure.status.value}",
                style={"width": f"{share * 100:.1f}%"},
            ),
            html.Span(className="bar-target", style={"left": f"{target.value * 100:.1f}%"})
            if target
            else None,
        ],
        className="bar",
        role="img",
        **{
            "aria-label": f"{figure.group}: {words.figure(figure)}"
            + (f", {words.target(figure)}" if target else "")
        },
    )
