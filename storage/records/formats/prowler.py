"""Prowler's output in OCSF (JSON): the results of the requirements that its checks serve.

A requirement fails when any of its checks fails, is not assessed when one is manual and none fails, and
passes otherwise; muted findings count for nothing. One result for each framework and requirement,
assessed when its newest finding was made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from storage.records.documents import at, json_items, said
from storage.records.formats.form import Format
from storage.records.reader import Raw, Reading

RESULTS = {"FAIL": "non_compliant", "MANUAL": "not_assessed", "PASS": "compliant"}
WORST = ("non_compliant", "not_assessed", "compliant")
Standing = dict[tuple[str, str], tuple[str, str]]


def read(reading: Reading) -> Iterator[Raw]:
    """A control result for each requirement; only the requirements are held, not the findings."""
    standing: Standing = {}
    for place, finding in json_items(reading):
        result = RESULTS.get(said(at(finding, "status_code")).upper())
        if result is None:
            reading.warn(f"left out the finding at {place}: its status_code is unknown")
        elif said(at(finding, "status")).lower() not in ("suppressed", "muted"):
            _add(standing, finding, result)
    for (framework, control), (result, when) in sorted(standing.items()):
        cells = {
            "framework": framework,
            "control": control,
            "result": result,
            "assessed_at": when,
        }
        yield Raw(reading.path, 0, cells, called={"assessed_at": "time_dt"})


def _add(standing: Standing, finding: Any, result: str) -> None:
    when = said(at(finding, "time_dt")) or said(at(finding, "finding_info.created_time_dt"))
    if when and not when.endswith("Z") and "+" not in when[10:]:
        when += "Z"
    mapped = at(finding, "unmapped.compliance")
    for framework, controls in mapped.items() if isinstance(mapped, dict) else ():
        for control in controls if isinstance(controls, list) else ():
            key = (str(framework)[:200], str(control)[:200])
            before, newest = standing.get(key, ("compliant", ""))
            standing[key] = (min(result, before, key=WORST.index), max(when, newest))


FORMAT = Format(
    "prowler",
    {"control-results": read},
    "Prowler findings (OCSF JSON)",
    sniff=lambda head: b"Prowler" in head and b'"status_code"' in head,
)
