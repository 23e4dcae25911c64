"""Alertmanager and Grafana: alerts as intervals, by their labels."""

from __future__ import annotations

import json

import pytest

from ingest.reader import UnreadableFile
from tests.ingest.formats.telling import at, notes, one_after_another, records, rows, told

OPEN = "0001-01-01T00:00:00Z"


def alert(start: str, end: str | None = None, severity: str | None = "critical", **labels) -> dict:
    own = {"alertname": "QueueStands", "pod": "w-1", **labels}
    return {
        "status": "resolved" if end else "firing",
        "labels": own | ({"severity": severity} if severity else {}),
        "annotations": {},
        "startsAt": f"2026-11-10T{start}:00Z",
        "endsAt": f"2026-11-10T{end}:00Z" if end else OPEN,
    }


def group(*alerts: dict, sender: str = "http://am-1.example") -> dict:
    return {"version": "4", "groupKey": "{}", "externalURL": sender, "alerts": list(alerts)}


def spans(*groups: dict, form: str = "alertmanager") -> list[tuple]:
    made = records("incidents", one_after_another(form, "incidents", groups))
    return sorted(
        ((m["opened_at"], m["resolved_at"], m["severity"]) for m in made.values()), key=str
    )


def test_an_alert_from_its_start_to_its_end():
    assert spans(group(alert("07:00")), group(alert("07:00", "08:00"))) == [
        (at("07:00"), at("08:00"), "p1")
    ]


def test_an_end_that_overtakes_its_beginning():
    assert spans(group(alert("07:00", "08:00")), group(alert("07:00"))) == [
        (at("07:00"), at("08:00"), "p1")
    ]


@pytest.mark.parametrize("form", ["alertmanager", "grafana"])
def test_an_end_that_is_given_as_the_start_too_ends_the_open_one(form):
    assert spans(group(alert("07:00")), group(alert("08:00", "08:00")), form=form) == [
        (at("07:00"), at("08:00"), "p1")
    ]


def test_an_earlier_start_moves_the_open_one():
    assert spans(group(alert("07:05")), group(alert("07:00")), group(alert("07:00", "08:00"))) == [
        (at("07:00"), at("08:00"), "p1")
    ]


def test_a_later_start_is_a_new_one_and_closes_what_stood_open():
    assert spans(group(alert("07:00")), group(alert("07:20"))) == [
        (at("07:00"), at("07:20"), "p1"),
        (at("07:20"), None, "p1"),
    ]


def test_a_word_told_again_in_an_archive_is_no_new_word():
    over = {**alert("07:00", severity="warning"), "status": "resolved"}
    bodies = [
        group(alert("07:30", severity="warning"), over),
        group(alert("07:00", severity="warning"), over),
        group(alert("07:30")),
    ]
    archive = "\n".join(json.dumps(body) for body in bodies).encode()
    apart = records("incidents", one_after_another("alertmanager", "incidents", bodies))
    assert records("incidents", told("alertmanager", "incidents", archive)) == apart


def test_firing_again_at_the_instant_of_the_end_is_open():
    assert spans(group(alert("07:00")), group(alert("07:00", "08:00")), group(alert("08:00"))) == [
        (at("07:00"), at("08:00"), "p1"),
        (at("08:00"), None, "p1"),
    ]


def test_two_senders_tell_of_one_while_they_overlap():
    other = "http://am-2.example"
    assert spans(
        group(alert("07:05")),
        group(alert("07:00"), sender=other),
        group(alert("07:05", "08:00")),
        group(alert("07:00", "08:10"), sender=other),
        group(alert("09:00", "09:30"), sender=other),
    ) == [(at("07:00"), at("08:10"), "p1"), (at("09:00"), at("09:30"), "p1")]


def test_a_severity_that_rises_is_one_incident_of_the_gravest():
    assert spans(
        group(alert("07:00", severity="warning")),
        group(alert("07:00", "07:10", severity="warning"), alert("07:10")),
        group(alert("07:10", "08:00")),
    ) == [(at("07:00"), at("08:00"), "p1")]


def test_a_severity_that_falls_stays_the_gravest():
    assert spans(
        group(alert("07:00", severity="page")),
        group(alert("07:00", "07:30", severity="page"), alert("07:30", severity="info")),
    ) == [(at("07:00"), None, "p2")]


