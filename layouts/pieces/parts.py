"""The small pieces that every picture of a figure is made of."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from aggregators import words
from aggregators.pooling.figures import Figure, Tone
from aggregators.vocabulary.measure import Status
from layouts.pieces.markup import html


def pill(figure: Figure) -> Markup:
    """The change against the previous period and the verdict on it. Three shapes, so that colour is never
    alone: filled when it is worse beyond doubt, outlined when it is likely worse, text otherwise."""
    arrow = words.arrow(figure)
    text = words.change(figure)
    tone = figure.tone if words.has_visible_change(figure) else Tone.QUIET
    return html.Span(
        [html.Span(arrow, className="arrow", **hidden_from_readers()) if arrow else None, text],
        className=f"pill pill-{tone.value}",
        title=words.test_sentence(figure) or None,
    )


def value(figure: Figure, class_name: str = "value", about: str = "") -> Markup:
    """A figure as words, the exact value on hover and what is to be said ``about`` it."""
    exact = "no data" if figure.value is None else f"exactly {figure.value:.6g}"
    title = ", ".join(filter(None, (exact, about)))
    return html.Span(words.figure(figure), className=class_name, title=title)


def badge(figure: Figure) -> Markup | None:
    """Mark of a figure that rests on little, or on nothing."""
    if not figure.has_data:
        return html.Span("No data", className="badge badge-none")
    if figure.low_sample:
        return html.Span(
            "Low sample", className="badge", title="Few events; its rank allows for that"
        )
    return None


MARKS = {Status.GOOD: "dot", Status.WATCH: "dot w", Status.BAD: "dot x", Status.NO_DATA: "dot n"}


def against_target(figure: Figure) -> Markup | None:
    """Status against the target: a mark, the word and the target; None without a figure or a target."""
    aim = words.aim(figure.measure)
    if not aim or not figure.has_data:
        return None
    return html.P(
        [
            html.Span(className=MARKS[figure.status], **hidden_from_readers()),
            html.Span(words.STANDING[figure.status], className="standing-word"),
            html.Span(f" · target {aim}", className="muted"),
        ],
        className="standing",
        title=words.giver_of_target(figure.measure),
    )


def evidence_line(figure: Figure) -> str:
    """Evidence and days in one line: "12 of 97 · 28 of 28 days"."""
    parts = [words.evidence(figure), f"{words.days_seen(figure)}"]
    return " · ".join(p for p in parts if p)


def name_in_brackets(figure: Figure) -> str:
    """The object that holds an extreme, in brackets, or nothing."""
    name = figure.evidence.name
    return f" ({name})" if name else ""


def link(text: str, href: str, class_name: str = "link", **more: Any) -> Markup:
    """A link within the program."""
    return html.A(text, href=href, className=class_name, **more)


def accent_line(accent: str | None) -> Markup:
    """The active workspace's colour along the top of the page."""
    return html.Div(
        className="accent", style={"background": accent} if accent else {}, **hidden_from_readers()
    )


def heading_part(text: str) -> Markup:
    """A further part of the line under a title."""
    return html.Span(text, className="heading-part")


def freshness(text: str, until: str) -> Markup:
    """Last part of that line: up to which day the figures reach. While the network is away the page's
    scripts say so in its place."""
    pieces = [html.Span(className="dot", **hidden_from_readers()), text]
    return html.Span(pieces, className="heading-part fresh", **data(until=until))


def hidden_text(text: str) -> Markup:
    """Words for those who hear the page."""
    return html.Span(text, className="visually-hidden")


def hidden_from_readers() -> dict[str, str]:
    """Attributes of a decoration that a screen reader skips."""
    return {"aria-hidden": "true"}


def data(**attributes: object) -> dict[str, str]:
    """data-* attributes, which the scripts of assets/page listen on."""
    return {f"data-{name.replace('_', '-')}": str(v) for name, v in attributes.items()}
