"""PagerDuty: events in any order, lists, logs, v2."""

from __future__ import annotations

import json

import pytest

from tests.ingest.formats.telling import at, one_after_another, records, rows, told


def hook(verb: str, clock: str, key: str = "PKT7", **more) -> dict:
    incident = {
        "id": key,
        "type": "incident",
        "title": "Queue of the warehouse stands still",
        "urgency": "high",
        "created_at": "2026-11-10T07:00:00Z",
        **more,
    }
    occurred = f"2026-11-10T{clock}:00Z"
    return {"event": {"event_type": f"incident.{verb}", "occurred_at": occurred, "data": incident}}


def incident(*hooks: dict) -> dict:
    (made,) = records("incidents", one_after_another("pagerduty", "incidents", hooks)).values()
    return made


def test_the_first_acknowledgement_and_the_last_end_count_whatever_comes_first():
    story = [
        hook("triggered", "07:00"),
        hook("resolved", "08:00"),
        hook("reopened", "08:30"),
        hook("acknowledged", "08:35"),
        hook("acknowledged", "07:10"),
        hook("resolved", "09:45"),
    ]
    for told_order in (story, story[::-1], story[3:] + story[:3]):
        made = incident(*told_order)
        assert (made["opened_at"], made["acknowledged_at"]) == (at("07:00"), at("07:10"))
        assert (made["resolved_at"], made["reopened"]) == (at("09:45"), 1)


def test_a_reopened_incident_is_open_again():
    made = incident(hook("reopened", "08:30"), hook("resolved", "08:00"))
    assert (made["resolved_at"], made["reopened"]) == (None, 1)


@pytest.mark.parametrize("verb", ["acknowledged", "escalated", "delegated", "reassigned"])
def test_an_incident_that_is_handled_after_its_end_was_reopened_though_nobody_told(verb):
    made = incident(hook("resolved", "08:00"), hook(verb, "08:40"))
    assert (made["resolved_at"], made["reopened"]) == (None, 0)


@pytest.mark.parametrize(
    ("priority", "urgency", "severity"),
    [
        ("SEV-2", "low", "p2"),
        ("P1 - Critical", "low", "p1"),
        ("p5", "high", "p4"),
        ("Blocker", "low", "p1"),
        ("Tuesday", "high", "p2"),
        ("Tuesday", "low", "p4"),
        (None, "high", "p2"),
    ],
)
def test_priorities_are_free_words_and_the_urgency_stands_in(priority, urgency, severity):
    named = {"summary": priority} if priority else None
    assert (
        incident(hook("triggered", "07:00", priority=named, urgency=urgency))["severity"]
        == severity
    )


def test_the_latest_priority_by_the_senders_clock_counts():
    raised = hook("priority_updated", "07:30", priority={"summary": "P1"})
    first = hook("triggered", "07:00", priority={"summary": "P3"})
    assert incident(raised, first)["severity"] == incident(first, raised)["severity"] == "p1"


def test_a_merged_incident_was_resolved_by_nobody():
    into = {"type": "merge_resolve_reason", "incident": {"id": "PBIG"}}
    made = incident(hook("triggered", "07:00"), hook("resolved", "07:20", resolve_reason=into))
    assert (made["merged_into"], made["left_out"]) == ("PBIG", "merged")
    assert made["resolved_at"] is None


def test_what_was_merged_lends_its_signs_to_the_other(bring, stored):
    into = {"type": "merge_resolve_reason", "incident": {"id": "PBIG"}}
    later = {"created_at": "2026-11-10T07:15:00Z"}
    hooks = [
        hook("resolved", "09:00", key="PBIG", **later),
        hook("acknowledged", "07:05"),
        hook("resolved", "07:20", resolve_reason=into),
    ]
    lines = "\n".join(map(json.dumps, hooks))
    bring("incidents", lines, "a.jsonl", workspace="payments", form="pagerduty")
    big, small = stored("incidents")
    assert (big["key"], big["left_out"], small["left_out"]) == ("PBIG", None, "merged")
    assert (big["opened_at"], big["acknowledged_at"]) == (at("07:00"), at("07:05"))
    assert big["resolved_at"] == at("09:00")


def test_a_long_title_of_several_lines_is_put_on_one_and_cut():
    title = incident(hook("triggered", "07:00", title="Long\nstory " * 200))["title"]
    assert title.startswith("Long story Long story")
    assert title.endswith("…")
    assert len(title) <= 500


