"""PagerDuty webhooks, v3 and v2: incidents triggered, acknowledged and resolved.

The key is the incident's id. The severity follows the priority (P1 to P4; P5 becomes p4), else the
urgency: high is p2, low is p4. An acknowledgement or a resolution counts from when it occurred. PagerDuty
signs v3 only; v2, which it no longer sends, is for files that were kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from storage.records.documents import at, json_items, raw
from storage.records.formats.form import Format, Signed
from storage.records.reader import Raw, Reading


class Shape(NamedTuple):
    """Where a message has its parts."""

    event: str
    occurred: str
    incident: str


V3 = Shape("event.event_type", "event.occurred_at", "event.data")
V2 = Shape("event", "created_on", "incident")
OURS = {"key": "id", "title": "title", "opened_at": "created_at"}
WHEN = {
    "incident.triggered": None,
    "incident.trigger": None,
    "incident.acknowledged": "acknowledged_at",
    "incident.acknowledge": "acknowledged_at",
    "incident.resolved": "resolved_at",
    "incident.resolve": "resolved_at",
}
URGENCIES = {"high": "p2", "low": "p4"}


def read(reading: Reading) -> Iterator[Raw]:
    """An incident for each event of one; a v2 body holds several."""
    for place, payload in json_items(reading):
        messages = at(payload, "messages")
        if isinstance(messages, list):
            for number, message in enumerate(messages):
                yield from _incident(reading, message, V2, f"{place}/messages/{number}")
        else:
            yield from _incident(reading, payload, V3, place)


def _incident(reading: Reading, message: Any, shape: Shape, place: str) -> Iterator[Raw]:
    event = at(message, shape.event)
    if not isinstance(event, str) or event not in WHEN:
        reading.warn(f"left out an event of type {str(event)[:60]!r}")
        return
    columns = {ours: f"{shape.incident}.{theirs}" for ours, theirs in OURS.items()}
    if (step := WHEN[event]) is not None:
        columns[step] = shape.occurred
    severity = _severity(at(message, shape.incident))
    yield raw(reading, message, columns, place, severity=severity)


def _severity(incident: Any) -> str:
    priority = str(at(incident, "priority.summary") or "").lower()
    if priority:
        return "p4" if priority == "p5" else priority
    return URGENCIES.get(str(at(incident, "urgency")), "")


FORMAT = Format(
    "pagerduty",
    {"incidents": read},
    "PagerDuty webhooks, v3 and v2",
    sniff=lambda head: (
        (b'"event_type"' in head and b'"incident.' in head)
        or (b'"messages"' in head and b'"incident.' in head)
    ),
    ingest=True,
    signed=Signed("X-PagerDuty-Signature", "v1="),
)
