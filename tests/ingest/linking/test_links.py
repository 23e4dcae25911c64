"""Records that are the same by a rule of the workspace: they count once, whatever comes first."""

from __future__ import annotations

import json
from itertools import permutations

import pytest
from sqlalchemy import text

from ingest.desk import corrections, meanings, seen_words
from storage.context import job_in
from tests.ingest.formats.telling import at
from tests.ingest.formats.test_alertmanager import alert, group

BY = "erin@x.example"
LABEL = "alertmanager labels.pagerduty_incident"
ANNOTATION = "alertmanager annotations.incident_url"
HEAD = "key,title,severity,opened_at,acknowledged_at,resolved_at\n"
URL = "https://acme.pagerduty.com/incidents/PABC123"


@pytest.fixture
def team(workspaces) -> tuple[int, str]:
    return workspaces["payments"], "payments"


@pytest.fixture
def incidents(stored):
    return lambda: {row["key"]: row for row in stored("incidents")}


@pytest.fixture
def tell(bring):
    """Tells a body of a format; several at once where there are more."""

    def run(form: str, *bodies: dict) -> None:
        content = json.dumps(bodies[0] if len(bodies) == 1 else list(bodies))
        bring("incidents", content, f"{form}.json", workspace="payments", form=form)

    return run


def pager(step: str, clock: str, key: str = "PABC123", **data) -> dict:
    incident = {"id": key, "title": "Checkout is down", "created_at": "2026-11-10T08:05:00Z"}
    event = {"event_type": f"incident.{step}", "occurred_at": f"2026-11-10T{clock}:00Z"}
    return {"event": event | {"data": incident | {"urgency": "high"} | data}}


def page(key: str = "PABC123") -> tuple[dict, ...]:
    """Events of PagerDuty about an incident."""
    return (
        pager("triggered", "08:05", key, html_url=f"https://acme.pagerduty.com/incidents/{key}"),
        pager("acknowledged", "08:10", key),
        pager("resolved", "08:50", key),
    )


def fired(start: str, end: str | None = None, url: str = "", **labels) -> dict:
    """Group of Alertmanager with one alert."""
    told = alert(start, end, **labels)
    return group(told | {"annotations": {"incident_url": url}} if url else told)


def rule(database, team, name: str = LABEL, meaning: str | None = "same") -> int:
    return meanings.change(database, team, "link", name, meaning, BY)


def counting(each: dict) -> list[tuple]:
    return sorted(
        (row["opened_at"], row["acknowledged_at"], row["resolved_at"], row["severity"])
        for row in each.values()
        if row["left_out"] is None
    )


ONCE = [(at("08:00"), at("08:10"), at("08:50"), "p2")]
TWICE = [
    (at("08:00"), None, at("08:40"), "p1"), (at("08:05"), at("08:10"), at("08:50"), "p2")
]  # fmt: skip


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_an_alert_that_names_an_incident_counts_once_with_it_in_any_order(
    database, team, incidents, tell, order
):
    parts = (
        lambda: rule(database, team),
        lambda: tell("pagerduty", *page()),
        lambda: tell("alertmanager", fired("08:00", "08:40", pagerduty_incident="PABC123")),
    )
    for number in order:
        parts[number]()
    assert counting(incidents()) == ONCE
    (linked,) = [row for row in incidents().values() if row["left_out"]]
    assert (linked["left_out"], linked["merged_into"]) == ("merged", "PABC123")
    assert rule(database, team, meaning=None) == 1
    assert counting(incidents()) == TWICE


@pytest.mark.parametrize(
    "url",
    [
        URL,
        f"{URL}/",
        f"{URL}?utm_source=alert#timeline",
        "HTTPS://ACME.PagerDuty.com/incidents/PABC123",
        f"See {URL}, and call the lead.",
        "https://other.example/go/PABC123",
    ],
)
def test_an_address_names_an_incident(database, team, incidents, tell, url):
    rule(database, team, ANNOTATION)
    tell("alertmanager", fired("08:00", "08:40", url))
    tell("pagerduty", *page())
    assert counting(incidents()) == ONCE


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://acme.pagerduty.com/incidents/PABC12",
        "https://acme.pagerduty.com/incidents/PABC123/notes",
        "https://acme.pagerduty.com/incidents/pabc123",
        "PABC123 and more",
        "ftp://acme.pagerduty.com/incidents/PABC123",
        "https://",
        "https://[PABC123",
    ],
)
def test_what_names_nothing_that_is_there_changes_nothing(database, team, incidents, tell, url):
    rule(database, team, ANNOTATION)
    tell("alertmanager", fired("08:00", "08:40", url))
    tell("pagerduty", *page())
    assert counting(incidents()) == TWICE


