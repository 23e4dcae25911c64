"""Files that others wrote, format by format: what they become, and what is refused, where."""

from __future__ import annotations

import json

import pytest

from ingest.formats import FORMATS, choose
from ingest.importer import load
from ingest.kinds import KINDS
from ingest.reader import FormatInput

REAL = [
    # kind, file, format (None: by its look), rows, rejected
    ("deployments", "webhooks/github/deployment_status.payload.json", None, 1, 0),
    ("deployments", "webhooks/github/deployment.payload.json", "github", 1, 0),
    ("deployments", "webhooks/cdevents/service_deployed.json", None, 1, 0),
    ("deployments", "webhooks/cdevents/service_upgraded.json", None, 1, 0),
    ("roll-backs", "webhooks/cdevents/service_rolledback.json", None, 1, 0),
    ("deployments", "webhooks/cdevents/ticket_closed.json", None, 0, 0),
    ("incidents", "webhooks/cdevents/incident_detected.json", None, 1, 0),
    ("incidents", "webhooks/cdevents/incident_reported.json", None, 1, 0),
    ("incidents", "webhooks/cdevents/incident_resolved.json", None, 1, 0),
    ("incidents", "incidents/jenkins_status/issues_md.tar.gz", "jenkins-status", 297, 0),
    ("slos", "slos/openslo/examples_budgeting-method_occurences-slo.yaml", None, 1, 0),
    ("slos", "slos/openslo/examples_budgeting-method_ratio-timeslices.yaml", None, 1, 0),
    ("slos", "slos/openslo/examples_budgeting-method_timeslices-slo.yaml", None, 2, 2),
    (
        "slos",
        "slos/openslo/examples_treat-low-traffic-as-equally-important_timeslices-slo.yaml",
        None,
        1,
        0,
    ),
    ("slos", "slos/sloth/examples/windows_7d.yaml", "sloth", 0, 0),
    ("slos", "slos/sloth/examples/windows_custom-30d.yaml", "sloth", 0, 0),
    ("deployments", "webhooks/cdevents/service_removed.json", None, 0, 0),
    ("deployments", "webhooks/cdevents/build_finished.json", None, 0, 0),
    ("slos", "slos/sloth/examples/getting-started.yml", None, 1, 0),
    ("slos", "slos/sloth/examples/home-wifi.yml", None, 2, 0),
    ("slos", "slos/sloth/examples/kubernetes-apiserver.yml", None, 2, 0),
    ("slos", "slos/sloth/examples/multifile.yml", None, 2, 0),
    ("slos", "slos/sloth/examples/victoria-metrics.yml", None, 2, 0),
    ("slos", "slos/sloth/examples/openslo-getting-started.yml", None, 1, 0),
    ("slos", "slos/sloth/examples/openslo-kubernetes-apiserver.yml", None, 3, 0),
    ("control-results", "compliance/oscal/ifa_assessment-results-example.json", None, 1, 0),
    ("control-results", "compliance/oscal/ocp4-check-result.xml", None, 221, 0),
    ("control-results", "compliance/oscal/ssg-ocp4-ds-cis-pod.yaml", None, 125, 0),
    (
        "control-results",
        "compliance/prowler/sample_output/example_output_aws.ocsf.json",
        None,
        37,
        0,
    ),
    (
        "control-results",
        "compliance/prowler/sample_output/example_output_kubernetes.ocsf.json",
        None,
        12,
        0,
    ),
    ("control-results", "compliance/prowler/sample_output/example_output_aws.csv", None, 33, 0),
    ("control-results", "compliance/prowler/sample_output/example_output_azure.csv", None, 5, 0),
    ("control-results", "compliance/prowler/sample_output/example_output_gcp.csv", None, 15, 0),
    (
        "control-results",
        "compliance/prowler/sample_output/example_output_kubernetes.csv",
        None,
        8,
        0,
    ),
    ("incidents", "webhooks/pagerduty/v2_incident_trigger.json", None, 1, 0),
    ("vendors", "vendors/probo_common_third_parties.json", None, 564, 0),
]
EVENT = {
    "github": {
        "deployment": {"id": 7, "environment": "production", "created_at": "2026-11-02T09:00:00Z"},
        "deployment_status": {"state": "failure", "created_at": "2026-11-02T09:05:00Z"},
        "repository": {"name": "api"},
    },
    "pagerduty": {
        "event": {
            "event_type": "incident.acknowledged",
            "occurred_at": "2026-11-02T09:05:00Z",
            "data": {
                "id": "PGR0VU2",
                "title": "A little bump",
                "urgency": "high",
                "created_at": "2026-11-02T09:00:00Z",
            },
        }
    },
    "alertmanager": {
        "version": "4",
        "groupKey": "{}",
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "Down", "severity": "critical"},
                "annotations": {},
                "startsAt": "2026-11-02T09:00:00.5Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "fingerprint": "ab12",
            }
        ],
    },
}


