"""XCCDF results (XML), as OpenSCAP writes them: each rule-result is a control's.

pass and fixed become compliant, fail non_compliant, notapplicable and notselected not_applicable, anything
else not_assessed. The framework is the profile of the TestResult. Document types and entities are refused.
"""

from __future__ import annotations

from collections.abc import Iterator

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
PREFIXES = ("xccdf_org.ssgproject.content_rule_", "xccdf_org.ssgproject.content_profile_")


def read(reading: Reading) -> Iterator[Raw]:
    """A control result for each rule. Raises Unreadable."""
    profile = _profile(reading)
    rules = xml_elements(reading, lambda tag: tag == "rule-result")
    for number, rule in enumerate(rules, 1):
        said = next((c.text or "" for c in rule if local(c.tag) == "result"), "").strip()
        place = f"rule-result[{number}]"
        if said not in RESULTS:
            yield broken(reading, f"result is unknown: {said[:40]!r}", place)
            continue
        cells = {
            "framework": profile,
            "control": _short(rule.get("idref", "")),
            "result": RESULTS[said],
            "assessed_at": rule.get("time", ""),
        }
        called = {"control": "idref", "assessed_at": "time"}
        yield Raw(reading.path, 0, cells, called=called, place=place)


def _profile(reading: Reading) -> str:
    """The profile that was tested; it stands before the results."""
    for element in xml_elements(reading, lambda tag: tag in ("profile", "TestResult")):
        return _short(element.get("idref") or element.get("id") or "XCCDF")
    return "XCCDF"


def _short(name: str) -> str:
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    return name


FORMAT = Format(
    "xccdf",
    {"control-results": read},
    "XCCDF results (XML)",
    sniff=lambda head: b"checklists.nist.gov/xccdf" in head,
)