def test_a_status_page_s_own_address_names_its_incident(database, team, incidents, tell):
    rule(database, team, ANNOTATION)
    tell("alertmanager", fired("08:00", "08:40", "https://stspg.example/kq9"))
    assert len(counting(incidents())) == 1
    incident = {
        "id": "p31zjtct2jer",
        "name": "Slow",
        "status": "resolved",
        "impact": "major",
        "shortlink": "https://stspg.example/kq9",
        "created_at": "2026-11-10T08:20:00Z",
        "resolved_at": "2026-11-10T09:00:00Z",
    }
    tell("statuspage", {"page": {"id": "x1"}, "incidents": [incident]})
    assert counting(incidents()) == [(at("08:00"), None, at("09:00"), "p2")]


def test_each_incident_of_an_alert_goes_with_the_one_that_it_names(database, team, incidents, tell):
    rule(database, team, ANNOTATION)
    tell("alertmanager", fired("06:00", "06:10", URL.replace("PABC123", "P1")))
    tell("alertmanager", fired("07:00", "07:10"))
    tell("alertmanager", fired("08:00", "08:40", URL))
    tell("pagerduty", *page("P1"), *page())
    assert counting(incidents()) == [
        (at("06:00"), at("08:10"), at("08:50"), "p2"),
        (at("07:00"), None, at("07:10"), "p1"),
        *ONCE,
    ]


def test_the_last_word_says_which_incident_is_named(database, team, incidents, tell):
    rule(database, team, ANNOTATION)
    tell("pagerduty", *page("P1"), *page())
    tell("alertmanager", fired("08:00", url=URL.replace("PABC123", "P1")))
    assert {r["merged_into"] for r in incidents().values()} == {None, "P1"}
    tell("alertmanager", fired("08:00", "08:40", URL))
    assert {r["merged_into"] for r in incidents().values()} == {None, "PABC123"}
    assert counting(incidents()) == [*ONCE, (at("08:05"), at("08:10"), at("08:50"), "p2")]


CUSTOM = "pagerduty custom_fields.part of"


def named(key: str, of: str) -> tuple[dict, ...]:
    """Events of PagerDuty about an incident with a field that names another."""
    return tuple(
        {"event": e["event"] | {"data": e["event"]["data"] | {"custom_fields": [
            {"name": "Part of", "value": of}]}}}
        for e in page(key)
    )  # fmt: skip


def test_a_chain_is_one_incident(database, team, incidents, tell):
    rule(database, team)
    rule(database, team, CUSTOM)
    keys = [f"P{number:02}" for number in range(1, 14)]
    for key, onward in zip(keys, [*keys[1:], "P14"], strict=True):
        tell("pagerduty", *named(key, onward))
    tell("alertmanager", fired("08:00", "08:40", pagerduty_incident="P01"))
    assert counting(incidents()) == ONCE
    tell("pagerduty", *page("P14"))
    assert counting(incidents()) == ONCE
    assert [k for k, row in incidents().items() if row["left_out"] is None] == ["P14"]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_circle_is_one_incident(database, team, incidents, tell, order):
    rule(database, team, CUSTOM)
    circle = (named("PB", "PC"), named("PC", "PA"), named("PA", "PB"))
    for number in order:
        tell("pagerduty", *circle[number])
    assert {key: row["left_out"] for key, row in incidents().items()} == {
        "PA": None, "PB": "merged", "PC": "merged"
    }  # fmt: skip


