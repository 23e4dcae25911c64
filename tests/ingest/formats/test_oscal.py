"""OSCAL: ids, several findings and results, assets and instants, in JSON, YAML and XML."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ingest.formats import FORMATS
from ingest.reader import UnreadableFile
from tests.ingest.formats.telling import controls, rows


def finding(
    target: str, state: str = "satisfied", *observations: str, **status: str
) -> dict[str, Any]:
    related = [{"observation-uuid": uuid} for uuid in observations]
    aim = {"type": "objective-id", "target-id": target, "status": {"state": state, **status}}
    return {"uuid": "f", "target": aim, "related-observations": related}


def document(*findings: dict[str, Any], **result: Any) -> dict[str, Any]:
    each = {"start": "2026-11-10T08:00:00Z", "findings": list(findings), **result}
    return {"assessment-results": {"metadata": {"oscal-version": "1.1.3"}, "results": [each]}}


@pytest.mark.parametrize(
    ("target", "control"),
    [
        ("ac-6.1_obj", "ac-6.1"),
        ("ac-2_smt.a", "ac-2"),
        ("ac-2_obj.a-1", "ac-2"),
        ("s1.2_gdn", "s1.2"),
        ("CIS_1.1", "CIS_1.1"),
        ("_x", "_x"),
        ("acme_pay_07", "acme_pay_07"),
        ("acme_pay_07_obj.b", "acme_pay_07"),
        ("x_objects", "x_objects"),
        ("größe_3", "größe_3"),
    ],
)
def test_the_control_of_a_target(target, control):
    assert list(controls(document(finding(target)), "oscal")) == [(control, "")]


def test_a_reviewed_control_owns_what_begins_with_its_id():
    selections = [
        {
            "include-controls": [{"control-id": n} for n in ("p_1", "p_1_x", "q", "r")],
            "exclude-controls": [{"control-id": "r"}],
        }
    ]
    body = document(
        finding("p_1_part", "not-satisfied"),
        finding("p_1_x_part"),
        **{"reviewed-controls": {"control-selections": selections}},
    )
    assert controls(body, "oscal") == {
        ("p_1", ""): "non_compliant",
        ("p_1_x", ""): "compliant",
        ("q", ""): "not_assessed",
    }


@pytest.mark.parametrize(
    ("state", "status", "result"),
    [
        ("satisfied", {}, "compliant"),
        ("not-satisfied", {}, "non_compliant"),
        ("not-satisfied", {"reason": "other"}, "non_compliant"),
        ("not-satisfied", {"reason": "not-applicable"}, "not_applicable"),
        ("not-satisfied", {"reason": "not-reviewed"}, "not_assessed"),
        ("not-satisfied", {"reason": "partial"}, "partial"),
        ("odd", {}, "not_assessed"),
    ],
)
def test_what_a_finding_says(state, status, result):
    assert list(controls(document(finding("c", state, **status)), "oscal").values()) == [result]


def test_the_worst_of_several_findings_of_a_control():
    body = document(finding("c_obj.a"), finding("c_obj.b", "not-satisfied"), finding("c_obj.c"))
    assert controls(body, "oscal") == {("c", ""): "non_compliant"}


OBSERVED = {
    "observations": [
        {
            "uuid": "o1",
            "collected": "2026-11-09T10:00:00Z",
            "expires": "2026-12-09T10:00:00Z",
            "subjects": [{"subject-uuid": "i1", "type": "inventory-item"}],
        },
        {
            "uuid": "o2",
            "collected": "2026-11-09T12:00:00+01:00",
            "subjects": [
                {"subject-uuid": "k1", "type": "component"},
                {"subject-uuid": "p", "type": "party", "title": "Ann"},
                {"subject-uuid": "z9", "type": "inventory-item", "title": "cache-2"},
            ],
        },
    ],
    "local-definitions": {
        "components": [{"uuid": "k1", "title": "Ledger"}],
        "inventory-items": [
            {"uuid": "i1", "description": "d", "props": [{"name": "fqdn", "value": "db.acme.test"}]}
        ],
    },
}


def test_observations_say_of_what_and_when():
    body = document(
        finding("a", "satisfied", "o1"), finding("b", "not-satisfied", "o2", "gone"), **OBSERVED
    )
    found = {
        (raw.cells["control"], raw.cells["asset"]): (
            raw.cells["assessed_at"],
            raw.cells["valid_until"],
        )
        for raw in rows("oscal", "control-results", body)
    }
    assert found == {
        ("a", "db.acme.test"): ("2026-11-09T10:00:00Z", "2026-12-09T10:00:00Z"),
        ("b", "Ledger"): ("2026-11-09T12:00:00+01:00", ""),
        ("b", "cache-2"): ("2026-11-09T12:00:00+01:00", ""),
    }


def test_the_same_in_yaml():
    body = document(finding("CIS_1.10", "satisfied", "o1"), **OBSERVED)
    text = yaml.safe_dump(body).encode()
    assert FORMATS["oscal"].sniff(text)
    plain = yaml.safe_dump(body, default_flow_style=None).replace("'", "").encode()
    for spelling in (text, plain):
        assert rows("oscal", "control-results", spelling) == rows("oscal", "control-results", body)


def test_the_same_in_xml():
    text = b"""<?xml version="1.0"?>
