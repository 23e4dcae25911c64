"""What the reader has opened: parsed from the client's words, which are never trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aggregators.domains import DOMAINS
from aggregators.period import Ask

FIRST, NEXT, MOST = 24, 48, 100_000
"""Cards that a domain opens with, those that come with each press, and the highest rank asked for."""
MAX_PINS = 4
MAX_FIND = 80
CARDS, TABLE = "cards", "table"


class MalformedView(ValueError):
    """The client sent something that is no view."""


@dataclass(frozen=True, slots=True)
class Focus:
    """The open domain, the measure it is ranked by, how it is looked at, and from which place on."""

    domain: str
    measure: str
    start: int = 0
    find: str = ""
    mode: str = CARDS
    pins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """A whole view: page path, period asked for, what is open, and what the link narrowed it to."""

    path: str
    ask: Ask
    focus: Focus | None
    links: Mapping[str, str] = field(default_factory=dict)


def parse(view: object) -> Look:
    """The client's view store. Raises MalformedView, InvalidPeriod."""
    if not isinstance(view, Mapping):
        raise MalformedView("a view is an object")
    path = _text(view, "path", 200)
    ask = Ask.parse(*(_text(view, key, 40) or None for key in ("period", "start", "end")))
    return Look(path, ask, _focus(view), _links(view))


def _links(view: Mapping[str, object]) -> dict[str, str]:
    """The parameters of the page's own list; what it does not know it leaves out."""
    given = view.get("links") or {}
    if not isinstance(given, Mapping):
        raise MalformedView("links is an object")
    known = {name for d in DOMAINS if d.records for name in d.records.links}
    return {name: _text(given, name, 40) for name in sorted(known) if given.get(name)}


def _text(view: Mapping[str, object], key: str, longest: int) -> str:
    value = view.get(key) or ""
    if not isinstance(value, str) or len(value) > longest:
        raise MalformedView(f"{key} is no short text")
    return value


def _focus(view: Mapping[str, object]) -> Focus | None:
    key = _text(view, "domain", 40)
    domain = next((d for d in DOMAINS if d.key == key), None)
    if domain is None:
        return None
    measure = _text(view, "measure", 60)
    if measure not in {m.key for m in domain.measures}:
        measure = domain.headline
    start, pins = view.get("from") or 0, view.get("pins") or []
    if not isinstance(start, int) or not isinstance(pins, list):
        raise MalformedView("from is a number and pins are a list")
    slugs = tuple(p for p in pins if isinstance(p, str) and len(p) <= 30)[:MAX_PINS]
    mode = TABLE if view.get("mode") == TABLE else CARDS
    return Focus(key, measure, min(max(start, 0), MOST), _text(view, "find", MAX_FIND), mode, slugs)
