"""Sentence on what a deployment is, beside the figures that are counted from them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from markupsafe import Markup

from layouts.pieces.markup import html

NAMED = 4
"""Parts that are named of each thing; of more the number is."""


class DeploymentsOf(NamedTuple):
    """A part of a source that feeds a workspace: its name, what its deployments are, and the source."""

    part: str
    words: str
    source: str

    @property
    def short(self) -> str:
        """Name without that of its owner."""
        return self.part.rpartition("/")[2]


def sentence(parts: Sequence[DeploymentsOf]) -> str:
    """Words for what is counted of which part; empty without any."""
    ordered = sorted(parts, key=lambda each: (each.words, each.short))
    phrases = []
    for words, same in groupby(ordered, key=lambda each: each.words):
        names = [each.short for each in same]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        phrases.append(f"{words} of {', '.join(names[:NAMED])}{more}")
    return f"Deployments are {'; '.join(phrases)}." if phrases else ""


def counted_as(parts: Sequence[DeploymentsOf]) -> Markup | None:
    """The sentence, with whom it comes from; None where no source says anything of it."""
    if not parts:
        return None
    sources = sorted({each.source for each in parts})
    return html.P(f"{sentence(parts)} Read from {', '.join(sources)}.", className="s m counted-as")
