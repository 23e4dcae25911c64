"""Folds of objectives and of their days."""

from __future__ import annotations

from aggregators.records.statements import Fold, Note, Tellings, Value, Words


def _window(record: dict[str, Value], _told: Tellings, _words: Words) -> list[Note]:
    """Sets ``calendar``: the calendar span whose first day begins the budget anew, None for rolling
    days."""
    window = record.pop("window", None)
    record["calendar"] = None if window in (None, "days") else window
    return []


def _events(record: dict[str, Value], _told: Tellings, _words: Words) -> list[Note]:
    good, total = record.get("good"), record.get("total")
    if isinstance(good, float) and isinstance(total, float) and good > total:
        record["good"] = None
        return [Note("good", f"is more than total, so the day is not known: {good:g} of {total:g}")]
    return []


OBJECTIVE = Fold(needs=("target_percent",), finish=_window)
DAY = Fold(needs=("good", "total"), finish=_events)
