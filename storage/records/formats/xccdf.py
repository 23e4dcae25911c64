"""XCCDF results (XML), as OpenSCAP writes them: each rule-result is a control's.

pass and fixed become compliant, fail non_compliant, notapplicable and notselected not_applicable, anything
else not_assessed. A rule without a time of its own was assessed when the test ended. The framework is the
profile of the TestResult. Document types and entities are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from storage.records.documents import broken, local, xml_elements
from storage.records.formats.form import Format
from storage.records.reader import Raw, Reading

RESULTS = {
    "pass": "compliant",
    "fixed": "compliant",
    "fail": "non_compliant",
    "notapplicable": "not_applicable",
    "notselected": "not_applicable",
    "error": "not_assessed",
    "unknown": "not_assessed",
    "notchecked": "not_assessed",
    "informational": "not_assessed",
}
_PREFIX = re.compile(r"xccdf_[^_]+_(rule|profile|testresult)_")
"""How XCCDF 1.2 begins an id: with its owner and what it is of."""


def read(reading: Reading) -> Iterator[Raw]:
    """A control result for each rule. Raises Unreadable."""
    framework, ended, number = "XCCDF", "", 0
    for element in xml_elements(reading, ("profile", "rule-result"), begun=("TestResult",)):
        match local(element.tag):
            case "TestResult":
                framework = _short(element.get("id") or framework)
                ended = element.get("end-time") or element.get("start-time") or ""
            case "profile":
                framework = _short(element.get("idref") or framework)
            case _:
                number += 1
                yield _rule(reading, element, framework, ended, f"rule-result[{number}]")


def _rule(reading: Reading, rule: Element, framework: str, ended: str, place: str) -> Raw:
    said = next((c.text or "" for c in rule if local(c.tag) == "result"), "").strip()
    if said not in RESULTS:
        return broken(reading, f"result is unknown: {said[:40]!r}", place)
    cells = {
        "framework": framework,
        "control": _short(rule.get("idref", "")),
        "result": RESULTS[said],
        "assessed_at": rule.get("time") or ended,
    }
    called = {"control": "idref", "assessed_at": "time"}
    return Raw(reading.path, 0, cells, called=called, place=place)


def _short(name: str) -> str:
    """The id without whose it is: xccdf_org.ssgproject.content_profile_cis is cis."""
    return _PREFIX.sub("", name).removeprefix("content_rule_").removeprefix("content_profile_")


FORMAT = Format(
    "xccdf",
    {"control-results": read},
    "XCCDF results (XML)",
    sniff=lambda head: b"checklists.nist.gov/xccdf" in head,
)
