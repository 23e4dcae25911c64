"""Many at once over few connections, with errors and killed connections: nobody sees another's row."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from storage import context
from storage.context import as_viewer, enter
from storage.viewer import Viewer
from tests.conftest import TODAY
from tests.deep import DEEP, all_but
from tests.storage.test_pgbouncer import bouncer as bouncer
from tests.storage.test_pgbouncer import pooled as pooled
from tests.world import World, at

THREADS, POOL = 64, 5
CHECKS = {"directly": 50_000 if DEEP else 2_000, "pgbouncer": 50_000 if DEEP else 600}
"""Looks taken by each way to the database; make test takes a few of them."""
MANY = [*CHECKS.items()]
FEW = [("directly", 500), ("pgbouncer", 250)]
SEEN = text("select coalesce(array_agg(distinct workspace_id), '{}') from incident")
KILL = text("select pg_terminate_backend(pg_backend_pid())")


@pytest.fixture
def world(database, settings) -> World:
    """Five workspaces with ten incidents each; person n is a member of workspace n, and person 0 of all."""
    made = World(database, settings)
    made.ids = [made.workspace(f"ws-{n}") for n in range(5)]
    made.people = [made.person(f"p{n}@x.example") for n in range(5)]
    for n, workspace_id in enumerate(made.ids):
        rows = [{"key": f"i{k}", "opened_at": at(TODAY)} for k in range(10)]
        made.add(workspace_id, "incident", rows)
        for person in {0, n}:
            made.member(made.people[person], workspace_id, "viewer")
    return made


@pytest.fixture
def small(server) -> Iterator[Engine]:
    """The web role's engine with a pool of five connections."""
    engine = create_engine(
        server.web.url, pool_size=POOL, max_overflow=0, pool_timeout=120, pool_pre_ping=True
    )
    yield engine
    engine.dispose()


def visited(engine: Engine, world: World, chance: random.Random) -> str:
    """Look as a person into a workspace, and what became of it: seen, nothing, failed or killed. Raises
    AssertionError for a row that is not theirs."""
    person, place = chance.randrange(5), chance.randrange(5)
    viewer: Viewer = world.people[person]
    mine = [world.ids[place]] if person in (0, place) else []
    fate = chance.random()
    try:
        with (
            as_viewer(engine, viewer) as connection,
            enter(connection, context.WORKSPACE, world.ids[place]),
        ):
            assert connection.execute(SEEN).scalar_one() == mine
            if fate < 0.02:
                connection.execute(KILL)
            if fate < 0.1:
                connection.execute(text("select 1 / 0"))
            if fate < 0.2:
                raise LookupError(str(fate))
    except DBAPIError:
        return "killed" if fate < 0.02 else "failed"
    except LookupError:
        return "failed"
    with engine.connect() as connection:
        assert connection.execute(SEEN).scalar_one() == [], (
            "the context has outlived its transaction"
        )
    return "seen" if mine else "nothing"


def visited_at_last(engine: Engine, world: World, chance: random.Random) -> str:
    """Outcome of a look; the pool is not fair, so whoever was passed over for long looks again."""
    while True:
        try:
            return visited(engine, world, chance)
        except PoolTimeout:
            continue


@pytest.mark.parametrize(
    ("way", "checks"), MANY if DEEP else all_but(FEW, FEW + MANY, several=True)
)
def test_a_crowd_on_few_connections_sees_its_own_alone(request, small, world, way, checks):
    engine = small if way == "directly" else request.getfixturevalue("pooled")
    each = checks // THREADS + 1

    def work(number: int) -> Counter[str]:
        chance = random.Random(number)
        return Counter(visited_at_last(engine, world, chance) for _ in range(each))

    with ThreadPoolExecutor(THREADS) as threads:
        outcomes = sum(threads.map(work, range(THREADS)), Counter())
    assert outcomes.total() >= checks
    assert set(outcomes) == {"seen", "nothing", "failed", "killed"}
