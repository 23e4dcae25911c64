"""PagerDuty v3 webhooks: incidents triggered, acknowledged and resolved.

The key is the incident's id. The severity follows the priority (P1 to P4; P5 becomes p4), else the
urgency: high is p2, low is p4. An acknowledgement or a resolution counts from when it occurred.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from storage.records.documents import at, json_items, raw
from storage.records.formats.form import Format, Signed
from storage.records.reader import Raw, Reading

COLUMNS = {
    "key": "event.data.id",
    "title": "event.data.title",
    "opened_at": "event.data.created_at",
}
WHEN = {
    "incident.acknowledged": "acknowledged_at",
    "incident.resolved": "resolved_at",
    "incident.triggered": "",
}
URGENCIES = {"high": "p2", "low": "p4"}


def read(reading: Reading) -> Iterator[Raw]:
    """An incident for each event of one."""
    for place, payload in json_items(reading):
        kind = at(payload, "event.event_type")
        if kind not in WHEN:
            reading.warn(f"left out an event of type {str(kind)[:60]!r}")
            continue
        columns = COLUMNS | ({WHEN[kind]: "event.occurred_at"} if WHEN[kind] else {})
        yield raw(reading, payload, columns, place, severity=_severity(payload))


def _severity(payload: Any) -> str:
    priority = str(at(payload, "event.data.priority.summary") or "").lower()
    if priority:
        return "p4" if priority == "p5" else priority
    return URGENCIES.get(str(at(payload, "event.data.urgency")), "")


FORMAT = Format(
    "pagerduty",
    {"incidents": read},
    "PagerDuty v3 webhooks",
    sniff=lambda head: b'"event_type"' in head and b'"incident.' in head,
    ingest=True,
    signed=Signed("X-PagerDuty-Signature", "v1="),
)
