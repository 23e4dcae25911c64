"""Components as HTML text, which a browser draws a hundred times as fast as Dash draws them.

Dash makes a wrapper with hooks for each element: a card of forty elements takes it 35 ms, as text 0.3 ms.
What a callback does not write into is therefore handed over as the text of one attribute, and
assets/vigilo.js puts it in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from dash import html
from dash.development.base_component import Component

from layouts.parts import data

PLAIN = ("dash_html_components", "dash_svg")
WITHOUT_END = frozenset({"br", "hr", "img", "input"})
NAMES = {"className": "class", "htmlFor": "for"}

Piece = Component | str | int | float | None
Pieces = Piece | list[Any] | tuple[Any, ...]


def drawn(pieces: Pieces, **more: Any) -> Component:
    """A box that holds the pieces as text; it is drawn again when the text changes, and only then."""
    return html.Div(**more, **data(markup=markup(pieces)))


def markup(pieces: Pieces) -> str:
    """The HTML of plain components. Raises TypeError for one that needs Dash to draw it."""
    if pieces is None:
        return ""
    if isinstance(pieces, list | tuple):
        return "".join(map(markup, pieces))
    if not isinstance(pieces, Component):
        return escape(str(pieces))
    return _element(pieces)


def _element(component: Component) -> str:
    given = component.to_plotly_json()  # type: ignore[no-untyped-call]
    if given["namespace"] not in PLAIN:
        raise TypeError(f"{given['type']} is drawn by Dash alone")
    tag, props = given["type"].lower(), given["props"]
    children = props.pop("children", None)
    opened = f"<{tag}{_attributes(props)}>"
    return opened if tag in WITHOUT_END else f"{opened}{markup(children)}</{tag}>"


def _attributes(props: Mapping[str, Any]) -> str:
    """In lower case, which HTML takes for SVG's own names too."""
    said = []
    for name, value in props.items():
        if value is None or value is False:
            continue
        text = _style(value) if name == "style" else "" if value is True else str(value)
        said.append(f' {NAMES.get(name, name).lower()}="{escape(text)}"')
    return "".join(said)


def _style(style: Mapping[str, str]) -> str:
    return ";".join(f"{name}:{value}" for name, value in style.items())
