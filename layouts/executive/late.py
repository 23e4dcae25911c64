"""Sources that are late: which figures may be behind, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import NamedTuple

from dash.development.base_component import Component
from markupsafe import Markup

from aggregators.catalogue import DOMAINS
from aggregators.vocabulary import formats
from layouts.pieces.icons import icon
from layouts.pieces.markup import html

MOST_NAMED = 3
"""Sources that are named; of more the number is."""
SLOT_BEGINS = "<!--late "
SLOT, DRAWING = f"{SLOT_BEGINS}{{}}-->", "data-markup"
TITLES = {domain.key: domain.title for domain in DOMAINS}


class LateSource(NamedTuple):
    """A source without a good sync for three of its turns; the domains that it feeds, and the seconds since
    the last one, None where it never had one."""

    name: str
    domains: tuple[str, ...]
    age: float | None

    @property
    def last_read(self) -> str:
        """When it was read last."""
        read = "never read"
        if self.age is not None:
            read = f"last read {formats.duration(self.age)} ago"
        return f"{read} from {self.name}"


def late_banner(late: Sequence[LateSource]) -> Markup | None:
    """Warning over the tiles; None where every source is in time."""
    if not late:
        return None
    lines = [html.Li(_line(source)) for source in late[:MOST_NAMED]]
    if len(late) > MOST_NAMED:
        lines.append(html.Li(f"and {formats.counted(len(late) - MOST_NAMED, 'more source')}"))
    return html.Div(
        [
            html.Strong("Some of what is shown may be behind."),
            " The records of these sources were not read for three of their turns: ",
            html.A("look at them", href="/platform/sources"),
            ".",
            html.Ul(lines),
        ],
        className="banner banner-watch",
        role="status",
    )


def _line(source: LateSource) -> str:
    return f"{', '.join(TITLES[key] for key in source.domains)}: {source.last_read}"


def slot(domain: str) -> Markup:
    """Where a tile has its mark: the tile is kept, and what is late changes with the clock."""
    return Markup(SLOT).format(domain)  # noqa: S704 - a constant


def with_late_marks(part: Component, late: Sequence[LateSource]) -> Component:
    """A kept part of the page with the marks of the tiles that are late now."""
    made = copy(part)
    drawing, children = getattr(part, DRAWING, None), getattr(part, "children", None)
    if drawing and SLOT_BEGINS in drawing:
        setattr(made, DRAWING, _with_late_marks(drawing, late))
    if isinstance(children, list):
        made.children = [
            with_late_marks(each, late) if isinstance(each, Component) else each
            for each in children
        ]
    return made


def _with_late_marks(drawing: str, late: Sequence[LateSource]) -> str:
    """The drawing with the marks of late sources in the tiles' places for them."""
    for key in TITLES:
        reads = [source.last_read for source in late if key in source.domains]
        drawing = drawing.replace(str(slot(key)), str(_mark(key, reads)) if reads else "")
    return drawing


def _mark(domain: str, reads: Sequence[str]) -> Markup:
    """A clock beside the tile's title; its words are its name, and stand below it on hover and focus."""
    lines = [html.Span(each, className="tile-late-line") for each in reads[:MOST_NAMED]]
    begin = f"{TITLES[domain]} may be behind"
    tip = html.Span([f"{begin}:", *lines], className="tile-late-tip", **{"aria-hidden": "true"})
    words = f"{begin}: {'; '.join(reads)}"
    return html.A(
        [icon("clock"), tip], href="/platform/sources", className="tile-late",
        **{"aria-label": words},
    )  # fmt: skip
