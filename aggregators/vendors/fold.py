"""Folds of vendors and of reviews of them."""

from __future__ import annotations

from aggregators.records.statements import Fold, Note, Tellings, Value, Words, lost


def _drop_early_due(record: dict[str, Value], _told: Tellings, _words: Words) -> list[Note]:
    completed, due = record.get("completed_on"), record.get("next_due_on")
    if completed is not None and due is not None and due < completed:  # type: ignore[operator]
        record["next_due_on"] = None
        return [lost("next_due_on", due, "completed_on", completed)]
    return []


VENDOR = Fold(needs=("name", "tier"))
REVIEW = Fold(finish=_drop_early_due)
