"""A workspace that grows at once: what was planned for few rows does not look through many for each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from storage.bounds.statistics import ANALYZE_OUTGROWN, COUNT_CHANGES_AT_ONCE
from storage.context import job_in
from storage.snapshot import staging
from storage.snapshot.sql import PARAMETERS
from storage.snapshot.staging import DayRange
from storage.snapshot.statements import STAGE
from storage.snapshot.tables import staged_block
from tests.conftest import empty
from tests.deep import all_but
from tests.generated import LAST
from tests.plain.records import RECORDS
from tests.world import World, at

MANY = 1_000
MOST_FOR_EACH = 600
"""Rows that the job may look at for each number: it passes the dozen records of each a few dozen times."""
MOST_OF_DURATIONS = 120
"""As many as the durations alone may look at: attempts that never succeed pass over all after them."""

FILLED = (
    "insert into deployment (workspace_id, key, outcome, completed_at, created_at, production, service,"
    " part_of) select :w, i::text, case when i % 3 = 0 then 'failed' else 'successful' end,"
    " cast(:t as timestamptz) - i * interval '1 second', :t - interval '1 day', true,"
    " case when i % 9 = 0 then 'never-succeeds' else 's' || i % 5 end, case when i % 7 = 0 then '1' end"
    " from generate_series(1, :n) i",
    "insert into deployment_change (workspace_id, deployment, key, committed_at)"
    " select :w, i::text, 'c' || i / 2, cast(:t as timestamptz) - interval '2 days'"
    " from generate_series(1, :n) i",
    "insert into roll_back (workspace_id, key, rolled_back_at)"
    " select :w, i::text, :t from generate_series(1, :n, 5) i",
    "insert into incident (workspace_id, key, opened_at, resolved_at, severity, caused_by)"
    " select :w, i::text, :t, case when i % 2 = 0 then cast(:t as timestamptz) end, 'p1', i::text"
    " from generate_series(1, :n) i",
    "insert into objective (workspace_id, key, target_percent)"
    " select :w, i::text, 99 from generate_series(1, :n, 50) i",
    "insert into objective_day (workspace_id, key, day, good, total)"
    " select :w, i::text, cast(:t as timestamptz)::date - d, 1, 1"
    " from generate_series(1, :n, 50) i, generate_series(0, 49) d",
    "insert into control_result (workspace_id, framework, control, asset, assessed_at, result)"
    " select :w, 'F' || i % 3, 'C' || i % 40, 'a' || i, cast(:t as timestamptz), 'compliant'"
    " from generate_series(1, :n) i",
    "insert into asset_retirement (workspace_id, asset, retired_at)"
    " select :w, 'a' || i, :t from generate_series(1, :n, 2) i",
    "insert into certificate (workspace_id, fingerprint, host, port, not_after, not_before, names)"
    " select :w, i::text, '', 0, cast(:t as timestamptz) + interval '9 days', :t - i * interval '1 minute',"
    " case when i % 2 = 0 then 'n' || i/3 else 'n' || i end from generate_series(1, :n) i",
    "insert into vendor (workspace_id, key, name, tier)"
    " select :w, i::text, 'v', 1 from generate_series(1, :n, 10) i",
    "insert into vendor_review (workspace_id, vendor, completed_on)"
    " select :w, i::text, cast(:t as timestamptz)::date - d"
    " from generate_series(1, :n, 10) i, generate_series(0, 9) d",
)
"""Each kind's table, a row or a few for each number up to n. What most of the cost hangs on: attempts that
fail and never succeed, deployments that are part of one, changes told twice, names that renew."""


def fill(database, workspace_id: int, count: int) -> None:
    """Records of each kind, of one day."""
    with job_in(database.job, workspace_id) as connection:
        for statement in FILLED:
            values = {"w": workspace_id, "t": at(LAST) - timedelta(hours=1), "n": count}
            connection.execute(text(statement), values)
        connection.execute(text(COUNT_CHANGES_AT_ONCE))


def remove(database, workspace_id: int) -> None:
    """Takes what ``fill`` filled in away; the tables stay as long as they were."""
    with job_in(database.job, workspace_id) as connection:
        for table in RECORDS:
            connection.execute(text(f"delete from {table}"))


def administer(database, *statements: str) -> None:
    """Runs statements as the server's administrator."""
    url = database.owner.url.set(username="postgres")
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))


def looked_at(plan: dict[str, Any]) -> float:
    """Rows that a plan and those below it gave out or passed over, in all their turns."""
    passed = sum(v for k, v in plan.items() if k.startswith("Rows Removed by"))
    below = sum(looked_at(child) for child in plan.get("Plans", ()))
    return (plan["Actual Rows"] + passed) * plan["Actual Loops"] + below


