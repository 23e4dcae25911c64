"""Row-level security: what each role sees in each context, and that nothing gets around it."""

from __future__ import annotations

import re
import threading
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from aggregators.period import Ask
from aggregators.read import NotPlatformAdmin, read
from aggregators.sketch import place_of
from storage import context, executive
from storage.context import NoContext, as_viewer, current, entered, in_workspace, job_in
from storage.database import UnsafeRole, refuse_unsafe
from storage.models import SNAPSHOT_TABLES, STAGED_TABLES, TENANT_TABLES, metadata
from storage.roles import DEFINER
from tests.conftest import TODAY, empty
from tests.one_by_one.reading import comparable, one_by_one
from tests.world import World, at

DAY = TODAY - timedelta(days=1)
REGIONS = ("eu", "us", None)
OTHERS = {t.name for t in (*SNAPSHOT_TABLES, *STAGED_TABLES)} | {"membership"}
RECORDS = [t.name for t in TENANT_TABLES if t.name not in OTHERS]
SNAPSHOTS = [t.name for t in SNAPSHOT_TABLES]


def fill(world: World, workspace_id: int, tag: str) -> None:
    """One record of every kind, and snapshots of two days."""
    world.add(
        workspace_id,
        "deployment",
        [
            {
                "key": tag,
                "completed_at": at(DAY),
                "outcome": "successful",
                "environment": "production",
            }
        ],
    )
    world.add(
        workspace_id,
        "deployment_change",
        [{"deployment": tag, "key": tag, "committed_at": at(DAY, 1)}],
    )
    world.add(workspace_id, "incident", [{"key": tag, "opened_at": at(DAY)}])
    world.add(workspace_id, "objective", [{"key": tag, "target_percent": 99}])
    world.add(workspace_id, "objective_day", [{"key": tag, "day": DAY, "good": 1, "total": 1}])
    world.add(
        workspace_id,
        "control_result",
        [{"framework": "SOC2", "control": tag, "assessed_at": at(DAY), "result": "compliant"}],
    )
    world.add(
        workspace_id,
        "certificate",
        [{"fingerprint": tag, "host": "", "port": 0, "not_after": at(DAY)}],
    )
    world.add(workspace_id, "vendor", [{"key": tag, "name": tag, "tier": 1}])
    world.add(workspace_id, "vendor_review", [{"vendor": tag, "completed_on": DAY}])


@pytest.fixture
def world(database, settings) -> World:
    """Two workspaces with one of everything; Alice is platform admin of both, Bob owns the first."""
    made = World(database, settings)
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
        entered(connection, context.ROLLUP, world.alpha),
    ):
        assert set(counts(connection, RECORDS).values()) == {0}
        assert counts(connection, SNAPSHOTS) == dict.fromkeys(SNAPSHOTS, 2) | {
            "duration_block": 1,
            "compliance_snapshot_history": 1,
        }


def test_the_workspace_context_shows_that_workspace_alone(world):
    with in_workspace(world.database.web, world.bob, world.alpha) as connection:
        for table in [*RECORDS, *SNAPSHOTS]:
            ids = set(connection.execute(text(f"select workspace_id from {table}")).scalars())
            assert ids == {world.alpha}, table


def test_a_workspace_that_the_user_does_not_belong_to_reads_nothing(world):
    for level in (context.ROLLUP, context.WORKSPACE):
        with (
            as_viewer(world.database.web, world.bob) as connection,
            entered(connection, level, world.beta),
        ):
            assert set(counts(connection, RECORDS + SNAPSHOTS).values()) == {0}


