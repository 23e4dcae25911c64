"""Demands of Citus on the schema hold, and policies without sub-selects show the same rows.

Citus itself is not here: its functions are stood in for by ones that note what they were called with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from aggregators.vocabulary.period import Ask
from reading.dashboard import read
from settings import WrongSetting, load
from storage import context, distributed, schema
from storage.context import as_viewer, enter, in_workspace
from storage.database import Database
from storage.distributed import COLUMN, FIRST, FUNCTIONS, REFERENCE, NoCitus
from storage.roles import DEFINER
from storage.snapshot.tables import TENANT_TABLES
from storage.viewer import Viewer
from tests.conftest import TODAY, empty
from tests.storage.one_of_each import fill
from tests.storage.test_isolation import RECORDS, SNAPSHOTS, counts
from tests.stored_rows import built_once
from tests.world import World, at

DAY = TODAY - timedelta(days=1)
TABLES = distributed.tables()
KNOWN_TRIGGERS: set[str] = set()
"""table:trigger. Citus runs them on each shard, and only with citus.enable_unsafe_triggers: one that is
added here may touch only rows of its own workspace, and docs/scaling.md must name the setting."""

STAND_INS = """
create table pg_dist_partition (logicalrelid regclass, partmethod "char", repmodel "char");
create table pg_dist_object (classid oid, objid oid);
create table pg_dist_shard (logicalrelid regclass, shardid bigint);
create function shard_name(t regclass, s bigint) returns text language sql as $$
    select concat_ws('_', t, s) $$;
create table asked (n int generated always as identity, call text);
create function create_reference_table(t regclass) returns void language sql as $$
    insert into asked (call) values ('reference ' || t);
    insert into pg_dist_partition values (t, 'n', 't') $$;
create function create_distributed_function(f regprocedure) returns void language sql as $$
    insert into asked (call) values ('function ' || f);
    insert into pg_dist_object values ('pg_proc'::regclass, f) $$;
create function create_distributed_table(t regclass, by text, colocate_with text)
returns void language sql as $$
    insert into asked (call) values (concat_ws(' ', t, by, colocate_with));
    insert into pg_dist_partition values (t, 'h', 'c') $$;
