"""PagerDuty: webhooks v3 and v2, and answers of the REST API (incidents, one incident, log entries).

The key is the incident's id. Each event tells what happened when it occurred, in whatever order it
arrives: triggered opens (at ``created_at``), acknowledged acknowledges (the first one counts), resolved
resolves (the last one counts), reopened opens again; delegated, escalated, reassigned, unacknowledged
and priority_updated tell that it is still open, its title and its priority. An incident resolved
because it was merged (``merge_resolve_reason``) is part of the other one.

The priority's name is a free word (P1, SEV-1, "P1 - Critical"), read through the workspace's mapping of
severities; P5 is p4. Without a priority that is known the urgency decides: high is p2, low is p4.

A list of the REST API (``GET /incidents``) is how PagerDuty sees its incidents: ``acknowledgements``
tell the first of those that still hold, ``resolved_at``, or ``last_status_change_at`` of a resolved
one, the end. The whole history of an incident is in its log entries (``log_entries`` in the incident,
or ``GET /log_entries``).

An incident's address is its ``html_url``. A rule of the workspace may link by ``pagerduty incident_key``,
``pagerduty custom_fields.NAME`` and ``pagerduty external_references.external_url`` or ``.external_id``.

Left out: events about anything else than an incident's life (notes, responders, status updates, pings).
PagerDuty signs v3 only; v2, which it no longer sends, is for files that were kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from aggregators.records.mentions import flat, normal_address, pack_mentions
from ingest.documents import LeftOut, broken_row, cell_text, event, json_items, record, value_at
from ingest.formats.form import Format, Signed
from ingest.reader import FormatInput, RawRecord


class Shape(NamedTuple):
    """Where a message has its parts."""

    event: str
    occurred: str
    incident: str


V3 = Shape("event.event_type", "event.occurred_at", "event.data")
V2 = Shape("event", "created_on", "incident")
OURS = {"key": "id", "opened_at": "created_at", "urgency": "urgency"}
STEPS = {
    "triggered": (),
    "acknowledged": ("acknowledged_at", "open_at"),
    "resolved": ("resolved_at",),
    "reopened": ("reopened_at",),
    "unacknowledged": ("open_at",),
    "delegated": ("open_at",),
    "reassigned": ("open_at",),
    "escalated": ("open_at",),
    "priority_updated": (),
}
"""Of the events of an incident's life, the fields that the instant of the event is told as."""
OF_V2 = {
    "trigger": "triggered",
    "acknowledge": "acknowledged",
    "unacknowledge": "unacknowledged",
    "resolve": "resolved",
    "reopen": "reopened",
    "delegate": "delegated",
    "assign": "reassigned",
    "escalate": "escalated",
}
"""Events of v2, and log entries, as those of v3."""
MERGED = "merge_resolve_reason"


def read(reading: FormatInput) -> Iterator[RawRecord]:
    """An incident for each event of one, and for each of a list."""
    left_out = LeftOut(reading)
    for pointer, payload in json_items(reading):
        yield from _payload(reading, payload, pointer, left_out)
    left_out.tell()


def _payload(
    reading: FormatInput, payload: Any, pointer: str, left_out: LeftOut
) -> Iterator[RawRecord]:
    """Rows of a payload: of an event of either version, an incident, or a list."""
    for name, each in LISTS.items():
        if isinstance(items := value_at(payload, name), list) and value_at(payload, "id") is None:
            for number, item in enumerate(items):
                yield from each(reading, item, f"{pointer}/{name}/{number}", left_out)
            return
    if isinstance(value_at(payload, "incident"), Mapping) and value_at(payload, "event") is None:
        yield from _listed_incident(
            reading, value_at(payload, "incident"), f"{pointer}/incident", left_out
        )
    elif (
        value_at(payload, "id") and value_at(payload, "created_at") and value_at(payload, "status")
    ):
        yield from _listed_incident(reading, payload, pointer, left_out)
    elif isinstance(value_at(payload, "event"), str):
        yield from _event(reading, payload, V2, pointer, left_out)
    elif value_at(payload, "event") is None:
        yield broken_row(
            reading, "is neither an event nor a list of incidents of PagerDuty", pointer
        )
    else:
        yield from _event(reading, payload, V3, pointer, left_out)


def _event(
    reading: FormatInput, message: Any, shape: Shape, pointer: str, left_out: LeftOut
) -> Iterator[RawRecord]:
    """Statement of an event about an incident; any other event is left out."""
    name = cell_text(value_at(message, shape.event))
    if not name:
        yield broken_row(reading, _nameless(message), pointer)
        return
    subject, _, verb = name.partition(".")
    step = OF_V2.get(verb, verb)
    if subject != "incident" or step not in STEPS:
        left_out.add(f"an event of type {name[:60]!r}")
        return
    columns = {ours: f"{shape.incident}.{theirs}" for ours, theirs in OURS.items()}
    incident = value_at(message, shape.incident)
    columns, cells = _columns_and_cells(
        columns, STEPS[step], shape.occurred, incident, began=step == "triggered"
    )
    row = record(reading, message, columns, pointer, cells | _words(incident))
    yield event(row, cell_text(value_at(message, shape.occurred)))


def _nameless(message: Any) -> str:
    """Name of a message without an event's name."""
    if value_at(message, "data.incident") is not None:
        return "is a webhook of version 1: v2 and v3 are read, and lists of the REST API"
    return "names no event"


