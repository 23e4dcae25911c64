"""Statuspage's ``incidents.json``: the incidents that a status page has published.

Impact critical becomes p1, major p2, minor and none p3; planned maintenance is left out. An incident
begins at ``started_at``, else at ``created_at``.
"""

from __future__ import annotations

from collections.abc import Iterator

from storage.records.documents import at, broken, json_document, raw
from storage.records.formats.form import Format
from storage.records.reader import Raw, Reading, Unreadable

SEVERITIES = {"critical": "p1", "major": "p2", "minor": "p3", "none": "p3"}


def read(reading: Reading) -> Iterator[Raw]:
    """An incident for each that is no maintenance. Raises Unreadable."""
    found = at(json_document(reading), "incidents")
    if not isinstance(found, list):
        raise Unreadable("has no list of incidents")
    for number, incident in enumerate(found):
        place, impact = f"/incidents/{number}", at(incident, "impact")
        if impact == "maintenance":
            reading.warn(f"left out the maintenance at {place}")
        elif impact not in SEVERITIES:
            yield broken(reading, f"impact is unknown: {str(impact)[:40]!r}", place)
        else:
            begun = "started_at" if at(incident, "started_at") else "created_at"
            columns = {
                "key": "id",
                "title": "name",
                "opened_at": begun,
                "resolved_at": "resolved_at",
            }
            yield raw(reading, incident, columns, place, severity=SEVERITIES[impact])


FORMAT = Format(
    "statuspage",
    {"incidents": read},
    "Statuspage incidents.json",
    sniff=lambda head: b'"incidents"' in head and b'"impact"' in head,
)
