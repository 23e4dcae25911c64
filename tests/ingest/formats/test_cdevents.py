"""CDEvents: identity by source and id, signs of one incident, roll-backs, ways of wrapping."""

from __future__ import annotations

import base64
import json

import pytest

from tests.ingest.formats.telling import at, one_after_another, records, rows, told


def cd(kind: str, clock: str, name: str = "77", source: str = "/ci/blue", **subject) -> dict:
    about = {"id": "/svc/ledger", "content": {"environment": {"id": "prd"}}, **subject}
    context = {
        "id": name,
        "source": source,
        "type": f"dev.cdevents.{kind}.0.3.0",
        "timestamp": f"2026-11-10T{clock}:00Z",
    }
    return {"context": context, "subject": about}


def test_two_sources_may_number_alike():
    events = [
        cd("service.deployed", "07:00"),
        cd("service.deployed", "08:00", source="/ci/green"),
        cd("service.deployed", "07:00"),
    ]
    made = records("deployments", one_after_another("cdevents", "deployments", events))
    assert sorted(made) == ["/ci/blue#77", "/ci/green#77"]
    assert all(each["production"] for each in made.values())


@pytest.mark.parametrize("kind", ["deployments", "incidents"])
def test_a_fragment_in_a_source_or_a_name_makes_no_other_of_it(kind):
    of = "service.deployed" if kind == "deployments" else "incident.detected"
    pairs = [("/ci", "blue#7"), ("/ci#blue", "7"), ("/ci", "blue%237"), ("/ci#blue", "#7")]
    events = [cd(of, "07:00", name, source, id=name) for source, name in pairs]
    made = records(kind, one_after_another("cdevents", kind, events))
    assert len(made) == len(pairs)
    assert {"/ci#blue#7", "/ci#blue%237"} < set(made)


def test_a_source_of_any_length_makes_a_key():
    first, second = (
        cd("service.deployed", "07:00", source="https://ci.example/" + "x" * 300 + end)
        for end in "ab"
    )
    made = records("deployments", one_after_another("cdevents", "deployments", [first, second]))
    assert len(made) == 2
    assert all(len(key) <= 200 for key in made)


def test_a_roll_back_is_no_deployment():
    event = cd("service.rolledback", "09:30")
    assert rows("cdevents", "deployments", event) == []
    (made,) = records("roll-backs", told("cdevents", "roll-backs", event)).values()
    assert (made["rolled_back_at"], made["service"]) == (at("09:30"), "/svc/ledger")
    assert made["environment"] == "prd"


def test_detected_and_reported_are_signs_of_one_incident():
    story = [
        cd("incident.reported", "07:50", "2", id="I1", source="/mon"),
        cd("incident.resolved", "08:00", "3", id="I1", source="/mon"),
        cd("incident.detected", "07:00", "1", id="I1", source="/mon"),
    ]
    for events in (story, story[::-1]):
        made = records("incidents", one_after_another("cdevents", "incidents", events))
        assert list(made) == ["/mon#I1"]
        assert (made["/mon#I1"]["opened_at"], made["/mon#I1"]["resolved_at"]) == (
            at("07:00"),
            at("08:00"),
        )


def test_subjects_of_two_sources_are_two_incidents():
    events = [
        {**cd("incident.detected", "07:00", source=source), "subject": {"id": "I1"}}
        for source in ("/a", "/b")
    ]
    assert sorted(records("incidents", told("cdevents", "incidents", events))) == ["/a#I1", "/b#I1"]


def test_every_way_of_wrapping_tells_the_same():
    event = cd("service.upgraded", "07:00")
    packed = base64.b64encode(json.dumps(event).encode()).decode()
    plain = told("cdevents", "deployments", event)
    for body in (
        {"specversion": "1.0", "data": event},
        {"specversion": "1.0", "data_base64": packed},
        [{"specversion": "1.0", "data": event}],
        (json.dumps(event) + "\n" + json.dumps(event) + "\n").encode(),
    ):
        assert set(map(repr, told("cdevents", "deployments", body))) == set(map(repr, plain))


def test_what_no_kind_takes_is_named_once():
    warnings: list[str] = []
    body = [cd("build.finished", "07:00")] * 2
    assert rows("cdevents", "incidents", body, warnings) == []
    assert warnings == ["left out an event of type 'dev.cdevents.build.finished.0.3.0' (2 times)"]
