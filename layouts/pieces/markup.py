"""HTML as text, which a browser draws a hundred times as fast as Dash draws components.

Dash makes a wrapper with hooks for each element: a card of forty elements takes the browser 35 ms, as text
0.3 ms, and a component takes Python ten times as long to make. What a callback does not write into is
therefore handed over as the text of one attribute, and assets/page/open/markup.js puts it in place.

``html`` is called as ``dash.html`` is: ``html.P("words", className="muted")``; what is None is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from dash import html as dash_html
from dash.development.base_component import Component
from markupsafe import Markup, escape

SPECIAL = re.compile("[&<>'\"]")
"""Signs that HTML takes for its own."""
WITHOUT_END = frozenset({"br", "hr", "img", "input"})
NAMES = {"className": "class", "htmlFor": "for"}

Pieces = Markup | str | int | float | None | list[Any] | tuple[Any, ...]
Tag = Callable[..., Markup]


class Tags:
    """Every element by its name, whatever the case; HTML takes SVG's own names in lower case too."""

    def __getattr__(self, name: str) -> Tag:
        made = _tag(name.lower())
        setattr(self, name, made)
        return made


def _tag(name: str) -> Tag:
    """Function for an element: children first, attributes as keywords. Raises TypeError for a child that
    Dash alone can draw."""
    opened, end = f"<{name}", "" if name in WITHOUT_END else f"</{name}>"

    def element(children: Pieces = None, **attributes: Any) -> Markup:
        start = opened
        for key, value in attributes.items():
            if value is not None and value is not False:
                text = _escape(value) if type(value) is str else _attribute(value)
                start += f' {_attribute_name(key)}="{text}"'
        return Markup(f"{start}>{markup(children)}{end}")  # noqa: S704 - escaped above

    return element


@cache
def _attribute_name(key: str) -> str:
    """Attribute of HTML for a keyword; there are a few dozen."""
    return NAMES.get(key) or key.lower()


def _escape(text: str) -> str:
    """Text as it stands in HTML. Nearly all of it needs no escape, and to see that is quicker than to make
    a Markup of it: a page of cards has fifteen thousand pieces."""
    return escape(text) if SPECIAL.search(text) else text


def _attribute(value: object) -> str:
    if value is True:
        return ""
    if isinstance(value, Mapping):  # a style
        value = ";".join(f"{name}:{text}" for name, text in value.items())
    return escape(str(value))


def markup(pieces: Pieces) -> str:
    """The pieces as HTML; what is no HTML yet is escaped. Raises TypeError for Dash's components."""
    if pieces is None:
        return ""
    if type(pieces) is Markup:
        return pieces
    if isinstance(pieces, str):
        return _escape(pieces) if type(pieces) is str else escape(pieces)
    if isinstance(pieces, list | tuple):
        return "".join(map(markup, pieces))
    if isinstance(pieces, Component):
        raise TypeError(f"{type(pieces).__name__} is drawn by Dash alone")
    return escape(str(pieces))


def box_of_pieces(pieces: Pieces, **more: Any) -> Component:
    """A box that holds the pieces as text; it is drawn again when the text changes, and only then."""
    return dash_html.Div(**more, **{"data-markup": str(markup(pieces))})


html = Tags()
