"""Fields of a record as its page shows them: in words, instants in the reporting zone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from aggregators.records.kinds import field_title
from aggregators.records.statements import as_in_a_file
from aggregators.vocabulary import formats

KEPT_APART = ("workspace_id", "identity", "key", "left_out", "merged_into")
"""Columns that the page tells elsewhere, or that nobody asks for."""
ONLY_WHERE_SET = ("is_over", "reopened")


class ShownField(NamedTuple):
    """A field: its name as files have it, in words, and its value in words."""

    name: str
    title: str
    value: str


def fields(row: Mapping[str, Any], zone: tzinfo) -> Iterator[ShownField]:
    """Fields of a record that its page shows."""
    for name, value in row.items():
        if name in KEPT_APART or (name in ONLY_WHERE_SET and not value):
            continue
        yield ShownField(name, field_title(name), _value_in_words(value, zone))


def _value_in_words(value: Any, zone: tzinfo) -> str:
    """A value of a record as the page shows it."""
    if value is None:
        return formats.NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return formats.instant(value, zone, seconds=True)
    return as_in_a_file(value)
