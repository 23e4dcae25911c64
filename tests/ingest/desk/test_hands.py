"""Corrections that a hand may ask for and should not get, or not twice: each is refused whole, or changes
nothing more."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from ingest.desk import corrections
from ingest.desk.corrections import NoSuchRecord, RefusedCorrection
from storage.context import job_in

BY = "erin@x.example"
INCIDENTS = """key,title,severity,opened_at,acknowledged_at,resolved_at
a,First,p1,2026-11-20T09:00:00Z,2026-11-20T09:10:00Z,2026-11-20T10:00:00Z
b,Second,p2,2026-11-20T09:30:00Z,,
c,Third,p3,2026-11-20T11:00:00Z,,2026-11-20T12:00:00Z
"""


@pytest.fixture
def team(workspaces, bring) -> tuple[int, str]:
    bring("incidents", INCIDENTS, workspace="payments")
    bring("incidents", INCIDENTS.replace("\na,", "\nelsewhere,"), workspace="search")
    return workspaces["payments"], "payments"


@pytest.fixture
def each(stored):
    return lambda: {row["key"]: row for row in stored("incidents")}


def statements(database, team) -> int:
    with job_in(database.job, team[0]) as connection:
        return connection.execute(text("select count(*) from statement")).scalar_one()


def test_a_record_that_is_withdrawn_twice_comes_back_once(database, team, each):
    for _ in range(2):
        corrections.withdraw(database, team, "incidents", "a", BY)
    assert each()["a"]["left_out"] == "withdrawn"
    corrections.withdraw(database, team, "incidents", "a", BY, is_back=True)
    assert each()["a"]["left_out"] is None


def test_a_record_that_was_never_withdrawn_is_restored_without_harm(database, team, each):
    before = each()
    corrections.withdraw(database, team, "incidents", "a", BY, is_back=True)
    assert each() == before


@pytest.mark.parametrize(
    ("key", "into"),
    [
        ("a", "a"),
        ("a", "elsewhere"),
        ("a", ""),
        ("a", "a/2026-11-20T09:00:00Z"),
        ("nobody", "a"),
        ("a", "A"),
    ],
)
def test_what_can_be_part_of_nothing_stays_alone(database, team, each, key, into):
    before, said = each(), statements(database, team)
    with pytest.raises((RefusedCorrection, NoSuchRecord)):
        corrections.merge(database, team, "incidents", key, into, BY)
    assert (each(), statements(database, team)) == (before, said)


def test_two_that_are_merged_into_each_other_are_refused(database, team, each):
    corrections.merge(database, team, "incidents", "a", "b", BY)
    corrections.merge(database, team, "incidents", "b", "c", BY)
    for into in ("a", "b"):
        with pytest.raises(RefusedCorrection, match="part of it"):
            corrections.merge(database, team, "incidents", "c", into, BY)
    assert [row["left_out"] for row in each().values()] == ["merged", "merged", None]


def test_one_that_is_merged_again_is_part_of_the_last(database, team, each):
    corrections.merge(database, team, "incidents", "c", "a", BY)
    corrections.merge(database, team, "incidents", "c", "b", BY)
    assert each()["c"]["merged_into"] == "b"
    assert each()["a"]["opened_at"].hour == 9


def test_one_that_stands_alone_again_counts_as_before(database, team, each):
    before = each()
    corrections.merge(database, team, "incidents", "a", "b", BY)
    assert each()["b"]["acknowledged_at"] is not None
    corrections.part(database, team, "incidents", "a", BY)
    assert each() == before
    with pytest.raises(RefusedCorrection, match="part of no other"):
        corrections.part(database, team, "incidents", "a", BY)


def test_one_that_is_merged_into_a_withdrawn_one_is_refused(database, team, each):
    corrections.withdraw(database, team, "incidents", "b", BY)
    with pytest.raises(RefusedCorrection, match="withdrawn"):
        corrections.merge(database, team, "incidents", "a", "b", BY)
    assert each()["a"]["left_out"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("opened_at", "2026-11-20T25:00:00Z"),
        ("opened_at", "yesterday"),
        ("opened_at", ""),
        ("opened_at", "2026-11-20 09:00"),
        ("acknowledged_at", "2026-11-20T08:00:00Z"),
        ("acknowledged_at", "2026-11-20T10:30:00Z"),
        ("resolved_at", "2026-11-20T08:00:00Z"),
        ("resolved_at", "9999-12-31T23:59:60Z"),
        ("postmortem_published_at", "2026-11-19T08:00:00Z"),
        ("postmortem_required", "perhaps"),
        ("key", "b"),
        ("merged_into", "b"),
        ("mentions", "{}"),
        ("left_out", "withdrawn"),
        ("caused_by", "x" * 5_000),
    ],
)
def test_a_correction_that_can_not_be_is_refused_whole(database, team, each, field, value):
    before, said = each(), statements(database, team)
    with pytest.raises(RefusedCorrection):
        corrections.correct(database, team, "incidents", "a", {"title": "x", field: value}, BY)
    assert (each(), statements(database, team)) == (before, said)


@pytest.mark.parametrize("kind", ["vendors", "slos", "changes", "control-results", "nothing"])
def test_only_incidents_and_deployments_are_merged(database, team, kind):
    with pytest.raises((RefusedCorrection, NoSuchRecord)):
        corrections.merge(database, team, kind, "a", "b", BY)
    with pytest.raises((RefusedCorrection, NoSuchRecord)):
        corrections.part(database, team, kind, "a", BY)


def test_a_deployment_that_caused_an_incident_and_is_merged_keeps_the_blame(
    database, team, bring, stored
):
    rows = "d1,2026-11-20T08:00:00Z,successful\nd2,2026-11-20T08:10:00Z,successful\n"
    bring("deployments", f"key,completed_at,outcome\n{rows}", workspace="payments")
    corrections.correct(database, team, "incidents", "a", {"caused_by": "d1"}, BY)
    corrections.merge(database, team, "deployments", "d1", "d2", BY)
    assert {row["key"]: row["part_of"] for row in stored("deployments")} == {"d1": "d2", "d2": None}
    with pytest.raises(RefusedCorrection):
        corrections.merge(database, team, "deployments", "d2", "d1", BY)