def test_a_list_of_the_rest_api_tells_begin_first_acknowledgement_and_end():
    listed = {
        "incidents": [
            {
                "id": "PA",
                "title": "Slow",
                "status": "acknowledged",
                "urgency": "low",
                "created_at": "2026-11-10T07:00:00Z",
                "acknowledgements": [
                    {"at": "2026-11-10T07:40:00Z"},
                    {"at": "2026-11-10T07:12:00Z"},
                ],
            },
            {
                "id": "PB",
                "summary": "Down",
                "status": "resolved",
                "created_at": "2026-11-10T07:00:00Z",
                "acknowledgements": [],
                "last_status_change_at": "2026-11-10T08:00:00Z",
            },
            {"id": "PC", "status": "resolved", "created_at": "2026-11-10T07:00:00Z"},
        ],
        "more": False,
    }
    made = records("incidents", told("pagerduty", "incidents", listed))
    assert (made["PA"]["acknowledged_at"], made["PA"]["severity"]) == (at("07:12"), "p4")
    assert (made["PB"]["title"], made["PB"]["resolved_at"]) == ("Down", at("08:00"))
    assert (made["PC"]["resolved_at"], made["PC"]["is_over"]) == (None, True)


def test_log_entries_tell_the_whole_life():
    entries = [
        {"type": "resolve_log_entry", "created_at": "2026-11-10T08:00:00Z"},
        {"type": "reopen_log_entry", "created_at": "2026-11-10T08:10:00Z"},
        {"type": "notify_log_entry", "created_at": "2026-11-10T07:01:00Z"},
        {"type": "acknowledge_log_entry", "created_at": "2026-11-10T07:03:00Z"},
        {"type": "trigger_log_entry", "created_at": "2026-11-10T07:00:00Z"},
        {"type": "resolve_log_entry", "created_at": "2026-11-10T09:00:00Z"},
    ]
    within = {"incident": {"id": "PL", "status": "resolved", "created_at": "2026-11-10T07:00:00Z"}}
    within["incident"] |= {"last_status_change_at": "2026-11-10T09:00:00Z", "log_entries": entries}
    apart = {"log_entries": [{**e, "incident": {"id": "PL"}} for e in entries]}
    for body in (within, apart):
        (made,) = records("incidents", told("pagerduty", "incidents", body)).values()
        assert (made["acknowledged_at"], made["resolved_at"]) == (at("07:03"), at("09:00"))
        assert made["reopened"] == 1


def test_messages_of_v2():
    def message(name: str, clock: str) -> dict:
        one = {"id": "PV2", "title": "Old", "created_at": "2026-11-10T07:00:00Z"}
        return {"event": name, "created_on": f"2026-11-10T{clock}:00Z", "incident": one}

    names = (("incident.trigger", "07:00"), ("incident.acknowledge", "07:02"))
    body = {"messages": [message(*each) for each in (*names, ("incident.resolve", "07:30"))]}
    (made,) = records("incidents", told("pagerduty", "incidents", body)).values()
    assert (made["acknowledged_at"], made["resolved_at"]) == (at("07:02"), at("07:30"))


def test_what_is_no_step_of_an_incident_is_left_out_and_named():
    warnings: list[str] = []
    body = [hook("annotated", "07:00")] * 3 + [hook("triggered", "07:00")]
    assert len(rows("pagerduty", "incidents", body, warnings)) == 1
    assert warnings == ["left out an event of type 'incident.annotated' (3 times)"]


def test_what_is_none_of_pagerdutys_says_so():
    (row,) = rows("pagerduty", "incidents", {"zen": "Keep it simple"})
    assert row.fault is not None
    assert "neither an event nor a list" in row.fault.reason


def test_an_incident_that_does_not_say_when_it_began_did_with_the_event_that_triggered_it():
    def sent(verb: str, clock: str) -> dict:
        event = {"event_type": f"incident.{verb}", "occurred_at": f"2026-11-10T{clock}:00Z"}
        return {"event": {**event, "data": {"id": "Q9", "title": "Down"}}}

    bodies = [sent("resolved", "09:00"), sent("triggered", "08:00")]
    told_records = records("incidents", one_after_another("pagerduty", "incidents", bodies))
    assert told_records["Q9"]["opened_at"] == at("08:00")
    assert told_records["Q9"]["resolved_at"] == at("09:00")
    assert records("incidents", one_after_another("pagerduty", "incidents", bodies[:1])) == {}
