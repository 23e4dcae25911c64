"""A node of a cluster that is away costs its own workspaces alone: every loop over a scope goes on.

No cluster is needed: reading a row in one workspace's context fails here as Citus says that a node is away.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import text

from aggregators.vocabulary.period import Ask
from reading.dashboard import read
from storage import context
from storage.context import as_viewer
from storage.snapshot.tables import TENANT_TABLES
from tests.conftest import TODAY
from tests.storage.one_of_each import fill
from tests.stored_rows import built_once
from tests.world import World

LAST = TODAY - timedelta(days=1)
PREFIX = "a_node_is_away"
LOOPS = {
    "workspace_setting": "select workspace_id from vigilo.settings_in_scope(:level)",
    "annotation": "select workspace_id from vigilo.annotations_in_scope"
    "(:level, date '2000-01-01', date '2100-01-01')",
    "watch_series": "select workspace_id from vigilo.scatter_in_scope(:level)",
}
"""Loops that give rows of workspaces, by a table that they read."""


@pytest.fixture
def world(database, settings) -> World:
    return built_once(
        database, __name__, lambda: of_two_with_one_of_each(World(database, settings))
    )


def of_two_with_one_of_each(made: World) -> World:
    made.alice = made.person("alice@x.example", home_region="eu")
    made.ids = [made.workspace(slug, region="eu") for slug in ("alpha", "beta")]
    for workspace_id, slug in zip(made.ids, ("alpha", "beta"), strict=True):
        made.member(made.alice, workspace_id, "platform_admin")
        fill(made, workspace_id, slug)
    made.sql("update workspace set has_settings = true, has_annotations = true")
    made.backfill(LAST - timedelta(days=3), LAST)
    return made


@contextmanager
def away(
    world: World, workspace_id: int, code: str = "08006", tables=TENANT_TABLES
) -> Iterator[None]:
    """Whatever reads the tables in the workspace's context fails, as by a node that is away."""
    world.owner_sql(
        f"create function {PREFIX}() returns boolean language plpgsql as $$ begin"
        f" if vigilo.setting_id('vigilo.workspace_id') = {workspace_id} then"
        f" raise exception 'connection to the remote node failed' using errcode = '{code}';"
        " end if; return true; end $$"
    )
    try:
        for table in tables:
            world.owner_sql(f"create policy {PREFIX} on {table} as restrictive using ({PREFIX}())")
        yield
    finally:
        world.owner_sql(f"drop function {PREFIX}() cascade")


def test_the_others_are_read_and_the_missing_one_is_named(world):
    whole = read(world.database, world.alice, Ask(7), world.settings)
    assert whole.scope.unavailable == ()
    with away(world, world.ids[1]):
        part = read(world.database, world.alice, Ask(7), world.settings)
    assert part.scope.unavailable == ("beta",)
    assert [card.slug for card in part.scorecard("incidents").cards] == ["alpha"]
    assert part.scorecard("incidents").headline.value is not None


@pytest.mark.parametrize("table", LOOPS)
def test_a_loop_over_the_scope_passes_over_it(world, table):
    loop = text(LOOPS[table])
    with as_viewer(world.database.web, world.alice) as connection:
        both = connection.execute(loop, {"level": context.ROLLUP}).scalars().all()
    assert sorted(both) == sorted(world.ids)
    with (
        away(world, world.ids[0], tables=(table,)),
        as_viewer(world.database.web, world.alice) as connection,
    ):
        assert connection.execute(loop, {"level": context.ROLLUP}).scalars().all() == [world.ids[1]]


def test_open_signals_of_the_others_are_counted(world):
    count = text("select open from vigilo.signals_in_scope(:level, :today, 3)")
    values = {"level": context.ROLLUP, "today": TODAY}
    with as_viewer(world.database.web, world.alice) as connection:
        assert connection.execute(count, values).scalar() == 2
    with (
        away(world, world.ids[0], tables=("watch_signal",)),
        as_viewer(world.database.web, world.alice) as connection,
    ):
        assert connection.execute(count, values).scalar() == 1


def test_days_of_the_others_are_seen(world):
    days = text("select count(distinct day) from vigilo.executive_days_seen(:first, :last)")
    with away(world, world.ids[0]), as_viewer(world.database.web, world.alice) as connection:
        seen = connection.execute(days, {"first": LAST - timedelta(days=3), "last": LAST}).scalar()
    assert seen == 4


@pytest.mark.parametrize("table", LOOPS)
def test_any_other_failure_is_raised(world, table):
    with (
        away(world, world.ids[0], code="XX001", tables=(table,)),
        as_viewer(world.database.web, world.alice) as connection,
        pytest.raises(Exception, match="remote node failed"),
    ):
        connection.execute(text(LOOPS[table]), {"level": context.ROLLUP})


def test_the_caller_s_context_is_written_back(world):
    with away(world, world.ids[1]), as_viewer(world.database.web, world.alice) as connection:
        before = connection.execute(
            text("select vigilo.setting_id('vigilo.workspace_id')")
        ).scalar()
        for loop in LOOPS.values():
            connection.execute(text(loop), {"level": context.ROLLUP}).all()
            now = connection.execute(
                text("select vigilo.setting_id('vigilo.workspace_id')")
            ).scalar()
            assert now == before
