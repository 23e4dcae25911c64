"""XCCDF and ARF results (XML), as OpenSCAP writes them: each rule-result is a control's, of the target.

pass and fixed become compliant, fail non_compliant, notapplicable and notselected not_applicable, anything
else not_assessed; a rule with several checks is as its worst one. A rule without a time of its own was
assessed when the test ended; times without an offset are of ``--time-zone``, else of the installation's
zone. A file may hold several TestResults, each a scan of its own. The framework is the profile of the
TestResult, where it has none the benchmark. The asset is the TestResult's target; one that only says
localhost gives way to the host name among the target's facts, the asset of the ARF, or an address. A
Kubernetes ConfigMap of the Compliance Operator is unwrapped. Document types and entities are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from xml.etree.ElementTree import Element

from ingest.documents import (
    YAML,
    broken_row,
    content,
    local_name,
    value_at,
    xml_elements,
    yaml_documents,
)
from ingest.formats.form import Format
from ingest.formats.scans import Scan
from ingest.reader import FormatInput, RawRecord, UnreadableFile

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
_PREFIX = re.compile(r"xccdf_[^_]+_(rule|profile|testresult|benchmark)_")
"""How XCCDF 1.2 begins an id: with its owner and what it is of."""
CALLED = {"control": "idref", "assessed_at": "time", "asset": "target"}
HOST_FACTS = ("fqdn", "host_name", "hostname")
SAYS_NOTHING = re.compile(r"(localhost\b.*|127\..*|::1|0+(:0+)*:0*1|unknown|chroot:.*)?", re.I)
"""Names and addresses that every machine has."""
DESCRIBES = ("profile", "benchmark", "target", "target-address", "fact", "target-id-ref")


def read(reading: FormatInput) -> Iterator[RawRecord]:
    """A control result for each rule of each TestResult. Raises UnreadableFile."""
    tests = 0
    for document in _documents(reading):
        assets: dict[str, str] = {}
        test: _TestRun | None = None
        for element in xml_elements(
            document, (*DESCRIBES, "rule-result", "asset"), ("TestResult",), ("TestResult",)
        ):
            name = local_name(element.tag)
            if name == "TestResult" and test is None:
                tests += 1
                test = _TestRun(document, element, assets)
            elif name == "TestResult" and test is not None:
                yield from test.records()
                test = None
            elif name == "asset":
                assets[element.get("id", "")] = _host(element)
            elif test is not None:
                yield from test.take(name, element)
    if not tests:
        raise UnreadableFile(
            "holds no TestResult: a benchmark or data stream has rules, and no results of them;"
            " a scan writes them with --results or --results-arf"
        )


@dataclass(slots=True)
class _TestRun:
    """TestResult that is put together until it ends. ``assets`` are the names of those of an ARF, by id."""

    reading: FormatInput
    element: Element
    assets: Mapping[str, str]
    profile: str = ""
    benchmark: str = ""
    targets: list[str] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    addresses: list[str] = field(default_factory=list)
    rules: list[tuple[str, str, str, str]] = field(default_factory=list)
    number: int = 0

    def take(self, name: str, element: Element) -> Iterator[RawRecord]:
        """Notes what an element says; of a rule that can not be read yields why."""
        element_text = (element.text or "").strip()
        match name:
            case "profile":
                self.profile = element.get("idref", "")
            case "benchmark":
                self.benchmark = element.get("id", "")
            case "target":
                self.targets.append(element_text)
            case "target-address":
                self.addresses.append(element_text)
            case "target-id-ref":
                self.targets.append(self.assets.get(element.get("name", ""), ""))
            case "fact":
                self.facts.setdefault(
                    element.get("name", "").rpartition(":")[2].lower(), element_text
                )
            case "rule-result":
                yield from self._rule(element)

    def _rule(self, rule: Element) -> Iterator[RawRecord]:
        self.number += 1
        pointer = f"rule-result[{self.number}]"
        result = next((c.text or "" for c in rule if local_name(c.tag) == "result"), "").strip()
        if result in RESULTS:
            control = _short_id(rule.get("idref", ""))
            self.rules.append((control, RESULTS[result], rule.get("time", ""), pointer))
        else:
            yield broken_row(self.reading, f"result is unknown: {result[:40]!r}", pointer)

    def records(self) -> Iterator[RawRecord]:
        """Records of the rules."""
        scan = Scan(self.reading, CALLED)
        ended = self.element.get("end-time") or self.element.get("start-time") or ""
        scan.ends(ended)
        named = self.profile or self.benchmark or self.element.get("id", "")
        framework = _short_id(named) or "XCCDF"
        for control, result, when, pointer in self.rules:
            scan.add(framework, control, self.asset, result, when or ended, pointer)
        yield from scan.records()

    @property
    def asset(self) -> str:
        """Name of the target: the first that tells it from other machines, else the first."""
        facts = [self.facts.get(name, "") for name in HOST_FACTS]
        names = [*self.targets, *facts, *self.addresses]
        telling = [name for name in names if not SAYS_NOTHING.fullmatch(name)]
        return next(iter([*telling, *filter(None, names)]), "")


def _documents(reading: FormatInput) -> Iterator[FormatInput]:
    """The file, or each of the XML documents that a ConfigMap in YAML has under ``data.results``."""
    with reading.opened() as file:
        if (
            file.read(64)
            .lstrip(b"\xef\xbb\xbf \t\r\n")
            .startswith((b"<", b"\xff\xfe", b"\xfe\xff"))
        ):
            yield reading
            return
    for _, document in yaml_documents(content(reading, YAML)):
        results = value_at(document, "data.results")
        if not isinstance(results, str) or not results.lstrip().startswith("<"):
            raise UnreadableFile("is no XML, and no ConfigMap with XML in data.results")
        yield replace(reading, content=results.strip().encode())


def _host(asset: Element) -> str:
    """Name of an asset of an ARF: its full name, else its host name."""
    named: dict[str, str] = {}
    for element in asset.iter():
        named.setdefault(local_name(element.tag), (element.text or "").strip())
    return named.get("fqdn") or named.get("hostname") or ""


def _short_id(name: str) -> str:
    """The id without whose it is: xccdf_org.ssgproject.content_profile_cis is cis."""
    short = _PREFIX.sub("", name)
    for prefix in ("content_rule_", "content_profile_", "content_benchmark_"):
        short = short.removeprefix(prefix)
    return short


FORMAT = Format(
    "xccdf",
    {"control-results": read},
    "XCCDF and ARF results (XML)",
    sniff=lambda head: any(
        name in head
        for name in (
            b"checklists.nist.gov/xccdf",
            b"scap.nist.gov/schema/asset-reporting-format",
            b"scap.nist.gov/schema/scap/source",
        )
    ),
)
