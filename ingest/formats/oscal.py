"""OSCAL assessment results (JSON, YAML or XML): each finding is the result of the control that it targets.

satisfied becomes compliant, not-satisfied non_compliant, unless the reason says that the control does not
apply, is partial or was not assessed; anything else is not_assessed. ``ac-6.1_obj.a`` is an objective of
control ``ac-6.1``, and ``ac-2_smt.b`` a statement of ``ac-2``; an id such as ``CIS_1.1`` is a control's
own. Of several findings of a control in one result the worst counts. A control that was reviewed and has no
finding is not_assessed: nobody said how it stands.

Assessed when the newest observation of the finding was collected, else at the result's end, else its start;
the evidence ends when the first of its observations expires. The asset is the component or inventory item
that the observations are about. The framework is OSCAL unless ``--map framework=NAME`` gives another name.
Catalogs, profiles and plans hold no results.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any
from xml.etree.ElementTree import Element

import yaml

from ingest.documents import (
    YAML,
    cell_text,
    content,
    json_document,
    local_name,
    value_at,
    xml_elements,
    yaml_documents,
)
from ingest.formats.form import Format
from ingest.formats.scans import Scan, latest, list_at
from ingest.reader import FormatInput, RawRecord, UnreadableFile

STATES = {"satisfied": "compliant", "not-satisfied": "non_compliant"}
REASONS = {
    "not-applicable": "not_applicable",
    "partial": "partial",
    "partially-satisfied": "partial",
    "not-assessed": "not_assessed",
    "not-reviewed": "not_assessed",
    "not-tested": "not_assessed",
    "not-checked": "not_assessed",
}
"""Reasons that say another thing than the state; any other leaves it as it is."""
DOCUMENTS = (
    "assessment-results",
    "assessment-plan",
    "catalog",
    "component-definition",
    "mapping-collection",
    "plan-of-action-and-milestones",
    "profile",
    "system-security-plan",
)
PART = re.compile(r"_(obj|objective|smt|stmt|statement|gdn|guidance|asm|item|fr)([.\-_].*)?$", re.I)
"""How an id goes on where it names a part of a control, as NIST's catalogues do."""
THINGS = ("component", "inventory-item", "resource")
NAMES = ("asset-id", "fqdn", "hostname", "virtual-name", "uuid")
"""Properties that name an inventory item."""
LISTS = {
    "result": "results",
    "finding": "findings",
    "observation": "observations",
    "related-observation": "related-observations",
    "subject": "subjects",
    "control-selection": "control-selections",
    "include-control": "include-controls",
    "exclude-control": "exclude-controls",
    "component": "components",
    "inventory-item": "inventory-items",
    "prop": "props",
}
"""Elements of the XML that JSON and YAML have in lists, with the lists' names."""


def read(reading: FormatInput) -> Iterator[RawRecord]:
    """A control result for each control of each asset in each result. Raises UnreadableFile."""
    document = _document(reading)
    results = value_at(document, "assessment-results.results")
    if not isinstance(results, list):
        raise UnreadableFile(_no_results(document))
    shared = _names(value_at(document, "assessment-results.local-definitions"))
    for number, result in enumerate(results):
        scan = Scan(reading, {"assessed_at": "end", "control": "target-id", "asset": "subjects"})
        when = cell_text(value_at(result, "end")) or cell_text(value_at(result, "start"))
        scan.ends(when)
        pointer = f"/assessment-results/results/{number}"
        assets = {**shared, **_names(value_at(result, "local-definitions"))}
        _add_findings(scan, result, assets, when, pointer)
        yield from scan.records()


def _no_results(document: Any) -> str:
    keys = [str(key) for key in document] if isinstance(document, Mapping) else []
    known = next((name for name in DOCUMENTS if name in keys), "")
    if known == "assessment-results":
        return "is an OSCAL assessment-results document without a list of results"
    if known:
        return f"is an OSCAL {known}, which holds no results: assessment-results has them"
    return f"is no assessment-results document but {keys[0][:60]!r}" if keys else "is no object"