def rows_looked_at(database, settings, workspace_id: int, statements=STAGE) -> float:
    """Rows that staging the last day looks at, or some of its statements."""
    with job_in(database.job, workspace_id) as connection:
        since = connection.execute(text("select now()")).scalar_one()
        days = [DayRange(LAST, LAST)]
        staging.stage(connection, workspace_id, days, settings, since)
        values = staging.stage_values(connection, workspace_id, days, settings, since)
        arguments = ", ".join(f"%({n})s" if n in values else "null" for n in PARAMETERS)
        raw: Any = connection.connection.dbapi_connection
        looked = 0.0
        with raw.cursor() as cursor:
            for statement in statements:
                described = f"explain (analyze, timing off, format json) execute {statement.name}"
                cursor.execute(f"{described} ({arguments})", values)
                looked += looked_at(cursor.fetchone()[0][0]["Plan"])
    return looked


@pytest.fixture(autouse=True)
def the_job_alone_analyzes(server) -> Iterator[None]:
    """Has autovacuum rest, which may come by or not; skips where the server has no right to analyse that
    could be granted."""
    with server.job.connect() as connection:
        if connection.exec_driver_sql("show server_version_num").scalar_one() < "170000":
            pytest.skip("PostgreSQL 17 knows the right; before it autovacuum looks within a minute")
    administer(server, "alter system set autovacuum = off", "select pg_reload_conf()")
    yield
    administer(server, "alter system reset autovacuum", "select pg_reload_conf()")


def test_a_table_that_somebody_holds_is_left_and_the_others_are_analysed(server, settings):
    empty(server)
    grown = World(server, settings).workspace("grown")
    administer(server, "vacuum analyze")
    fill(server, grown, MANY)
    with server.job.connect() as holder, holder.begin():
        holder.execute(text("analyze deployment"))
        with server.job.begin() as connection:
            connection.execute(text(ANALYZE_OUTGROWN))
    known = "select relname, reltuples from pg_class where relname in ('deployment', 'incident')"
    with server.job.connect() as connection:
        rows = dict(map(tuple, connection.execute(text(known))))
    assert rows["incident"] == MANY


@pytest.mark.parametrize(
    "before",
    all_but(
        ["one record"],
        ["nothing", "one record", "a record in each of many workspaces", "many that are gone"],
    ),
)
def test_twice_the_records_are_about_twice_the_work(server, settings, before):
    empty(server)
    world = World(server, settings)
    grown = world.workspace("grown")
    fill(server, grown, {"one record": 1, "many that are gone": MANY}.get(before, 0))
    if before.startswith("a record in each"):
        for number in range(40):
            fill(server, world.workspace(f"other-{number}"), 1)
    if before == "many that are gone":
        remove(server, grown)
    administer(server, "vacuum analyze")
    rows_looked_at(server, settings, grown)
    remove(server, grown)
    fill(server, grown, MANY)
    looked = rows_looked_at(server, settings, grown)
    remove(server, grown)
    fill(server, grown, 2 * MANY)
    assert MANY < looked < MOST_FOR_EACH * MANY
    assert rows_looked_at(server, settings, grown) < 3 * looked


@pytest.fixture
def no_right_to_analyse(server) -> Iterator[None]:
    """The job as on PostgreSQL 15 and 16, where it can analyse no table, and tables that nobody has."""
    role = server.roles.job
    administer(
        server,
        f"revoke maintain on all tables in schema public from {role}",
        "delete from pg_statistic where starelid >= 16384",
        "update pg_class set relpages = 0, reltuples = -1 where oid >= 16384 and relkind = 'r'",
    )
    yield
    administer(server, f"grant maintain on all tables in schema public to {role}")


def test_lead_times_look_up_what_a_change_hangs_on_without_statistics(
    server, settings, no_right_to_analyse
):
    """As on a new cluster: a shard holds a few workspaces, of which a plan without statistics expects
    hundreds."""
    empty(server)
    grown = World(server, settings).workspace("grown")
    fill(server, grown, MANY)
    durations = [one for one in STAGE if f"insert into {staged_block.name}" in str(one.query)]
    assert len(durations) == 1
    assert MANY < rows_looked_at(server, settings, grown, durations) < MOST_OF_DURATIONS * MANY


GIGABYTES = 131_072, 4_000_000, 2**31 - 1
"""Pages of a gigabyte, of thirty, and the most that the catalogue tells."""


@pytest.mark.parametrize("pages", GIGABYTES)
def test_a_table_of_gigabytes_is_compared_as_any_other(server, settings, pages):
    """From a gigabyte on, twice the bytes are more than a number of four bytes holds."""
    empty(server)
    grown = World(server, settings).workspace("grown")
    administer(server, "vacuum analyze")
    fill(server, grown, MANY)
    administer(
        server, f"update pg_class set relpages = {pages} where oid = 'public.deployment'::regclass"
    )
    try:
        with server.job.begin() as connection:
            analysed = connection.execute(text(ANALYZE_OUTGROWN)).scalar_one()
        assert analysed > 0
    finally:
        administer(server, "vacuum analyze")
