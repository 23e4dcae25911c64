"""One workspace in one domain, as a card."""

from __future__ import annotations

from markupsafe import Markup

from aggregators import words
from aggregators.figures import Card, Figure
from aggregators.measure import Domain
from layouts.markup import html
from layouts.parts import badge, data, evidence_line, link, named, pill, unseen, value
from layouts.sparkline import Scale, sparkline


def card(shown: Card, domain: Domain, measure_key: str, scale: Scale) -> Markup:
    """Rank, name, figure, change, sparkline on the common scale, evidence, the other measures."""
    figure = shown.figures[measure_key]
    others = [k for k in (domain.headline, *domain.columns) if k != measure_key]
    return html.Article(
        [
            card_head(shown),
            html.Div(
                [
                    html.Span(value(figure), className=f"card-value status-{figure.status.value}"),
                    badge(figure) or pill(figure),
                ],
                className="card-figure",
            ),
            sparkline(figure, scale),
            html.P(_footnote(figure), className="card-note muted"),
            _beside(shown, figure),
            _others([shown.figures[k] for k in dict.fromkeys(others)][:4]),
        ],
        className="card",
        **{"aria-labelledby": f"card-{shown.slug}"},
    )


def card_head(shown: Card) -> Markup:
    """Rank, the workspace's link, and the pin that puts it into the comparison; assets/vigilo.js says
    whether it is in it."""
    return html.Header(
        [
            html.Span(f"{shown.rank}", className="rank", title=f"Rank {shown.rank}, 1 is worst"),
            html.H3(link(shown.name, shown.href), id=f"card-{shown.slug}", className="card-name"),
            html.Button(
                ["Pin", unseen(f" {shown.name} to compare")],
                type="button",
                className="pin",
                **{"aria-pressed": "false"},
                **data(pin=shown.slug),
            ),
        ],
        className="card-head",
    )


def _footnote(figure: Figure) -> list[Markup]:
    """What the figure rests on, what it was, and the object that holds it."""
    if not figure.has_data and not figure.evidence.days_seen:
        return [html.Span("No snapshot in this period.")]
    before = f"before {words.value(figure.previous, figure.measure.unit)}"
    parts = (words.evidence(figure), words.days_seen(figure), before)
    shown: list[Markup] = [html.Span(part) for part in parts if part]
    if figure.evidence.name:
        shown.append(html.Span(figure.evidence.name, className="name"))
    return shown


def _beside(shown: Card, figure: Figure) -> Markup | None:
    """What belongs to the figure in words: "Open P1 1 · Oldest open 3 d"."""
    found = [shown.figures[key] for key in figure.measure.beside]
    said = [f"{f.measure.title} {words.figure(f)}" for f in found if f.value]
    return html.P(" · ".join(said), className="card-beside") if said else None


def _others(figures: list[Figure]) -> Markup:
    return html.Dl(
        [
            html.Div(
                [
                    html.Dt(f.measure.title),
                    html.Dd(
                        words.figure(f),
                        title=f"{evidence_line(f)}{named(f)}",
                        className="low" if f.low_sample else None,
                    ),
                ]
            )
            for f in figures
        ],
        className="card-others",
    )
