"""OSCAL assessment results (JSON): each finding is the result of the control that it targets.

satisfied becomes compliant, not-satisfied non_compliant, anything else not_assessed. ``ac-6.1_obj`` is
the objective of control ``ac-6.1``; where several objectives of a control were looked at, the worst
counts. A control that was reviewed and has no finding is not_assessed: nobody said how it stands.
Assessed at the result's end, else its start. The framework is OSCAL unless ``--map`` gives another name.
Catalogs, profiles and plans hold no results.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from storage.records.documents import at, json_document, said
from storage.records.formats.form import Format
from storage.records.reader import Raw, Reading, Unreadable

STATES = {"satisfied": "compliant", "not-satisfied": "non_compliant"}
WORST = ("non_compliant", "not_assessed", "compliant")


def read(reading: Reading) -> Iterator[Raw]:
    """A control result for each control with a finding. Raises Unreadable."""
    document = json_document(reading)
    results = at(document, "assessment-results.results")
    if not isinstance(results, list):
        what = next(iter(document), "nothing") if isinstance(document, dict) else "a list"
        raise Unreadable(f"is no assessment-results document but {str(what)[:60]!r}")
    framework = reading.columns.get("framework", "OSCAL").upper()
    for number, result in enumerate(results):
        when = said(at(result, "end")) or said(at(result, "start"))
        for control, state in _controls(result).items():
            cells = {
                "framework": framework,
                "control": control,
                "result": state,
                "assessed_at": when,
            }
            place = f"/assessment-results/results/{number}"
            yield Raw(reading.path, 0, cells, called={"assessed_at": "end"}, place=place)


def _controls(result: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for finding in at(result, "findings") or []:
        target = said(at(finding, "target.target-id"))
        control = target.split("_")[0]
        state = STATES.get(said(at(finding, "target.status.state")), "not_assessed")
        before = found.get(control, "compliant")
        found[control] = min(state, before, key=WORST.index)
    reviewed = [
        said(at(control, "control-id"))
        for selection in at(result, "reviewed-controls.control-selections") or []
        for control in at(selection, "include-controls") or []
    ]
    return dict.fromkeys(filter(None, reviewed), "not_assessed") | found


FORMAT = Format(
    "oscal",
    {"control-results": read},
    "OSCAL assessment results (JSON)",
    sniff=lambda head: b'"assessment-results"' in head,
)
