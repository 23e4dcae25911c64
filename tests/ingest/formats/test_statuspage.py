"""Statuspage: earliest signs, ends, postmortems, and what a list withdraws."""

from __future__ import annotations

import json

import pytest

from ingest.reader import ListedSpan
from tests.ingest.formats.telling import at, records, rows, told


def published(key: str, day: int, status: str = "resolved", **more) -> dict:
    begun = f"2026-11-{day:02d}T07:00:00Z"
    ended = f"2026-11-{day:02d}T08:00:00Z" if status != "investigating" else None
    return {
        "id": key,
        "name": f"About {key}",
        "status": status,
        "impact": "major",
        "created_at": begun,
        "started_at": begun,
        "resolved_at": ended,
        "updated_at": ended or begun,
        **more,
    }


def page(*incidents: dict, name: str = "pg1") -> dict:
    return {"page": {"id": name}, "incidents": list(incidents)}


def one(**more) -> dict:
    body = page(published("a", 10, **more))
    (made,) = records("incidents", told("statuspage", "incidents", body)).values()
    return made


@pytest.mark.parametrize(
    ("times", "opened"),
    [
        ({"started_at": "2026-11-10T07:30:00Z"}, "07:00"),
        ({"started_at": "2026-11-10T06:10:00Z"}, "06:10"),
        ({"started_at": None}, "07:00"),
        ({"started_at": "soon"}, "07:00"),
        ({"incident_updates": [{"display_at": "2026-11-10T05:00:00.000-01:00"}]}, "06:00"),
    ],
)
def test_the_earliest_sign_is_the_beginning(times, opened):
    assert one(**times)["opened_at"] == at(opened)


def test_the_update_that_resolved_it_is_its_end_where_no_other_is_told():
    update = {"status": "resolved", "display_at": "2026-11-10T07:45:00Z"}
    assert one(resolved_at=None, incident_updates=[update])["resolved_at"] == at("07:45")
    made = one(resolved_at=None)
    assert (made["resolved_at"], made["is_over"]) == (None, True)


def test_a_postmortem_is_published_when_it_is_told_or_shown():
    told_at = one(status="postmortem", postmortem_published_at="2026-11-12T09:00:00Z")
    update = {"status": "postmortem", "display_at": "2026-11-13T09:00:00Z"}
    shown = one(status="postmortem", incident_updates=[update])
    assert told_at["postmortem_published_at"] == at("09:00", 12)
    assert shown["postmortem_published_at"] == at("09:00", 13)


@pytest.mark.parametrize(
    ("impact", "severity"),
    [("critical", "p1"), ("minor", "p3"), ("none", "p3"), ("Emergency", "p1"), ("odd", "p3")],
)
def test_impacts(impact, severity):
    made = one(impact=impact)
    assert (made["severity"], made["left_out"]) == (severity, None)


def test_maintenance_is_left_out_and_told():
    warnings: list[str] = []
    assert (
        rows("statuspage", "incidents", page(published("m", 10, impact="maintenance")), warnings)
        == []
    )
    assert warnings == ["left out planned maintenance"]


@pytest.fixture
def lists(bring, stored):
    """Imports lists one after another and says what is in a figure."""

    def run(*documents) -> set[str]:
        for document in documents:
            bring(
                "incidents", json.dumps(document), "l.json", workspace="payments", form="statuspage"
            )
        return {row["key"] for row in stored("incidents") if row["left_out"] is None}

    return run


OLD, NEW = published("old", 5), published("new", 9, "investigating")


def test_what_a_newer_list_lacks_is_withdrawn_and_comes_back_with_a_list_that_has_it(lists):
    assert lists(page(NEW, OLD)) == {"old", "new"}
    assert lists(page(OLD)) == {"old"}
    assert lists(page(NEW, OLD)) == {"old", "new"}
    assert lists(page(NEW, OLD), page(OLD)) == {"old"}


def test_what_began_before_the_lists_oldest_stays(lists):
    newer = published("newer", 12)
    assert lists(page(NEW, OLD), page(newer, published("new", 9))) == {"old", "new", "newer"}


def test_another_page_withdraws_nothing_of_this_one(lists):
    assert lists(page(NEW, OLD), page(published("x", 1), name="pg2")) == {"old", "new", "x"}


def test_a_list_of_open_ones_alone_withdraws_nothing(lists):
    assert lists(page(published("done", 10), NEW, OLD), page(NEW)) == {"done", "new", "old"}


def test_a_bare_list_withdraws_only_between_its_own(lists):
    middle = published("middle", 7)
    whole = [
        {**i, "page_id": "pg1"} for i in (published("last", 10), published("new", 9), middle, OLD)
    ]
    second_page = [whole[1], whole[3]]
    assert lists(whole, second_page) == {"last", "new", "old"}


def test_the_span_of_a_list_that_tells_no_beginning_is_unknown():
    spans: list[ListedSpan] = []
    warnings: list[str] = []
    broken = published("a", 10, created_at=None, started_at=None)
    rows("statuspage", "incidents", page(broken), warnings, spans)
    assert spans == []
    assert "withdraws nothing" in warnings[0]


def test_what_a_page_sends_its_subscribers_is_one_incident_and_no_list():
    incident = {
        "id": "s2",
        "name": "Slow",
        "status": "resolved",
        "impact": "major",
        "created_at": "2026-11-10T08:00:00Z",
        "resolved_at": "2026-11-10T09:00:00Z",
        "incident_updates": [],
    }
    spans: list = []
    body = {"page": {"id": "pg"}, "meta": {}, "incident": incident}
    (raw,) = rows("statuspage", "incidents", body, spans=spans)
    assert (raw.source, raw.pointer, spans) == ("statuspage:pg", "/incident", [])
    (record,) = records("incidents", told("statuspage", "incidents", body)).values()
    assert (record["severity"], record["resolved_at"]) == ("p2", at("09:00"))
