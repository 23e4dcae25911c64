"""Row-level security against the same rules in plain Python; and each of its clauses is needed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from storage.context import ROLLUP, WORKSPACE
from tests.conftest import empty, superuser
from tests.deep import efforts
from tests.storage.one_of_each import DAY, fill
from tests.storage.rights.oracle import READ, REGIONS, ROLES, TELLING, Case, Place, differences
from tests.storage.test_isolation import SNAPSHOTS
from tests.world import World


@pytest.fixture(scope="module")
def place(server, settings) -> Place:
    """Two workspaces with a row in every table, a person, and somebody who is a member of both."""
    empty(server)
    world = World(server, settings)
    ids = [world.workspace(slug, region="eu") for slug in ("alpha", "beta")]
    person, other = (world.person(f"{who}@x.example") for who in ("alice", "bob"))
    for tag, workspace_id in zip("ab", ids, strict=True):
        fill(world, workspace_id, tag)
        world.member(other, workspace_id, "viewer")
    world.backfill(DAY, DAY)
    return Place(person.user_id, person.proof, *ids)


@pytest.fixture(scope="module")
def connection(server, place) -> Iterator[Connection]:
    """The superuser's, in a transaction that is taken back: cases become other roles within it."""
    with superuser(server).connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


CASES = st.builds(
    Case,
    role=st.sampled_from(ROLES),
    revoked=st.booleans(),
    user_active=st.booleans(),
    workspace_active=st.booleans(),
    user_region=st.sampled_from(REGIONS),
    workspace_region=st.sampled_from(REGIONS),
    strict=st.booleans(),
    level=st.sampled_from((ROLLUP, WORKSPACE, ROLLUP, WORKSPACE, "job", "", "other")),
    claim=st.sampled_from(("proof", "proof", "proof", "setting", "none")),
    elsewhere=st.booleans(),
)


@pytest.mark.parametrize("effort", efforts(few=100, many=500, deep=10000))
def test_the_database_shows_what_the_rules_give(connection, place, effort):
    @effort
    @given(CASES)
    def holds(case):
        assert differences(connection, place, case) == []

    holds()


@pytest.mark.parametrize("case", TELLING)
def test_the_telling_cases_are_right(connection, place, case):
    assert differences(connection, place, case) == []


FUNCTION = "vigilo.readable_workspace(text)"
CLAUSES = {
    "m.workspace_id = asked and": "",
    "m.user_id = asker and": "",
    "and m.revoked_at is null": "",
    "and m.role = 'platform_admin'": "",
    "u.is_active and": "",
    "and u.is_active": "",
    "and w.is_active": "",
    "and (not i.strict_residency or w.region = u.home_region)": "",
    "(not i.strict_residency or w.region = u.home_region)": "not i.strict_residency",
    "seal = vigilo.seal_of(k.key, asker)": "true",
    "level = 'rollup' and needed = 'rollup'": "level = 'rollup'",
    "level = 'workspace'": "level <> 'rollup'",
}
"""Clauses of the look-up, and what each becomes, wherever it stands."""
SHOWN_AT_LEAST = {"u.is_active and", "and u.is_active"}
"""Clauses that the proof holds up as well: without that one, too, they must be needed."""


def table_mutants() -> Iterator[tuple[str, str]]:
    """Policies that show everything, or at the wrong level, or nothing, for each table."""
    for table in READ:
        wrong = "workspace" if table in SNAPSHOTS else "rollup"
        level = f"(workspace_id = (select vigilo.readable_workspace('{wrong}')))"
        yield f"{table} shows all", f"alter policy web_read on {table} using (true)"
        yield f"{table} at {wrong}", f"alter policy web_read on {table} using {level}"
        yield f"{table} shows the job all", f"alter policy job_all on {table} using (true)"
        yield f"{table} shows none", f"drop policy web_read on {table}"


def killed(connection: Connection, place: Place, mutant: str) -> bool:
    """Whether a telling case sees the difference that the mutant makes."""
    with connection.begin_nested() as undone:
        connection.exec_driver_sql(mutant.replace("%", "%%"))
        is_seen = any(differences(connection, place, case) for case in TELLING)
        undone.rollback()
    return is_seen


MUTANTS = dict(table_mutants())


@pytest.mark.parametrize("name", MUTANTS)
def test_a_policy_that_was_changed_is_noticed(connection, place, name):
    assert killed(connection, place, MUTANTS[name])


@pytest.mark.parametrize("clause", CLAUSES)
def test_every_clause_of_the_look_up_is_needed(connection, place, clause):
    source = connection.execute(
        text("select pg_get_functiondef(cast(:f as regprocedure))"), {"f": FUNCTION}
    ).scalar_one()
    assert clause in source
    mutant = source.replace(clause, CLAUSES[clause])
    if clause in SHOWN_AT_LEAST:
        mutant += ";" + proof_without_account(connection)
    assert killed(connection, place, mutant)


def proof_without_account(connection: Connection) -> str:
    """The view of tickets without its look at the account."""
    source = connection.execute(
        text("select pg_get_viewdef('vigilo.live_ticket'::regclass)")
    ).scalar_one()
    weakened, count = re.subn(r"AND u\.is_active", "", source)
    assert count == 1
    return f"create or replace view vigilo.live_ticket with (security_invoker) as {weakened}"


def test_there_are_enough_mutants():
    assert len(MUTANTS) + len(CLAUSES) >= 30
