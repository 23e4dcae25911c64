"""Opsgenie and Jira Service Management: actions in any order, and lists."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest

from tests.ingest.formats.telling import at, one_after_another, records, rows, told


def action(name: str, clock: str, **more) -> dict:
    alert = {
        "alertId": "a-1",
        "message": "Disk of the warehouse is full",
        "priority": "P2",
        "createdAt": int(at("07:00").timestamp() * 1_000),
        "updatedAt": int(at(clock).timestamp() * 1_000_000_000),
        **more,
    }
    return {"action": name, "alert": alert, "source": {"name": "web"}}


def test_actions_in_every_order():
    story = [
        action("Create", "07:00"),
        action("Acknowledge", "07:06"),
        action("Acknowledge", "07:30"),
        action("UpdatePriority", "07:31", priority="P1"),
        action("Close", "08:00", priority="P1"),
    ]
    for arrived in permutations(story):
        (made,) = records("incidents", one_after_another("opsgenie", "incidents", arrived)).values()
        assert (made["acknowledged_at"], made["resolved_at"]) == (at("07:06"), at("08:00"))
        assert (made["severity"], made["opened_at"]) == ("p1", at("07:00"))


def test_a_note_after_the_end_opens_nothing():
    bodies = [action("Close", "08:00"), action("AddNote", "09:00")]
    (made,) = records("incidents", one_after_another("opsgenie", "incidents", bodies)).values()
    assert made["resolved_at"] == at("08:00")


def test_a_deleted_alert_is_withdrawn():
    body = [action("Create", "07:00"), action("Delete", "07:10")]
    (made,) = records("incidents", told("opsgenie", "incidents", body)).values()
    assert made["left_out"] == "withdrawn"


@pytest.mark.parametrize("name", ["data", "values"])
def test_a_list(name):
    def listed(key: str, **more) -> dict:
        return {"id": key, "tinyId": "3", "createdAt": "2026-11-10T07:00:00Z", **more}

    report = {"ackTime": 90_000, "closeTime": 3_600_000}
    body = {
        name: [
            listed("a", status="closed", priority="P5", report=report),
            listed("b", status="open", updatedAt="2026-11-10T07:30:00Z"),
            listed("c", status="closed"),
        ]
    }
    made = records("incidents", told("opsgenie", "incidents", body))
    assert made["a"]["acknowledged_at"] == at("07:00") + timedelta(seconds=90)
    assert (made["a"]["resolved_at"], made["a"]["severity"]) == (at("08:00"), "p4")
    assert (made["b"]["resolved_at"], made["b"]["is_over"]) == (None, False)
    assert made["c"]["is_over"]


def test_an_action_that_tells_nothing_is_named():
    warnings: list[str] = []
    assert rows("opsgenie", "incidents", action("AddTags", "07:00"), warnings) == []
    assert warnings == ["left out an action 'AddTags'"]
