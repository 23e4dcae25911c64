"""Parts of the page that the reader has opened: parsed from the client's words, which are never trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aggregators.catalogue import DOMAINS
from aggregators.pooling.contributions import ORDERS, VALUE
from aggregators.vocabulary.fields import LONGEST_SLUG
from aggregators.vocabulary.period import ASKED, Ask

FIRST, NEXT, MOST = 24, 48, 100_000
"""Cards that a domain opens with, those that come with each press, and the highest rank asked for."""
MAX_PINS = 4
MAX_FIND = 80
MAX_LINK = 80
LINKS = tuple(sorted({name for d in DOMAINS if d.records for name in d.records.links}))
"""Parameters with which a link narrows the list of a workspace page."""
CARDS, TABLE = "cards", "table"


class MalformedView(ValueError):
    """The client sent something that is no view."""


@dataclass(frozen=True, slots=True)
class Focus:
    """The open domain, the measure it is ranked by and in which order, how it is looked at, and from which
    place on."""

    domain: str
    measure: str
    start: int = 0
    find: str = ""
    mode: str = CARDS
    pins: tuple[str, ...] = ()
    order: str = VALUE


@dataclass(frozen=True, slots=True)
class Look:
    """A whole view: page path, period asked for, what is open, and what the link narrowed it to."""

    path: str
    ask: Ask
    focus: Focus | None
    links: Mapping[str, str] = field(default_factory=dict)


def parse(view: object) -> Look:
    """View of the client's store. Raises MalformedView, InvalidPeriod."""
    if not isinstance(view, Mapping):
        raise MalformedView("a view is an object")
    path = _text(view, "path", 200)
    ask = Ask.parse(*(_text(view, key, 40) or None for key in ASKED))
    return Look(path, ask, _focus(view), _links(view))


def parse_why(view: object) -> tuple[Look, str]:
    """The view, and the key of the answer that is asked about. Raises as ``parse``."""
    look = parse(view)
    assert isinstance(view, Mapping)
    return look, _text(view, "why", 60)


def _links(view: Mapping[str, object]) -> dict[str, str]:
    """Parameters of the page's own list; others are left out."""
    given = view.get("links") or {}
    if not isinstance(given, Mapping):
        raise MalformedView("links is an object")
    return {name: _text(given, name, MAX_LINK) for name in LINKS if given.get(name)}


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
    if type(start) is not int or not isinstance(pins, list):
        raise MalformedView("from is a number and pins are a list")
    slugs = tuple(p for p in pins if isinstance(p, str) and len(p) <= LONGEST_SLUG)[:MAX_PINS]
    mode = TABLE if view.get("mode") == TABLE else CARDS
    rank = _text(view, "rank", 20)
    order = rank if rank in ORDERS else VALUE
    find = _text(view, "find", MAX_FIND)
    return Focus(key, measure, min(max(start, 0), MOST), find, mode, slugs, order)
