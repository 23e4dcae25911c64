"""Fold of incidents: from the first sign to the final end.

Opened is the earliest sign, acknowledged the first acknowledgement, resolved the last end that no
reopening follows. An incident that was merged into another lends it its signs and is none of its own.
Within a record the later-named instant of a negative duration is impossible: it is lost and told, the
record stays; one that is told as over stays over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from aggregators.incidents.tables import GRAVEST_FIRST
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

URGENT, DEFAULT = "urgency", "p3"


def _instants(field_tellings: Iterable[Telling]) -> list[datetime]:
    return sorted(t.value for t in field_tellings if isinstance(t.value, datetime))


def _finish_incident(record: dict[str, Value], by_field: Tellings, words: Words) -> list[Note]:
    """Makes the record of all its fields: end, acknowledgement, postmortem, severity, and why it is
    left out."""
    notes = _ends(record, by_field)
    notes += _set_acknowledged(record, by_field)
    notes += _drop_early_publication(record)
    notes += _severity(record, by_field, words)
    _set_left_out(record, words)
    for helper in HELPERS:
        record.pop(helper, None)
    return notes


HELPERS = (
    "urgency", "gravest_severity", "reopened_at", "open_at", "over", "withdrawn", "alert", MENTIONS,
    ADDRESSES,
)  # fmt: skip
"""Fields that statements tell and records do not have."""


def _ends(record: dict[str, Value], by_field: Tellings) -> list[Note]:
    """Sets ``resolved_at``, ``reopened`` (how often) and ``is_over`` (over, since when is unknown)."""
    opened = record.get("opened_at")
    ends = [t for t in by_field.get("resolved_at", ()) if isinstance(t.value, datetime)]
    possible = [t for t in ends if not _lies_before(t.value, opened)]
    again = [*by_field.get("reopened_at", ()), *by_field.get("open_at", ())]
    record["reopened"] = len(set(_instants(by_field.get("reopened_at", ()))))
    record["resolved_at"] = None
    record["is_over"] = not ends and _is_told_as_over(by_field.get("over", ()), again)
    if not ends:
        return []
    final = ends[0] if len(ends) == 1 else max(possible or ends, key=_by_value)
    if _reopened_after(final, again):
        return []
    if possible:
        record["resolved_at"] = final.value
        return []
    record["is_over"] = True
    return [impossible_instant("resolved_at", final.value, "opened_at", opened)]


def _by_value(telling: Telling) -> tuple[Value, tuple[datetime, int, str]]:
    return telling.value, telling.order


def _is_told_as_over(words: Sequence[Telling], again: Sequence[Telling]) -> bool:
    """Whether the last word on it is that it is over, though not since when."""
    if not words or not (final := latest_telling(words)).value:
        return False
    return not any(
        isinstance(t.value, datetime) and t.value > final.statement.instant for t in again
    )


def _lies_before(instant: Value, start: Value) -> bool:
    return isinstance(instant, datetime) and isinstance(start, datetime) and instant < start


def _reopened_after(final: Telling, reopenings: Sequence[Telling]) -> bool:
    """Whether it was reopened, or told as open, after the end; one that a hand's correction has come after
    does not count."""
    return any(
        isinstance(t.value, datetime)
        and isinstance(final.value, datetime)
        and t.value > final.value
        and not (
            final.statement.manner is BY_HAND
            and t.statement.received_at < final.statement.received_at
        )
        for t in reopenings
    )


def _set_acknowledged(record: dict[str, Value], by_field: Tellings) -> list[Note]:
    """Sets ``acknowledged_at``: the first one between the opening and the end."""
    instants = _instants(by_field.get("acknowledged_at", ()))
    opened, resolved = record.get("opened_at"), record.get("resolved_at")
    possible = [
        at for at in instants if not _lies_before(at, opened) and not _lies_before(resolved, at)
    ]
    record["acknowledged_at"] = possible[0] if possible else None
    if possible or not instants:
        return []
    if _lies_before(instants[0], opened):
        return [impossible_instant("acknowledged_at", instants[0], "opened_at", opened)]
    return [impossible_instant("acknowledged_at", instants[0], "resolved_at", resolved, "after")]


def _drop_early_publication(record: dict[str, Value]) -> list[Note]:
    """Takes a publication away that lies before the opening; the note that tells it."""
    opened, published = record.get("opened_at"), record.get("postmortem_published_at")
    if _lies_before(published, opened):
        record["postmortem_published_at"] = None
        return [impossible_instant("postmortem_published_at", published, "opened_at", opened)]
    return []


def _severity(record: dict[str, Value], by_field: Tellings, words: Words) -> list[Note]:
    """Sets ``severity``: the gravest that an alert reached; else the last priority that is known; else the
    sender's urgency; else p3. Unknown words are told."""
    priorities, urgencies = by_field.get("severity", ()), by_field.get(URGENT, ())
    graves = by_field.get("gravest_severity", ())
    if len(priorities) == 1 and not graves:  # the common case, quickly
        meaning = words("severity", str(priorities[0].value))
        if meaning is not None:
            record["severity"] = meaning
            return []
    each = {str(t.value) for t in (*priorities, *graves)}
    unknown = sorted(word for word in each if words("severity", word) is None)
    notes = [
        Note("severity", f"is unknown: {word[:60]!r}; map it to p1, p2, p3 or p4")
        for word in unknown
    ]
    gravest = [words("severity", str(t.value)) for t in graves]
    known = [t for t in priorities if words("severity", str(t.value)) is not None]
    urgent = [t for t in urgencies if words(URGENT, str(t.value)) is not None]
    if any(gravest):
        record["severity"] = min((g for g in gravest if g), key=_rank)
    elif known:
        record["severity"] = words("severity", str(latest_telling(known).value))
    elif urgent:
        record["severity"] = words(URGENT, str(latest_telling(urgent).value))
    else:
        record["severity"] = DEFAULT
    return notes


