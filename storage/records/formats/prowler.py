"""Prowler's output, OCSF (JSON) or CSV: the results of the requirements that its checks serve.

A requirement fails when any of its checks fails, is not assessed when one is manual and none fails, and
passes otherwise; muted findings count for nothing. One result for each framework and requirement,
assessed when its newest finding was made. Times without a zone are UTC.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from storage.records.documents import at, json_items, said, text_lines
from storage.records.fields import shown
from storage.records.formats.form import Format
from storage.records.kinds import Fault
from storage.records.reader import Raw, Reading, Unreadable

RESULTS = {"FAIL": "non_compliant", "MANUAL": "not_assessed", "PASS": "compliant"}
WORST = ("non_compliant", "not_assessed", "compliant")
CSV_BEGINS = b"AUTH_METHOD;"
NEEDED = ("STATUS", "TIMESTAMP", "COMPLIANCE")


class Finding(NamedTuple):
    """What one check found: ``serves`` are the controls by framework."""

    place: str
    status: str
    muted: bool
    when: str
    serves: Mapping[str, Iterable[str]]


def read(reading: Reading) -> Iterator[Raw]:
    """A control result for each requirement; only the requirements are held, not the findings.

    Raises Unreadable.
    """
    standing: dict[tuple[str, str], tuple[str, str]] = {}
    for finding in _findings(reading):
        result = RESULTS.get(finding.status.upper())
        if result is None:
            reason = f"the status {shown(finding.status)} is none of {', '.join(RESULTS)}"
            yield Raw(reading.path, 0, {}, Fault("", reason), place=finding.place)
        elif not finding.muted:
            for framework, controls in finding.serves.items():
                for control in controls:
                    key = (framework, control)
                    before, newest = standing.get(key, ("compliant", ""))
                    standing[key] = (
                        min(result, before, key=WORST.index),
                        max(finding.when, newest),
                    )
    for (framework, control), (result, when) in sorted(standing.items()):
        cells = {
            "framework": framework,
            "control": control,
            "result": result,
            "assessed_at": when,
        }
        yield Raw(reading.path, 0, cells, called={"assessed_at": "time_dt"})


def _findings(reading: Reading) -> Iterator[Finding]:
    with reading.opened() as file:
        is_csv = file.read(len(CSV_BEGINS)) == CSV_BEGINS
    return _of_csv(reading) if is_csv else _of_ocsf(reading)


def _of_ocsf(reading: Reading) -> Iterator[Finding]:
    for place, finding in json_items(reading):
        mapped = at(finding, "unmapped.compliance")
        yield Finding(
            place,
            said(at(finding, "status_code")),
            said(at(finding, "status")).lower() in ("suppressed", "muted"),
            _utc(said(at(finding, "time_dt")) or said(at(finding, "finding_info.created_time_dt"))),
            {
                str(framework): [str(control) for control in controls]
                for framework, controls in (mapped.items() if isinstance(mapped, dict) else ())
                if isinstance(controls, list)
            },
        )


def _of_csv(reading: Reading) -> Iterator[Finding]:
    """Cells parted by ``;``, the requirements as ``framework: one, two | framework: three``."""
    rows = csv.DictReader(text_lines(reading), delimiter=";", strict=True)
    try:
        missing = [name for name in NEEDED if name not in (rows.fieldnames or ())]
        if missing:
            raise Unreadable(f"lacks the columns {', '.join(missing)}")
        for row in rows:
            said_of = [
                part.partition(":") for part in (row["COMPLIANCE"] or "").split("|") if part.strip()
            ]
            yield Finding(
                f"line {rows.line_num}",
                row["STATUS"] or "",
                (row.get("MUTED") or "").lower() == "true",
                _utc(row["TIMESTAMP"] or ""),
                {
                    framework.strip(): [c.strip() for c in controls.split(",") if c.strip()]
                    for framework, _, controls in said_of
                },
            )
    except csv.Error as error:
        raise Unreadable(f"is no CSV at line {rows.line_num}: {error}") from error


def _utc(when: str) -> str:
    when = when.replace(" ", "T", 1)
    return when if not when or when.endswith("Z") or "+" in when[10:] else f"{when}Z"


FORMAT = Format(
    "prowler",
    {"control-results": read},
    "Prowler findings (OCSF JSON, CSV)",
    sniff=lambda head: (
        (b"Prowler" in head and b'"status_code"' in head) or head.startswith(CSV_BEGINS)
    ),
)
