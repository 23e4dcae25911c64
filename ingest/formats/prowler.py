"""Prowler's output, versions 3 to 5: the results of the requirements that its checks serve, by account.

Read are OCSF (``-M json-ocsf``), version 3's own JSON, and the CSV of findings; a CSV of the compliance
folder with ``--map framework=NAME``, for it does not name its framework as the findings do. Version 2 and
ASFF are named, with what to export.

A requirement fails when any of its checks fails, is not assessed when one is manual and none fails, and
passes otherwise; muted findings count for nothing. One result for each framework, requirement and account,
assessed when its newest finding was made. A time without an offset is that of the file's epoch beside it,
else of ``--time-zone``, else of the installation's zone. The CSV parts requirements by commas, which some
names hold: there a requirement is taken to begin with a capital letter, and it is said that only OCSF can
tell. The asset is the provider with the account, subscription, project or cluster.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, NamedTuple

from aggregators.records.kinds import Fault
from aggregators.vocabulary.fields import printable
from ingest.documents import LeftOut, cell_text, epoch, json_items, text_lines, value_at
from ingest.formats.form import Format
from ingest.formats.scans import Scan, list_at
from ingest.reader import FormatInput, RawRecord, UnreadableFile

RESULTS = {
    "FAIL": "non_compliant",
    "MANUAL": "not_assessed",
    "INFO": "not_assessed",
    "WARNING": "not_assessed",
    "PASS": "compliant",
}
MUTED = ("suppressed", "muted")
FINDINGS = (b"AUTH_METHOD;", b"ASSESSMENT_START_TIME;")
"""How the CSV of findings begins: of versions 4 and 5, and of version 3."""
COMPLIANCE = b"REQUIREMENTS_ID;"
PARTED = (";", ",")
"""Marks between the cells: Prowler's own, and that of a spreadsheet that wrote the file again."""
TIMES = ("TIMESTAMP", "ASSESSMENT_START_TIME", "ASSESSMENTDATE")
ACCOUNTS = (
    *("ACCOUNT_UID", "ACCOUNT_ID", "ACCOUNTID", "SUBSCRIPTIONID", "SUBSCRIPTION", "PROJECTID"),
    *("PROJECT_ID", "TENANTID", "TENANT_ID", "ORGANIZATIONID", "CONTEXT", "ACCOUNT_NAME"),
)
"""Columns that name an account, by provider and version, the first that is filled in counts."""
NATIVE = ("AccountId", "Subscription", "ProjectId", "Context", "Tenant_Domain")
INSTEAD = "export the findings with -M json-ocsf (--output-formats json-ocsf)"
QUARTER = timedelta(minutes=15)


class Finding(NamedTuple):
    """Finding of a check: ``serves`` are the controls by framework."""

    pointer: str
    status: str
    muted: bool
    when: str
    asset: str
    serves: Mapping[str, Iterable[str]]


def read(reading: FormatInput) -> Iterator[RawRecord]:
    """A control result for each requirement of each account; only the requirements are held, not the
    findings. Raises UnreadableFile."""
    scan = Scan(reading, {"assessed_at": "time_dt", "asset": "account"})
    left_out = LeftOut(reading)
    for finding in _findings(reading):
        if not any(finding.serves.values()):
            left_out.add("a finding that serves no framework's requirement")
        result = RESULTS.get(finding.status.upper())
        if result is None:
            reason = f"the status {printable(finding.status)} is none of {', '.join(RESULTS)}"
            yield RawRecord(reading.path, 0, {}, Fault("", reason), pointer=finding.pointer)
        elif not finding.muted:
            for framework, controls in finding.serves.items():
                for control in controls:
                    scan.add(framework, control, finding.asset, result, finding.when)
    left_out.tell()
    yield from scan.records()


