"""Every kind: a small file is written as it says, and once."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from ingest.kinds import KINDS
from storage import tables

DEPLOYMENT = "workspace,key,completed_at,outcome\npayments,d-1,2026-11-02T12:00:00Z,failed\n"
OBJECTIVE = "workspace,key,target_percent\npayments,checkout,99.9\n"
VENDOR = "workspace,key,name,tier\npayments,ven-1,Acme,1\n"

CASES = {
    "deployments": (
        (),
        "workspace,key,created_at,completed_at,environment,outcome,service\n"
        "payments,d-1,2026-11-01T09:00:00Z,2026-11-01T12:30:00+01:00,Staging,Successful,api\n"
        "payments,d-2,,2026-11-02T12:00:00.250Z,,rolled_back,\n",
        [
            {
                "key": "d-1",
                "created_at": datetime(2026, 11, 1, 9, tzinfo=UTC),
                "completed_at": datetime(2026, 11, 1, 11, 30, tzinfo=UTC),
                "environment": "staging",
                "outcome": "successful",
                "service": "api",
            },
            {
                "key": "d-2",
                "created_at": None,
                "completed_at": datetime(2026, 11, 2, 12, 0, 0, 250_000, tzinfo=UTC),
                "environment": "production",
                "outcome": "rolled_back",
                "service": None,
            },
        ],
    ),
    "changes": (
        (("deployments", DEPLOYMENT),),
        "workspace,deployment,key,committed_at\npayments,d-1,abc,2026-11-01T12:00:00Z\n",
        [
            {
                "deployment": "d-1",
                "key": "abc",
                "committed_at": datetime(2026, 11, 1, 12, tzinfo=UTC),
            }
        ],
    ),
    "incidents": (
        (),
        "workspace,key,title,severity,opened_at,acknowledged_at,resolved_at,caused_by,"
        "postmortem_required,postmortem_published_at\n"
        'payments,INC-1,"Łódź, down ""again""",P1,2026-11-01T10:00:00Z,2026-11-01T10:05:00Z,'
        "2026-11-01T11:00:00Z,not-yet-there,yes,2026-11-03T09:00:00Z\n"
        "payments,INC-2,,,2026-11-01T10:00:00Z,,,,,\n",
        [
            {
                "key": "INC-1",
                "title": 'Łódź, down "again"',
                "severity": "p1",
                "opened_at": datetime(2026, 11, 1, 10, tzinfo=UTC),
                "acknowledged_at": datetime(2026, 11, 1, 10, 5, tzinfo=UTC),
                "resolved_at": datetime(2026, 11, 1, 11, tzinfo=UTC),
                "caused_by": "not-yet-there",
                "postmortem_required": True,
                "postmortem_published_at": datetime(2026, 11, 3, 9, tzinfo=UTC),
            },
            {
                "key": "INC-2",
                "title": None,
                "severity": "p3",
                "opened_at": datetime(2026, 11, 1, 10, tzinfo=UTC),
                "acknowledged_at": None,
                "resolved_at": None,
                "caused_by": None,
                "postmortem_required": None,
                "postmortem_published_at": None,
            },
        ],
    ),
    "slos": (
        (),
        "workspace,key,name,type,target_percent,window_days,error_query,total_query\n"
        "payments,checkout,Checkout,latency,99.95,28,sum(e),sum(t)\npayments,search,,,100,,,\n",
        [
            {
                "key": "checkout",
                "name": "Checkout",
                "type": "latency",
                "target_percent": 99.95,
                "window_days": 28,
                "error_query": "sum(e)",
                "total_query": "sum(t)",
            },
            {
                "key": "search",
                "name": None,
                "type": "custom",
                "target_percent": 100.0,
                "window_days": 30,
                "error_query": None,
                "total_query": None,
            },
        ],
    ),
    "slo-days": (
        (("slos", OBJECTIVE),),
        "workspace,key,day,good,total,burn_1h_max,burn_6h_max\n"
        "payments,checkout,2026-11-01,999,1000,1.5,\n",
        [
            {
                "key": "checkout",
                "day": date(2026, 11, 1),
                "good": 999.0,
                "total": 1000.0,
                "burn_1h_max": 1.5,
                "burn_6h_max": None,
            }
        ],
    ),
    "control-results": (
        (),
        "workspace,framework,control,result,assessed_at,valid_until\n"
        "payments,SOC2,CC6.1,compliant,2026-11-01T00:00:00Z,2027-11-01T00:00:00Z\n",
        [
            {
                "framework": "SOC2",
                "control": "CC6.1",
                "assessed_at": datetime(2026, 11, 1, tzinfo=UTC),
                "result": "compliant",
                "valid_until": datetime(2027, 11, 1, tzinfo=UTC),
            }
        ],
    ),
    "certificates": (
        (),
        "workspace,host,port,fingerprint,subject,issuer,not_before,not_after,last_seen\n"
        "payments,WWW.example.com,443,AB:CD:01,CN=www,CN=ca,1999-01-01T00:00:00Z,"
        "2027-01-01T00:00:00Z,2026-11-01T00:00:00Z\n",
        [
            {
                "fingerprint": "abcd01",
                "host": "www.example.com",
                "port": 443,
                "subject": "CN=www",
                "issuer": "CN=ca",
                "not_before": datetime(1999, 1, 1, tzinfo=UTC),
                "not_after": datetime(2027, 1, 1, tzinfo=UTC),
                "revoked_at": None,
                "superseded_at": None,
                "first_seen": None,
                "last_seen": datetime(2026, 11, 1, tzinfo=UTC),
            }
        ],
    ),
    "roll-backs": (
        (),
        "workspace,key,rolled_back_at,service\npayments,r-1,2026-11-01T12:00:00Z,api\n",
        [
            {
                "key": "r-1",
                "rolled_back_at": datetime(2026, 11, 1, 12, tzinfo=UTC),
                "environment": "production",
                "service": "api",
            }
        ],
    ),
    "asset-retirements": (
        (),
        "workspace,asset,retired_at\npayments,web-1,2026-11-01T12:00:00Z\n",
        [
            {
                "asset": "web-1",
                "framework": "",
                "retired_at": datetime(2026, 11, 1, 12, tzinfo=UTC),
            }
        ],
    ),
    "framework-controls": (
        (),
        "workspace,framework,control,title,set_up_at\npayments,SOC2,CC1.1,Ethics,2026-11-01T12:00:00Z\n",
        [
            {
                "framework": "SOC2",
                "control": "CC1.1",
                "title": "Ethics",
                "set_up_at": datetime(2026, 11, 1, 12, tzinfo=UTC),
            }
        ],
    ),
    "vendors": (
        (),
        "workspace,key,name,tier,status,added_on\npayments,ven-1,Acme,1,,2024-02-29\n",
        [
            {
                "key": "ven-1",
                "name": "Acme",
                "tier": 1,
                "status": "active",
                "added_on": date(2024, 2, 29),
            }
        ],
    ),
    "vendor-reviews": (
        (("vendors", VENDOR),),
        "workspace,vendor,completed_on,next_due_on\npayments,ven-1,2026-01-31,2027-01-31\n",
        [
            {
                "vendor": "ven-1",
                "completed_on": date(2026, 1, 31),
                "next_due_on": date(2027, 1, 31),
            }
        ],
    ),
}


