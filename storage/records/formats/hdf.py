"""MITRE Heimdall Data Format (JSON): each control of each profile.

A control of impact 0 is not_applicable; one with a failed result non_compliant; one with an error or a
skipped result, or without results, not_assessed; else compliant. Assessed when its newest result began.
The framework is the profile's name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from storage.records.documents import at, json_document, said
from storage.records.formats.form import Format
from storage.records.reader import Raw, Reading, Unreadable


def read(reading: Reading) -> Iterator[Raw]:
    """A control result for each control. Raises Unreadable."""
    profiles = at(json_document(reading), "profiles")
    if not isinstance(profiles, list):
        raise Unreadable("has no list of profiles")
    for p, profile in enumerate(profiles):
        for c, control in enumerate(at(profile, "controls") or []):
            results = [r for r in at(control, "results") or [] if isinstance(r, dict)]
            cells = {
                "framework": said(at(profile, "name")),
                "control": said(at(control, "id")),
                "result": _result(control, results),
                "assessed_at": max((said(at(r, "start_time")) for r in results), default=""),
            }
            called = {"control": "id", "assessed_at": "start_time", "framework": "name"}
            place = f"/profiles/{p}/controls/{c}"
            yield Raw(reading.path, 0, cells, called=called, place=place)


def _result(control: Any, results: list[dict[str, Any]]) -> str:
    states = {said(r.get("status")) for r in results}
    if at(control, "impact") == 0:
        return "not_applicable"
    if "failed" in states:
        return "non_compliant"
    return "compliant" if states == {"passed"} else "not_assessed"


FORMAT = Format(
    "hdf",
    {"control-results": read},
    "MITRE Heimdall Data Format (JSON)",
    sniff=lambda head: b'"profiles"' in head and b'"platform"' in head,
)