def test_an_owner_reads_no_rollup(world):
    with (
        as_viewer(world.database.web, world.bob) as connection,
        entered(connection, context.ROLLUP, world.alpha),
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
    with pytest.raises(NotPlatformAdmin):
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
        entered(connection, context.ROLLUP, world.beta),
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


# Random memberships against an independent rule


memberships = st.dictionaries(
    st.tuples(st.integers(0, 2), st.integers(0, 3)),
    st.tuples(
        st.sampled_from(["platform_admin", "owner", "admin", "approver", "engineer", "viewer"]),
        st.booleans(),
    ),
)


@profile(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    memberships,
    st.lists(st.booleans(), min_size=4, max_size=4),
    st.lists(st.booleans(), min_size=3, max_size=3),
    st.lists(st.sampled_from(REGIONS), min_size=7, max_size=7),
    st.booleans(),
)
def test_nobody_ever_sees_a_row_that_the_rules_do_not_give(
    server, installation, members, active, user_active, regions, strict
):
    empty(server)
    world = World(server, installation)
    users = [
        world.person(f"u{i}@x.example", is_active=user_active[i], home_region=regions[i])
        for i in range(3)
    ]
    spaces = [
        world.workspace(f"ws-{i}", is_active=active[i], region=regions[3 + i]) for i in range(4)
    ]
    for i, space in enumerate(spaces):
        fill(world, space, f"t{i}")
    world.backfill(DAY, DAY)
    for (u, w), (role, revoked) in members.items():
        world.member(users[u], spaces[w], role, revoked_at=at(DAY) if revoked else None)
    with server.owner.begin() as connection:
        connection.execute(text("update installation set strict_residency = :s"), {"s": strict})
    for u, user in enumerate(users):
        for w, space in enumerate(spaces):
            role, revoked = members.get((u, w), (None, True))
            member = role is not None and not revoked and user_active[u] and active[w]
            near = not strict or (regions[3 + w] is not None and regions[3 + w] == regions[u])
            for level, tables, allowed in (
                (context.ROLLUP, RECORDS, False),
                (context.ROLLUP, SNAPSHOTS, member and role == "platform_admin" and near),
                (context.WORKSPACE, RECORDS, member),
                (context.WORKSPACE, SNAPSHOTS, member),
            ):
                with (
                    as_viewer(server.web, user) as connection,
                    entered(connection, level, space),
                ):
                    for table in tables:
                        ids = connection.execute(
                            text(f"select workspace_id from {table}")
                        ).scalars()
                        assert set(ids) == ({space} if allowed else set()), (level, table)


@pytest.fixture
def installation(settings):
    """Hypothesis has a name of its own for settings."""
    return settings


# The context ends


def test_the_context_is_restored_on_return_exception_nesting_and_early_close(world):
    with as_viewer(world.database.web, world.alice) as connection:
        with entered(connection, context.ROLLUP, world.alpha):
            outer = current(connection)
            with entered(connection, context.WORKSPACE, world.beta):
                assert current(connection).workspace_id == str(world.beta)
            assert current(connection) == outer
            with pytest.raises(KeyError), entered(connection, context.ROLLUP, world.beta):
                raise KeyError
            assert current(connection) == outer

            def rows():
                with entered(connection, context.WORKSPACE, world.beta):
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
        "executive_days_seen(current_date - 9, current_date)",
    ],
)
def test_the_loops_inside_postgresql_restore_the_context(world, call):
    with (
        as_viewer(world.database.web, world.alice) as connection,
        entered(connection, context.ROLLUP, world.alpha),
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
            entered(connection, context.ROLLUP, world.alpha),
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
        with entered(connection, context.WORKSPACE, world.alpha):
            connection.execute(text("declare c cursor for select workspace_id from incident"))
            first = set(connection.execute(text("fetch 1 from c")).scalars())
        with entered(connection, context.WORKSPACE, world.beta):
            rest = set(connection.execute(text("fetch all from c")).scalars())
    assert first == rest == {world.alpha}


def test_many_threads_on_a_small_pool_leak_nothing(world):
    seen: list[tuple[int, set[int]]] = []
    errors: list[BaseException] = []

    def visit(n: int) -> None:
        space = (world.alpha, world.beta)[n % 2]
        try:
            for _ in range(4):
                try:
                    with in_workspace(world.database.web, world.alice, space) as connection:
                        ids = set(
                            connection.execute(text("select workspace_id from incident")).scalars()
                        )
                        seen.append((space, ids))
                        if n % 5 == 0:
                            connection.execute(text("select 1 / 0"))
                except DBAPIError:
                    continue
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=visit, args=(n,)) for n in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(seen) == 256
    assert all(ids == {space} for space, ids in seen)


