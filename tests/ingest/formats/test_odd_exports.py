"""Exports as tools really write them: other versions, other answers of the same API, files that a
spreadsheet saved again; what can be read is, and what can not is named."""

from __future__ import annotations

import json

import pytest

from ingest.door.deliveries import accept, drain, find_delivery
from tests.ingest.formats.telling import controls, rows

START = "2026-11-10T07:00:00Z"
OBJECTIVE = (
    "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: {}}}\n"
    "spec:\n  timeWindow: [{{duration: {}, isRolling: true}}]\n  objectives: [{{{}}}]\n"
)
INCIDENT = {
    "id": "ce9b4e8a",
    "tinyId": "55",
    "message": "Outage",
    "status": "resolved",
    "createdAt": "2026-11-10T07:00:00Z",
    "updatedAt": "2026-11-10T09:00:00Z",
    "priority": "P2",
}
ALERT = {
    "labels": {"alertname": "Slow", "severity": "warning"},
    "annotations": {},
    "startsAt": START,
    "endsAt": "2026-11-10T09:00:00Z",
    "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
}


@pytest.fixture
def delivered(database, workspaces):
    """Delivers a body as a sender does, and tells the outcome."""

    def run(form: str, body: object) -> dict:
        team = workspaces["payments"]
        made = accept(database, team, form, json.dumps(body).encode())
        drain(database, team)
        return find_delivery(database, team, made)

    return run


def test_a_webhook_of_pagerdutys_first_version_is_kept_and_named(delivered):
    message = {"type": "incident.trigger", "data": {"incident": {"id": "P", "created_on": START}}}
    became = delivered("pagerduty", {"messages": [message]})
    assert became["state"] == "quarantined"
    assert "webhook of version 1" in became["quarantine"][0]["reason"]
    nameless = delivered("pagerduty", {"event": {"id": "1", "data": {"id": "P"}}})
    assert nameless["quarantine"][0]["reason"] == "names no event"


@pytest.mark.parametrize(
    ("told", "opened", "resolved"),
    [
        ({}, "07:00", None),
        ({"impactEndDate": "2026-11-10T08:30:00Z"}, "07:00", "08:30"),
        (
            {
                "impactStartDate": "2026-11-10T06:45:00Z",
                "impactEndDate": "2026-11-10T08:30:00Z",
            },
            "06:45",
            "08:30",
        ),
    ],
)
def test_an_incident_of_opsgenie_that_is_resolved_is_over(bring, stored, told, opened, resolved):
    bring("incidents", json.dumps({"data": [INCIDENT | told]}), "i.json", workspace="payments")
    (row,) = stored("incidents")
    assert f"{row['opened_at']:%H:%M}" == opened
    assert (row["resolved_at"] and f"{row['resolved_at']:%H:%M}") == resolved
    assert row["is_over"] == (resolved is None)


def test_an_incident_of_opsgenie_that_is_open_is_open(bring, stored):
    bring(
        "incidents",
        json.dumps({"data": [INCIDENT | {"status": "open"}]}),
        "i.json",
        workspace="payments",
    )
    (row,) = stored("incidents")
    assert (row["resolved_at"], row["is_over"]) == (None, False)


def test_what_a_status_page_sends_of_components_is_left_out_and_no_fault(delivered):
    update = {"component_id": "c", "new_status": "operational", "created_at": START}
    became = delivered("statuspage", {"page": {"id": "k"}, "component_update": update})
    assert (became["state"], became["notes"]) == ("folded", ["left out a change of a component"])


def test_planned_maintenance_alone_is_named(bring):
    planned = {"id": "m", "impact": "maintenance", "scheduled_for": START}
    body = json.dumps({"page": {"id": "k"}, "scheduled_maintenances": [planned]})
    told = bring("incidents", body, "m.json", workspace="payments", form="statuspage")
    assert told.problem == "holds no incidents: left out planned maintenance"


def test_one_incident_of_a_status_page_is_read_and_withdraws_nothing(bring, stored):
    one = {
        "id": "a",
        "name": "Down",
        "impact": "major",
        "status": "resolved",
        "created_at": START,
        "resolved_at": "2026-11-10T08:00:00Z",
        "page_id": "k",
        "incident_updates": [],
    }
    other = one | {"id": "b", "created_at": "2026-11-11T07:00:00Z", "resolved_at": None}
    whole = json.dumps({"page": {"id": "k"}, "incidents": [one, other]})
    bring("incidents", whole, "all.json", workspace="payments")
    bring("incidents", json.dumps(one | {"name": "Gone"}), "one.json", workspace="payments")
    assert [(r["key"], r["title"], r["left_out"]) for r in stored("incidents")] == [
        ("a", "Gone", None),
        ("b", "Down", None),
    ]


