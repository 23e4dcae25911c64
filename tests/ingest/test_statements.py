"""The law in PostgreSQL: however statements arrive, cut and repeated, the tables end the same."""

from __future__ import annotations

from dataclasses import replace
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from aggregators.records.statements import BY_HAND, ROW, Statement
from ingest import words
from ingest.kinds import KINDS
from ingest.statements import Told, identity_of, tell
from storage.context import job_in
from tests.aggregators.records.test_statements import at, statements
from tests.deep import efforts
from tests.world import World

NUMBERS = count()


def key_values(kind, name: str) -> dict[str, object]:
    """A record's key, as its statements say it."""
    values: dict[str, object] = {}
    for column in kind.key:
        of = kind.types.get(column)
        values[column] = at(0) if of == "instant" else at(0).date() if of == "day" else name
    return values | ({"port": 443} if "port" in kind.key else {})


@st.composite
def told_of(draw, kind) -> list[Told]:
    """Statements about a few records of a kind."""
    found = []
    for name in draw(
        st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3, unique=True)
    ):
        values = key_values(kind, name)
        for statement in draw(statements(kind)):
            assertions = {**statement.assertions, **values}
            if kind.name == "incidents" and draw(st.integers(0, 5)) == 0:
                assertions["merged_into"] = draw(st.sampled_from(["a", "b", "c"]))
            made = Statement(
                statement.source, assertions, statement.received_at, statement.at, statement.sequence,
                statement.manner,
            )  # fmt: skip
            found.append(Told(identity_of(kind, values), made))
    return found


def retold(told: list[Told]) -> st.SearchStrategy[list[Told]]:
    """Some of the statements once more, each received at another instant."""
    again = st.builds(
        lambda one, minutes: Told(
            one.identity, replace(one.statement, received_at=at(1000 + minutes))
        ),
        st.sampled_from(told),
        st.integers(0, 4),
    )
    return st.lists(again, max_size=4)


def records(database, team: int, kind) -> list[dict]:
    """The kind's table, without whose it is."""
    with job_in(database.job, team) as connection:
        rows = connection.execute(select(kind.table).order_by(*kind.table.primary_key.columns))
        return [{k: v for k, v in row.items() if k != "workspace_id"} for row in rows.mappings()]


def tell_all(database, team: int, kind, batches) -> None:
    for batch in batches:
        with job_in(database.job, team) as connection:
            tell(connection, kind, team, batch, words.of_workspace(connection, team))


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.tenant])
@pytest.mark.parametrize("effort", efforts(few=4, many=12, deep=400))
def test_arrival_partition_and_repetition_change_no_table(name, server, settings, effort):
    kind, world = KINDS[name], World(server, settings)

    @effort
    @given(st.data())
    def check(data):
        told = data.draw(told_of(kind))
        told += data.draw(retold(told))
        one, other = (world.workspace(f"law-{name[:12]}-{next(NUMBERS)}") for _ in range(2))
        tell_all(server, one, kind, [sorted(told, key=lambda t: t.statement.received_at)])
        shuffled = data.draw(st.permutations(told))
        cuts = sorted(data.draw(st.lists(st.integers(0, len(told)), max_size=3)))
        edges = [0, *cuts, len(told)]
        batches = [shuffled[a:b] for a, b in pairwise(edges) if a < b]
        repeated = data.draw(st.lists(st.sampled_from(told), max_size=3))
        tell_all(server, other, kind, [*batches, *([repeated] if repeated else [])])
        assert records(server, other, kind) == records(server, one, kind)
        before = records(server, one, kind)
        tell_all(server, one, kind, [told])
        assert records(server, one, kind) == before

    check()


def incident(key: str, received: float, **assertions) -> Told:
    values = {k: at(v) if k.endswith("_at") else v for k, v in assertions.items()}
    return Told(key, Statement("pagerduty", {"key": key, **values}, at(received), at(received)))


@pytest.fixture
def team(database, settings) -> int:
    return World(database, settings).workspace("team")


def test_a_merged_incident_lends_its_first_sign_and_is_none_of_its_own(database, team):
    kind = KINDS["incidents"]
    told = [
        incident("big", 20, opened_at=20),
        incident("small", 5, opened_at=5),
        incident("small", 30, merged_into="big", resolved_at=30),
        incident("big", 60, resolved_at=60),
    ]
    tell_all(database, team, kind, [[one] for one in told])
    big, small = records(database, team, kind)
    assert (big["opened_at"], big["resolved_at"], big["left_out"]) == (at(5), at(60), None)
    assert (small["left_out"], small["merged_into"]) == ("merged", "big")


def test_an_incident_whose_merger_moves_leaves_nothing_with_the_former_one(database, team):
    told = [
        incident("part", 1, opened_at=0),
        incident("part", 2, merged_into="first"),
        incident("first", 3, title="First"),
        incident("second", 4, title="Second"),
        incident("part", 5, merged_into="second"),
    ]
    tell_all(database, team, KINDS["incidents"], [[one] for one in told])
    assert [row["key"] for row in records(database, team, KINDS["incidents"])] == ["part", "second"]


def test_a_merger_that_was_taken_elsewhere_later_is_not_heard_again(database, team):
    told = [
        incident("part", 1, opened_at=0),
        incident("part", 2, merged_into="first"),
        incident("part", 3, merged_into="second"),
        incident("part", 4, title="Part"),
        incident("second", 5, title="Second"),
        incident("first", 6, title="First"),
    ]
    again = [incident("part", 7, title="Still part"), incident("second", 8, title="Still second")]
    kind = KINDS["incidents"]
    tell_all(database, team, kind, [*([one] for one in told), again])
    assert {r["key"]: r["merged_into"] for r in records(database, team, kind)} == {
        "part": "second",
        "second": None,
    }


