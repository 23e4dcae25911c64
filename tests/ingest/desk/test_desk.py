"""Meanings and corrections: what people say of a workspace's records, and what becomes of the records."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from ingest.desk import corrections, meanings, seen_words
from ingest.desk.corrections import NoSuchRecord, RefusedCorrection
from ingest.desk.meanings import NoSuchMeaning
from ingest.desk.uncounted import counts
from ingest.due.remake import remake
from storage.context import job_in
from tests.conftest import TODAY
from tests.world import World

BY = "erin@x.example"
DEPLOYMENTS = """key,completed_at,outcome,environment
d-1,2026-11-20T09:00:00Z,successful,Kiosk  Live-ish
d-2,2026-11-20T10:00:00Z,failed,kiosk live-ish
d-3,2026-11-20T11:00:00Z,successful,production
d-4,2026-11-20T12:00:00Z,cancelled,production
"""


@pytest.fixture
def team(workspaces) -> tuple[int, str]:
    return workspaces["payments"], "payments"


def seen(database, team) -> dict[tuple[str, str], seen_words.SeenWord]:
    with job_in(database.job, team[0]) as connection:
        return {(w.about, w.word): w for w in seen_words.seen_words(connection, team[0])}


def audited(database) -> list[tuple]:
    with database.job.connect() as connection:
        query = text("select actor, action, subject, details from audit_event order by id")
        return [tuple(row) for row in connection.execute(query)]


def test_words_are_listed_with_where_they_fell(database, team, bring):
    bring("deployments", DEPLOYMENTS, workspace="payments")
    listed = seen(database, team)
    production = listed["environment", "production"]
    assert (production.records, production.counted, production.origin) == (2, 1, "default")
    assert production.in_no_figure == {"cancelled": 1}


def test_a_meaning_folds_what_holds_the_word_anew_in_any_spelling(database, team, bring, stored):
    text_ = DEPLOYMENTS.replace("Kiosk  Live-ish", "Kiosk").replace("kiosk live-ish", "KIOSK")
    bring("deployments", text_, workspace="payments")
    kiosk = seen(database, team)["environment", "kiosk"]
    assert (kiosk.meaning, kiosk.origin, kiosk.records, kiosk.counted) == (None, "unknown", 2, 0)
    assert meanings.change(database, team, "environment", " KIOSK ", "production", BY) == 2
    assert [row["production"] for row in stored("deployments")] == [True] * 4
    assert seen(database, team)["environment", "kiosk"].counted == 2
    assert audited(database)[-1][:3] == (BY, "mapping.set", "payments")
    meanings.change(database, team, "environment", "kiosk", None, BY)
    assert [row["production"] for row in stored("deployments")] == [False, False, True, True]


def test_a_default_of_the_organisation_gives_way_to_a_workspace(
    database, team, workspaces, bring, stored
):
    for slug in ("payments", "search"):
        bring("deployments", DEPLOYMENTS.replace("production", "kiosk"), workspace=slug)
    everyone = [(key, slug) for slug, key in workspaces.items()]
    meanings.change(database, team, "environment", "kiosk", "other", BY)
    assert (
        meanings.change_default(database, everyone, "environment", "kiosk", "production", BY) == 4
    )
    assert not any(
        row["production"] for row in stored("deployments") if row["environment"] == "kiosk"
    )
    assert all(
        row["production"]
        for row in stored("deployments", "search")
        if row["environment"] == "kiosk"
    )
    assert (
        seen(database, (workspaces["search"], ""))["environment", "kiosk"].origin == "organisation"
    )


@pytest.mark.parametrize(
    ("about", "word", "meaning", "field"),
    [
        ("weather", "sun", "p1", "about"),
        ("severity", "  ", "p1", "word"),
        ("severity", "a\nb", "p1", "word"),
        ("severity", "wobbly", "p9", "meaning"),
        ("heartbeat", "Ping", "maybe", "meaning"),
        ("certificates", "renewal", "apart", "word"),
        ("certificates", "renewals", "yes", "meaning"),
    ],
)
def test_a_meaning_that_is_none_is_refused_by_name(database, team, about, word, meaning, field):
    with pytest.raises(NoSuchMeaning) as refused:
        meanings.change(database, team, about, word, meaning, BY)
    assert refused.value.field == field


def test_the_snapshots_of_touched_days_are_made_again(database, settings):
    world = World(database, settings)
    team = (world.workspace("alpha"), "alpha")
    day = TODAY - timedelta(days=3)
    world.add(team[0], "deployment", [{"key": "d", "completed_at": f"{day}T09:00:00Z",
                                       "outcome": "successful", "environment": "kiosk"}])  # fmt: skip
    world.backfill(TODAY - timedelta(days=40), TODAY - timedelta(days=1))

    def deployments() -> list[int]:
        query = text(
            "select ended_deployments_total from workspace_usage_snapshot where snapshot_date in (:a, :b)"
            " order by snapshot_date"
        )
        with job_in(database.job, team[0]) as connection:
            values = {"a": day - timedelta(days=1), "b": TODAY - timedelta(days=1)}
            return list(connection.execute(query, values).scalars())

    before = deployments()
    meanings.change(database, team, "environment", "kiosk", "production", BY)
    assert remake(database, settings) == 1
    assert deployments() == [before[0], before[1] + 1]
    assert remake(database, settings) == 0


def test_certificates_of_one_name_are_renewals_until_somebody_says_otherwise(
    database, team, settings
):
    about = ("certificates", "renewals")
    assert seen(database, team)[about].meaning == "together"
    World(database, settings).backfill(TODAY - timedelta(days=3), TODAY - timedelta(days=1))
    meanings.change_default(database, [team], *about, "apart", BY)
    assert (seen(database, team)[about].meaning, seen(database, team)[about].origin) == (
        "apart",
        "organisation",
    )
    assert remake(database, settings, at_once=True) == 1
    meanings.change(database, team, *about, "together", BY)
    assert seen(database, team)[about].meaning == "together"
    assert remake(database, settings, at_once=True) == 1
    meanings.change(database, team, *about, "apart", BY)
    assert (seen(database, team)[about].meaning, seen(database, team)[about].origin) == (
        "apart",
        "workspace",
    )
    assert remake(database, settings, at_once=True) == 1


INCIDENTS = """key,title,severity,opened_at,acknowledged_at,resolved_at
a/1,Slow,p2,2026-11-20T09:00:00Z,,2026-11-20T11:00:00Z
b,Down,p1,2026-11-20T10:00:00Z,,
"""


def incident(stored, key: str) -> dict:
    return next(row for row in stored("incidents") if row["key"] == key)


def test_a_correction_outranks_what_is_told_after_it_and_is_audited(database, team, bring, stored):
    bring("incidents", INCIDENTS, workspace="payments")
    corrections.correct(database, team, "incidents", "a/1", {"severity": "P3", "title": ""}, BY)
    bring("incidents", INCIDENTS.replace("Slow", "Slower"), workspace="payments")
    row = incident(stored, "a/1")
    assert (row["severity"], row["title"]) == ("p3", None)
    actor, action, subject, details = audited(database)[-1]
    assert (actor, action, subject) == (BY, "record.correct", "payments/incidents")
    assert details == {"key": "a/1", "severity": "p3", "title": "None"}


@pytest.mark.parametrize(
    ("kind", "key", "values", "field"),
    [
        ("incidents", "a/1", {"sevrity": "p1"}, "sevrity"),
        ("incidents", "a/1", {"key": "x"}, "key"),
        ("incidents", "a/1", {"resolved_at": "yesterday"}, "resolved_at"),
        ("incidents", "a/1", {"resolved_at": "2026-11-19T09:00:00Z"}, "resolved_at"),
        ("incidents", "a/1", {"acknowledged_at": "2026-11-20T12:00:00Z"}, "acknowledged_at"),
        ("incidents", "a/1", {"severity": "wobbly"}, "severity"),
        ("incidents", "a/1", {"opened_at": ""}, "opened_at"),
        ("incidents", "a/1", {}, ""),
    ],
)
def test_what_a_record_can_not_take_is_refused_by_field_and_changes_nothing(
    database, team, bring, stored, kind, key, values, field
):
    bring("incidents", INCIDENTS, workspace="payments")
    before = stored("incidents")
    with pytest.raises(RefusedCorrection) as refused:
        corrections.correct(database, team, kind, key, values, BY)
    assert refused.value.field == field
    assert stored("incidents") == before
    assert audited(database) == []


@pytest.mark.parametrize(
    ("kind", "key"), [("incidents", "zz"), ("weather", "a"), ("workspaces", "payments")]
)
def test_an_unknown_record_or_kind_is_said(database, team, kind, key):
    with pytest.raises(NoSuchRecord, match="there is no"):
        corrections.correct(database, team, kind, key, {"title": "x"}, BY)


def test_a_merged_incident_is_part_of_the_other_but_never_of_itself(database, team, bring, stored):
    bring("incidents", INCIDENTS, workspace="payments")
    corrections.merge(database, team, "incidents", "a/1", "b", BY)
    assert incident(stored, "a/1")["left_out"] == "merged"
    assert incident(stored, "b")["opened_at"].hour == 9
    for name, into in (("b", "a/1"), ("b", "b")):
        with pytest.raises(RefusedCorrection) as refused:
            corrections.merge(database, team, "incidents", name, into, BY)
        assert refused.value.field == "merged_into"


CSV = {
    "incidents": (INCIDENTS, "b"),
    "deployments": (DEPLOYMENTS, "d-1"),
    "vendors": ("key,name,tier\nv/1,Acme,2\n", "v/1"),
    "vendor-reviews": ("vendor,completed_on\nv/1,2026-11-01\n", "v/1/2026-11-01"),
    "control-results": (
        "framework,control,asset,result,assessed_at\nISO 27001,A/5,,compliant,2026-11-01T00:00:00Z\n",
        "ISO 27001/A/5//2026-11-01T00:00:00Z",
    ),
    "slos": ("key,target_percent\ncart,99.5\n", "cart"),
}


@pytest.mark.parametrize("kind", CSV)
def test_every_kind_is_withdrawn_and_restored_by_its_written_key(
    database, team, bring, stored, kind
):
    content, key = CSV[kind]
    bring(kind, content, workspace="payments")
    before = stored(kind)
    corrections.withdraw(database, team, kind, key, BY)
    left_out = [row for row in stored(kind) if row.get("left_out") == "withdrawn"]
    assert len(left_out) == 1 or len(stored(kind)) == len(before) - 1
    bring(kind, content, workspace="payments")
    assert stored(kind) != before
    corrections.withdraw(database, team, kind, key, BY, is_back=True)
    assert stored(kind) == before


def test_why_records_are_in_no_figure_is_counted(database, team, bring):
    bring("deployments", DEPLOYMENTS.replace("Kiosk  Live-ish", "qa"), workspace="payments")
    bring(
        "changes",
        "deployment,key,committed_at\nnone,c,2026-11-20T09:00:00Z\n",
        workspace="payments",
    )
    bring("slos", "key,target_percent\ncart,99.5\n", workspace="payments")
    bring("slo-days", "key,day,good,total\nshop,2026-11-20,1,1\n", workspace="payments")
    bring("incidents", INCIDENTS, workspace="payments")
    corrections.withdraw(database, team, "incidents", "b", BY)
    with job_in(database.job, team[0]) as connection:
        counted = {c.kind: (c.records, c.in_no_figure) for c in counts(connection, team[0])}
    assert counted["deployments"] == (
        4, {"cancelled": 1, "environment 'qa' is not production": 1}
    )  # fmt: skip
    assert counted["changes"] == (1, {"the deployment is not known": 1})
    assert counted["slos"] == (1, {"objective without traffic": 1})
    assert counted["slo-days"] == (1, {"the objective is not known": 1})
    assert counted["incidents"] == (2, {"withdrawn": 1})
