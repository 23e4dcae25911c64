"""Lists of a status page as they may really come: odd, late, cut, of other pages, and broken off."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import insert, text

from ingest.desk.corrections import withdraw
from ingest.door import deliveries
from ingest.door.deliveries import drain
from storage.context import job_in
from storage.statement_tables import deliveries as table
from tests.ingest.formats.test_statuspage import page, published

HAND = "erin@x.example"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PAGES = {day: published(key, day) for key, day in zip("abcd", (10, 11, 12, 13), strict=True)}


@pytest.fixture
def read(database, workspaces):
    """Reads a list as it was received so many minutes after noon; the last delivery's outcome."""

    def run(body: object, minute: float, slug: str = "payments") -> dict:
        made, team = uuid4(), workspaces[slug]
        row = {
            "workspace_id": team,
            "id": made,
            "format": "statuspage",
            "content_type": "application/json",
            "content": json.dumps(body).encode(),
            "received_at": NOON + timedelta(minutes=minute),
        }
        with job_in(database.job, team) as connection:
            connection.execute(insert(table).values(row))
        drain(database, team)
        return deliveries.find_delivery(database, team, made)

    return run


@pytest.fixture
def listed(read):
    """Reads a list of the incidents of these days of November."""
    return lambda minute, *days, **more: read(page(*(PAGES[day] for day in days), **more), minute)


@pytest.fixture
def standing(stored):
    """Keys of the incidents that stand."""
    return lambda slug="payments": [
        r["key"] for r in stored("incidents", slug) if r["left_out"] is None
    ]


def test_what_a_later_list_lacks_within_its_span_is_withdrawn_and_named(listed, standing):
    listed(1, 10, 11, 12)
    outcome = listed(2, 11, 13)
    assert outcome["notes"] == ["c: is not in the list any more, so it is withdrawn"]
    assert standing() == ["a", "b", "d"]


def test_a_list_that_is_read_before_an_older_one_withdraws_what_that_tells(listed, standing):
    listed(2, 10, 12)
    listed(1, 10, 11, 12)
    assert standing() == ["a", "c"]


def test_a_list_between_two_others_that_is_read_last_withdraws_nothing(listed, standing):
    listed(1, 10, 11, 12)
    listed(3, 10, 11, 12)
    listed(2, 10, 12)
    assert standing() == ["a", "b", "c"]


def test_what_comes_back_stands_again_in_whatever_order(listed, standing):
    for minute, days in ((1, (10, 11)), (3, (10, 11)), (2, (10,)), (4, (10,)), (5, (10, 11))):
        listed(minute, *days)
    assert standing() == ["a", "b"]


def test_an_empty_list_and_one_of_maintenance_alone_withdraw_nothing(listed, read, standing):
    listed(1, 10, 11)
    read(page(), 2)
    read(page(published("m", 9, impact="maintenance")), 3)
    assert standing() == ["a", "b"]


def test_the_order_of_a_list_and_a_repetition_within_it_say_nothing(listed, standing):
    listed(1, 10, 11, 12)
    listed(2, 12, 10, 12, 10)
    assert standing() == ["a", "c"]


def test_pages_of_the_api_that_are_read_in_any_order_are_one_list(read, standing):
    each = [[PAGES[10], PAGES[11]], [PAGES[12], PAGES[13]]]
    bodies = [[{**incident, "page_id": "pg1"} for incident in part] for part in each]
    for minute, body in ((1, 1), (1, 0), (2, 0), (2, 1), (3, 1), (3, 0)):
        read(bodies[body], minute)
        assert set(standing()) >= {i["id"] for i in bodies[body]}
    assert standing() == ["a", "b", "c", "d"]


def test_another_page_and_another_workspace_withdraw_nothing_here(listed, read, standing):
    listed(1, 10, 11, 12)
    listed(2, 10, name="pg2")
    read(page(PAGES[10]), 3, "search")
    assert (standing(), standing("search")) == (["a", "b", "c"], ["a"])


@pytest.mark.parametrize(
    "broken", [{"created_at": "soon", "started_at": None}, {"resolved_at": "later"}]
)
def test_a_list_of_which_a_part_can_not_be_read_withdraws_nothing(read, listed, standing, broken):
    listed(1, 10, 11, 12)
    outcome = read(page(PAGES[10], {**PAGES[11], **broken}), 2)
    assert outcome["state"] == "quarantined"
    assert any(note.startswith("withdraws nothing: a") for note in outcome["notes"])
    assert standing() == ["a", "b", "c"]


def test_a_list_whose_only_part_can_not_be_read_withdraws_nothing(read, listed, standing):
    listed(1, 10, 11)
    read(page({**PAGES[10], "created_at": "soon", "started_at": None}), 2)
    assert standing() == ["a", "b"]


def test_an_impact_that_nobody_knows_leaves_its_incident_listed(read, listed, standing):
    listed(1, 10, 11, 12)
    read(page(PAGES[10], {**PAGES[12], "impact": "wobbly"}), 2)
    assert standing() == ["a", "c"]


def test_a_list_in_another_zone_spans_the_same_instants(read, listed, standing):
    listed(1, 10, 11)
    moved = {"created_at": "2026-11-11T02:00:00-05:00", "started_at": "2026-11-11T12:30:00+05:30"}
    read(page({**PAGES[11], "id": "new", **moved}), 2)
    assert standing() == ["a", "b", "new"]


def test_what_a_person_withdrew_stays_so_and_what_they_took_back_in_stays_in(
    listed, standing, database, workspaces
):
    payments = (workspaces["payments"], "payments")
    listed(1, 10, 11, 12)
    withdraw(database, payments, "incidents", "c", HAND)
    listed(2, 10, 12)
    withdraw(database, payments, "incidents", "b", HAND, is_back=True)
    listed(3, 10, 12)
    assert standing() == ["a", "b"]


def test_an_incident_that_is_dated_back_out_of_a_lists_span_stands(read, listed, standing):
    """Once it is dated back, the list did not span it, so it did not lack it."""
    listed(2, 11, 13)
    early = {"created_at": "2026-11-01T07:00:00Z", "started_at": "2026-11-01T07:00:00Z"}
    listed(1, 11, 12, 13)
    assert standing() == ["b", "d"]
    read(page({**PAGES[12], **early}, PAGES[13]), 0)
    assert standing() == ["b", "d"]
    read(page({**PAGES[12], **early}, PAGES[13]), 1.5)
    assert standing() == ["b", "c", "d"]


def test_of_many_lists_only_those_are_kept_that_say_something(listed, database, workspaces):
    for minute in range(20):
        listed(minute, 10, 11)
        listed(minute + 0.5, 11, 12)
    with job_in(database.job, workspaces["payments"]) as connection:
        kept = connection.execute(
            text("select count(*) from statement where starts_with(kind, 'list:')")
        )
        assert kept.scalar_one() == 2
