"""Definitions that somebody changed by hand: each is named with what to type, which makes it again."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from storage.database import connect
from storage.migrations import definitions, mending, rights
from tests.conftest import superuser
from tests.deep import all_but
from tests.web.health.test_rights import told
from tests.webworld import make
from web.health import checkup, structure

OPEN = (
    "create or replace function vigilo.job_workspace() returns bigint language sql stable"
    " as 'select 1::bigint'"
)
STOPPING = {
    OPEN: "function vigilo.job_workspace() is not as it was made",
    "alter function vigilo.my_workspaces() volatile": "vigilo.my_workspaces() is not as it was made",
    "alter function vigilo.my_workspaces() parallel safe": "vigilo.my_workspaces() is not as it was made",
    "alter table app_user disable trigger app_user_credentials":
        "trigger app_user_credentials on app_user is disabled",
    "alter table app_user enable replica trigger app_user_credentials":
        "trigger app_user_credentials on app_user is enabled otherwise",
    "drop trigger keep_settings on workspace_setting": "there is no trigger keep_settings on workspace_set",
    "create or replace trigger refuse_foreign_mapping before insert on source_rule for each row"
    " execute function vigilo.refuse_foreign_mapping()": "trigger refuse_foreign_mapping on source_rule",
    "alter policy web_read on incident using (true)": "policy web_read on incident is not as it was made",
    "alter policy web_read on incident using (workspace_id = 1 or"
    " workspace_id = (select vigilo.readable_workspace('workspace')))": "policy web_read on incident is",
    "alter policy job_all on incident with check (true)": "policy job_all on incident is not as it was",
    "alter policy web_read on incident to vigilo_web, vigilo_job": "policy web_read on incident is not",
    "drop policy web_read on incident": "there is no policy web_read on incident",
    "create policy more on incident for select to vigilo_web using (workspace_id = 1 or"
    " workspace_id = (select vigilo.readable_workspace('workspace')))":
        "more on incident is a policy that the program did not make",
    "create policy more on incident using (true)": "more on incident is a policy that the program did not",
    "alter table workspace no force row level security": "security of workspace is not enabled and forced",
    "alter view vigilo.live_session set (security_invoker = false)": "view vigilo.live_session is not as",
    "create or replace view vigilo.live_ticket with (security_invoker = true) as"
    " select id_hash, user_id from viewer_ticket": "view vigilo.live_ticket is not as it was made",
    "comment on column workspace_usage_snapshot.packed is 'one two'": "workspace_usage_snapshot.packed is",
}  # fmt: skip
LOOKED_AT = {
    "alter table incident alter column severity drop default":
        "column incident.severity is not as it was made",
    "alter table app_user alter column email drop not null": "column app_user.email is not as it was made",
    "alter table export_job alter column state set default 'ready'": "column export_job.state is not as",
    "alter table incident drop constraint severity_known":
        "there is no constraint severity_known on incident",
    "alter table incident drop constraint severity_known, add constraint severity_known"
    " check (severity <> '')": "constraint severity_known on incident is not as it was made",
    "alter table membership disable trigger all": "constraint membership_user_id_fkey on membership is dis",
    "drop index incident_cause": "there is no index incident_cause on incident",
    "update pg_index set indisvalid = false where indexrelid = 'incident_cause'::regclass":
        "index incident_cause on incident is invalid",
    "create trigger more before insert on incident for each row execute function vigilo.keep_settings()":
        "more on incident is a trigger that the program did not make",
}  # fmt: skip
HARM = STOPPING | LOOKED_AT


@pytest.mark.parametrize("harm", all_but([*HARM][::3], HARM))
def test_it_is_named_and_typing_what_is_told_mends_it(database, harm):
    with superuser(database).connect() as connection:
        before = definitions.read_definitions(connection, rights.names(connection, database.roles))
        assert told(connection, database.roles) == []
        connection.execute(text(harm.replace("::", "\\:\\:")))
        problems = list(structure.findings(connection, database.roles))
        details = [each.detail for each in problems]
        assert any(HARM[harm] in detail for detail in details), details
        assert len(set(details)) == len(details)
        assert any(each.must_not_serve for each in problems) == (harm in STOPPING)
        for problem in problems:
            if "db mend" not in problem.remedy:
                typed = problem.remedy.partition("   (")[0]
                connection.execute(text(typed.replace("::", "\\:\\:")))
            else:
                mending.mend(connection, database.roles)
        assert told(connection, database.roles) == []
        assert (
            definitions.read_definitions(connection, rights.names(connection, database.roles))
            == before
        )
        connection.rollback()


ALREADY_TOLD_BY_SUPERUSER = {harm for harm in HARM if "update pg_index" in harm}
MENDED = sorted(HARM.keys() - ALREADY_TOLD_BY_SUPERUSER)
LEFT = {"alter table membership disable trigger all"}


@pytest.mark.parametrize("harm", all_but(MENDED[::4], MENDED))
def test_the_owner_mends_all_of_it_with_one_command(database, harm):
    with superuser(database).connect() as connection:
        connection.execute(text(harm.replace("::", "\\:\\:")))
        connection.exec_driver_sql(f'set local role "{database.roles.owner}"')
        mended, left = mending.mend(connection, database.roles)
        assert bool(left) == (harm in LEFT)
        assert bool(mended) != (harm in LEFT)
        assert harm in LEFT or told(connection, database.roles) == []
        connection.rollback()


def test_a_definition_is_seen_at_once_and_one_that_is_well_is_read_once(database, monkeypatch):
    """The stamp stands for what was read, and changes with the first statement that changes a thing."""
    read = []
    monkeypatch.setattr(
        mending, "differences", lambda c, r, real=mending.differences: read.append(1) or real(c, r)
    )
    with superuser(database).connect() as connection:
        assert told(connection, database.roles) == []
        read.clear()
        assert told(connection, database.roles) == []
        assert read == []
        for harm in HARM:
            with connection.begin_nested() as step:
                connection.execute(text(harm.replace("::", "\\:\\:")))
                assert told(connection, database.roles) != [], harm
                step.rollback()
        assert len(read) == len(HARM)
        connection.rollback()


def test_a_column_that_is_gone_or_of_another_type_comes_from_a_backup(database):
    with superuser(database).connect() as connection:
        connection.execute(text("alter table incident alter column key type varchar(900)"))
        connection.execute(text("alter table app_user drop column home_region cascade"))
        problems = {each.detail: each for each in structure.findings(connection, database.roles)}
        connection.rollback()
    for detail in (
        "column incident.key is not as it was made",
        "there is no column app_user.home_region",
    ):
        assert problems[detail].must_not_serve
        assert "backup restore" in problems[detail].remedy


def test_triggers_that_a_setting_switches_off_are_found(database):
    with superuser(database).connect() as connection:
        connection.exec_driver_sql("set session_replication_role = replica")
        (problem,) = structure.findings(connection, database.roles)
        connection.exec_driver_sql("reset session_replication_role")
        connection.rollback()
    assert problem.must_not_serve
    assert "reset session_replication_role;" in problem.remedy
    assert problem.detail == "every trigger and foreign key is off"


def test_what_others_add_beside_it_is_nobodys_concern(database):
    with superuser(database).connect() as connection:
        connection.execute(text("create role reporting"))
        connection.execute(
            text("create policy report on incident for select to reporting using (true)")
        )
        connection.execute(text("create table notes (id int primary key, told text default 'x')"))
        connection.execute(text("create index notes_told on incident (title)"))
        connection.execute(text("alter table incident add column noted text"))
        found = told(connection, database.roles)
        connection.rollback()
    assert found == []


def test_a_search_path_of_another_is_told_and_no_upgrade_is_asked_for(database):
    with superuser(database).connect() as connection:
        connection.exec_driver_sql("set local search_path = nowhere")
        (problem,) = structure.findings(connection, database.roles)
        connection.rollback()
    assert problem.must_not_serve
    assert problem.detail == "tables are looked for in nowhere"
    assert problem.remedy.startswith('alter database "vigilo" reset search_path;')


def test_a_server_that_quotes_every_name_has_the_same_definitions(database, settings):
    make(database, settings)
    name = database.job.url.database
    with superuser(database).connect() as admin:
        admin.exec_driver_sql(f"alter database {name} set quote_all_identifiers = on")
        admin.commit()
        own = connect(settings)
        try:
            assert checkup.of_the_database(lambda: own, settings) == []
        finally:
            own.close()
            admin.exec_driver_sql(f"alter database {name} reset quote_all_identifiers")
            admin.commit()
