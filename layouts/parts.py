"""The small pieces that every picture of a figure is made of."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from aggregators import words
from aggregators.figures import Figure
from aggregators.measure import Status
from layouts.markup import html


def pill(figure: Figure) -> Markup:
    """The change against the previous period. Three shapes, so that colour is never alone: solid when
    it got worse and stands bad, tinted when it got worse, plain otherwise."""
    arrow = words.arrow(figure)
    text = words.change(figure)
    still = figure.delta is not None and not words.moved(figure)
    tone, change = (Status.GOOD, "same") if still else (figure.tone, figure.change)
    return html.Span(
        [html.Span(arrow, className="arrow", **hidden()) if arrow else None, text],
        className=f"pill pill-{tone.value} change-{change}",
    )


def value(figure: Figure, class_name: str = "value") -> Markup:
    """A figure as words, the exact value on hover."""
    exact = "no data" if figure.value is None else f"exactly {figure.value:.6g}"
    return html.Span(words.figure(figure), className=class_name, title=exact)


def badge(figure: Figure) -> Markup | None:
    """Marks a figure that rests on little, or on nothing."""
    if not figure.has_data:
        return html.Span("No data", className="badge badge-none")
    if figure.low_sample:
        return html.Span("Low sample", className="badge", title="Too few events to rank it")
    return None


def evidence_line(figure: Figure) -> str:
    """Evidence and days in one line: "12 of 97 · 28 of 28 days"."""
    parts = [words.evidence(figure), f"{words.days_seen(figure)}"]
    return " · ".join(p for p in parts if p)


def named(figure: Figure) -> str:
    """The object that holds an extreme, in brackets, or nothing."""
    return f" ({figure.evidence.name})" if figure.evidence.name else ""


def link(text: str, href: str, class_name: str = "link", **more: Any) -> Markup:
    """A link within the program."""
    return html.A(text, href=href, className=class_name, **more)


def accent_line(accent: str | None) -> Markup:
    """The active workspace's colour along the top of the page."""
    return html.Div(className="accent", style={"background": accent} if accent else {}, **hidden())


def heading_part(text: str) -> Markup:
    """A further part of the line under a title."""
    return html.Span([html.Span("· ", **hidden()), text], className="heading-part")


def unseen(text: str) -> Markup:
    """Words for those who hear the page."""
    return html.Span(text, className="visually-hidden")


def hidden() -> dict[str, str]:
    """Attributes of a decoration that a screen reader skips."""
    return {"aria-hidden": "true"}


def data(**attributes: object) -> dict[str, str]:
    """data-* attributes, which assets/vigilo.js listens on."""
    return {f"data-{name.replace('_', '-')}": str(v) for name, v in attributes.items()}
