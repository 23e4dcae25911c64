"""Dash components as plain HTML: what is seen of a layout before Dash has drawn it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash.development.base_component import Component
from markupsafe import Markup

from layouts.pieces.markup import html, markup

SHOWN = ("className", "title", "type", "style")
"""Attributes that can be seen; names and ids stay those of the layout that comes."""
NATIVE = "dash_html_components"
PRESSED = ("Button", "Summary")
"""Elements that do nothing yet, and so are neither reached nor read."""


def without_behaviour(component: object) -> Markup:
    """The component and all within it, without what does something or has a name. Lists can be chosen from:
    ``data-early`` says what they stand for (``assets/page/state/early.js``)."""
    if component is None:
        return Markup()
    if isinstance(component, list | tuple):
        return Markup().join(map(without_behaviour, component))
    if not isinstance(component, Component):
        return Markup(markup(str(component)))  # noqa: S704 - escaped there
    given = component.to_plotly_json()  # type: ignore[no-untyped-call]
    if given["namespace"] != NATIVE:
        return Markup()
    return _element(given["type"], given["props"])


def _element(name: str, props: Mapping[str, Any]) -> Markup:
    seen = {key: props[key] for key in SHOWN if props.get(key)}
    if "hidden" in props:
        seen["hidden"] = True
    if "disabled" in props:
        seen["disabled"] = props["disabled"]
    if name == "Option":
        seen["value"] = props.get("value", "")
    drawn = props.get("data-markup")
    children = Markup(drawn) if drawn else without_behaviour(props.get("children"))  # noqa: S704 - ours
    if name == "Select":
        seen |= {"data-early": props.get("data-select"), "autocomplete": "off"}
    if name in PRESSED:
        seen |= {"inert": True, "aria-hidden": "true"}
    made: Markup = getattr(html, name.lower())(children, **seen)
    return made