@pytest.mark.parametrize(
    ("word", "severity"),
    [("CRITICAL", "p1"), ("Sev-2", "p2"), ("Warning", "p3"), ("INFO", "p4"), ("purple", "p3")],
)
def test_words_of_severity(word, severity):
    assert spans(group(alert("07:00", severity=word)))[0][2] == severity


def test_an_unknown_word_is_told():
    assert "severity is unknown: 'purple'" in " ".join(
        notes(
            "incidents", told("alertmanager", "incidents", group(alert("07:00", severity="purple")))
        )
    )


def test_a_label_priority_says_it_where_there_is_no_severity():
    assert spans(group(alert("07:00", severity=None, priority="P2"))) == [(at("07:00"), None, "p2")]


@pytest.mark.parametrize(
    "own",
    [{"severity": "none"}, {"alertname": "Watchdog"}, {"alertname": "InfoInhibitor"}],
)
def test_a_heartbeat_is_in_no_figure(own):
    severity = own.pop("severity", "critical")
    body = group(alert("07:00", severity=severity, **own))
    (made,) = records("incidents", told("alertmanager", "incidents", body)).values()
    assert made["left_out"] == "heartbeat"


def test_labels_are_the_identity_without_a_fingerprint():
    body = group(*(alert("07:00", pod=f"w-{n}") for n in range(3)))
    assert len(spans(body, body)) == 3


@pytest.mark.parametrize("empty", ["", None])
@pytest.mark.parametrize("label", ["severity", "team"])
def test_an_empty_label_is_none(label, empty):
    bare, told_empty = alert("07:00", severity=None), alert("07:00", severity=None)
    told_empty["labels"][label] = empty
    assert len(spans(group(bare), group(told_empty))) == 1


def test_a_label_of_severity_is_one_in_whatever_case():
    grave, milder = (
        alert("07:00", severity=None, Severity=word) for word in ("critical", "warning")
    )
    assert spans(group(grave), group(milder)) == [(at("07:00"), None, "p1")]


def test_an_alert_that_ends_before_it_begins_costs_itself_alone():
    body = group(alert("09:00", "08:00"), alert("07:00", "08:00", pod="w-2"))
    made = records("incidents", told("alertmanager", "incidents", body))
    assert sorted((m["is_over"], m["resolved_at"] is None) for m in made.values()) == [
        (False, False),
        (True, True),
    ]
    assert any(
        n.startswith("ends_at lies before starts_at")
        for n in notes("incidents", told("alertmanager", "incidents", body))
    )


def test_a_resolved_alert_without_an_end_is_over():
    body = group({**alert("07:00", "08:00"), "endsAt": OPEN})
    (made,) = records("incidents", told("alertmanager", "incidents", body)).values()
    assert (made["resolved_at"], made["is_over"]) == (None, True)


@pytest.mark.parametrize("name", ["Queue\0stands", "Queue\nstands", "Queue \ud800"])
def test_a_name_with_control_characters_costs_those_alone(name):
    body = json.dumps(group(alert("07:00", alertname=name)))
    (row,) = records("incidents", told("alertmanager", "incidents", body.encode())).values()
    assert row["title"].startswith("Queue")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_list_that_powershell_has_written_is_read(encoding):
    mark = "" if encoding == "utf-16" else "\ufeff"
    body = (mark + json.dumps(group(alert("07:00")))).encode(encoding)
    assert len(records("incidents", told("alertmanager", "incidents", body))) == 1
    broken = body + b"x"
    with pytest.raises(UnreadableFile, match="UTF-16"):
        told("alertmanager", "incidents", broken)


def test_a_leap_second_is_the_one_after_it():
    (row,) = records(
        "incidents",
        told(
            "alertmanager",
            "incidents",
            group(alert("07:00") | {"startsAt": "2016-12-31T23:59:60Z"}),
        ),
    ).values()
    assert row["opened_at"].isoformat() == "2017-01-01T00:00:00+00:00"


def test_what_the_sender_cut_off_is_told():
    warnings: list[str] = []
    rows("alertmanager", "incidents", group(alert("07:00")) | {"truncatedAlerts": 37}, warnings)
    assert warnings == ["lacks 37 alerts, which the sender cut off (max_alerts)"]


def test_alertmanagers_own_list_and_its_webhook_are_one():
    listed = {**alert("07:00"), "status": {"state": "suppressed"}, "endsAt": "2026-11-10T09:00:00Z"}
    made = records(
        "incidents",
        one_after_another("alertmanager", "incidents", [group(alert("07:00")), [listed]]),
    )
    assert [m["resolved_at"] for m in made.values()] == [None]
