"""Every right, owner and function that the migrations made: taken away, it is named with what to type."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, text

from settings import load
from storage import embedded
from storage.database import connect
from storage.migrations import rights as things
from storage.roles import Roles
from tests.conftest import TODAY, superuser
from tests.deep import all_but, every
from tests.storage.backup.test_both_ways import DEBIAN
from tests.storage.clusters import cluster
from web.health import structure
from web.health.made import rights

LACKING = {
    "revoke select on workspace from vigilo_web": "vigilo_web lacks select on workspace",
    "revoke select on workspace from vigilo_job": "vigilo_job lacks select on workspace",
    "revoke insert on export_job from vigilo_job": "vigilo_job lacks insert on export_job",
    "revoke all on web_session from vigilo_job": "vigilo_job lacks select, insert, update, delete on web",
    "revoke truncate on export_job from vigilo_owner": "vigilo_owner lacks truncate on export_job",
    "revoke update (time_zone) on installation from vigilo_job": "lacks update on installation.time_zone",
    "revoke select (email) on app_user from vigilo_definer; revoke select on app_user from vigilo_definer":
        "vigilo_definer lacks select on app_user",
    "revoke usage on sequence audit_event_id_seq from vigilo_definer":
        "vigilo_definer lacks usage on sequence audit_event_id_seq",
    "revoke execute on function vigilo.executive_scope() from vigilo_web":
        "vigilo_web lacks execute on function vigilo.executive_scope()",
    "revoke execute on all functions in schema vigilo from public": "everybody lacks execute on function",
    "revoke usage on schema vigilo from vigilo_web": "vigilo_web lacks usage on schema vigilo",
    "revoke usage on schema vigilo from vigilo_definer": "vigilo_definer lacks usage on schema vigilo",
    "revoke select on vigilo.live_session from vigilo_job": "lacks select on vigilo.live_session",
}  # fmt: skip
CHANGED = {
    "alter function vigilo.executive_scope() rename to former_scope": "no function vigilo.executive_scope",
    "alter function vigilo.executive_scope() security invoker": "executive_scope() runs as its invoker",
    "alter function vigilo.setting(text) security definer": "vigilo.setting(name text) runs as its definer",
    "alter function vigilo.executive_scope() set search_path = public": "runs with search_path=public",
    "alter function vigilo.executive_scope() reset search_path": "by its caller's search path",
    "alter function vigilo.executive_scope() owner to postgres": "vigilo.executive_scope() is postgres's",
    "alter table workspace owner to postgres": "workspace is postgres's",
    "alter table workspace owner to vigilo_web": "workspace is vigilo_web's",
    "alter schema vigilo owner to postgres": "vigilo is postgres's",
}  # fmt: skip
TOO_MUCH = {
    "grant update on workspace to vigilo_web": "vigilo_web has update on workspace",
    "grant update (name) on workspace to vigilo_web": "vigilo_web has update on workspace.name",
    "grant select on mail_outbox to public": "everybody has select on mail_outbox",
    "grant usage on sequence audit_event_id_seq to vigilo_web": "vigilo_web has usage on sequence audit",
    "grant execute on function vigilo.link_audit() to vigilo_web": "has execute on function vigilo.link",
    "grant create on schema vigilo to vigilo_web": "vigilo_web has create on schema vigilo",
    "grant create on schema public to public": "everybody has create on schema public",
}
HARM = LACKING | CHANGED | TOO_MUCH

OTHER_NAMES = """
create role "acme-owner" login createrole password :password;
create role "Acme's-web" login password :password;
create role "acme.job" login password :password;
grant "acme.job" to "acme-owner";
create database vigilo owner "acme-owner"
"""

CHANGED_THERE = """
alter function vigilo.executive_scope() stable cost 7;
alter function vigilo.job_workspace() volatile;
alter policy web_read on incident using (true);
drop policy job_all on vendor;
alter table app_user disable trigger app_user_credentials;
drop index incident_cause;
alter table workspace no force row level security
"""
CHANGES_TOLD = {
    "function vigilo.executive_scope() is not as it was made",
    "function vigilo.job_workspace() is not as it was made",
    "policy web_read on incident is not as it was made",
    "there is no policy job_all on vendor",
    "trigger app_user_credentials on app_user is disabled",
    "there is no index incident_cause on incident",
    "security of workspace is not enabled and forced",
}


def told(connection: Connection, roles: Roles) -> list[str]:
    return [each.detail for each in structure.findings(connection, roles)]


@pytest.mark.parametrize("harm", all_but([*HARM][::3], HARM))
def test_it_is_named_and_typing_what_is_told_mends_it(database, harm):
    with superuser(database).connect() as connection:
        before = things.read_rights(connection, things.names(connection, database.roles))
        assert told(connection, database.roles) == []
        connection.execute(text(harm))
        problems = list(structure.findings(connection, database.roles))
        details = [each.detail for each in problems]
        assert any(HARM[harm] in detail for detail in details), details
        assert len(set(details)) == len(details)
        assert harm not in TOO_MUCH or not any(each.must_not_serve for each in problems)
        for _ in range(
            2 if "owner to vigilo_web" in harm else 1
        ):  # it loses its own rights with the table
            for problem in structure.findings(connection, database.roles):
                connection.execute(text(problem.remedy.partition("   (")[0]))
        assert told(connection, database.roles) == []
        assert things.read_rights(connection, things.names(connection, database.roles)) == before
        connection.rollback()


@pytest.mark.parametrize(
    ("harm", "detail"),
    [
        ("drop function vigilo.executive_scope()", "no function vigilo.executive_scope()"),
        ("drop view vigilo.live_ticket cascade", "there is no table vigilo.live_ticket"),
        ("alter table mail_outbox rename to mails", "there is no table mail_outbox"),
    ],
)
def test_what_is_gone_is_named_and_brought_back_from_a_backup(database, harm, detail):
    with superuser(database).connect() as connection:
        connection.execute(text(harm))
        problems = [
            each for each in structure.findings(connection, database.roles) if detail in each.detail
        ]
        connection.rollback()
    assert [each.must_not_serve for each in problems] == [True]
    assert "backup restore" in problems[0].remedy


def test_tables_and_grants_of_others_are_nobodys_concern(database):
    with superuser(database).connect() as connection:
        connection.execute(text("create role reporting; grant select on workspace to reporting"))
        connection.execute(text("create table notes (id int); grant select on notes to vigilo_web"))
        connection.execute(text("create function noted() returns int language sql as 'select 1'"))
        connection.execute(text("revoke usage on schema public from public"))
        found = list(rights.findings(connection, database.roles))
        connection.rollback()
    assert found == []


@pytest.mark.parametrize("programs", every(2, [None, *(path.parent for path in DEBIAN)]), ids=str)
def test_other_names_and_versions_make_no_difference_to_it(server, settings, tmp_path, programs):
    """``programs`` of Debian's PostgreSQL; None for those of the embedded one."""
    user = (settings.data_dir / "postgres").owner()
    with cluster(programs or embedded.programs(), user, prepared=False) as made:
        made.sql(OTHER_NAMES)
        urls = {
            name: made.url(role).render_as_string(hide_password=False)
            for name, role in (
                ("database_url", "Acme's-web"),
                ("owner_database_url", "acme-owner"),
                ("job_database_url", "acme.job"),
            )
        }
        own = load(data_dir=tmp_path, today=TODAY, secret_key="x" * 40, **urls)
        database = connect(own)
        try:
            database.upgrade(own)
            with database.owner.begin() as connection:
                assert told(connection, database.roles) == []
                connection.execute(text('revoke select on workspace from "Acme\'s-web"'))
            with database.web.connect() as connection:
                serving = Roles("", database.roles.web, database.roles.job)
                (problem,) = structure.findings(connection, serving)
            with database.owner.begin() as connection:
                connection.execute(text(problem.remedy.partition("   (")[0]))
                assert told(connection, serving) == []
            made.sql(CHANGED_THERE, "vigilo")
            with database.owner.begin() as connection:
                assert set(told(connection, serving)) == CHANGES_TOLD
            mended, left = database.mend()
            assert ({each.detail for each in mended}, left) == (CHANGES_TOLD, [])
            with database.web.connect() as connection:
                assert told(connection, serving) == []
        finally:
            database.close()
    assert problem.detail == "Acme's-web lacks select on workspace"