def test_an_incident_that_names_itself_stays_as_it_is(database, team, incidents, tell):
    rule(database, team, CUSTOM)
    tell("pagerduty", *named("PA", "PA"))
    tell("pagerduty", *named("PB", URL.replace("PABC123", "PB")))
    assert [row["left_out"] for row in incidents().values()] == [None, None]


def test_a_hand_and_a_sender_outrank_a_rule(database, team, bring, incidents, tell):
    rule(database, team, CUSTOM)
    bring("incidents", f"{HEAD}b,Down,p1,2026-11-10T07:00:00Z,,\n", workspace="payments")
    tell("pagerduty", *page("P1"), *named("P2", "P1"))
    assert incidents()["P2"]["merged_into"] == "P1"
    corrections.merge(database, team, "incidents", "P2", "b", BY)
    assert incidents()["P2"]["merged_into"] == "b"
    reason = {"type": "merge_resolve_reason", "incident": {"id": "b"}}
    field = [{"name": "Part of", "value": "P1"}]
    tell("pagerduty", *named("P3", "P1"))
    tell("pagerduty", pager("resolved", "08:55", "P3", resolve_reason=reason, custom_fields=field))
    assert incidents()["P3"]["merged_into"] == "b"


def test_a_record_of_which_too_little_was_told_is_not_there_yet(database, team, incidents, tell):
    rule(database, team)
    waiting = pager("acknowledged", "08:10")
    del waiting["event"]["data"]["created_at"]
    tell("pagerduty", waiting)
    tell("alertmanager", fired("08:00", "08:40", pagerduty_incident="PABC123"))
    assert counting(incidents()) == [(at("08:00"), None, at("08:40"), "p1")]
    tell("pagerduty", *page())
    assert counting(incidents()) == ONCE


def test_a_default_of_the_organisation_gives_way_to_a_workspace(
    database, team, workspaces, incidents, tell
):
    tell("pagerduty", *page())
    tell("alertmanager", fired("08:00", "08:40", pagerduty_incident="PABC123"))
    everyone = [(key, slug) for slug, key in workspaces.items()]
    meanings.change_default(database, everyone, "link", LABEL, "same", BY)
    assert counting(incidents()) == ONCE
    rule(database, team, meaning="other")
    assert counting(incidents()) == TWICE
    rule(database, team, meaning=None)
    assert counting(incidents()) == ONCE


def test_fields_that_name_a_record_are_listed_before_there_is_a_rule(database, team, tell):
    def listed() -> dict[str, tuple]:
        with job_in(database.job, team[0]) as connection:
            seen = seen_words.seen_words(connection, team[0])
        return {
            w.word: (w.meaning, w.origin, w.records, w.counted) for w in seen if w.about == "link"
        }

    tell("pagerduty", *page())
    tell("alertmanager", fired("08:00", "08:40", URL, pagerduty_incident="PABC123", team="shop"))
    assert listed() == {
        LABEL: ("other", "default", 1, 1),
        ANNOTATION: ("other", "default", 1, 1),
    }
    rule(database, team)
    rule(database, team, "alertmanager labels.ticket")
    assert listed() == {
        LABEL: ("same", "workspace", 1, 0),
        ANNOTATION: ("other", "default", 1, 0),
        "alertmanager labels.ticket": ("same", "workspace", 0, 0),
    }


def test_nothing_is_kept_for_the_way_back_where_there_is_no_rule(database, team, tell):
    tell("pagerduty", *page())
    tell("alertmanager", fired("08:00", "08:40", pagerduty_incident="PABC123"))

    def kept() -> int:
        with job_in(database.job, team[0]) as connection:
            return connection.execute(text("select count(*) from mention")).scalar_one()

    assert kept() == 0
    rule(database, team)
    assert kept() == 2
    rule(database, team, meaning=None)
    assert kept() == 0


def test_a_rule_marks_the_days_of_what_it_links(database, team, tell):
    tell("pagerduty", *page())
    tell("alertmanager", fired("08:00", "08:40", pagerduty_incident="PABC123"))
    rule(database, team)
    with job_in(database.job, team[0]) as connection:
        marks = connection.execute(text("select first_day::text, at_once from snapshot_due")).all()
    assert [tuple(mark) for mark in marks] == [("2026-11-09", True)]