"""


@pytest.fixture(scope="module")
def scratch(server) -> Iterator[Database]:
    """A database migrated for Citus, on plain PostgreSQL: its policies have no sub-selects."""
    admin = create_engine(
        server.owner.url.set(username="postgres", database="postgres"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.execute(text("create database nodes owner vigilo_owner"))
        connection.execute(text("alter database nodes set track_functions = 'all'"))
    made = Database(
        *(create_engine(e.url.set(database="nodes")) for e in (server.web, server.job)),
        create_engine(server.owner.url.set(database="nodes")),
        server.roles,
    )
    with made.owner.begin() as connection:
        schema.migrate(connection, made.roles, distributed=True)
    yield made
    made.close()
    with admin.connect() as connection:
        connection.execute(text("drop database nodes with (force)"))
    admin.dispose()


@pytest.fixture
def superuser(scratch) -> Iterator[Engine]:
    engine = create_engine(scratch.owner.url.set(username="postgres"))
    yield engine
    engine.dispose()


@pytest.fixture
def world(scratch, settings) -> World:
    """Two workspaces with one of everything; Alice is platform admin of both, Bob owns the first."""
    empty(scratch)
    return built_once(scratch, __name__, lambda: of_one_of_each(World(scratch, settings)))


def of_one_of_each(made: World) -> World:
    made.alpha, made.beta = made.workspace("alpha"), made.workspace("beta")
    made.alice, made.bob = made.person("alice@x.example"), made.person("bob@x.example")
    for workspace_id, tag in ((made.alpha, "a"), (made.beta, "b")):
        made.member(made.alice, workspace_id, "platform_admin")
        fill(made, workspace_id, tag)
    made.member(made.bob, made.alpha, "owner")
    made.backfill(DAY - timedelta(days=1), DAY)
    return made


def rows(connection: Connection, sql: str) -> list[tuple]:
    return [tuple(row) for row in connection.execute(text(sql)).all()]


# What Citus asks of the schema


def test_every_tenant_table_is_distributed_or_on_every_node():
    assert set(TABLES) | set(REFERENCE) >= {t.name for t in TENANT_TABLES}
    assert set(TABLES) & set(REFERENCE) == set()
    assert FIRST in TABLES


def test_every_unique_index_of_a_distributed_table_begins_with_the_workspace(scratch):
    with scratch.owner.connect() as connection:
        found = rows(
            connection,
            "select c.relname, i.indexrelid::regclass::text, a.attname, not i.indisexclusion"
            " from pg_index i join pg_class c on c.oid = i.indrelid"
            " join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]"
            " where c.relnamespace = 'public'::regnamespace and (i.indisunique or i.indisexclusion)",
        )
    keys = {(table, index): (first, plain) for table, index, first, plain in found}
    assert {table for table, _ in keys} >= set(TABLES)
    wrong = {k for k, v in keys.items() if k[0] in TABLES and v != (COLUMN, True)}
    assert wrong == set()


def test_foreign_keys_lead_to_every_node_or_stay_within_the_workspace(scratch):
    with scratch.owner.connect() as connection:
        keys = rows(
            connection,
            "select conrelid::regclass::text, confrelid::regclass::text,"
            " array(select (a.attname, b.attname)::text from unnest(conkey, confkey) as k(own, its)"
            " join pg_attribute a on a.attrelid = conrelid and a.attnum = k.own"
            " join pg_attribute b on b.attrelid = confrelid and b.attnum = k.its)"
            " from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace",
        )
    assert len(keys) >= len(TABLES)
    for table, other, pairs in keys:
        if table in TABLES and other in TABLES:
            assert f"({COLUMN},{COLUMN})" in pairs, (table, other)
        elif table in (*TABLES, *REFERENCE):
            assert other in REFERENCE, (table, other)
        else:
            assert other not in TABLES, "a table of the coordinator can not point at a shard"
    order = {name: n for n, name in enumerate(REFERENCE)}
    assert all(order[b] < order[a] for a, b, *_ in keys if a in order), "parents first"


def test_no_distributed_table_counts_by_itself(scratch):
    """A sequence would be one per node. Citus takes identity columns of other tables as bigint."""
    with scratch.owner.connect() as connection:
        counted = rows(
            connection,
            "select attrelid::regclass::text, atttypid::regtype::text from pg_attribute a"
            " join pg_class c on c.oid = a.attrelid and c.relkind = 'r'"
            " left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum"
            " where c.relnamespace = 'public'::regnamespace and (attidentity <> '' or"
            " pg_get_expr(d.adbin, d.adrelid) like '%nextval%')",
        )
    assert {t for t, _ in counted} & set(TABLES) == set()
    assert {kind for _, kind in counted} == {"bigint"}


def test_triggers_on_distributed_tables_are_known(scratch):
    with scratch.owner.connect() as connection:
        found = rows(
            connection,
            "select tgrelid::regclass::text || ':' || tgname from pg_trigger where not tgisinternal",
        )
    assert {t for (t,) in found if t.split(":")[0] in TABLES} == KNOWN_TRIGGERS


def test_no_policy_has_a_sub_select(scratch, server):
    with scratch.owner.connect() as connection:
        assert rows(connection, distributed.POLICIES) == []
    with server.owner.connect() as connection:
        assert len(rows(connection, distributed.POLICIES)) >= 2 * len(TENANT_TABLES)


def test_what_the_policies_call_is_what_goes_to_the_nodes(scratch):
    """Stable functions, directly or through one another; those that look further than the caller may
    belong to the role that can not log in, which the nodes get with its grants."""
    with scratch.owner.connect() as connection:
        text_of = {
            name: (args, source, volatile, definer, owner)
            for name, args, source, volatile, definer, owner in rows(
                connection,
                "select proname, pg_get_function_identity_arguments(p.oid), prosrc, provolatile,"
                " prosecdef, proowner::regrole::text from pg_proc p"
                " where pronamespace = 'vigilo'::regnamespace",
            )
        }
        policies = rows(
            connection,
            "select concat(pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))"
            " from pg_policy",
        )
    called: set[str] = set()
    todo = {name for (p,) in policies for name in re.findall(r"vigilo\.(\w+)\(", p)}
    while todo:
        called |= todo
        todo = {n for c in todo for n in re.findall(r"vigilo\.(\w+)\(", text_of[c][1])} - called
    told = {re.match(r"vigilo\.(\w+)", f)[1] for f in FUNCTIONS}
    assert told - called == {"unpacked_days"}, "what the statements of the night call beside them"
    assert called <= told
    for name in called:
        _, source, volatile, definer, owner = text_of[name]
        assert volatile in ("s", "i"), name
        assert not definer or owner == DEFINER, name
        assert "set_config" not in source, "Citus hands only SET LOCAL on"
    looked_up = {t for name in called for t in re.findall(r"public\.(\w+)", text_of[name][1])}
    assert looked_up == set(REFERENCE) - {"organisation_meaning"}, (
        "a policy's function may look up only what every node has: reference tables;"
        " meanings of the organisation are looked up by queries alone"
    )


# The statements


def test_it_is_refused_without_the_extension_before_anything_is_changed(scratch):
    with scratch.owner.connect() as connection, connection.begin() as transaction:
        with pytest.raises(NoCitus, match=r"VIGILO_DISTRIBUTED=citus.*extension"):
            schema.upgrade(
                connection,
                scratch.roles,
                strict_residency=True,
                time_zone="Mars",
                distributed=True,
            )
        transaction.rollback()
    with pytest.raises(WrongSetting, match="VIGILO_DISTRIBUTED"):
        load(distributed="greenplum")


def test_the_statements_distribute_every_table_once_and_a_database_made_without_them(
    server, superuser
):
    """On a copy of the single server's policies, all within a transaction that is undone."""
    with superuser.connect() as connection, connection.begin() as transaction:
        connection.exec_driver_sql(STAND_INS)
        for table in TABLES:
            connection.exec_driver_sql(
                f"alter policy web_read on {table} using (workspace_id ="
                f" (select vigilo.readable_workspace('rollup')))"
            )
        distributed.distribute(connection)
        assert rows(connection, distributed.POLICIES) == []
        first = [call for (call,) in rows(connection, "select call from asked order by n")]
        connection.exec_driver_sql("truncate asked")
        distributed.distribute(connection)
        again = [call for (call,) in rows(connection, "select call from asked order by n")]
        names = rows(
            connection, "select setconfig::text from pg_db_role_setting where setconfig is not null"
        )
        transaction.rollback()
    functions = [f"function {f}" for f in FUNCTIONS]
    assert first[: len(REFERENCE)] == [f"reference {t}" for t in REFERENCE]
    assert first[len(REFERENCE) :][: len(FUNCTIONS)] == functions
    placed = first[len(REFERENCE) + len(FUNCTIONS) :]
    assert placed[0] == f"{FIRST} {COLUMN} none"
    assert sorted(placed[1:]) == sorted(f"{t} {COLUMN} {FIRST}" for t in TABLES if t != FIRST)
    assert again == []
    assert any("citus.propagate_set_commands=local" in n for (n,) in names)