def _findings(reading: FormatInput) -> Iterator[Finding]:
    with reading.opened() as file:
        head = file.readline(8192).removeprefix(b"\xef\xbb\xbf")
    if head.lstrip()[:1] in (b"{", b"["):
        return _of_json(reading)
    if b"CHECK_RESULT" in head and b"ACCOUNT_NUM" in head:
        raise UnreadableFile(f"is the CSV of Prowler 2: {INSTEAD}, with version 4 or later")
    if COMPLIANCE in head and not reading.columns.get("framework"):
        raise UnreadableFile(
            "is a CSV of Prowler's compliance folder, which does not name its framework as the findings"
            f" do: {INSTEAD}, or name it with --map framework=NAME"
        )
    return _of_csv(reading)


def _of_json(reading: FormatInput) -> Iterator[Finding]:
    for pointer, finding in json_items(reading):
        if any(
            value_at(f, "ProductArn") is not None for f in (finding, *list_at(finding, "Findings"))
        ):
            raise UnreadableFile(f"is ASFF, which does not list its requirements: {INSTEAD}")
        is_native = value_at(finding, "CheckID") is not None
        yield _native(pointer, finding) if is_native else _ocsf(pointer, finding)


def _ocsf(pointer: str, finding: Any) -> Finding:
    account = _first(finding, "cloud.account.uid", "cloud.account.name", "unmapped.provider_uid")
    provider = _first(finding, "cloud.provider", "unmapped.provider")
    named = cell_text(value_at(finding, "time_dt")) or cell_text(
        value_at(finding, "finding_info.created_time_dt")
    )
    ticks = cell_text(value_at(finding, "finding_info.created_time")) or cell_text(
        value_at(finding, "time")
    )
    mapped = value_at(finding, "unmapped.compliance")
    serves = _lists(mapped) if isinstance(mapped, dict) else {}
    for each in list_at(finding, "compliance.requirements"):  # version 3
        for framework, controls in _requirements(cell_text(each)).items():
            serves.setdefault(framework, []).extend(controls)
    return Finding(
        pointer,
        cell_text(value_at(finding, "status_code")),
        cell_text(value_at(finding, "status")).lower() in MUTED,
        _with_epoch(named, ticks),
        _asset(provider, account),
        serves,
    )


def _first(document: Any, *paths: str) -> str:
    """The first of the texts at the paths that is told."""
    return next(filter(None, (cell_text(value_at(document, path)) for path in paths)), "")


def _lists(mapped: Mapping[Any, Any]) -> dict[str, list[str]]:
    return {
        str(framework): [cell_text(control) for control in controls if cell_text(control)]
        for framework, controls in mapped.items()
        if isinstance(controls, list)
    }


def _native(pointer: str, finding: Any) -> Finding:
    """A finding in version 3's own JSON."""
    compliance = value_at(finding, "Compliance")
    account = _first(finding, *NATIVE)
    return Finding(
        pointer,
        cell_text(value_at(finding, "Status")),
        cell_text(value_at(finding, "Muted")).lower() == "true",
        epoch(value_at(finding, "AssessmentStartTime")),
        _asset(cell_text(value_at(finding, "Provider")), account),
        _lists(compliance) if isinstance(compliance, dict) else {},
    )


def _with_epoch(named: str, ticks: str) -> str:
    """An instant by its name, in the zone that the epoch beside it shows: Prowler writes its machine's
    time without saying which zone that is."""
    if not ticks.isdigit():
        return epoch(named or ticks)
    try:
        local = datetime.fromisoformat(named)
        exact = datetime.fromisoformat(epoch(ticks))
    except (ValueError, OverflowError):
        return epoch(ticks)
    if local.tzinfo is not None:
        return named
    behind = local.replace(tzinfo=UTC) - exact
    offset = round(behind / QUARTER) * QUARTER
    close = abs(behind - offset) < timedelta(seconds=2)
    return (local.replace(tzinfo=UTC) - offset if close else exact).isoformat()


