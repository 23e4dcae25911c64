"""Alertmanager webhooks (version 4): each alert is an incident.

The key is the alert's fingerprint and its start, so an alert that fires again is a new incident. The
severity label critical becomes p1, error and page p2, info p4, anything else p3. A firing alert, or one
whose end is the year 1, is open.
"""

from __future__ import annotations

from collections.abc import Iterator

from storage.records.documents import at, broken, json_items, raw, said
from storage.records.formats.form import Format
from storage.records.reader import Raw, Reading

SEVERITIES = {"critical": "p1", "error": "p2", "page": "p2", "info": "p4"}


def read(reading: Reading) -> Iterator[Raw]:
    """An incident for each alert."""
    for place, payload in json_items(reading):
        alerts = at(payload, "alerts")
        if not isinstance(alerts, list):
            yield broken(reading, "has no list of alerts", place)
            continue
        for number, alert in enumerate(alerts):
            yield _incident(reading, alert, f"{place}/alerts/{number}")


def _incident(reading: Reading, alert: object, place: str) -> Raw:
    start, end = said(at(alert, "startsAt")), said(at(alert, "endsAt"))
    ended = at(alert, "status") == "resolved" and not end.startswith("0001")
    summary = said(at(alert, "annotations.summary")) or said(at(alert, "labels.alertname"))
    columns = {"opened_at": "startsAt"} | ({"resolved_at": "endsAt"} if ended else {})
    return raw(
        reading,
        alert,
        columns,
        place,
        key=f"{said(at(alert, 'fingerprint'))}/{start}",
        title=" ".join(summary.split())[:500],
        severity=SEVERITIES.get(said(at(alert, "labels.severity")), "p3"),
    )


FORMAT = Format(
    "alertmanager",
    {"incidents": read},
    "Prometheus Alertmanager webhooks",
    sniff=lambda head: b'"alerts"' in head and b'"groupKey"' in head,
    ingest=True,
)
