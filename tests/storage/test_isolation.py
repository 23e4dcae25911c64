"""Row-level security: what each role sees in each context, and that nothing gets around it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from aggregators.vocabulary.period import Ask
from aggregators.vocabulary.sketch import place_of
from reading.dashboard import NotPlatformAdmin, read
from storage import context
from storage.chosen.tables import CHOSEN_TABLES
from storage.context import (
    NoContext,
    NotIdentified,
    as_viewer,
    current,
    enter,
    in_workspace,
    job_in,
)
from storage.database import UnsafeRole, refuse_unsafe
from storage.executive import encoded_rows
from storage.roles import DEFINER
from storage.snapshot.tables import SNAPSHOT_TABLES, STAGED_TABLES, TENANT_TABLES, preset_rows
from storage.tables import metadata
from storage.watch.tables import WATCH_TABLES
from tests.plain.reading import comparable, one_by_one
from tests.storage.one_of_each import DAY, fill
from tests.stored_rows import built_once
from tests.world import World, at

REGIONS = ("eu", "us", None)
IN_ROLLUP = (*SNAPSHOT_TABLES, preset_rows, *WATCH_TABLES, *CHOSEN_TABLES)
OTHERS = {t.name for t in (*IN_ROLLUP, *STAGED_TABLES)} | {"membership"}
RECORDS = [t.name for t in TENANT_TABLES if t.name not in OTHERS]
SNAPSHOTS = [t.name for t in IN_ROLLUP]


@pytest.fixture
def world(database, settings) -> World:
    """Two workspaces with one of everything; Alice is platform admin of both, Bob owns the first."""
    return built_once(database, __name__, lambda: of_one_of_each(World(database, settings)))


def of_one_of_each(made: World) -> World:
    """Writes the records of both workspaces, and their snapshots of two days."""
    made.alpha, made.beta = (
        made.workspace("alpha", region="eu"),
        made.workspace("beta", region="us"),
    )
    made.alice = made.person("alice@x.example", home_region="eu")
    made.bob = made.person("bob@x.example", home_region="eu")
    made.dave = made.person("dave@x.example", home_region="eu")
    for workspace_id, tag in ((made.alpha, "a"), (made.beta, "b")):
        made.member(made.alice, workspace_id, "platform_admin")
        fill(made, workspace_id, tag)
    made.member(made.bob, made.alpha, "owner")
    made.backfill(DAY - timedelta(days=1), DAY)
    return made


def counts(connection, tables) -> dict[str, int]:
    return {t: connection.execute(text(f"select count(*) from {t}")).scalar_one() for t in tables}


# What is seen


@pytest.mark.parametrize("table", [*RECORDS, *SNAPSHOTS, "membership", "workspace"])
def test_no_context_no_rows(world, table):
    with world.database.web.connect() as connection:
        assert counts(connection, [table]) == {table: 0}
    with as_viewer(world.database.web, world.alice) as connection:
        assert counts(connection, [table]) == {table: 0}


def test_the_rollup_context_shows_snapshots_and_no_records(world):
    with (
        as_viewer(world.database.web, world.alice) as connection,
        enter(connection, context.ROLLUP, world.alpha),
    ):
        assert set(counts(connection, RECORDS).values()) == {0}
        assert set(counts(connection, SNAPSHOTS).values()) <= {1, 2}


def test_the_workspace_context_shows_that_workspace_alone(world):
    with in_workspace(world.database.web, world.bob, world.alpha) as connection:
        for table in [*RECORDS, *SNAPSHOTS]:
            ids = set(connection.execute(text(f"select workspace_id from {table}")).scalars())
            assert ids == {world.alpha}, table


def test_a_workspace_that_the_user_does_not_belong_to_reads_nothing(world):
    for level in (context.ROLLUP, context.WORKSPACE):
        with (
            as_viewer(world.database.web, world.bob) as connection,
            enter(connection, level, world.beta),
        ):
            assert set(counts(connection, RECORDS + SNAPSHOTS).values()) == {0}


def test_an_owner_reads_no_rollup(world):
    with (
        as_viewer(world.database.web, world.bob) as connection,
        enter(connection, context.ROLLUP, world.alpha),
    ):
        assert set(counts(connection, RECORDS + SNAPSHOTS).values()) == {0}
    with pytest.raises(NotPlatformAdmin):
        read(world.database, world.bob, Ask(), world.settings)


def test_a_viewer_must_be_named(world):
    with pytest.raises(NoContext), as_viewer(world.database.web, None):
        pass


@pytest.mark.parametrize("bad", ["", "x", "1 or 1=1", "-1", "99999999999999999999999", "1;drop"])
def test_a_malformed_setting_opens_nothing(world, bad):
    with world.database.web.begin() as connection:
        connection.execute(text("select set_config('vigilo.user_id', :u, true)"), {"u": bad})
        connection.execute(text("select set_config('vigilo.level', 'workspace', true)"))
        connection.execute(text("select set_config('vigilo.workspace_id', :w, true)"), {"w": bad})
        assert set(counts(connection, RECORDS + SNAPSHOTS).values()) == {0}


def test_a_revoked_membership_ends_with_the_next_transaction(world):
    assert read(world.database, world.alice, Ask(), world.settings).scope.slugs == ("alpha", "beta")
    world.revoke(world.alice, world.beta)
    assert read(world.database, world.alice, Ask(), world.settings).scope.slugs == ("alpha",)
    world.revoke(world.alice, world.alpha)
    with pytest.raises(NotPlatformAdmin):
        read(world.database, world.alice, Ask(), world.settings)


def test_a_deactivated_user_reads_nothing(world):
    with world.database.job.begin() as connection:
        connection.execute(text("update app_user set is_active = false where email like 'alice%'"))
    with pytest.raises(NotIdentified):
        read(world.database, world.alice, Ask(), world.settings)


def test_an_inactive_workspace_is_left_out_with_its_reason(world):
    with world.database.job.begin() as connection:
        connection.execute(text("update workspace set is_active = false where slug = 'beta'"))
    scope = read(world.database, world.alice, Ask(), world.settings).scope
    assert scope.slugs == ("alpha",)
    assert scope.left_out == {"inactive": ("Beta",)}


def test_residency_narrows_the_rollup_only_when_strict(world):
    with world.database.owner.begin() as connection:
        connection.execute(text("update installation set strict_residency = true"))
    scope = read(world.database, world.alice, Ask(), world.settings).scope
    assert (scope.slugs, scope.left_out) == (("alpha",), {"other_region": ("Beta",)})
    with (
        as_viewer(world.database.web, world.alice) as connection,
        enter(connection, context.ROLLUP, world.beta),
    ):
        assert set(counts(connection, SNAPSHOTS).values()) == {0}
    with in_workspace(world.database.web, world.alice, world.beta) as connection:
        assert counts(connection, ["incident"]) == {"incident": 1}


def test_the_job_sees_one_workspace_at_a_time(world):
    with world.database.job.connect() as connection:
        assert set(counts(connection, RECORDS + SNAPSHOTS).values()) == {0}
    with job_in(world.database.job, world.alpha) as connection:
        for table in RECORDS:
            assert set(connection.execute(text(f"select workspace_id from {table}")).scalars()) == {
                world.alpha
            }
        with pytest.raises(ProgrammingError, match="row-level security"):
            connection.execute(
                text("insert into vendor (workspace_id, key, name, tier) values (:w, 'x', 'x', 1)"),
                {"w": world.beta},
            )


# The context ends


def test_the_context_is_restored_on_return_exception_nesting_and_early_close(world):
    with as_viewer(world.database.web, world.alice) as connection:
        with enter(connection, context.ROLLUP, world.alpha):
            outer = current(connection)
            with enter(connection, context.WORKSPACE, world.beta):
                assert current(connection).workspace_id == str(world.beta)
            assert current(connection) == outer
            with pytest.raises(KeyError), enter(connection, context.ROLLUP, world.beta):
                raise KeyError
            assert current(connection) == outer

            def rows():
                with enter(connection, context.WORKSPACE, world.beta):
                    yield 1
                    yield 2

            early = rows()
            next(early)
            early.close()
            assert current(connection) == outer
        assert current(connection).level == ""


@pytest.mark.parametrize(
    "call",
    [
        "executive_scope()",
        "rows_in_context('rollup', 1, array[current_date - 1, current_date], current_date, 0, 999)",
        "scatter_in_scope('rollup')",
        "preset_in_context('rollup', 1, 28, '', 0)",
        "settings_in_scope('rollup')",
        "annotations_in_scope('rollup', current_date - 9, current_date)",
        "signals_in_scope('rollup', current_date, 3)",
        "executive_days_seen(current_date - 9, current_date)",
        "watched_rows(array[1]::bigint[], current_date, current_date, 1, 16, '{lead_time}', 0, 9)",
    ],
)
def test_the_loops_inside_postgresql_restore_the_context(world, call):
    with (
        as_viewer(world.database.web, world.alice) as connection,
        enter(connection, context.ROLLUP, world.alpha),
    ):
        before = current(connection)
        connection.execute(text(f"select count(*) from vigilo.{call}"))
        assert current(connection) == before


def test_an_error_inside_a_savepoint_restores_the_context(world):
    with as_viewer(world.database.web, world.alice) as connection:
        before = current(connection)
        with (
            pytest.raises(DBAPIError),
            connection.begin_nested(),
            enter(connection, context.ROLLUP, world.alpha),
        ):
            connection.execute(text("select 1 / 0"))
        assert current(connection) == before


def test_the_next_user_of_a_pooled_connection_finds_no_context(world):
    single = create_engine(world.database.web.url, pool_size=1, max_overflow=0)
    with in_workspace(single, world.alice, world.alpha) as connection:
        pid = connection.execute(text("select pg_backend_pid()")).scalar_one()
    with single.connect() as connection:
        assert connection.execute(text("select pg_backend_pid()")).scalar_one() == pid
        assert current(connection) == context.Context()
        assert counts(connection, ["incident"]) == {"incident": 0}
    single.dispose()


def test_a_cursor_keeps_to_the_workspace_that_it_was_first_read_in(world):
    world.add(world.alpha, "incident", [{"key": "a2", "opened_at": at(DAY)}])
    with as_viewer(world.database.web, world.alice) as connection:
        with enter(connection, context.WORKSPACE, world.alpha):
            connection.execute(text("declare c cursor for select workspace_id from incident"))
            first = set(connection.execute(text("fetch 1 from c")).scalars())
        with enter(connection, context.WORKSPACE, world.beta):
            rest = set(connection.execute(text("fetch all from c")).scalars())
    assert first == rest == {world.alpha}


# The fast path is the slow path


@pytest.mark.parametrize("step", [1, 3, 40])
@pytest.mark.parametrize("named", [0, 1, 4])
def test_the_loop_in_postgresql_equals_one_workspace_at_a_time(world, step, named):
    days = sorted(DAY - timedelta(days=i * step) for i in range(5))
    first, last = place_of(days[0])[0], place_of(DAY)[0]
    with as_viewer(world.database.web, world.alice) as connection:
        layout = encoded_rows.number_layout(connection)
        named_on = DAY - timedelta(days=named * step)
        asked = encoded_rows.RowsRequest(days, named_on, (first, last), layout)
        fast, failed = encoded_rows.scoped_rows(connection, asked)
        slow = list(one_by_one(connection, asked))
    assert failed == {}
    assert {p.workspace_id for p in fast} == {world.alpha, world.beta}
    assert any(len(p.usage) for p in fast)
    for one, other in zip(fast, slow, strict=True):
        assert comparable(one, layout) == comparable(other, layout)


# The catalogue


def test_every_tenant_table_is_under_forced_security_by_policies_that_say_whose_rows(server):
    with server.owner.connect() as connection:
        tables = connection.execute(
            text(
                "select c.relname, c.relrowsecurity, c.relforcerowsecurity,"
                " array(select p.polname::text"
                "  from pg_policy p where p.polrelid = c.oid order by 1) as policies"
                " from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                " where n.nspname = 'public' and c.relkind in ('r', 'p') and exists ("
                "  select 1 from pg_attribute a where a.attrelid = c.oid"
                "  and a.attname = 'workspace_id' and not a.attisdropped)"
            )
        ).all()
    assert {t.relname for t in tables} == {t.name for t in TENANT_TABLES}
    for table in tables:
        assert table.relrowsecurity, table.relname
        assert table.relforcerowsecurity, table.relname
        assert set(table.policies) - {"definer_read"} == {"web_read", "job_all"}, table.relname


def test_definer_functions_set_their_path_and_belong_to_a_role_that_can_not_log_in(server):
    with server.owner.connect() as connection:
        functions = connection.execute(
            text(
                "select p.proname, r.rolname, r.rolcanlogin, r.rolsuper, r.rolbypassrls,"
                " coalesce(array_to_string(p.proconfig, ','), '') as config"
                " from pg_proc p join pg_roles r on r.oid = p.proowner"
                " join pg_namespace n on n.oid = p.pronamespace"
                " where p.prosecdef and n.nspname in ('public', 'vigilo')"
            )
        ).all()
    assert {f.proname for f in functions} == {
        "readable_workspace", "executive_scope", "identify", "viewer", "note", "note_own",
        "link_audit", "my_workspaces", "source_may_feed", "colleague",
        "workspaces_with_deliveries", "workspaces_with_snapshots_due", "audit_seen",
        "scope_with_settings", "scope_with_annotations", "whole_scopes", "own_scope_watch",
    }  # fmt: skip
    for f in functions:
        assert (f.rolname, f.rolcanlogin, f.rolsuper, f.rolbypassrls) == (
            DEFINER,
            False,
            False,
            False,
        )
        assert "search_path=pg_catalog" in f.config, f.proname


def test_the_policy_function_runs_once_per_statement_not_per_row(world):
    world.add(world.alpha, "incident", [{"key": f"n{i}", "opened_at": at(DAY)} for i in range(50)])
    with in_workspace(world.database.web, world.alice, world.alpha) as connection:
        plan = "\n".join(
            connection.execute(text("explain (analyze, verbose) select * from incident")).scalars()
        )
    assert "InitPlan" in plan
    assert re.search(r"readable_workspace.*", plan)
    loops = [
        int(m[1]) for block in plan.split("InitPlan")[1:] if (m := re.search(r"loops=(\d+)", block))
    ]
    assert loops
    assert set(loops) == {1}


def test_the_program_refuses_a_role_that_security_does_not_bind(server):
    with server.web.connect() as connection:
        refuse_unsafe(connection)
    with server.owner.connect() as connection, pytest.raises(UnsafeRole, match="owns tables"):
        refuse_unsafe(connection)


# Ways around


def test_the_web_role_is_a_member_of_nothing_and_has_no_more_than_its_grants(server):
    with server.owner.connect() as connection:
        member = connection.execute(
            text(
                "select count(*) from pg_auth_members m join pg_roles r on r.oid = m.member"
                " where r.rolname = 'vigilo_web'"
            )
        ).scalar_one()
        rights = {
            (r.table_name, r.privilege_type)
            for r in connection.execute(
                text(
                    "select table_name, privilege_type from information_schema.role_table_grants"
                    " where grantee = 'vigilo_web' and table_schema = 'public'"
                )
            )
        }
    assert member == 0
    assert {p for _, p in rights} <= {"SELECT", "INSERT", "UPDATE", "DELETE"}
    tenant = {t.name for t in TENANT_TABLES}
    shown = tenant - {t.name for t in STAGED_TABLES}
    assert {(t, p) for t, p in rights if t in tenant} == {(t, "SELECT") for t in shown}


def test_all_tables_are_known(server):
    with server.owner.connect() as connection:
        names = set(
            connection.execute(
                text("select tablename::text from pg_tables where schemaname = 'public'")
            ).scalars()
        )
    assert names == set(metadata.tables) | {"schema_version"}