def test_a_record_from_before_statements_were_kept_keeps_its_words(database, settings, team):
    kind = KINDS["incidents"]
    World(database, settings).add(
        team, "incident", [{"key": "old", "opened_at": at(0), "title": "Down", "severity": "p1"}]
    )
    tell_all(database, team, kind, [[incident("old", 60, resolved_at=60)]])
    (old,) = records(database, team, kind)
    assert (old["title"], old["severity"], old["resolved_at"]) == ("Down", "p1", at(60))
    tell_all(database, team, kind, [[incident("old", 90, reopened_at=90)]])
    (old,) = records(database, team, kind)
    assert (old["title"], old["opened_at"], old["resolved_at"]) == ("Down", at(0), None)


def test_a_correction_that_is_taken_back_leaves_what_was_told(database, team):
    kind = KINDS["incidents"]
    withdrawn = Statement("hand", {"key": "a", "withdrawn": True}, at(10), None, 0, BY_HAND)
    again = Statement("hand", {"key": "a", "withdrawn": None}, at(11), None, 0, BY_HAND)
    tell_all(database, team, kind, [[incident("a", 1, opened_at=0)], [Told("a", withdrawn)]])
    assert records(database, team, kind)[0]["left_out"] == "withdrawn"
    tell_all(database, team, kind, [[Told("a", again)]])
    assert records(database, team, kind)[0]["left_out"] is None


def test_a_row_that_comes_back_after_another_is_the_newest_once_more(database, team):
    kind = KINDS["vendors"]

    def row(received: float, name: str) -> list[Told]:
        assertions = {"key": "v", "name": name, "tier": 1}
        return [Told("v", Statement("csv", assertions, at(received), None, 0, ROW))]

    tell_all(database, team, kind, [row(1, "One"), row(2, "Two"), row(3, "One")])
    assert records(database, team, kind)[0]["name"] == "One"


def vendor(received: float, **assertions) -> list[Told]:
    """A row about a vendor."""
    return [Told("v", Statement("csv", {"key": "v", **assertions}, at(received), None, 0, ROW))]


def test_a_row_told_again_outlives_what_came_between_and_is_told_later(database, team):
    kind = KINDS["vendors"]
    first, again = (vendor(received, name="One", tier=1) for received in (1, 3))
    tell_all(database, team, kind, [first, again, vendor(2, name="Two", tier=2)])
    (stored,) = records(database, team, kind)
    assert (stored["name"], stored["tier"]) == ("One", 1)


def test_of_two_rows_of_one_list_the_one_that_is_told_again_alone_is_the_newest(database, team):
    kind = KINDS["vendors"]
    first, other = (vendor(1, name=name, tier=1) for name in ("One", "Two"))
    tell_all(database, team, kind, [[*first, *other], vendor(2, name="One", tier=1)])
    assert records(database, team, kind)[0]["name"] == "One"


def test_a_row_twice_in_a_batch_has_its_last_receipt_and_an_event_its_first(database, team):
    kind = KINDS["vendors"]
    told = [*vendor(3, name="One", tier=1), *vendor(1, name="One", tier=1)]
    tell_all(database, team, kind, [told, vendor(2, name="Two", tier=1)])
    assert records(database, team, kind)[0]["name"] == "One"
    event = Statement("api", {"key": "e", "name": "Eve", "tier": 1}, at(5))
    earlier = Statement("api", event.assertions, at(4))
    tell_all(database, team, kind, [[Told("e", earlier), Told("e", event)]])
    with job_in(database.job, team) as connection:
        query = text("select received_at from statement where identity = 'e'")
        assert connection.execute(query).scalar_one() == at(4)


def test_what_is_told_of_a_record_again_with_another_receipt_makes_no_row_of_before(database, team):
    told = [incident("a", 5, opened_at=0), incident("a", 1, opened_at=0)]
    again = [Told(t.identity, Statement(t.statement.source, t.statement.assertions, t.statement.received_at,
                                        at(9))) for t in told]  # fmt: skip
    tell_all(database, team, KINDS["incidents"], [[again[0]], [again[1]]])
    tell_all(database, team, KINDS["vendors"], [vendor(n, name="One", tier=1) for n in (1, 2)])
    with job_in(database.job, team) as connection:
        query = text("select kind, source from statement order by kind")
        assert connection.execute(query).all() == [("incidents", "pagerduty"), ("vendors", "csv")]


def test_a_record_of_before_keeps_its_words_when_several_things_are_told_at_once(
    database, settings, team
):
    old = {"key": "old", "opened_at": at(0), "title": "Down", "severity": "p1"}
    World(database, settings).add(team, "incident", [old])
    told = [incident("old", 60, acknowledged_at=60), incident("old", 70, resolved_at=70)]
    tell_all(database, team, KINDS["incidents"], [told])
    (stored,) = records(database, team, KINDS["incidents"])
    assert (stored["title"], stored["severity"], stored["opened_at"]) == ("Down", "p1", at(0))


def test_no_workspace_reads_or_writes_anothers_statements(database, settings, team):
    other = World(database, settings).workspace("other")
    tell_all(database, team, KINDS["incidents"], [[incident("a", 1, opened_at=0)]])
    with job_in(database.job, other) as connection:
        assert connection.execute(text("select count(*) from statement")).scalar() == 0
    assert records(database, other, KINDS["incidents"]) == []
