"""Statuspage: ``incidents.json`` of a page, the bare list of its v1 API, and one incident.

The key is the incident's id. Impact critical is p1, major p2, minor and none p3; another word is read
through the workspace's mapping. Planned maintenance is left out. An incident begins with its earliest
sign, of ``started_at``, ``created_at`` and the times shown with its updates, so that one dated back, or
forward by mistake, keeps a beginning. It ends at ``resolved_at``, else with the update that resolved
it; its postmortem is published at ``postmortem_published_at``, else with that update. A status page
tells no acknowledgement.

An incident's address is its ``shortlink``; a rule of the workspace may link by ``statuspage
metadata.NAME``.

A list is how the page sees its incidents: a newer one replaces what an older one said. It withdraws
what it lacks and an older list of the same page had, where that began after the list's oldest incident:
a page lists its newest ones. The bare list of the v1 API may be any page of it, so there only up to its
newest incident; a list of unresolved ones alone withdraws nothing, nor does what a page sends its
subscribers, which is of one incident.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aggregators.records.mentions import flat, normal_address, pack_mentions
from aggregators.vocabulary.fields import instant
from ingest.documents import (
    LeftOut,
    broken_row,
    cell_text,
    earliest_instant,
    json_document,
    record,
    value_at,
)
from ingest.formats.form import Format
from ingest.reader import FormatInput, ListedSpan, RawRecord, UnreadableFile

SEVERITIES = {"critical": "p1", "major": "p2", "minor": "p3", "none": "p3"}
OVER = ("resolved", "postmortem", "completed")
SIGNS = ("started_at", "created_at")
OTHERS = {
    "component_update": "a change of a component",
    "scheduled_maintenances": "planned maintenance",
}
"""Things that a document without incidents may hold, by their field."""


def read(reading: FormatInput) -> Iterator[RawRecord]:
    """An incident for each that is no maintenance. Raises UnreadableFile."""
    document = json_document(reading)
    incidents = document if isinstance(document, list) else value_at(document, "incidents")
    left_out, listed = LeftOut(reading), []
    if is_hook := isinstance(value_at(document, "incident"), dict):
        incidents = [value_at(document, "incident")]
    elif value_at(document, "impact") is not None and value_at(document, "id"):
        incidents, is_hook = [document], True
    elif reason := next((why for name, why in OTHERS.items() if value_at(document, name)), ""):
        left_out.add(reason)
        incidents = incidents or []
    if not isinstance(incidents, list):
        raise UnreadableFile("has no list of incidents")
    for number, incident in enumerate(incidents):
        pointer = f"/{number}" if isinstance(document, list) else f"/incidents/{number}"
        if is_hook:
            pointer = "" if incident is document else "/incident"
        if value_at(incident, "impact") == "maintenance" or value_at(incident, "scheduled_for"):
            left_out.add("planned maintenance")
        elif not cell_text(value_at(incident, "id")):
            yield broken_row(reading, "is no incident of a status page: it has no id", pointer)
        else:
            source = _source(document, incident)
            listed.append((source, incident))
            yield _incident(reading, incident, pointer)._replace(source=source)
    left_out.tell()
    if is_hook:  # one incident is no list of all
        return
    for source in sorted({source for source, _ in listed}):
        own = [incident for of, incident in listed if of == source]
        _tell_span(reading, source, own, isinstance(document, list))


def _source(document: Any, incident: Any) -> str:
    """The page whose words they are."""
    page = cell_text(value_at(document, "page.id")) or cell_text(value_at(incident, "page_id"))
    return f"statuspage:{page[:100]}" if page else "statuspage"


def _incident(reading: FormatInput, incident: Any, pointer: str) -> RawRecord:
    impact = cell_text(
        value_at(incident, "impact") or value_at(incident, "impact_override")
    ).lower()
    ended = cell_text(value_at(incident, "resolved_at")) or _last_update_of(incident, ("resolved",))
    cells = {
        "severity": SEVERITIES.get(impact, impact),
        "opened_at": _began(incident),
        "resolved_at": "",
        "over": "",
        "withdrawn": "",
    }
    if value_at(incident, "status") in OVER or value_at(incident, "resolved_at"):
        cells |= {"resolved_at": ended} if ended else {"over": "yes"}
    published = cell_text(value_at(incident, "postmortem_published_at"))
    if value_at(incident, "status") == "postmortem":
        published = published or _last_update_of(incident, ("postmortem",))
    cells["postmortem_published_at"] = published
    cells["mentions"] = pack_mentions(
        "statuspage", flat(value_at(incident, "metadata"), "metadata")
    )
    cells["addresses"] = normal_address(cell_text(value_at(incident, "shortlink")))
    row = record(reading, incident, {"key": "id", "title": "name"}, pointer, cells)
    return row._replace(at=cell_text(value_at(incident, "updated_at")))


def _updates(incident: Any) -> list[Any]:
    updates = value_at(incident, "incident_updates")
    return updates if isinstance(updates, list) else []


def _update_time(update: Any) -> str:
    return cell_text(value_at(update, "display_at")) or cell_text(value_at(update, "created_at"))


def _began(incident: Any) -> str:
    """The earliest sign of it."""
    signs = [cell_text(value_at(incident, sign)) for sign in SIGNS]
    return earliest_instant(*signs, *map(_update_time, _updates(incident)))


def _last_update_of(incident: Any, statuses: tuple[str, ...]) -> str:
    """When the last update of these statuses is shown to have been; empty without one."""
    times = [_update_time(u) for u in _updates(incident) if value_at(u, "status") in statuses]
    return max(times, default="")


def _tell_span(reading: FormatInput, source: str, listed: list[Any], is_bare: bool) -> None:
    """Tells the span of which the list has every incident of the page."""
    try:
        began = [instant(_began(incident)) for incident in listed]
    except ValueError:
        reading.warn(
            "withdraws nothing: an incident of the list tells no beginning that can be read"
        )
        return
    if not any(value_at(i, "status") in OVER or value_at(i, "resolved_at") for i in listed):
        return
    reading.lists(ListedSpan(source, min(began), max(began) if is_bare else None))


FORMAT = Format(
    "statuspage",
    {"incidents": read},
    "Statuspage incidents.json, the list of its v1 API, and what it sends subscribers",
    sniff=lambda head: (
        b'"impact"' in head
        and any(name in head for name in (b'"incidents"', b'"page_id"', b'"incident_updates"'))
    ),
)
