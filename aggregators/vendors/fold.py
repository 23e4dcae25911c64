"""Folds of vendors and of reviews of them."""

from __future__ import annotations

from aggregators.records.statements import Fold, Note, Tellings, Value, Words, impossible_instant


def _drop_early_due(record: dict[str, Value], _told: Tellings, _words: Words) -> list[Note]:
    """Takes a next review away that lies before the last one; the note that tells it."""
    completed, due = record.get("completed_on"), record.get("next_due_on")
    if completed is not None and due is not None and due < completed:  # type: ignore[operator]
        record["next_due_on"] = None
        return [impossible_instant("next_due_on", due, "completed_on", completed)]
    return []


VENDOR = Fold(needs=("name", "tier"))
REVIEW = Fold(finish=_drop_early_due)