def _add_findings(
    scan: Scan, result: Any, assets: Mapping[str, str], when: str, pointer: str
) -> None:
    """Adds a result's findings to the scan: each control of each asset, and those reviewed without one."""
    observations = {
        cell_text(value_at(each, "uuid")): each for each in list_at(result, "observations")
    }
    reviewed = _reviewed_controls(result)
    seen = set()
    for number, finding in enumerate(list_at(result, "findings")):
        related = [
            observations[uuid]
            for each in list_at(finding, "related-observations")
            if (uuid := cell_text(value_at(each, "observation-uuid"))) in observations
        ]
        control = _control(cell_text(value_at(finding, "target.target-id")), reviewed)
        seen.add(control)
        collected, expires = "", ""
        for each in related:
            collected = latest(
                collected, scan.reading.instant(cell_text(value_at(each, "collected")))
            )
            ends = cell_text(value_at(each, "expires"))
            expires = min(filter(None, (expires, ends)), default="")
        for asset in _subjects(related, assets) or {""}:
            state = _state(finding)
            pointer = f"{pointer}/findings/{number}"
            scan.add("OSCAL", control, asset, state, collected or when, pointer, expires)
    for control in reviewed:
        if control not in seen:
            scan.add("OSCAL", control, "", "not_assessed", when, pointer)


def _state(finding: Any) -> str:
    state = cell_text(value_at(finding, "target.status.state")).lower()
    reason = cell_text(value_at(finding, "target.status.reason")).lower()
    if (
        cell_text(value_at(finding, "target.implementation-status.state")).lower()
        == "not-applicable"
    ):
        return "not_applicable"
    return REASONS.get(reason, STATES[state]) if state in STATES else "not_assessed"


def _reviewed_controls(result: Any) -> list[str]:
    """Controls that were looked at, by id."""
    selections = list_at(result, "reviewed-controls.control-selections")
    left_out = {
        cell_text(value_at(control, "control-id"))
        for selection in selections
        for control in list_at(selection, "exclude-controls")
    }
    reviewed = (
        cell_text(value_at(control, "control-id"))
        for selection in selections
        for control in list_at(selection, "include-controls")
    )
    return list(dict.fromkeys(each for each in reviewed if each and each not in left_out))


def _control(target: str, reviewed: Collection[str]) -> str:
    """The control of a target: a reviewed one whose id the target's begins with, else the target's id
    without the part that it names."""
    owners = [each for each in reviewed if target == each or target.startswith(f"{each}_")]
    if owners:
        return max(owners, key=len)
    part = PART.search(target)
    return target[: part.start()] if part and part.start() else target


def _names(definitions: Any) -> dict[str, str]:
    """Names of components and inventory items by uuid."""
    names = {}
    for item in list_at(definitions, "components"):
        names[cell_text(value_at(item, "uuid"))] = cell_text(value_at(item, "title"))
    for item in list_at(definitions, "inventory-items"):
        props = {
            cell_text(value_at(p, "name")): cell_text(value_at(p, "value"))
            for p in list_at(item, "props")
        }
        named = next((props[name] for name in NAMES if props.get(name)), "")
        names[cell_text(value_at(item, "uuid"))] = named or cell_text(value_at(item, "description"))
    return names


def _subjects(observations: Collection[Any], assets: Mapping[str, str]) -> set[str]:
    """Names of the things that the observations are about."""
    subjects = chain.from_iterable(list_at(each, "subjects") for each in observations)
    return {
        name
        for subject in subjects
        if cell_text(value_at(subject, "type")) in THINGS
        for uuid in [cell_text(value_at(subject, "subject-uuid"))]
        if (name := assets.get(uuid) or cell_text(value_at(subject, "title")) or uuid)
    }


def _document(reading: FormatInput) -> Any:
    """The document of a file in JSON, YAML or XML, as JSON has it. Raises UnreadableFile."""
    with reading.opened() as file:
        first = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if first in (b"{", b"["):
        return json_document(reading)
    if first == b"<":
        bounded = replace(reading, content=content(reading))
        roots = {local_name(e.tag): _of_xml(e) for e in xml_elements(bounded, DOCUMENTS)}
        return roots or {"XML of another kind": None}
    documents = yaml_documents(content(reading, YAML), yaml.BaseLoader)
    return next((document for _, document in documents), None)


def _of_xml(element: Element) -> Any:
    """An element as JSON would have it: attributes and children by name, text where it has neither."""
    if not element.attrib and not len(element):
        return (element.text or "").strip()
    made: dict[str, Any] = dict(element.attrib)
    for child in element:
        name = local_name(child.tag)
        if name in LISTS:
            made.setdefault(LISTS[name], []).append(_of_xml(child))
        else:
            made[name] = _of_xml(child)
    return made


FORMAT = Format(
    "oscal",
    {"control-results": read},
    "OSCAL assessment results (JSON, YAML, XML)",
    sniff=lambda head: any(
        name in head
        for name in (
            b"assessment-results",
            b"oscal-version",
            b"http://csrc.nist.gov/ns/oscal",
        )
    ),
)
