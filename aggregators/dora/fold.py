"""Folds of deployments, roll-backs and changes.

A deployment ends with its last terminal status by the sender's clock. A roll-back is no deployment; which
one it undoes is worked out in ``dora.undoing``. Environments whose names mean the same are one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from aggregators.records.mentions import one_record
from aggregators.records.statements import (
    ADDRESSES,
    BY_HAND,
    EVENT,
    MENTIONS,
    Fold,
    Note,
    Statement,
    Telling,
    Tellings,
    Value,
    Words,
    impossible_instant,
    latest_telling,
    smallest_value,
    tellings,
)

PRODUCTION = "production"
EVER = datetime(1, 1, 2, tzinfo=UTC)
"""Before any deployment."""


def _finish_deployment(record: dict[str, Value], by_field: Tellings, words: Words) -> list[Note]:
    """Makes the record of all its fields: the last outcome counts, with its own end."""
    ends = by_field.get("outcome", ())
    if ends:
        final = max(ends, key=_last_word)
        record["outcome"] = final.value
        completed = final.statement.assertions.get("completed_at")
        by_hand = any(t.statement.manner is BY_HAND for t in by_field.get("completed_at", ()))
        if isinstance(completed, datetime) and not by_hand:
            record["completed_at"] = completed
    notes = _drop_late_creation(record)
    notes += _production(record, words)
    is_withdrawn, is_part = record.pop("withdrawn", None), record.get("merged_into")
    record["left_out"] = "withdrawn" if is_withdrawn else "merged" if is_part else None
    for helper in (MENTIONS, ADDRESSES):
        record.pop(helper, None)
    return notes


def lend_statements(statements: Sequence[Statement], _key: str = "") -> list[Statement]:
    """Statements about a deployment that is the same as another, as ones about that other: when it was
    created, not its end, outcome, service or environment. A withdrawn one lends nothing."""
    by_field = tellings(statements)
    if by_field.get("withdrawn") and latest_telling(by_field["withdrawn"]).value:
        return []
    return [
        replace(each.statement, assertions={"created_at": each.value}, manner=EVENT)
        for each in by_field.get("created_at", ())
    ]


def _last_word(outcome: Telling) -> tuple[tuple[datetime, int, str], datetime]:
    """Place of a word on the outcome; of several that are last alike, the one that was completed last
    counts, not the one that came first."""
    completed = outcome.statement.assertions.get("completed_at")
    return outcome.order, completed if isinstance(completed, datetime) else EVER


def _drop_late_creation(record: dict[str, Value]) -> list[Note]:
    """Takes a creation away that lies after the end; the note that tells it."""
    created, completed = record.get("created_at"), record.get("completed_at")
    if isinstance(created, datetime) and isinstance(completed, datetime) and created > completed:
        record["created_at"] = None
        return [impossible_instant("created_at", created, "completed_at", completed, "after")]
    return []


def _production(record: dict[str, Value], words: Words) -> list[Note]:
    """Sets ``production``: as the sender says, else as the workspace maps the environment's name."""
    declared, name = (
        record.pop("is_production", None),
        str(record.get("environment") or PRODUCTION),
    )
    mapped = words("environment", name)
    record["environment"] = name
    record["mapped_environment"] = mapped_environment(name, words)
    record["production"] = bool(declared) if declared is not None else mapped == PRODUCTION
    return []


def mapped_environment(name: str, words: Words) -> str:
    """Meaning of an environment's name: ``production`` where it means that, else itself; ``other``
    where the name of production means something else."""
    if words("environment", name) == PRODUCTION:
        return PRODUCTION
    return "other" if name == PRODUCTION else name


def _finish_roll_back(record: dict[str, Value], _told: Tellings, words: Words) -> list[Note]:
    name = str(record.get("environment") or PRODUCTION)
    record["environment"] = name
    record["mapped_environment"] = mapped_environment(name, words)
    return []


REASONS = {"withdrawn": "withdrawn", "merged": "merged into another deployment"}


def _why_uncounted(record: Mapping[str, Value]) -> str | None:
    """Reason in words for which a deployment is in no figure; None where it counts."""
    if reason := record.get("left_out"):
        return REASONS[str(reason)]
    if record.get("outcome") == "cancelled":
        return "cancelled"
    if not record.get("production"):
        return f"environment {str(record.get('environment'))[:60]!r} is not production"
    return None


DEPLOYMENT = Fold(
    choices={"created_at": smallest_value},
    defaults={"environment": PRODUCTION},
    needs=("outcome", "completed_at"),
    finish=_finish_deployment,
    lend=lend_statements,
    parts=one_record,
    uncounted=_why_uncounted,
    uncounted_by=("left_out", "outcome", "production", "environment"),
)
CHANGE = Fold(choices={"committed_at": smallest_value}, needs=("committed_at",))
ROLL_BACK = Fold(
    defaults={"environment": PRODUCTION}, needs=("rolled_back_at",), finish=_finish_roll_back
)