def test_every_kind_has_a_case():
    assert {*CASES, "workspaces"} == set(KINDS)


def as_told(rows, expected):
    """The columns that the file tells."""
    return [{name: row[name] for name in told} for row, told in zip(rows, expected, strict=True)]


@pytest.mark.parametrize("kind", CASES)
def test_a_small_file_is_written_as_it_says_and_a_second_time_unchanged(kind, bring, stored):
    before, content, expected = CASES[kind]
    for other, lines in before:
        assert not bring(other, lines).failed
    first = bring(kind, content)
    assert (first.written, first.rejects, first.problem) == (len(expected), [], None)
    assert as_told(stored(kind), expected) == expected
    assert stored(kind, "search") == []
    again = bring(kind, content)
    assert (again.written, again.unchanged, again.rejected) == (0, len(expected), 0)
    assert as_told(stored(kind), expected) == expected


def test_workspaces_are_created_and_changed_in_place(bring, database, workspaces):
    bring(
        "workspaces",
        "slug,name,region,is_active,accent\n"
        "new-one,New,eu,no,#0B5CAD\npayments,Payments & Co,,,\nsearch,Search,eu,1,\n",
    )
    outcome = bring("workspaces", "slug,name\nnew-one,Newer\npayments,Payments & Co\n")
    assert (outcome.written, outcome.unchanged) == (1, 1)
    with database.job.connect() as connection:
        rows = {r.slug: r for r in connection.execute(select(tables.workspace))}
    new = rows["new-one"]
    assert (new.name, new.region, new.is_active, new.accent) == ("Newer", "eu", False, "#0B5CAD")
    assert rows["payments"].name == "Payments & Co"
    assert rows["payments"].id == workspaces["payments"]
    assert rows["payments"].is_active is True
    assert rows["search"].region == "eu"


def test_a_column_that_the_file_does_not_have_keeps_its_value(bring, stored):
    head = "workspace,key,opened_at"
    bring("incidents", f"{head},title,severity\npayments,INC-1,2026-11-01T10:00:00Z,Down,p1\n")
    outcome = bring(
        "incidents",
        f"{head},resolved_at\npayments,INC-1,2026-11-01T10:00:00Z,2026-11-01T11:00:00Z\n",
    )
    assert outcome.written == 1
    (row,) = stored("incidents")
    assert (row["title"], row["severity"]) == ("Down", "p1")
    assert row["resolved_at"] == datetime(2026, 11, 1, 11, tzinfo=UTC)


def test_an_empty_cell_takes_the_value_away(bring, stored):
    head = "workspace,key,opened_at,title\n"
    bring("incidents", head + "payments,INC-1,2026-11-01T10:00:00Z,Down\n")
    bring("incidents", head + "payments,INC-1,2026-11-01T10:00:00Z,\n")
    assert stored("incidents")[0]["title"] is None
