"""Names of frameworks that stand for others: results come under one name, whenever the meaning is set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from sqlalchemy import text

from ingest.desk import corrections, meanings, seen_words
from ingest.due.remake import remake
from ingest.kept.upkeep import compact
from storage.context import job_in
from tests.conftest import TODAY
from tests.deep import every
from tests.world import World

BY = "erin@x.example"
HEAD = "framework,control,asset,result,assessed_at\n"
CSV = (
    HEAD
    + """iso27001_2022,A.5,host-1,compliant,2026-11-01T00:00:00.25Z
ISO 27001,A.5,host-1,non_compliant,2026-11-01T00:00:00.25Z
ISO 27001,A.6,host-1,compliant,2026-11-01T00:00:00Z
SOC2,CC1,,compliant,2026-11-01T00:00:00Z
"""
)
TOGETHER = [
    ("ISO 27001", "A.5", "non_compliant"),
    ("ISO 27001", "A.6", "compliant"),
    ("SOC2", "CC1", "compliant"),
]
APART = [
    ("ISO 27001", "A.5", "non_compliant"),
    ("ISO 27001", "A.6", "compliant"),
    ("SOC2", "CC1", "compliant"),
    ("iso27001_2022", "A.5", "compliant"),
]


@pytest.fixture
def team(workspaces) -> tuple[int, str]:
    return workspaces["payments"], "payments"


@pytest.fixture
def results(stored):
    def read(slug: str = "payments") -> list[tuple]:
        rows = stored("control-results", slug)
        return sorted((r["framework"], r["control"], r["result"]) for r in rows)

    return read


def told(database, team) -> int:
    with job_in(database.job, team[0]) as connection:
        return connection.execute(text("select count(*) from statement")).scalar_one()


def test_a_name_is_mapped_before_what_comes_and_after_it_and_back(database, team, bring, results):
    bring("control-results", CSV, workspace="payments")
    assert results() == APART
    change = (database, team, "framework", "ISO27001_2022")
    assert meanings.change(*change, " ISO 27001 ", BY) == 1
    assert results() == TOGETHER
    assert bring("control-results", CSV, workspace="payments").written == 0
    assert (results(), told(database, team)) == (TOGETHER, 4)
    meanings.change(*change, None, BY)
    assert (results(), told(database, team)) == (APART, 4)


def test_a_meaning_that_stands_first_gives_the_same_records(database, team, bring, results, stored):
    meanings.change(database, team, "framework", "iso27001_2022", "ISO 27001", BY)
    outcome = bring("control-results", CSV, workspace="payments")
    assert (results(), outcome.rejected) == (TOGETHER, 0)
    assert meanings.change(database, team, "framework", "iso27001_2022", "ISO 27001", BY) == 0


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_meanings_of_meanings_hold_in_any_order_and_a_circle_has_one_name(
    database, team, bring, results, order
):
    bring("control-results", CSV, workspace="payments")
    pairs = [("iso27001_2022", "ISO 27001"), ("iso 27001", "Soc2"), ("soc2", "SOC2")]
    for number in order:
        meanings.change(database, team, "framework", *pairs[number], BY)
    assert {framework for framework, _, _ in results()} == {"SOC2"}
    meanings.change(database, team, "framework", "soc2", "iso27001_2022", BY)
    assert len({framework for framework, _, _ in results()}) == 1


def test_records_of_before_statements_and_compacted_ones_are_moved(
    database, team, bring, results, stored
):
    for day in (1, 2):
        content = CSV.replace("non_compliant", "partial") if day == 1 else CSV
        bring("control-results", content, workspace="payments")
    with job_in(database.job, team[0]) as connection:
        assert compact(connection, team[0], datetime.now(UTC) + timedelta(days=1))
        connection.execute(text("delete from statement where identity like 'iso27001%'"))
    meanings.change(database, team, "framework", "iso27001_2022", "ISO 27001", BY)
    meanings.change(database, team, "framework", "iso 27001", "ISO", BY)
    assert results()[0] == ("ISO", "A.5", "non_compliant")
    assert len(results()) == 3


def test_a_correction_goes_along_and_holds(database, team, bring, results):
    bring("control-results", CSV, workspace="payments")
    key = "iso27001_2022/A.5/host-1/2026-11-01T00:00:00.250000Z"
    corrections.correct(database, team, "control-results", key, {"result": "partial"}, BY)
    meanings.change(database, team, "framework", "iso27001_2022", "ISO 27001", BY)
    assert results()[0] == ("ISO 27001", "A.5", "partial")
    key = "ISO 27001/A.5/host-1/2026-11-01T00:00:00.250000Z"
    corrections.withdraw(database, team, "control-results", key, BY)
    assert len(results()) == 2
    corrections.withdraw(database, team, "control-results", key, BY, is_back=True)
    assert results()[0] == ("ISO 27001", "A.5", "partial")


def test_retirements_and_set_up_controls_come_under_the_name_too(database, team, bring, stored):
    retired = (
        "asset,framework,retired_at\nhost-1,iso27001_2022,2026-11-02T00:00:00Z\n"
        "host-2,,2026-11-02T00:00:00Z\n"
    )
    bring("asset-retirements", retired, workspace="payments")
    set_up = "framework,control,title,set_up_at\niso27001_2022,A.5,Policies,2026-11-02T00:00:00Z\n"
    bring("framework-controls", set_up, workspace="payments")
    meanings.change(database, team, "framework", "iso27001_2022", "ISO 27001", BY)
    assert [r["framework"] for r in stored("asset-retirements")] == ["ISO 27001", ""]
    assert [r["framework"] for r in stored("framework-controls")] == ["ISO 27001"]


def test_the_organisation_has_a_default_and_a_workspace_its_own(
    database, team, workspaces, bring, results
):
    for slug in ("payments", "search"):
        bring("control-results", CSV, workspace=slug)
    everyone = [(key, slug) for slug, key in workspaces.items()]
    meanings.change(database, team, "framework", "iso27001_2022", "iso27001_2022", BY)
    change = (database, everyone, "framework", "iso27001_2022")
    assert meanings.change_default(*change, "ISO 27001", BY) == 1
    assert (results(), results("search")) == (APART, TOGETHER)


def test_names_are_listed_with_where_they_fell(database, team, bring):
    bring("control-results", CSV, workspace="payments")
    meanings.change(database, team, "framework", "iso27001_2022", "ISO 27001", BY)
    with job_in(database.job, team[0]) as connection:
        listed = {
            w.word: w for w in seen_words.seen_words(connection, team[0]) if w.about == "framework"
        }
    assert {word: (w.meaning, w.origin, w.records, w.counted) for word, w in listed.items()} == {
        "iso27001_2022": ("ISO 27001", "workspace", 1, 1),
        "iso 27001": (None, "unknown", 2, 2),
        "soc2": (None, "unknown", 1, 1),
    }


@pytest.mark.parametrize("meaning", ["", "  ", "a\nb", "x" * 300])
def test_a_name_that_is_none_is_refused(database, team, meaning):
    with pytest.raises(meanings.NoSuchMeaning) as refused:
        meanings.change(database, team, "framework", "iso", meaning, BY)
    assert refused.value.field == "meaning"


def test_the_days_of_both_names_are_made_again(database, settings):
    world = World(database, settings)
    team = (world.workspace("alpha"), "alpha")
    day = TODAY - timedelta(days=5)
    rows = [
        {"framework": name, "control": control, "result": "compliant",
         "assessed_at": f"{day}T09:00:00Z"}
        for name, control in (("iso", "A.5"), ("ISO 27001", "A.6"))
    ]  # fmt: skip
    world.add(team[0], "control_result", rows)
    world.backfill(TODAY - timedelta(days=8), TODAY - timedelta(days=1))

    def days() -> dict[str, int]:
        query = text("select framework, count(*) from compliance_snapshot_history group by 1")
        with job_in(database.job, team[0]) as connection:
            return dict(tuple(row) for row in connection.execute(query))

    assert days() == {"iso": 5, "ISO 27001": 5}
    meanings.change(database, team, "framework", "iso", "ISO 27001", BY)
    assert remake(database, settings, at_once=True) == 1
    assert days() == {"ISO 27001": 5}


ORDERS = [order for order in permutations(range(4)) if order.index(0) < order.index(1)]
"""Of meanings among two files: of one source's files the newer one replaces what the older one said."""


@pytest.mark.parametrize("order", every(4, ORDERS))
def test_when_a_meaning_is_set_changes_no_record_and_no_statement(
    database, team, bring, results, order
):
    rows = CSV.removeprefix(HEAD).splitlines(keepends=True)
    steps = [
        lambda: bring("control-results", HEAD + "".join(rows[:1]), workspace="payments"),
        lambda: bring("control-results", HEAD + "".join(rows[1:]), workspace="payments"),
        lambda: meanings.change(database, team, "framework", "iso27001_2022", "iso 27001", BY),
        lambda: meanings.change(database, team, "framework", "iso 27001", "ISO 27001", BY),
    ]
    for number in order:
        steps[number]()
    assert results() == TOGETHER
    with job_in(database.job, team[0]) as connection:
        query = text("select split_part(identity, chr(31), 1), count(*) from statement group by 1")
        counts = dict(tuple(row) for row in connection.execute(query))
    assert counts == {"ISO 27001": 3, "SOC2": 1}