@pytest.mark.parametrize(("kind", "file", "form", "read", "rejected"), REAL)
def test_real_files(database, workspaces, acceptance_data, kind, file, form, read, rejected):
    def once():
        path = acceptance_data / file
        (outcome,) = load(database, KINDS[kind], [path], workspace="payments", form=form)
        return outcome

    first, again = once(), once()
    assert (first.problem is None, first.read, first.rejected) == (read > 0, read, rejected)
    assert first.written == read - rejected
    assert (again.written, again.unchanged) == (0, first.written)


def test_every_real_file_looks_like_one_format_at_most(acceptance_data):
    for kind, file, _, _, _ in REAL:
        reading = FormatInput(acceptance_data / file, KINDS[kind], True, print)
        claims = [f.name for f in FORMATS.values() if f.looks_like(KINDS[kind], reading)]
        assert len(claims) <= 1, (file, claims)
        assert choose(KINDS[kind], reading).name in (*claims, "csv")


def test_jenkins_incidents_have_the_times_that_were_published(bring, acceptance_data, stored):
    import csv

    folder = acceptance_data / "incidents" / "jenkins_status"
    bring(
        "incidents",
        (folder / "issues_md.tar.gz").read_bytes(),
        "i.tar.gz",
        form="jenkins-status",
        workspace="payments",
    )
    known = {r["key"]: r for r in stored("incidents")}
    with (folder / "incidents.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    compared = 0
    for row in rows:
        found = known.get(row["file"].removesuffix(".md"))
        if found and row["resolved_at"] and found["resolved_at"]:
            compared += 1
            seconds = (found["resolved_at"] - found["opened_at"]).total_seconds()
            assert seconds == float(row["seconds_to_resolve"]), row["file"]
    assert compared > 200


def test_a_failed_github_deployment(bring, stored):
    outcome = bring("deployments", json.dumps(EVENT["github"]), "e.json", workspace="payments")
    assert outcome.written == 1
    (row,) = stored("deployments")
    assert (row["key"], row["outcome"], row["service"]) == ("7", "failed", "api")


def test_pagerduty_acknowledges_and_then_resolves_the_same_incident(bring, stored):
    bring("incidents", json.dumps(EVENT["pagerduty"]), "a.json", workspace="payments")
    later = json.loads(json.dumps(EVENT["pagerduty"]))
    later["event"] |= {"event_type": "incident.resolved", "occurred_at": "2026-11-02T10:00:00Z"}
    bring("incidents", json.dumps(later), "r.json", workspace="payments")
    (row,) = stored("incidents")
    assert row["severity"] == "p2"
    assert row["acknowledged_at"].minute == 5
    assert row["resolved_at"].hour == 10


def test_an_alert_that_fires_is_open_and_critical(bring, stored):
    bring("incidents", json.dumps(EVENT["alertmanager"]), "a.json", workspace="payments")
    (row,) = stored("incidents")
    assert (row["severity"], row["title"], row["resolved_at"]) == ("p1", "Down", None)


@pytest.mark.parametrize("name", sorted(EVENT))
def test_a_cut_off_event_is_reported_and_not_a_crash(bring, name):
    kind = next(iter(FORMATS[name].readers))
    whole = json.dumps(EVENT[name])
    outcome = bring(kind, whole[: len(whole) // 2], "e.json", workspace="payments", form=name)
    assert "is no JSON, or is cut off" in outcome.problem


def test_the_good_events_of_a_stream_are_kept(bring, stored):
    good, bad = EVENT["github"], json.loads(json.dumps(EVENT["github"]))
    bad["deployment"] |= {"id": 8, "created_at": "2026-11-03T00:00:00Z"}
    unknown = {**good, "deployment_status": {"state": "exploded"}}
    text = "\n".join(map(json.dumps, (good, bad, unknown)))
    outcome = bring("deployments", text, "e.json", workspace="payments", form="github")
    assert (outcome.written, outcome.rejected) == (2, 1)
    assert "line 3: deployment_status.state is unknown: 'exploded'" in str(outcome.rejects[0])
    assert [row["created_at"] is None for row in stored("deployments")] == [False, True]
    assert any("8: created_at lies after completed_at" in warning for warning in outcome.warnings)


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    ],
)
def test_entities_are_refused(bring, head):
    body = f'{head}<TestResult xmlns="http://checklists.nist.gov/xccdf/1.2">&b;</TestResult>'
    outcome = bring("control-results", body, "r.xml", workspace="payments", form="xccdf")
    assert "refused" in outcome.problem


def test_a_yaml_of_nested_aliases_is_no_bomb(bring):
    levels = "\n".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 30))
    text = f"version: prometheus/v1\nl0: &l0 [x]\n{levels}\nslos: *l29\n"
    outcome = bring("slos", text, "s.yml", workspace="payments", form="sloth")
    assert outcome.failed