def _columns_and_cells(
    columns: dict[str, str],
    steps: tuple[str, ...],
    occurred: str,
    incident: Any,
    began: bool = False,
) -> tuple[dict[str, str], dict[str, str]]:
    """The columns and cells that a step tells; the end of a merged incident tells where it went, the event
    with which one ``began`` when that was, where the incident does not."""
    into = value_at(incident, "resolve_reason.incident.id")
    if "resolved_at" in steps and value_at(incident, "resolve_reason.type") == MERGED and into:
        return columns, {"merged_into": cell_text(into)}
    if began and value_at(incident, "created_at") is None:
        columns = columns | {"opened_at": occurred}
    return columns | dict.fromkeys(steps, occurred), {}


def _words(incident: Any) -> dict[str, str]:
    """Title, the name of the priority where there is one, and what names it elsewhere."""
    title = cell_text(value_at(incident, "title")) or cell_text(value_at(incident, "summary"))
    name = cell_text(value_at(incident, "priority.summary")) or cell_text(
        value_at(incident, "priority.name")
    )
    cells = {"severity": name, "mentions": _mentions(incident)}
    cells["addresses"] = normal_address(cell_text(value_at(incident, "html_url")))
    return {"title": title} | {field: cell for field, cell in cells.items() if cell}


def _mentions(incident: Any) -> str:
    """The key of its integration, its custom fields, and references to other systems."""
    fields = value_at(incident, "custom_fields")
    named: dict[str, object] = {
        f"custom_fields.{cell_text(value_at(field, 'name'))}": value_at(field, "value")
        for field in (fields if isinstance(fields, list) else ())
    }
    named |= flat(value_at(incident, "external_references"), "external_references")
    return pack_mentions("pagerduty", named | {"incident_key": value_at(incident, "incident_key")})


def _listed_incident(
    reading: FormatInput, incident: Any, pointer: str, left_out: LeftOut
) -> Iterator[RawRecord]:
    """An incident as the REST API gives it: a row, and what its log entries tell."""
    if value_at(incident, "id") is None:
        yield broken_row(reading, "is no incident: it has no id", pointer)
        return
    status, changed = (
        value_at(incident, "status"),
        cell_text(value_at(incident, "last_status_change_at")),
    )
    columns, cells = dict(OURS), _words(incident)
    if status == "resolved":
        ended = "resolved_at" if value_at(incident, "resolved_at") else "last_status_change_at"
        steps = ("resolved_at",) if value_at(incident, ended) else ()
        columns, more = _columns_and_cells(columns, steps, ended, incident)
        cells |= more or ({} if steps else {"over": "yes"})
    else:
        cells |= {"resolved_at": "", "over": ""} | ({"open_at": changed} if changed else {})
    if (first := _first_acknowledgement(incident)) is not None:
        columns["acknowledged_at"] = first
    row = record(reading, incident, columns, pointer, cells)
    yield row._replace(at=cell_text(value_at(incident, "updated_at")) or changed)
    entries = value_at(incident, "log_entries")
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        yield from _statement_of_entry(
            reading, entry, incident, f"{pointer}/log_entries/{number}", left_out
        )


def _first_acknowledgement(incident: Any) -> str | None:
    """Path of the first acknowledgement that still holds, or None."""
    given = value_at(incident, "acknowledgements")
    instants = [
        (cell_text(value_at(a, "at")), n)
        for n, a in enumerate(given if isinstance(given, list) else ())
    ]
    known = [(instant, number) for instant, number in instants if instant]
    return f"acknowledgements.{min(known)[1]}.at" if known else None


def _statement_of_entry(
    reading: FormatInput, entry: Any, incident: Any, pointer: str, left_out: LeftOut
) -> Iterator[RawRecord]:
    """Statement of one entry of a log about its incident."""
    kind = (
        cell_text(value_at(entry, "type"))
        .removesuffix("_log_entry")
        .removesuffix("_log_entry_reference")
    )
    step = OF_V2.get(kind)
    key = cell_text(value_at(incident, "id"))
    if step is None or not key:
        left_out.add(f"a log entry of type {kind[:60]!r}")
        return
    steps = STEPS[step] or (("opened_at",) if step == "triggered" else ())
    columns, cells = _columns_and_cells({}, steps, "created_at", incident)
    row = record(reading, entry, columns, pointer, {"key": key} | cells)
    yield event(row, cell_text(value_at(entry, "created_at")))


def _message(
    reading: FormatInput, message: Any, pointer: str, left_out: LeftOut
) -> Iterator[RawRecord]:
    return _event(reading, message, V2, pointer, left_out)


def _entry(
    reading: FormatInput, entry: Any, pointer: str, left_out: LeftOut
) -> Iterator[RawRecord]:
    return _statement_of_entry(reading, entry, value_at(entry, "incident"), pointer, left_out)


LISTS = {"messages": _message, "incidents": _listed_incident, "log_entries": _entry}
"""How the items of a payload's list are read, by its name."""
FORMAT = Format(
    "pagerduty",
    {"incidents": read},
    "PagerDuty webhooks, v3 and v2, and lists of its REST API",
    sniff=lambda head: (
        (b'"event_type"' in head and b'"incident.' in head)
        or (b'"messages"' in head and b'"incident.' in head)
        or (b'"incidents"' in head and b'"urgency"' in head)
        or (b'"log_entries"' in head and b"_log_entry" in head)
    ),
    ingest=True,
    signed=Signed("X-PagerDuty-Signature", "v1="),
)