<assessment-results xmlns="http://csrc.nist.gov/ns/oscal/1.0">
 <metadata><title>t</title><oscal-version>1.1.3</oscal-version></metadata>
 <result uuid="r"><title>t</title><start>2026-11-10T08:00:00Z</start>
  <local-definitions><component uuid="k1" type="x">
   <title>Ledger</title></component></local-definitions>
  <reviewed-controls><control-selection><include-control control-id="a"/><include-control control-id="z"/>
  </control-selection></reviewed-controls>
  <observation uuid="o"><subject subject-uuid="k1" type="component"/>
   <collected>2026-11-09T10:00:00Z</collected></observation>
  <finding uuid="f"><title>x</title><target type="objective-id" target-id="a_obj.1">
   <status state="not-satisfied" reason="fail"/></target>
   <related-observation observation-uuid="o"/></finding>
 </result></assessment-results>"""
    assert FORMATS["oscal"].sniff(text)
    assert controls(text, "oscal") == {("a", "Ledger"): "non_compliant", ("z", ""): "not_assessed"}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b'{"catalog": {"metadata": {"oscal-version": "1.1.2"}}}', "is an OSCAL catalog"),
        (
            b"system-security-plan:\n  metadata: {oscal-version: 1.1.2}\n",
            "an OSCAL system-security-plan",
        ),
        (b'<profile xmlns="http://csrc.nist.gov/ns/oscal/1.0" uuid="u"/>', "is an OSCAL profile"),
        (b'{"assessment-results": {"results": {}}}', "without a list of results"),
        (b'{"weather": 1}', "is no assessment-results document but 'weather'"),
        (b"[]", "is no object"),
    ],
)
def test_documents_without_results_are_named(body, named):
    with pytest.raises(UnreadableFile, match=named):
        controls(body, "oscal")


def test_the_framework_is_as_mapped():
    (raw,) = rows(
        "oscal", "control-results", document(finding("a")), columns={"framework": "NIST 800-53"}
    )
    assert raw.cells["framework"] == "NIST 800-53"


@pytest.mark.parametrize("odd", [None, 7, "text", [7], [None], [[]], {"a": 1}])
def test_odd_shapes_are_no_crash(odd):
    for body in (
        document(findings=odd),
        document(
            finding("a"), observations=odd, **{"local-definitions": odd, "reviewed-controls": odd}
        ),
        document({"target": odd}),
    ):
        rows("oscal", "control-results", body)