def _asset(provider: str, account: str) -> str:
    return ":".join(filter(None, (provider.strip(), account.strip()))) if account.strip() else ""


def _of_csv(reading: FormatInput) -> Iterator[Finding]:
    """Cells parted by ``;``, the requirements as ``framework: one, two | framework: three``."""
    lines = text_lines(reading)
    first = next(lines, "")
    parted = max(PARTED, key=first.count)
    rows = csv.DictReader(chain([first], lines), delimiter=parted, strict=True)
    guessed = LeftOut(reading)
    try:
        names = [(name or "").strip() for name in rows.fieldnames or ()]
        missing = [name for name in ("STATUS", TIMES[0]) if not _has(names, name)]
        if missing:
            raise UnreadableFile(f"lacks the columns {', '.join(missing)}")
        for row in rows:
            yield _row(f"line {rows.line_num}", row, guessed)
    except csv.Error as error:
        raise UnreadableFile(f"is no CSV at line {rows.line_num}: {error}") from error
    if guessed.reasons:
        reading.warn(
            f"requirements of {', '.join(sorted(guessed.reasons))} have names, and the CSV does not tell"
            " a comma in a name from one between two: each was taken to begin with a capital letter."
            " Only the OCSF output can tell (-M json-ocsf)"
        )


def _has(names: list[str], name: str) -> bool:
    return any(each in names for each in (TIMES if name in TIMES else (name,)))


def _row(pointer: str, row: Mapping[str | Any, Any], guessed: LeftOut) -> Finding:
    cells = {str(name).strip(): value or "" for name, value in row.items() if name is not None}
    if "REQUIREMENTS_ID" in cells:
        serves = {"": [cells["REQUIREMENTS_ID"]]}
    else:
        serves = {}
        for part in cells.get("COMPLIANCE", "").split(" | "):
            serves.update(_requirements(part, guessed))
    return Finding(
        pointer,
        cells.get("STATUS", "").strip(),
        cells.get("MUTED", "").strip().lower() == "true",
        epoch(next((cells[name].strip() for name in TIMES if cells.get(name)), "")),
        _asset(
            cells.get("PROVIDER", ""),
            next((cells[name] for name in ACCOUNTS if cells.get(name)), ""),
        ),
        serves,
    )


def _requirements(part: str, guessed: LeftOut | None = None) -> dict[str, list[str]]:
    """Requirements of ``framework: one, two``. Ids hold no spaces; where they are names, one begins with a
    capital letter, and that is a guess."""
    framework, _, text = part.partition(":")
    pieces = [piece.strip() for piece in text.split(",") if piece.strip()]
    if len(pieces) > 1 and any(" " in piece for piece in pieces):
        if guessed is not None:
            guessed.add(framework.strip())
        joined: list[str] = []
        for piece in pieces:
            if joined and not (piece[0].isupper() or piece[0].isdigit()):
                joined[-1] += f", {piece}"
            else:
                joined.append(piece)
        pieces = joined
    return {framework.strip(): pieces} if pieces else {}


def _looks_like_prowler(head: bytes) -> bool:
    head = head.removeprefix(b"\xef\xbb\xbf")
    if head.lstrip()[:1] in (b"{", b"["):
        ocsf = b"Prowler" in head and b'"status_code"' in head
        native = b'"CheckID"' in head and b'"StatusExtended"' in head
        asff = b'"ProductArn"' in head and b"prowler" in head.lower()
        return ocsf or native or asff
    first = head.split(b"\n", 1)[0]
    return (
        head.startswith(FINDINGS)
        or head.startswith(tuple(each.replace(b";", b",") for each in FINDINGS))
        or (COMPLIANCE in first and b"CHECKID" in first)
        or (b"CHECK_RESULT" in first and b"ACCOUNT_NUM" in first)
    )


FORMAT = Format(
    "prowler",
    {"control-results": read},
    "Prowler findings (OCSF JSON, CSV)",
    sniff=_looks_like_prowler,
)