def test_names_of_your_own_columns(database, workspaces, tmp_path, stored):
    path = tmp_path / "v.csv"
    path.write_text("ID,Supplier,Criticality\nv1,Acme,1\n", encoding="utf-8")
    columns = {"key": "id", "name": "supplier", "tier": "criticality"}
    (outcome,) = load(database, KINDS["vendors"], [path], workspace="payments", columns=columns)
    assert outcome.written == 1
    assert [(v["key"], v["name"], v["tier"]) for v in stored("vendors")] == [("v1", "Acme", 1)]


def test_a_folder_without_a_repository_is_said(database, workspaces, tmp_path):
    (outcome,) = load(database, KINDS["deployments"], [tmp_path], workspace="payments", form="git")
    assert "is no git repository" in outcome.problem


def test_heimdall_results(bring, stored):
    def control(name, impact, *states):
        results = [{"status": s, "start_time": "2026-11-02T09:00:00Z"} for s in states]
        return {"id": name, "impact": impact, "results": results}

    controls = [
        control("a", 0.5, "passed", "passed"),
        control("b", 0.5, "passed", "failed"),
        control("c", 0.5, "skipped"),
        control("d", 0, "passed"),
        control("e", 0.5),
    ]
    document = {"platform": {}, "profiles": [{"name": "baseline", "controls": controls}]}
    outcome = bring("control-results", json.dumps(document), "h.json", workspace="payments")
    assert (outcome.written, outcome.rejected) == (5, 0)
    assert {r["control"]: r["result"] for r in stored("control-results")} == {
        "a": "compliant",
        "b": "non_compliant",
        "c": "not_assessed",
        "d": "not_applicable",
        "e": "not_assessed",
    }


@pytest.mark.parametrize("form", FORMATS.values(), ids=lambda f: f.name)
def test_every_format_says_what_it_is(form):
    assert form.title
    assert form.ingest or form.signed is None


