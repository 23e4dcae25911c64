"""Each statement of deploy/roles.sql: taken back, it is named, with what to type."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, text

from storage.roles import Roles
from tests.conftest import superuser
from tests.storage.clusters import administrators_script
from web.health.made import given

HARM = {
    "create role vigilo_owner": {
        "alter role vigilo_owner nocreaterole": "vigilo_owner can not sign in and make roles",
        "alter role vigilo_owner nologin": "vigilo_owner can not sign in and make roles",
        "alter role vigilo_owner superuser": "the owner vigilo_owner is above all policies",
        "alter role vigilo_owner bypassrls": "the owner vigilo_owner is above all policies",
    },
    "create role vigilo_web": {
        "alter role vigilo_web createrole": "vigilo_web has createrole",
        "alter role vigilo_web createdb": "vigilo_web has createdb",
        "alter role vigilo_web replication": "vigilo_web has replication",
        "alter role vigilo_web inherit; grant vigilo_job to vigilo_web": "vigilo_web can act as vigilo_job",
    },
    "create role vigilo_job": {
        "alter role vigilo_job createrole": "vigilo_job has createrole",
        "alter role vigilo_job createdb": "vigilo_job has createdb",
        "alter role vigilo_job inherit; grant pg_monitor to vigilo_job": "vigilo_job can act as pg_monitor",
    },
    "grant vigilo_job to vigilo_owner": {
        "revoke vigilo_job from vigilo_owner cascade": "vigilo_owner can not act as vigilo_job",
    },
    "create role vigilo_backup": {
        "drop owned by vigilo_backup; drop role vigilo_backup": "there is no role vigilo_backup",
        "alter role vigilo_backup nobypassrls": "policies bind vigilo_backup",
        "alter role vigilo_backup nologin": "policies bind vigilo_backup",
        "alter role vigilo_backup superuser": "vigilo_backup, for backups, can do everything",
    },
    "grant pg_read_all_data to vigilo_backup": {
        "revoke pg_read_all_data from vigilo_backup": "vigilo_backup can not read everything",
    },
    "create database vigilo": {
        "alter database vigilo owner to postgres": "the database is postgres's, not vigilo_owner's",
    },
    "revoke connect on database vigilo from public": {
        "grant connect on database vigilo to public": "every role of the server can connect",
        "grant connect on database vigilo to public;"
        " revoke connect on database vigilo from vigilo_web, vigilo_job, vigilo_backup":
            "every role of the server can connect",
        "grant temporary on database vigilo to public": "fill the disk with temporary tables",
    },
    "grant connect on database vigilo to": {
        "revoke connect on database vigilo from vigilo_web": "vigilo_web can not connect anew",
        "revoke connect on database vigilo from vigilo_job": "vigilo_job can not connect anew",
        "revoke connect on database vigilo from vigilo_backup": "vigilo_backup can not connect",
    },
    "alter role vigilo_web set temp_file_limit": {
        "alter role vigilo_web reset temp_file_limit": "what vigilo_web sorts may fill the disk",
        "alter role vigilo_web set temp_file_limit = -1": "what vigilo_web sorts may fill the disk",
        "alter role vigilo_web set bytea_output = 'escape'": "vigilo_web signs in with bytea_output=escape",
        "alter role vigilo_job in database vigilo set default_transaction_read_only = on":
            "vigilo_job signs in with default_transaction_read_only=on",
    },
    "do $$": {
        "grant execute on function lo_creat(integer) to public": "by lo_creat(integer)",
        "grant execute on function lo_create(oid) to public": "by lo_create(oid)",
        "grant execute on function lo_from_bytea(oid, bytea) to public": "by lo_from_bytea(oid,bytea)",
        "grant execute on function pg_logical_emit_message(boolean, text, text, boolean) to public":
            "by pg_logical_emit_message(boolean,text,text,boolean)",
    },
}  # fmt: skip
"""By the beginning of a statement: what takes its effect back, and what is then told."""
BACKUP = (
    "create role vigilo_backup login bypassrls",
    "grant pg_read_all_data to vigilo_backup",
    "grant connect on database vigilo to vigilo_backup",
)


def told(connection: Connection) -> list[str]:
    return [each.detail for each in given.findings(connection, Roles(), "vigilo_backup")]


def test_every_statement_of_the_script_is_looked_for():
    for statement in administrators_script():
        assert any(statement.startswith(begin) for begin in HARM), f"nothing looks for: {statement}"
    for begin in HARM:
        assert any(statement.startswith(begin) for statement in administrators_script()), begin


@pytest.mark.parametrize("harm", [harm for each in HARM.values() for harm in each])
def test_what_is_taken_back_is_named_and_typing_what_is_told_mends_it(database, harm):
    (detail,) = [each[harm] for each in HARM.values() if harm in each]
    with superuser(database).connect() as connection:
        for statement in BACKUP:
            connection.exec_driver_sql(statement)
        assert told(connection) == []
        connection.exec_driver_sql(harm)
        problems = list(given.findings(connection, Roles(), "vigilo_backup"))
        assert any(detail in each.detail for each in problems), problems
        for problem in problems:
            connection.execute(text(problem.remedy.partition("   (")[0].replace("'...'", "'x'")))
        left = told(connection)
        connection.rollback()
    assert left == []


def test_rules_of_sorting_that_have_changed_are_found(database, monkeypatch):
    """The embedded server's own rules have no versions; a machine's do."""
    with superuser(database).connect() as connection:
        assert list(given.collation(connection, "vigilo")) == []
        changed = "select '2.31' as then, '2.36' as now"
        monkeypatch.setattr(given, "COLLATION", changed)
        (problem,) = given.collation(connection, "vigilo")
    assert "reindex database" in problem.remedy
    assert "2.31" in problem.detail


def test_a_role_for_backups_that_nobody_has_is_not_missed(database):
    with superuser(database).connect() as connection:
        assert list(given.findings(connection, Roles(), None)) == []