# The fast path is the slow path


@pytest.mark.parametrize("step", [1, 3, 40])
@pytest.mark.parametrize("named", [0, 1, 4])
def test_the_loop_in_postgresql_equals_one_workspace_at_a_time(world, step, named):
    days = sorted(DAY - timedelta(days=i * step) for i in range(5))
    first, last = place_of(days[0])[0], place_of(DAY)[0]
    asked = executive.Asked(days, DAY - timedelta(days=named * step), (first, last))
    with as_viewer(world.database.web, world.alice) as connection:
        fast, failed = executive.rows(connection, asked)
        slow = list(one_by_one(connection, asked))
    assert failed == {}
    assert {p.workspace_id for p in fast} == {world.alpha, world.beta}
    assert any(len(p.usage) for p in fast)
    for one, other in zip(fast, slow, strict=True):
        assert comparable(one) == comparable(other)


# The catalogue


def test_every_tenant_table_is_under_forced_security_with_a_restrictive_policy(server):
    with server.owner.connect() as connection:
        tables = connection.execute(
            text(
                "select c.relname, c.relrowsecurity, c.relforcerowsecurity,"
                " array(select p.polname::text || ':' || p.polpermissive::text"
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
        assert {"web_tenant:false", "job_tenant:false"} <= set(table.policies), table.relname


def test_a_policy_added_later_can_not_widen_access(world):
    with world.database.owner.begin() as connection:
        connection.execute(text("create policy oops on incident for select using (true)"))
    try:
        with in_workspace(world.database.web, world.bob, world.alpha) as connection:
            ids = set(connection.execute(text("select workspace_id from incident")).scalars())
        assert ids == {world.alpha}
        with world.database.web.connect() as connection:
            assert counts(connection, ["incident"]) == {"incident": 0}
    finally:
        with world.database.owner.begin() as connection:
            connection.execute(text("drop policy oops on incident"))


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
        "readable_workspace",
        "executive_scope",
        "my_workspaces",
    }
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


PROBES = [
    "set role vigilo_owner",
    "set role vigilo_job",
    "set role postgres",
    f"set role {DEFINER}",
    "set session authorization postgres",
    "alter role vigilo_web bypassrls",
    "alter role vigilo_web superuser",
    "create role intruder",
    "create database intruder",
    "create table loot (x int)",
    "create schema loot",
    "create function pg_temp.f() returns int language c as 'x', 'y'",
    "create extension dblink",
    "alter table incident disable row level security",
    "alter table incident no force row level security",
    "drop policy web_tenant on incident",
    "create policy mine on incident using (true)",
    "alter policy web_tenant on incident using (true)",
    "drop table incident",
    "truncate incident",
    "delete from incident",
    "update incident set title = 'x'",
    "insert into incident (workspace_id, key, opened_at) values (1, 'x', now())",
    "update workspace_usage_snapshot set workspace_id = 2",
    "insert into membership (workspace_id, user_id, role) values (1, 3, 'platform_admin')",
    "update membership set role = 'platform_admin'",
    "update workspace set is_active = true",
    "update installation set strict_residency = false",
    "update app_user set home_region = 'us'",
    "update audit_event set actor = 'x'",
    "delete from audit_event",
    "truncate audit_event",
    "copy incident to program 'cat'",
    "copy incident from program 'echo'",
    "copy incident to '/tmp/loot'",
    "select pg_read_file('/etc/passwd')",
    "select lo_import('/etc/passwd')",
    "alter function vigilo.readable_workspace(text) security invoker",
    "create or replace function vigilo.readable_workspace(needed text) returns bigint"
    " language sql as 'select 1'",
    "create trigger t before insert on incident execute function vigilo.identify(1)",
    "alter system set row_security = off",
    "reassign owned by vigilo_owner to vigilo_web",
    "set row_security = off; select * from incident",
]


@pytest.mark.parametrize("probe", PROBES)
def test_the_web_role_can_not_get_around_it(world, probe):
    with (
        as_viewer(world.database.web, world.alice) as connection,
        entered(connection, context.WORKSPACE, world.alpha),
        pytest.raises(DBAPIError),
    ):
        connection.exec_driver_sql(probe)


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


# Each clause of the look-up matters: without it, the tests above would see too much


CLAUSES = {
    "m.workspace_id = asked and": "",
    "m.user_id = asker and": "",
    "m.revoked_at is null": "true",
    "and m.role = 'platform_admin'": "",
    "u.is_active and": "",
    "and w.is_active": "",
    "and (not i.strict_residency or w.region = u.home_region)": "",
    "level = 'rollup' and needed = 'rollup'": "level = 'rollup'",
}


@pytest.mark.parametrize("clause", CLAUSES)
def test_every_clause_of_the_membership_look_up_is_needed(world, clause):
    """Weakens one clause, and the same probes that pass on the real function must then fail."""
    with world.database.owner.connect() as connection:
        source = connection.execute(
            text("select pg_get_functiondef('vigilo.readable_workspace(text)'::regprocedure)")
        ).scalar_one()
    assert clause in source
    _prepare_for_probes(world)
    assert _leaks(world) == set()
    with world.database.owner.begin() as connection:
        connection.exec_driver_sql(
            f"grant create on schema vigilo to {DEFINER}; set role {DEFINER}"
        )
        connection.exec_driver_sql(source.replace(clause, CLAUSES[clause]).replace("%", "%%"))
    try:
        assert _leaks(world) != set()
    finally:
        with world.database.owner.begin() as connection:
            connection.exec_driver_sql(f"set role {DEFINER}")
            connection.exec_driver_sql(source.replace("%", "%%"))
            connection.exec_driver_sql("reset role")
            connection.exec_driver_sql(f"revoke create on schema vigilo from {DEFINER}")


def _prepare_for_probes(world: World) -> None:
    """A world in which each clause alone keeps somebody out."""
    gone, shut = (
        world.person("gone@x.example", is_active=False, home_region="eu"),
        world.workspace("shut", region="eu"),
    )
    world.member(gone, world.alpha, "platform_admin")
    was = world.person("was@x.example", home_region="eu")
    world.member(was, world.alpha, "platform_admin", revoked_at=at(DAY))
    world.member(world.alice, shut, "platform_admin")
    fill(world, shut, "s")
    world.backfill(DAY, DAY, "shut")
    with world.database.owner.begin() as connection:
        connection.execute(text("update installation set strict_residency = true"))
    with world.database.job.begin() as connection:
        connection.execute(text("update workspace set is_active = false where slug = 'shut'"))
    world.gone, world.was, world.shut = gone, was, shut


def _leaks(world: World) -> set[str]:
    """Probes that show a row which the rules do not give."""
    probes = {
        "other user": (world.dave, context.ROLLUP, world.alpha, "workspace_usage_snapshot"),
        "other workspace": (world.bob, context.WORKSPACE, world.beta, "incident"),
        "an admin of another": (world.bob, context.ROLLUP, world.beta, "workspace_usage_snapshot"),
        "revoked": (world.was, context.ROLLUP, world.alpha, "workspace_usage_snapshot"),
        "owner": (world.bob, context.ROLLUP, world.alpha, "workspace_usage_snapshot"),
        "deactivated": (world.gone, context.ROLLUP, world.alpha, "workspace_usage_snapshot"),
        "inactive": (world.alice, context.ROLLUP, world.shut, "workspace_usage_snapshot"),
        "far": (world.alice, context.ROLLUP, world.beta, "workspace_usage_snapshot"),
        "records in rollup": (world.alice, context.ROLLUP, world.alpha, "incident"),
        "unknown": (world.alice, context.ROLLUP, 999, "workspace_usage_snapshot"),
    }
    found = set()
    for name, (viewer, level, workspace_id, table) in probes.items():
        with (
            as_viewer(world.database.web, viewer) as connection,
            entered(connection, level, workspace_id),
        ):
            if counts(connection, [table])[table]:
                found.add(name)
    return found


def test_all_tables_are_known(server):
    with server.owner.connect() as connection:
        names = set(
            connection.execute(
                text("select tablename::text from pg_tables where schemaname = 'public'")
            ).scalars()
        )
    assert names == set(metadata.tables) | {"schema_version"}
