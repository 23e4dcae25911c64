"""Statements that somebody with the web role would try, in the context of a platform admin: each is refused
for want of the right to do it."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storage import context
from storage.context import as_viewer, enter
from storage.roles import DEFINER
from tests.conftest import TODAY, empty
from tests.world import World, at

REFUSED = "42501"
"""PostgreSQL's code for a missing right, or for a row that a policy keeps out: a typing error
has another."""

BECOME = [
    "set role vigilo_owner",
    "set role vigilo_job",
    "set role postgres",
    f"set role {DEFINER}",
    "set session authorization postgres",
    "set session authorization vigilo_job",
    "alter role vigilo_web bypassrls",
    "alter role vigilo_web superuser",
    "alter role vigilo_job password 'x'",
    "create role intruder",
    "grant vigilo_job to vigilo_web",
    f"grant {DEFINER} to vigilo_web",
    "reassign owned by vigilo_owner to vigilo_web",
    "set row_security = off; select * from incident",
    "select vigilo.seal_of(key, 1) from sealing_key",
    "select * from sealing_key",
    "insert into viewer_ticket (id_hash, user_id, expires_at) values ('\\x00', 1, now())",
    "select * from viewer_ticket",
]
BUILD = [
    "create table loot (x int)",
    "create temporary table loot (x int)",
    "create schema loot",
    "create table vigilo.loot (x int)",
    "create view vigilo.loot as select 1",
    "create function vigilo.setting(text, int) returns text language sql as 'select null'",
    "create function pg_temp.f() returns int language c as 'x', 'y'",
    "create or replace function vigilo.readable_workspace(needed text) returns bigint"
    " language sql as 'select 1'",
    "create or replace function vigilo.viewer() returns bigint language sql as 'select 1'",
    "alter function vigilo.readable_workspace(text) security invoker",
    "drop function vigilo.identify(text, bytea, bytea)",
    "create trigger t before insert on incident execute function vigilo.challenge()",
    "create rule r as on select to incident do instead select 1",
]
POLICIES = [
    "alter table incident disable row level security",
    "alter table incident no force row level security",
    "drop policy web_read on incident",
    "create policy mine on incident using (true)",
    "alter policy web_read on incident using (true)",
    "alter table workspace disable row level security",
    "alter table incident owner to vigilo_web",
]
RECORDS = [
    "drop table incident",
    "truncate incident",
    "truncate incident cascade",
    "delete from incident",
    "update incident set title = 'x'",
    "insert into incident (workspace_id, key, opened_at) values (1, 'x', now())",
    "update workspace_usage_snapshot set workspace_id = 2",
    "delete from duration_block",
    "select * from staged_usage_snapshot",
    "insert into delivery (workspace_id, id, format, received_at)"
    " values (1, gen_random_uuid(), 'x', now())",
    "insert into statement select * from statement",
    "update word_meaning set meaning = 'x'",
    "update organisation_meaning set meaning = 'x'",
    "update organisation_annotation set text = 'x'",
    "select * from commentary",
    "insert into organisation_setting (name, revision, since, set_by) values ('x', 1, now(), 'x')",
    "select vigilo.set_setting(null, 'sprint_days', '7', current_date, 'x')",
    "insert into snapshot_run (day) values ('2030-01-01')",
    "lock table incident in exclusive mode",
    "select vigilo.note_snapshot(1)",
    "select vigilo.workspaces_with_deliveries()",
    "select vigilo.workspaces_with_snapshots_due()",
]
PEOPLE = [
    "insert into membership (workspace_id, user_id, role) values (1, 3, 'platform_admin')",
    "update membership set role = 'platform_admin'",
    "delete from membership",
    "update workspace set is_active = true",
    "update installation set strict_residency = false",
    "select password_hash from app_user",
    "select email from app_user",
    "update app_user set password_hash = 'x'",
    "update app_user set home_region = 'us'",
    "update app_user set is_active = true",
    "insert into app_user (email) values ('x@x.example')",
    "select * from web_session",
    "insert into web_session (id_hash, user_id, expires_at) values ('\\x00', 1, now())",
    "update web_session set user_id = 1",
    "delete from web_session",
    "select * from vigilo.live_session",
    "select * from api_token",
    "select signing_secret from api_token",
    "update api_token set last_used_at = now()",
    "insert into api_token (user_id, token_hash) values (1, '\\x00')",
    "select * from vigilo.live_token",
    "select * from vigilo.live_ticket",
    "delete from sign_in_failure",
    "insert into sign_in_failure (account, address) values ('x', 'x')",
]
EXPORTS = [
    "select * from export_job",
    "update export_job set user_id = 1",
    "insert into export_job (id, user_id, params, scope) values (gen_random_uuid(), 1, '{}', '{}')",
    "select * from mail_outbox",
    "update mail_outbox set recipient = 'x@x.example'",
    "select * from pack_subscription",
    "update pack_subscription set user_id = 1",
    "delete from pack_subscription",
]
AUDIT = [
    "select * from audit_event",
    "insert into audit_event (actor, action, hash) values ('x', 'x', '\\x00')",
    "update audit_event set actor = 'x'",
    "delete from audit_event",
    "truncate audit_event",
    "select vigilo.note_own('session.refuse', 'x', '{}')",
    "select vigilo.note_own('member.grant', 'alpha', '{}')",
    "select vigilo.note_own('records.download', 'beta/dora', '{}')",
    "select vigilo.note_own('records.download', 'alpha', jsonb_build_object('x', repeat('x', 9000)))",
    "select vigilo.note_own('records.download', 'alpha/' || repeat('x', 300), '{}')",
]
MACHINE = [
    "copy incident to program 'cat'",
    "copy incident from program 'echo'",
    "copy incident to '/tmp/loot'",
    "select pg_read_file('/etc/passwd')",
    "select pg_ls_dir('/')",
    "select lo_import('/etc/passwd')",
    "select pg_reload_conf()",
    "select * from pg_authid",
    "select * from pg_shadow",
    "select pg_read_binary_file('global/pg_control')",
    "select * from pg_hba_file_rules",
    "load '/tmp/loot.so'",
    "set session_replication_role = replica",
    "select lo_creat(-1)",
    "select lo_create(0)",
    "select lo_from_bytea(0, 'x')",
    "select pg_logical_emit_message(false, 'x', 'x')",
]
PROBES = [*BECOME, *BUILD, *POLICIES, *RECORDS, *PEOPLE, *EXPORTS, *AUDIT, *MACHINE]


@pytest.fixture(scope="module")
def alice(server, settings):
    """A platform admin of one of two workspaces, which has an incident."""
    empty(server)
    world = World(server, settings)
    alpha, person = world.workspace("alpha"), world.person("alice@x.example")
    world.workspace("beta")
    world.member(person, alpha, "platform_admin")
    world.add(alpha, "incident", [{"key": "a", "opened_at": at(TODAY)}])
    return person, alpha


@pytest.mark.parametrize("probe", PROBES)
def test_the_web_role_is_refused(server, alice, probe):
    person, alpha = alice
    with (
        as_viewer(server.web, person) as connection,
        enter(connection, context.WORKSPACE, alpha),
        pytest.raises(DBAPIError) as refusal,
    ):
        connection.exec_driver_sql(probe)
    assert refusal.value.orig.pgcode == REFUSED, refusal.value.orig


OUTSIDE = [
    "create database intruder",
    "alter system set row_security = off",
    "alter system set archive_command = 'touch /tmp/loot'",
    "create tablespace loot location '/tmp'",
    "drop database vigilo",
]
"""Statements that PostgreSQL runs outside a transaction alone."""


@pytest.mark.parametrize("probe", OUTSIDE)
def test_the_web_role_is_refused_outside_a_transaction(server, probe):
    with (
        server.web.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
        pytest.raises(DBAPIError) as refusal,
    ):
        connection.exec_driver_sql(probe)
    assert refusal.value.orig.pgcode == REFUSED, refusal.value.orig


def test_what_spills_to_the_disk_is_bounded_and_the_web_role_can_not_change_that(server):
    for attempt in ("set temp_file_limit = -1", "alter role vigilo_web set temp_file_limit = -1"):
        with server.web.connect() as connection, pytest.raises(DBAPIError) as refusal:
            connection.exec_driver_sql(attempt)
        assert refusal.value.orig.pgcode == REFUSED
    with server.web.connect() as connection:
        connection.exec_driver_sql("alter role vigilo_web reset all")
        connection.commit()
    with server.web.engine.connect() as connection:
        assert connection.exec_driver_sql("show temp_file_limit").scalar() == "2GB"


def test_there_are_enough_probes():
    assert len(set(PROBES)) == len(PROBES) >= 60


READS = {
    "installation",
    "organisation_annotation",
    "organisation_meaning",
    "organisation_setting",
    "schema_version",
    "snapshot_run",
    "task_run",
    "watch_day",
    "watch_threshold",
    "workspace",
}
"""Tables beside the tenants' that pages read as the web role."""


def test_the_web_role_has_these_rights_and_no_other(server):
    """Every table, every column: a right that a later migration gives must be written down here."""
    with server.owner.connect() as connection:
        tables = connection.execute(
            text(
                "select c.relname, a.privilege_type from pg_class c, aclexplode(c.relacl) a"
                " where c.relnamespace = 'public'::regnamespace and a.grantee in (0, 'vigilo_web'::regrole)"
            )
        ).all()
        columns = connection.execute(
            text(
                "select c.relname || '.' || t.attname from pg_attribute t join pg_class c"
                " on c.oid = t.attrelid, aclexplode(t.attacl) a"
                " where a.grantee in (0, 'vigilo_web'::regrole) and c.relnamespace = 'public'::regnamespace"
            )
        ).all()
        tenants = connection.execute(
            text(
                "select c.relname from pg_class c where c.relrowsecurity and c.relkind in ('r', 'p')"
                " and c.relname not like 'staged%'"
            )
        ).scalars()
        assert set(tables) == {(name, "SELECT") for name in READS | set(tenants)}
    assert columns == []
