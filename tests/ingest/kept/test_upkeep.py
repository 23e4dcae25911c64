"""Compacting statements changes no record: not when it is done, nor with whatever is told later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from aggregators.records.statements import BY_HAND, EVENT, ROW, Statement
from ingest import words
from ingest.kept.upkeep import compact
from ingest.kinds import KINDS
from ingest.statements import Told, tell
from storage.context import job_in
from tests.aggregators.records.test_statements import at
from tests.deep import efforts
from tests.ingest.test_statements import records, told_of
from tests.world import World

NUMBERS = count()


def stored(database, team) -> int:
    with job_in(database.job, team) as connection:
        return connection.execute(text("select count(*) from statement")).scalar_one()


def shrunk(database, team, before) -> None:
    while True:
        with job_in(database.job, team) as connection:
            if not compact(connection, team, before):
                return


def tell_one(database, team, kind, told) -> None:
    with job_in(database.job, team) as connection:
        tell(connection, kind, team, told, words.of_workspace(connection, team))


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.tenant])
@pytest.mark.parametrize("effort", efforts(few=4, many=12, deep=400))
def test_compacting_at_any_point_of_a_history_changes_no_record(name, server, settings, effort):
    kind, world = KINDS[name], World(server, settings)

    @effort
    @given(st.data())
    def check(data):
        told = data.draw(told_of(kind))
        told += data.draw(st.lists(st.sampled_from(told), max_size=3))
        plain, kept = (world.workspace(f"keep-{name[:12]}-{next(NUMBERS)}") for _ in range(2))
        cuts = sorted(data.draw(st.lists(st.integers(0, len(told)), max_size=3)))
        for begin, end in pairwise([0, *cuts, len(told)]):
            tell_one(server, plain, kind, told[begin:end])
            tell_one(server, kept, kind, told[begin:end])
            shrunk(server, kept, at(1000 + data.draw(st.integers(0, 5))))
            assert records(server, kept, kind) == records(server, plain, kind)

    check()


def test_many_old_statements_of_a_record_are_one_row_and_opened_as_they_were(database, settings):
    kind, team = KINDS["incidents"], World(database, settings).workspace("attic")
    told = [
        Told("A-1", Statement("csv", {"key": "A-1", "opened_at": at(0), "title": f"t{n}"}, at(n),
                              manner=manner))
        for n, manner in enumerate([EVENT, ROW, ROW, BY_HAND])
    ]  # fmt: skip
    tell_one(database, team, kind, told)
    with job_in(database.job, team) as connection:
        rows = connection.execute(text("select * from statement order by digest")).all()
    shrunk(database, team, datetime.now(UTC) + timedelta(days=1))
    assert (len(rows), stored(database, team)) == (4, 1)
    tell_one(database, team, kind, told[:1])
    with job_in(database.job, team) as connection:
        assert connection.execute(text("select * from statement order by digest")).all() == rows


def test_young_statements_stay_as_they_are(database, settings):
    kind, team = KINDS["vendors"], World(database, settings).workspace("attic")
    assertions = {"key": "V-1", "name": "Acme", "tier": 1}
    told = [Told("V-1", Statement(s, assertions, at(n), manner=ROW)) for n, s in enumerate("abc")]
    tell_one(database, team, kind, told)
    shrunk(database, team, at(2))
    assert stored(database, team) == 2
