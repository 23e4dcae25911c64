"""Opsgenie, and Jira Service Management: webhooks of alerts, and lists of alerts of the REST API.

The key is the alert's id. Create opens, Acknowledge acknowledges (the first one counts), Close resolves
(the last one counts); UnAcknowledge, Snooze and escalations tell that it is still open; UpdatePriority
tells the priority, Delete withdraws it. Priorities P1 to P5 go through the workspace's mapping of
severities: P5 is p4.

A rule of the workspace may link by ``opsgenie details.NAME`` and ``opsgenie alias``.

A list (``GET /v2/alerts``, or ``/v1/alerts`` of Jira Service Management) is how the sender sees its
alerts: acknowledged and closed after ``report.ackTime`` and ``report.closeTime`` milliseconds. An alert
that is closed without a time is over, at an instant that is unknown. A list of Opsgenie's incidents is read
too: an incident is over where it is resolved, and begins and ends with its impact where that is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from aggregators.records.mentions import flat, pack_mentions
from aggregators.vocabulary.fields import instant
from ingest.documents import (
    LeftOut,
    broken_row,
    cell_text,
    earliest_instant,
    epoch,
    event,
    json_items,
    record,
    value_at,
)
from ingest.formats.form import Format
from ingest.reader import FormatInput, RawRecord

STEPS = {
    "create": "",
    "acknowledge": "acknowledged_at",
    "unacknowledge": "open_at",
    "addnote": "",
    "escalatenext": "open_at",
    "escalate": "open_at",
    "assignownership": "",
    "snooze": "open_at",
    "updatepriority": "",
    "close": "resolved_at",
    "delete": "",
}
"""Of the actions, the field that the instant of the action is told as."""
OVER = ("closed", "resolved")
"""States in which an alert, and an incident, is over."""


def read(reading: FormatInput) -> Iterator[RawRecord]:
    """A statement for each action, or each alert of a list."""
    left_out = LeftOut(reading)
    for pointer, payload in json_items(reading):
        name = next((n for n in ("data", "values") if isinstance(value_at(payload, n), list)), "")
        if value_at(payload, "action") is not None:
            yield from _action(reading, payload, pointer, left_out)
        elif name:
            for number, alert in enumerate(value_at(payload, name)):
                yield _listed_alert(reading, alert, f"{pointer}/{name}/{number}")
        else:
            alert = value_at(payload, "data") or payload
            yield _listed_alert(reading, alert, pointer)
    left_out.tell()


def _action(
    reading: FormatInput, payload: Any, pointer: str, left_out: LeftOut
) -> Iterator[RawRecord]:
    action = cell_text(value_at(payload, "action")).lower()
    if action not in STEPS:
        left_out.add(f"an action {cell_text(value_at(payload, 'action'))[:60]!r}")
        return
    alert = value_at(payload, "alert")
    changed = epoch(value_at(alert, "updatedAt")) or epoch(value_at(alert, "createdAt"))
    cells = _words(alert, cell_text(value_at(alert, "alertId")) or cell_text(value_at(alert, "id")))
    if step := STEPS[action]:
        cells[step] = changed
    if action == "delete":
        cells["withdrawn"] = "yes"
    yield event(record(reading, payload, {}, pointer, cells), changed)


def _words(alert: Any, key: str) -> dict[str, str]:
    alias = {"alias": value_at(alert, "alias")}
    cells = {
        "key": key,
        "title": cell_text(value_at(alert, "message")),
        "opened_at": epoch(value_at(alert, "createdAt")),
        "severity": cell_text(value_at(alert, "priority")),
        "mentions": pack_mentions("opsgenie", flat(value_at(alert, "details"), "details") | alias),
    }
    return {name: cell for name, cell in cells.items() if cell}


def _listed_alert(reading: FormatInput, alert: Any, pointer: str) -> RawRecord:
    """An alert of a list, as a row."""
    key = cell_text(value_at(alert, "id"))
    if not key or value_at(alert, "createdAt") is None:
        return broken_row(reading, "is no alert of Opsgenie: it has no id or no createdAt", pointer)
    cells = {**_words(alert, key), "resolved_at": "", "over": ""}
    if began := cell_text(value_at(alert, "impactStartDate")):
        cells["opened_at"] = earliest_instant(cells["opened_at"], began)
    if acknowledged := _instant_after(
        epoch(value_at(alert, "createdAt")), value_at(alert, "report.ackTime")
    ):
        cells["acknowledged_at"] = acknowledged
    changed = epoch(value_at(alert, "updatedAt"))
    if cell_text(value_at(alert, "status")).lower() in OVER:
        ended = _instant_after(
            epoch(value_at(alert, "createdAt")), value_at(alert, "report.closeTime")
        )
        ended = ended or cell_text(value_at(alert, "impactEndDate"))
        cells |= {"resolved_at": ended} if ended else {"over": "yes"}
    elif changed:
        cells["open_at"] = changed
    return record(reading, alert, {}, pointer, cells)._replace(at=changed)


def _instant_after(start: str, milliseconds: Any) -> str:
    """An instant so many milliseconds after another; empty where that can not be told."""
    if not isinstance(milliseconds, (int, float)) or not 0 < milliseconds < 1e14:
        return ""
    try:
        return (instant(start) + timedelta(milliseconds=milliseconds)).isoformat()
    except (ValueError, OverflowError):
        return ""


FORMAT = Format(
    "opsgenie",
    {"incidents": read},
    "Opsgenie and Jira Service Management alerts",
    sniff=lambda head: (
        (b'"alertId"' in head and b'"action"' in head)
        or (b'"tinyId"' in head and b'"createdAt"' in head)
    ),
    ingest=True,
)
