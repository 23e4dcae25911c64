"""Isolation is looked at as it is, by the roles themselves: the program does not serve where it fails."""

from __future__ import annotations

import pytest

from storage import isolation
from storage.database import UnsafeRole, refuse_leaks
from tests.conftest import TODAY, empty, superuser
from tests.world import World, at

BROKEN = {
    "create policy oops on incident for select using (true)": "incident",
    "create policy oops on incident for select to vigilo_web using (workspace_id > 0)": "incident",
    "alter policy web_read on incident using (true)": "incident",
    "alter policy web_read on workspace using (true)": "workspace",
    "alter policy job_all on incident using (true) with check (true)": "incident",
    "alter table incident disable row level security": "incident",
    "drop policy web_read on incident; create policy web_read on incident using (true)": "incident",
    "alter role vigilo_web bypassrls": "incident",
    "alter role vigilo_job bypassrls": "incident",
    "create or replace function vigilo.seal_of(key bytea, person bigint) returns text"
    " language sql stable as $$ select repeat('0', 64) $$": "incident",
    "create or replace function vigilo.job_workspace() returns bigint language sql stable as $$"
    " select min(id) from public.workspace $$": "incident",
    "create policy oops on vendor for select to vigilo_web using (true)": "policy vendor.oops",
    "create policy oops on vendor to vigilo_job using (true)": "policy vendor.oops",
}
"""Harm to the database, and what is seen of it. The vendors have no row: there the policy
itself is told."""


@pytest.fixture(scope="module")
def filled(server, settings):
    """Workspace 1 with an incident, and person 1, its platform admin."""
    empty(server)
    world = World(server, settings)
    alpha, alice = world.workspace("alpha"), world.person("alice@x.example")
    world.member(alice, alpha, "platform_admin")
    world.add(alpha, "incident", [{"key": "a", "opened_at": at(TODAY)}])
    assert (alpha, alice.user_id) == (1, 1)
    return server


def test_a_database_that_isolates_is_served_from(filled):
    refuse_leaks(filled)
    for engine, is_job in ((filled.web, False), (filled.job, True)):
        with engine.connect() as connection:
            assert isolation.leaks(connection, job=is_job) == []


def test_the_probe_is_not_compiled_first(filled):
    """A PostgreSQL with LLVM took ten seconds for what it reckoned as dear."""
    with filled.job.connect() as connection, connection.begin():
        connection.exec_driver_sql("set local jit = on")
        isolation.leaks_within(connection, job=True)
        assert connection.exec_driver_sql("show jit").scalar_one() == "off"


@pytest.mark.parametrize("harm", BROKEN)
def test_one_that_does_not_is_refused_with_the_table(filled, harm):
    with superuser(filled).connect() as connection, connection.begin() as transaction:
        connection.exec_driver_sql(harm)
        seen = set()
        for role, is_job in (("vigilo_web", False), ("vigilo_job", True)):
            connection.exec_driver_sql(f"set local session authorization {role}")
            seen |= set(isolation.leaks_within(connection, job=is_job))
            connection.exec_driver_sql("reset session authorization")
        transaction.rollback()
    assert BROKEN[harm] in seen


def test_the_sentence_names_the_role_and_the_table(filled):
    harm = "alter policy web_read on incident using (true)"
    with superuser(filled).begin() as connection:
        connection.exec_driver_sql(harm)
    try:
        with pytest.raises(
            UnsafeRole, match="the web role is not kept out of incident, policy incident"
        ):
            refuse_leaks(filled)
    finally:
        with superuser(filled).begin() as connection:
            connection.exec_driver_sql(
                "alter policy web_read on incident using"
                " (workspace_id = (select vigilo.readable_workspace('workspace')))"
            )