def _rank(severity: str) -> tuple[int, str]:
    """Place of a severity, the gravest first; another word comes last."""
    known = severity in GRAVEST_FIRST
    return GRAVEST_FIRST.index(severity) if known else len(GRAVEST_FIRST), severity


def _set_left_out(record: dict[str, Value], words: Words) -> None:
    """Sets ``left_out``, why the incident is in no figure: withdrawn, merged into another, a heartbeat."""
    alert = record.get("alert")
    heartbeat = record["severity"] == "none" or (
        alert is not None and words("heartbeat", str(alert)) == "yes"
    )
    if record["severity"] == "none":
        record["severity"] = "p4"
    if record.get("withdrawn"):
        record["left_out"] = "withdrawn"
    elif record.get("merged_into"):
        record["left_out"] = "merged"
    elif heartbeat:
        record["left_out"] = "heartbeat"
    else:
        record["left_out"] = None


def lend_statements(statements: Sequence[Statement], _key: str = "") -> list[Statement]:
    """Statements about an incident that was merged into another, as ones about that other: its signs and
    acknowledgements as they stand, not its end, name or severity. A withdrawn one lends nothing."""
    by_field = tellings(statements)
    if by_field.get("withdrawn") and latest_telling(by_field["withdrawn"]).value:
        return []
    return [
        replace(telling.statement, assertions={name: telling.value}, manner=EVENT)
        for name in ("opened_at", "acknowledged_at")
        for telling in by_field.get(name, ())
    ]


REASONS = {
    "withdrawn": "withdrawn",
    "merged": "merged into another incident",
    "heartbeat": "a heartbeat, no incident",
}


def _why_uncounted(record: Mapping[str, Value]) -> str | None:
    """Reason in words for which an incident is in no figure; None where it counts."""
    reason = record.get("left_out")
    return REASONS[str(reason)] if reason else None


INCIDENT = Fold(
    choices={"opened_at": smallest_value},
    needs=("opened_at",),
    finish=_finish_incident,
    lend=lend_statements,
    uncounted=_why_uncounted,
    uncounted_by=("left_out",),
)
