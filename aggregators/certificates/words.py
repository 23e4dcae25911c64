"""A choice among the workspace's words: whether certificates of one name renew each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

ABOUT, RENEWALS = "certificates", "renewals"
TOGETHER, APART = "together", "apart"


def renewals(word: str) -> str | None:
    """``together`` for the word ``renewals``: one of the same names takes an earlier one's place."""
    return TOGETHER if word == RENEWALS else None


MEANINGS = {ABOUT: renewals}
SAID: Mapping[str, Mapping[str, Sequence[str]]] = {ABOUT: {}}
"""No field of a certificate says it."""
VALUES = {ABOUT: (TOGETHER, APART)}
"""Meanings that a workspace may choose: ``apart`` where those of one name are different servers'."""
ONLY = {ABOUT: (RENEWALS,)}
"""The words that there are."""