def test_a_reviewed_control_without_a_finding_is_not_assessed(bring, stored):
    def control(name):
        return {"control-id": name}

    finding = {"target": {"target-id": "ac-2_obj.a", "status": {"state": "satisfied"}}}
    result = {
        "start": "2026-11-01T09:00:00Z",
        "findings": [finding],
        "reviewed-controls": {
            "control-selections": [{"include-controls": [control("ac-2"), control("ac-3")]}]
        },
    }
    document = {"assessment-results": {"results": [result]}}
    bring("control-results", json.dumps(document), "o.json", workspace="payments")
    found = {r["control"]: r["result"] for r in stored("control-results")}
    assert found == {"ac-2": "compliant", "ac-3": "not_assessed"}


def test_a_rule_without_a_time_was_assessed_when_the_test_ended(bring, stored):
    body = (
        '<TestResult xmlns="http://checklists.nist.gov/xccdf/1.2" id="r"'
        ' end-time="2026-11-01T10:00:00+00:00"><profile idref="cis"/>'
        '<rule-result idref="a"><result>pass</result></rule-result>'
        '<rule-result idref="b" time="2026-11-01T09:00:00+00:00"><result>fail</result></rule-result>'
        "</TestResult>"
    )
    outcome = bring("control-results", body, "r.xml", workspace="payments")
    assert (outcome.written, outcome.problem) == (2, None)
    found = {
        r["control"]: (r["framework"], r["result"], r["assessed_at"].hour)
        for r in stored("control-results")
    }
    assert found == {"a": ("cis", "compliant", 10), "b": ("cis", "non_compliant", 9)}


def test_a_prowler_csv_finding_with_an_unknown_status_is_named(bring, stored):
    head = "AUTH_METHOD;TIMESTAMP;STATUS;MUTED;COMPLIANCE\n"
    rows = (
        "x;2026-11-01 09:00:00;FAIL;False;CIS: 1.1, 1.2 | SOC2: cc1\n"
        "x;2026-11-02 09:00:00;PASS;False;CIS: 1.1\n"
        "x;2026-11-02 09:00:00;FAIL;True;CIS: 1.3\n"
        "x;2026-11-02 09:00:00;ODD;False;CIS: 1.4\n"
    )
    outcome = bring("control-results", head + rows, "p.csv", workspace="payments")
    assert [(r.at, r.reason[:16]) for r in outcome.rejects] == [("line 5", "the status 'ODD'")]
    found = {
        (r["framework"], r["control"]): (r["result"], r["assessed_at"].day)
        for r in stored("control-results")
    }
    assert found == {
        ("CIS", "1.1"): ("non_compliant", 2),
        ("CIS", "1.2"): ("non_compliant", 1),
        ("SOC2", "cc1"): ("non_compliant", 1),
    }


OTHERS = [
    ("control-results", "compliance/oscal/ifa_plan-of-action-and-milestones.json", "oscal"),
    (
        "control-results",
        "compliance/oscal/NIST_SP-800-53_rev5_LOW-baseline_profile-min.json",
        "oscal",
    ),
    (
        "control-results",
        "compliance/oscal/NIST_SP-800-53_rev5_MODERATE-baseline_profile-min.json",
        "oscal",
    ),
    ("control-results", "compliance/prowler/requirement_checks.csv", None),
    ("vendors", "vendors/vendors.csv", None),
    ("vendors", "vendors/review_rule.json", None),
    ("slos", "slos/slo_generator/slo_config_v2.yaml", None),
    ("slos", "slos/slo_generator/slo_report_v2.json", None),
    ("deployments", "webhooks/github/push.payload.json", None),
    ("deployments", "git_history/summary.csv", None),
    ("incidents", "incidents/jenkins_status/incidents.csv", None),
]
"""Files that hold no records of that kind, or not enough of them."""


@pytest.mark.parametrize(("kind", "file", "form"), OTHERS)
def test_real_files_that_hold_no_records_say_so(
    database, workspaces, acceptance_data, stored, kind, file, form
):
    path = acceptance_data / file
    (outcome,) = load(database, KINDS[kind], [path], workspace="payments", form=form)
    assert outcome.problem, outcome
    assert (outcome.read, outcome.written, stored(kind)) == (0, 0, [])
