"""A card: one workspace in one domain."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from aggregators import words
from aggregators.chosen.annotations import Annotation
from aggregators.pooling.cards import Card
from aggregators.pooling.figures import Figure
from aggregators.vocabulary import formats
from aggregators.vocabulary.domain import Domain
from layouts.pieces.icons import icon
from layouts.pieces.markup import html
from layouts.pieces.parts import (
    against_target,
    badge,
    data,
    evidence_line,
    hidden_text,
    link,
    name_in_brackets,
    pill,
    value,
)
from layouts.pieces.sparkline import Scale, sparkline


def card(
    shown: Card,
    domain: Domain,
    measure_key: str,
    scale: Scale,
    notes: Sequence[Annotation] = (),
) -> Markup:
    """Rank, name, figure, change, sparkline on the common scale, evidence, the other measures."""
    figure, shrunken = shown.figures[measure_key], shown.shrunken(measure_key)
    others = [k for k in (domain.headline, *domain.columns) if k != measure_key]
    return html.Article(
        [
            card_head(shown),
            html.Div(
                [
                    html.Span(
                        value(figure, about=words.after_shrinking(figure, shrunken)),
                        className=f"card-value status-{figure.status.value}",
                    ),
                    badge(figure) or pill(figure),
                ],
                className="card-figure",
            ),
            _drift(figure, shown.slug),
            sparkline(figure, scale, notes=notes),
            html.P(_footnote(figure, shown.part), className="card-note muted"),
            against_target(figure),
            _beside_words(shown, figure),
            _other_measures([shown.figures[k] for k in dict.fromkeys(others)][:4]),
        ],
        className="card",
        **{"aria-labelledby": f"card-{shown.slug}"},
    )


LATE = 56
"""Days beyond which a workspace is too small for a drift to be told early."""


def _drift(figure: Figure, slug: str) -> Markup | None:
    """Since when it drifts, with the way to the signal; or that it is too small to be told early."""
    since, days = figure.drifting_since, figure.days_to_tell
    if since is not None:
        return link(f"Drifting since {formats.day(since)}", _signals(slug), "drift")
    if days is None or days <= LATE:
        return None
    time_needed = words.slow_to_tell(figure)
    return html.P(time_needed[:1].upper() + time_needed[1:], className="card-note muted")


def _signals(slug: str) -> str:
    """The page of signals, narrowed to a workspace."""
    return f"/platform/signals?workspace={slug}"


def card_head(shown: Card) -> Markup:
    """Rank, the workspace's link, and the pin that puts it into the comparison;
    assets/page/open/comparison.js says whether it is in it."""
    return html.Header(
        [
            html.Span(f"{shown.rank}", className="rank", title=f"Rank {shown.rank}, 1 is worst"),
            html.H3(link(shown.name, shown.href), id=f"card-{shown.slug}", className="card-name"),
            html.A(
                [icon("pulse"), hidden_text(f"Signals of {shown.name}")],
                href=_signals(shown.slug),
                title="Signals",
                className="btn g ic sm card-signals",
            ),
            html.Button(
                ["Pin", hidden_text(f" {shown.name} to compare")],
                type="button",
                className="pin",
                **{"aria-pressed": "false"},
                **data(pin=shown.slug),
            ),
            html.Button(
                [icon("down"), hidden_text(f"More of {shown.name}")],
                type="button",
                className="btn g ic card-open",
                **{"aria-expanded": "false"},
                **data(widen="1"),
            ),
        ],
        className="card-head",
    )


def _footnote(figure: Figure, part: float | None) -> list[Markup]:
    """Evidence behind the figure, its value before, and the object that holds it."""
    evidence = figure.evidence
    if not figure.has_data and not evidence.days_seen:
        return [html.Span("No snapshot in this period.")]
    before = (
        f"before {words.previous_value(figure)}" if figure.comparable else words.no_earlier(figure)
    )
    parts = (words.evidence(figure), words.days_seen(figure), before)
    shown: list[Markup] = [html.Span(text) for text in parts if text]
    if part is not None:
        share = formats.shift(part, figure.measure.unit, figure.value)
        shown.append(html.Span(f"part {share}", title="Part in the organisation's change"))
    if evidence.name:
        shown.append(html.Span(evidence.name, className="name"))
    return shown


def _beside_words(shown: Card, figure: Figure) -> Markup | None:
    """Measures that belong to the figure, in words: "Open P1 1 · Oldest open 3 d"."""
    beside = [shown.figures[key] for key in figure.measure.beside]
    phrases = [f"{f.measure.title} {words.figure(f)}" for f in beside if f.value]
    return html.P(" · ".join(phrases), className="card-beside") if phrases else None


def _holder(figure: Figure) -> Markup | None:
    """The object that an extreme is of: two of one card may be of two objects."""
    name = figure.evidence.name if figure.has_data else None
    return html.Span(f" {name}", className="name") if name else None


def _other_measures(figures: list[Figure]) -> Markup:
    return html.Dl(
        [
            html.Div(
                [
                    html.Dt(f.measure.title),
                    html.Dd(
                        [words.figure(f), _holder(f)],
                        title=f"{evidence_line(f)}{name_in_brackets(f)}",
                        className="low" if f.low_sample else None,
                    ),
                ]
            )
            for f in figures
        ],
        className="card-others",
    )
