"""Files of no format that is read: what each is, by its first bytes, and which output to take instead."""

from __future__ import annotations

import re
from typing import NamedTuple

from aggregators.records.kinds import RecordKind

INSTEAD = "export its findings in a format that is read"


class Stranger(NamedTuple):
    """A kind of file, recognised where all of ``marks`` stand in its first bytes."""

    marks: tuple[bytes, ...]
    reason: str


STRANGERS = (
    Stranger(
        (b"oval_results",), "is OpenSCAP's OVAL results: take XCCDF results (--results) or ARF"
    ),
    Stranger(
        (b"<oval_definitions",), "is OVAL definitions, which hold no results: take XCCDF results"
    ),
    Stranger((b'"runs"', b'"tool"'), f"is SARIF: {INSTEAD}"),
    Stranger((b"sarif-schema",), f"is SARIF: {INSTEAD}"),
    Stranger((b"<NessusClientData",), f"is a Nessus report: {INSTEAD}"),
    Stranger((b"<CHECKLIST>",), "is a STIG Viewer checklist: convert it to HDF"),
    Stranger((b'"cklb_version"',), "is a STIG Viewer checklist: convert it to HDF"),
    Stranger((b'"bomFormat"',), "is a CycloneDX bill of materials: it holds no results"),
    Stranger((b'"spdxVersion"',), "is an SPDX bill of materials: it holds no results"),
    Stranger((b"<testsuite",), "is a JUnit report: it names no controls"),
    Stranger((b"<!doctype html",), "is a web page: export data, not a report for people"),
    Stranger((b"<html",), "is a web page: export data, not a report for people"),
)
KEYSTORES = (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce")
KEYSTORE = "is a Java keystore: export each with keytool -exportcert -rfc"
FIRST = (
    Stranger((b"%PDF",), "is a PDF: export data, not a report for people"),
    Stranger((b"\xd0\xcf\x11\xe0",), "is an old Excel or Word file: save it as CSV"),
    Stranger((b"SQLite format 3",), "is a SQLite database: export CSV"),
    Stranger(KEYSTORES, KEYSTORE),
)
"""Recognised by how they begin."""
PEM = b"-----BEGIN "
KEY = re.compile(rb"[A-Za-z_][\w-]*:( |\r?\n|$)")


def stranger(kind: RecordKind, head: bytes, formats: list[str]) -> str | None:
    """Reason why a file that begins so is no CSV; None where it may be one. ``formats`` are those that have
    the kind."""
    lower = head.lower()
    for known in FIRST:
        if head.startswith(known.marks):
            return known.reason
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(PEM):
        if kind.name == "certificates":
            return "holds no certificate, but other things in PEM"
        return f"is PEM, which holds no {kind.name}: import it as certificates"
    if text[:1] not in (b"{", b"[", b"<") and not _is_yaml(text):
        return None
    for known in STRANGERS:
        if all(mark.lower() in lower for mark in known.marks):
            return known.reason
    looks = "XML" if text[:1] == b"<" else "YAML" if _is_yaml(text) else "JSON"
    return (
        f"is {looks} of no format that is known for {kind.name}: name it with --format"
        f" ({', '.join(formats)})"
    )


def _is_yaml(text: bytes) -> bool:
    """Whether the first line that says something is a key of YAML, and no header of CSV."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(b"#")]
    first = lines[0] if lines else b""
    return first.startswith(b"---") or (KEY.match(first) is not None and b"," not in first)