# The same rows, at another cost


def test_no_context_no_rows(world):
    for table in (*RECORDS, *SNAPSHOTS, "membership", "workspace"):
        with world.database.web.connect() as connection:
            assert counts(connection, [table]) == {table: 0}
        with as_viewer(world.database.web, world.alice) as connection:
            assert counts(connection, [table]) == {table: 0}


@pytest.mark.parametrize("who", ["alice", "bob"])
@pytest.mark.parametrize("where", ["alpha", "beta"])
@pytest.mark.parametrize("level", [context.ROLLUP, context.WORKSPACE])
def test_each_context_shows_what_it_does_on_one_server(world, who, where, level):
    viewer, space = getattr(world, who), getattr(world, where)
    member = who == "alice" or where == "alpha"
    with (
        as_viewer(world.database.web, viewer) as connection,
        enter(connection, level, space),
    ):
        for table in (*RECORDS, *SNAPSHOTS):
            ids = {i for (i,) in rows(connection, f"select workspace_id from {table}")}
            admin = who == "alice" and table in SNAPSHOTS
            shown = member if level == context.WORKSPACE else admin
            assert ids == ({space} if shown else set()), table


def test_the_dashboard_and_a_revocation(world):
    found = read(world.database, world.alice, Ask(7), world.settings)
    assert found.scope.slugs == ("alpha", "beta")
    world.revoke(world.alice, world.beta)
    found = read(world.database, world.alice, Ask(7), world.settings)
    assert found.scope.slugs == ("alpha",)


def evaluations(database: Database, viewer: Viewer, space: int, *statements: str) -> int:
    """How often the policy's function ran for them, planning included."""
    calls = (
        "select coalesce(pg_stat_get_xact_function_calls("
        "'vigilo.readable_workspace(text)'::regprocedure), 0)"
    )
    with in_workspace(database.web, viewer, space) as connection:
        before = connection.execute(text(calls)).scalar_one()
        for statement in statements:
            connection.execute(text(statement))
        return int(connection.execute(text(calls)).scalar_one() - before)


def test_the_price_is_a_look_up_for_each_row_where_no_index_is_used(world, superuser):
    """On one server it is one a statement. The planner knows that the function is dear, and the keys
    begin with the workspace, so it takes an index: one look-up to plan, one to read."""
    many = [{"key": f"n{i}", "opened_at": at(DAY)} for i in range(500)]
    world.add(world.alpha, "incident", many)
    with superuser.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze incident"))
    kinds = ("indexscan", "indexonlyscan", "bitmapscan")
    never = tuple(f"set local enable_{kind} = off" for kind in kinds)

    def of(*statements: str) -> int:
        return evaluations(world.database, world.alice, world.alpha, *statements)

    assert of("select count(*) from incident") <= 2
    assert of(*never, "select count(*) from incident") >= 502
