"""Prowler's outputs: versions, zones, accounts, and commas within names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ingest.formats import FORMATS
from ingest.reader import UnreadableFile
from tests.ingest.formats.telling import controls, rows

HEAD = "AUTH_METHOD;TIMESTAMP;ACCOUNT_UID;PROVIDER;STATUS;MUTED;COMPLIANCE\n"


def table(*lines: str, head: str = HEAD) -> bytes:
    return (head + "".join(f"{line}\n" for line in lines)).encode()


def ocsf(status_code: str = "PASS", account: str = "42", **more: Any) -> dict[str, Any]:
    return {
        "metadata": {"product": {"name": "Prowler"}},
        "status": "New",
        "status_code": status_code,
        "time_dt": "2026-11-10T08:00:00Z",
        "cloud": {"provider": "gcp", "account": {"uid": account}},
        "unmapped": {"compliance": {"Rules-1": ["a.1"]}},
        **more,
    }


def instants(body: Any, **given: Any) -> set[datetime]:
    return {
        datetime.fromisoformat(raw.cells["assessed_at"]).astimezone(UTC)
        for raw in rows("prowler", "control-results", body, **given)
    }


def test_two_accounts_of_one_instant_do_not_hide_a_failure():
    body = [ocsf("FAIL", "1"), ocsf("PASS", "2"), ocsf("PASS", "1")]
    assert controls(body, "prowler") == {
        ("a.1", "gcp:1"): "non_compliant",
        ("a.1", "gcp:2"): "compliant",
    }


@pytest.mark.parametrize(
    ("time", "hour"),
    [
        ("2026-11-10 08:00:00", 8),
        ("2026-11-10T08:00:00.123456", 8),
        ("2026-11-10T08:00:00-05:00", 13),
        ("2026-11-10 08:00:00 +0530", 2),
        ("2026-11-10T08:00:00Z", 8),
        ("1794297600", 8),
        ("1794297600000", 8),
    ],
)
def test_instants_of_the_csv(time, hour):
    (found,) = instants(table(f"x;{time};1;aws;PASS;False;CIS: 1"))
    assert (found.day, found.hour) == (10, hour)


def test_a_naive_time_is_of_the_zone_unless_an_epoch_beside_it_shows_which():
    lima = ZoneInfo("America/Lima")
    assert instants(table("x;2026-11-10 08:00:00;1;aws;PASS;False;CIS: 1"), zone=lima) == {
        datetime(2026, 11, 10, 13, tzinfo=UTC)
    }
    shown = ocsf(time_dt="2026-11-10T08:00:00.250000", time=1794279600)
    assert instants([shown], zone=lima) == {datetime(2026, 11, 10, 3, 0, 0, 250000, tzinfo=UTC)}
    torn = ocsf(time_dt="2026-11-10T08:03:20", time=1794279600)
    assert instants([torn]) == {datetime(2026, 11, 10, 3, tzinfo=UTC)}


def test_muted_findings_count_for_nothing_and_manual_ones_are_not_assessed():
    body = [
        ocsf("FAIL", status="Suppressed"),
        ocsf("MANUAL", unmapped={"compliance": {"Rules-1": ["a.2"]}}),
        ocsf("INFO", unmapped={"compliance": {"Rules-1": ["a.3"]}}),
    ]
    assert controls(body, "prowler") == {
        ("a.2", "gcp:42"): "not_assessed",
        ("a.3", "gcp:42"): "not_assessed",
    }


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (
            "Onboarding: Keep an owner, a deputy, and a list",
            ["Keep an owner, a deputy, and a list"],
        ),
        ("Onboarding: Enable logs, Rotate keys yearly", ["Enable logs", "Rotate keys yearly"]),
        ("CIS-9.9: 1.1, 1.2", ["1.1", "1.2"]),
        ("Law: 164.308(a)(1), 164.312", ["164.308(a)(1)", "164.312"]),
        ("Mixed: op.x, Watch all, always", ["op.x", "Watch all, always"]),
    ],
)
def test_the_csv_says_where_it_can_not_tell(text, names):
    warnings: list[str] = []
    body = table(f"x;2026-11-10 08:00:00;1;aws;PASS;False;{text}")
    found = [r.cells["control"] for r in rows("prowler", "control-results", body, warnings)]
    assert found == names
    assert any("json-ocsf" in warning for warning in warnings) == any(" " in name for name in names)


def test_version_3():
    native = [
        {
            "AssessmentStartTime": "2026-11-10T08:00:00",
            "Provider": "azure",
            "Subscription": "sub-1",
            "CheckID": "c",
            "Status": "FAIL",
            "StatusExtended": "e",
            "Compliance": {"CIS-2.0": ["3.1"], "None": []},
        }
    ]
    assert controls(native, "prowler") == {("3.1", "azure:sub-1"): "non_compliant"}
    head = "ASSESSMENT_START_TIME;FINDING_UNIQUE_ID;PROVIDER;ACCOUNT_ID;STATUS;COMPLIANCE\n"
    body = table("2026-11-10T08:00:00.000000;f;aws;77;PASS;CIS-1.5: 1.20 | ENS: op.x", head=head)
    assert FORMATS["prowler"].sniff(body)
    assert controls(body, "prowler") == {
        ("1.20", "aws:77"): "compliant",
        ("op.x", "aws:77"): "compliant",
    }
    old = ocsf("FAIL", unmapped=None, compliance={"requirements": ["CIS-1.5: 1.20, 1.21"]})
    assert set(controls([old], "prowler")) == {("1.20", "gcp:42"), ("1.21", "gcp:42")}


COMPLIANCE = (
    b"PROVIDER;DESCRIPTION;SUBSCRIPTIONID;ASSESSMENTDATE;REQUIREMENTS_ID;STATUS;CHECKID;MUTED\n"
    b"azure;d;s-9;2026-11-10 08:00:00;4.1;PASS;c1;False\n"
    b"azure;d;s-9;2026-11-10 08:00:00;4.1;FAIL;c2;False\n"
)


def test_a_csv_of_the_compliance_folder_needs_the_name_of_its_framework():
    assert FORMATS["prowler"].sniff(COMPLIANCE)
    with pytest.raises(UnreadableFile, match="-M json-ocsf"):
        controls(COMPLIANCE, "prowler")
    named = {"framework": "CIS-2.1"}
    assert controls(COMPLIANCE, "prowler", columns=named) == {("4.1", "azure:s-9"): "non_compliant"}


@pytest.mark.parametrize(
    "body",
    [
        b'[{"SchemaVersion": "2018-10-08", "ProductArn": "arn:prowler", "Compliance": {}}]',
        b"PROFILE,ACCOUNT_NUM,REGION,TITLE_ID,CHECK_RESULT,ITEM_SCORED\np,1,r,t,PASS,s\n",
    ],
)
def test_outputs_without_requirements_are_named(body):
    assert FORMATS["prowler"].sniff(body)
    with pytest.raises(UnreadableFile, match="-M json-ocsf"):
        controls(body, "prowler")
