"""Incidents of alerts by their keys: merged by hand, told by a file, in any order."""

from __future__ import annotations

import json
from itertools import permutations

import pytest

from ingest.desk import corrections
from tests.deep import all_but
from tests.ingest.formats.telling import at
from tests.ingest.formats.test_alertmanager import alert, group

BY = "erin@x.example"
HEAD = "key,title,severity,opened_at,acknowledged_at,resolved_at\n"
ORDINARY = f"{HEAD}b,Down,p1,2026-11-10T10:00:00Z,,2026-11-10T11:00:00Z\n"


@pytest.fixture
def team(workspaces) -> tuple[int, str]:
    return workspaces["payments"], "payments"


@pytest.fixture
def incidents(stored):
    return lambda: {row["key"]: row for row in stored("incidents")}


def alert_body(*alerts: dict) -> str:
    return json.dumps(group(*alerts))


def told(bring, *alerts: dict) -> None:
    bring("incidents", alert_body(*alerts), "a.json", workspace="payments", form="alertmanager")


def key_at(incidents, clock: str) -> str:
    (key,) = (key for key, row in incidents().items() if row["opened_at"] == at(clock))
    return key


def test_an_alerts_incident_that_is_merged_lends_its_first_sign(database, team, bring, incidents):
    bring("incidents", ORDINARY, workspace="payments")
    told(bring, alert("07:00", "07:30"), alert("09:00", "09:30"))
    corrections.merge(database, team, "incidents", key_at(incidents, "09:00"), "b", BY)
    each = incidents()
    assert each["b"]["opened_at"] == at("09:00")
    assert [(r["opened_at"], r["left_out"]) for k, r in sorted(each.items()) if k != "b"] == [
        (at("07:00"), None), (at("09:00"), "merged"),
    ]  # fmt: skip
    told(bring, alert("08:50"), alert("08:50", "09:30"))
    assert incidents()["b"]["opened_at"] == at("08:50")


def test_an_incident_that_is_merged_into_an_alerts_lends_to_that_one_alone(
    database, team, bring, incidents
):
    bring("incidents", ORDINARY.replace("T10:00", "T06:40"), workspace="payments")
    told(bring, alert("07:00", "07:30"), alert("09:00", "09:30"))
    corrections.merge(database, team, "incidents", "b", key_at(incidents, "09:00"), BY)
    each = incidents()
    opened = sorted(r["opened_at"] for k, r in each.items() if k != "b")
    assert (opened, each["b"]["left_out"]) == ([at("06:40"), at("07:00")], "merged")
    told(bring, alert("07:00", "07:40"))
    assert sorted(r["opened_at"] for k, r in incidents().items() if k != "b") == opened


def test_two_incidents_of_one_alert_are_merged(database, team, bring, incidents):
    told(bring, alert("07:00", "07:30"), alert("09:00", "09:30"))
    first, second = key_at(incidents, "07:00"), key_at(incidents, "09:00")
    corrections.merge(database, team, "incidents", first, second, BY)
    each = incidents()
    assert each[first]["left_out"] == "merged"
    assert (each[second]["opened_at"], each[second]["resolved_at"]) == (at("07:00"), at("09:30"))


def merger(name: str, into: str, clock: str) -> dict:
    """PagerDuty's word that an incident is over because it is part of another."""
    reason = {"type": "merge_resolve_reason", "incident": {"id": into}}
    incident = {
        "id": name,
        "title": name,
        "created_at": f"2026-11-10T{clock}:00Z",
        "resolve_reason": reason,
    }
    at_noon = {"event_type": "incident.resolved", "occurred_at": "2026-11-10T12:00:00Z"}
    return {"event": at_noon | {"data": incident}}


CIRCLE = (merger("B", "C", "09:00"), merger("C", "A", "08:00"), merger("A", "B", "10:00"))
ONTO_IT = merger("D", "C", "07:00")


@pytest.mark.parametrize("order", all_but([(0, 1, 2, 3), (3, 2, 1, 0)], permutations(range(4))))
def test_incidents_that_are_merged_in_a_circle_are_one_and_not_none(bring, incidents, order):
    told_of = (*CIRCLE, ONTO_IT)
    for number in order:
        bring(
            "incidents",
            json.dumps(told_of[number]),
            "p.json",
            workspace="payments",
            form="pagerduty",
        )
    each = incidents()
    assert {key: row["left_out"] for key, row in each.items()} == {
        "A": None, "B": "merged", "C": "merged", "D": "merged"
    }  # fmt: skip
    assert (each["A"]["opened_at"], each["A"]["resolved_at"]) == (at("07:00"), None)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_file_names_an_alerts_incident_by_its_key(bring, incidents, order):
    told(bring, alert("07:00", "07:30"))
    (key,) = incidents()
    row = f"{key},Told before it ended,,2026-11-10T07:00:00Z,2026-11-10T07:10:00Z,\n"
    other = (
        f"{key.replace('07:00', '05:00')},Missed,p2,2026-11-10T05:00:00Z,,2026-11-10T05:20:00Z\n"
    )
    parts = (
        lambda: bring("incidents", HEAD + row, "r.csv", workspace="payments"),
        lambda: bring("incidents", HEAD + other, "o.csv", workspace="payments"),
        lambda: told(bring, alert("07:00", "07:30"), alert("09:00")),
    )
    for number in order:
        parts[number]()
    assert [
        (r["opened_at"], r["acknowledged_at"], r["resolved_at"], r["title"])
        for r in sorted(incidents().values(), key=lambda r: r["opened_at"])
    ] == [
        (at("05:00"), None, at("05:20"), "Missed"),
        (at("07:00"), at("07:10"), at("07:30"), "QueueStands"),
        (at("09:00"), None, None, "QueueStands"),
    ]