def test_the_first_version_of_alertmanagers_api_is_read():
    body = {"status": "success", "data": [ALERT]}
    (row,) = rows("alertmanager", "incidents", body)
    assert (row.cells["title"], row.cells["starts_at"], row.pointer) == (
        "Slow",
        START,
        "line 1/data/0",
    )


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"data": {"alerts": [{"state": "firing", "activeAt": START}]}}, "Prometheus' own list"),
        ({"ruleName": "Panel", "evalMatches": [], "state": "alerting"}, "legacy alerting"),
        ({"ok": True}, "has no list of alerts"),
    ],
)
def test_what_is_no_group_of_alerts_is_named(body, named):
    (row,) = rows("grafana", "incidents", body)
    assert row.fault is not None
    assert named in row.fault.reason


@pytest.mark.parametrize("target", ["0.995", '"0.995"', "'0.995'", ".995", "9.95e-1"])
def test_a_target_of_openslo_in_quotes_is_the_fraction_that_it_says(target):
    told = OBJECTIVE.format("stock", "28d", f"target: {target}").encode()
    (row,) = rows("openslo", "slos", told)
    assert (row.fault, row.cells["target_percent"]) == (None, "99.5")


@pytest.mark.parametrize("target", ["99.9", '"99.9"', "100"])
def test_a_percentage_as_the_fraction_is_refused_as_it_was_told(target):
    told = OBJECTIVE.format("stock", "28d", f"target: {target}").encode()
    (row,) = rows("openslo", "slos", told)
    assert row.fault is not None
    number = target.strip('"')
    assert f"got '{number}'; a percentage is targetPercent" in row.fault.reason


@pytest.mark.parametrize(("hours", "notes"), [("36h", 1), ("48h", 0), ("720h", 0)])
def test_a_window_of_hours_that_are_no_whole_days_is_told(hours, notes):
    warnings: list[str] = []
    told = OBJECTIVE.format("stock", hours, "target: 0.9").encode()
    rows("openslo", "slos", told, warnings)
    assert len(warnings) == notes
    assert all("36h is read as 2 days" in warning for warning in warnings)


def test_nothing_between_two_separators_is_no_document():
    warnings: list[str] = []
    told = OBJECTIVE.format("stock", "28d", "target: 0.9") + "---\n---\n"
    assert len(rows("openslo", "slos", told.encode(), warnings)) == 1
    assert warnings == []


@pytest.mark.parametrize(
    ("state", "reason", "result"),
    [
        ("satisfied", "partially-satisfied", "partial"),
        ("satisfied", "not-tested", "not_assessed"),
        ("satisfied", "pass", "compliant"),
        ("not-satisfied", "partial", "partial"),
        ("not-satisfied", "fail", "non_compliant"),
        ("other", "pass", "not_assessed"),
    ],
)
def test_a_reason_of_oscal_that_says_less_than_the_state_counts(state, reason, result):
    target = {"type": "objective-id", "target-id": "ac-1"}
    finding = {"target": target | {"status": {"state": state, "reason": reason}}}
    told = {"assessment-results": {"results": [{"start": START, "findings": [finding]}]}}
    assert controls(told, "oscal") == {("ac-1", ""): result}


HEAD = "AUTH_METHOD;TIMESTAMP;ACCOUNT_UID;PROVIDER;STATUS;MUTED;COMPLIANCE"


def test_findings_of_prowler_that_a_spreadsheet_wrote_with_commas_are_read(bring, stored):
    lines = [HEAD, 'x;2026-11-10 07:00:00;1;aws;FAIL;False;"CIS-2.0: 1.1, 1.2"', ""]
    told = bring("control-results", "\n".join(lines).replace(";", ","), workspace="payments")
    assert (told.format, told.written) == ("prowler", 2)
    assert {(r["control"], r["result"]) for r in stored("control-results")} == {
        ("1.1", "non_compliant"),
        ("1.2", "non_compliant"),
    }


def test_findings_that_serve_no_requirement_are_told(bring):
    lines = [HEAD, "x;2026-11-10 07:00:00;1;aws;FAIL;False;", ""]
    told = bring("control-results", "\n".join(lines), workspace="payments")
    why = "left out a finding that serves no framework's requirement"
    assert told.problem == f"holds no control-results: {why}"


def test_asff_in_the_answer_of_security_hub_is_named(bring):
    finding = {"ProductArn": "arn:aws:securityhub:x::product/prowler/prowler", "Id": "prowler-1"}
    told = bring(
        "control-results",
        json.dumps({"Findings": [finding]}),
        "f.json",
        workspace="payments",
        form="prowler",
    )
    assert (told.problem or "").startswith("is ASFF")


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("x.csr", b"-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n", "holds no certificate"),
        ("x.crl", b"-----BEGIN X509 CRL-----\nMIIB\n", "holds no certificate"),
        ("x.jks", b"\xfe\xed\xfe\xed\x00\x00\x00\x02", "Java keystore"),
        ("x.jceks", b"\xce\xce\xce\xce\x00\x00\x00\x02", "Java keystore"),
    ],
)
def test_what_holds_no_certificate_is_not_sent_back_to_where_it_came_from(
    bring, name, content, named
):
    told = bring("certificates", content, name, workspace="payments")
    assert named in (told.problem or "")
    assert "import it as certificates" not in (told.problem or "")
