"""Cost of a page of records with 100,000 deployments in the workspace, against 1,000."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import insert, text

from aggregators import catalogue
from aggregators.chosen.counting import CountingRules
from aggregators.vocabulary.listing import Condition, RecordsRequest
from benchmarks.installation import Bench
from benchmarks.report.table import Row, best_time
from storage import context, listings, tables
from storage.context import job_in
from storage.database import Database
from storage.viewer import Viewer

SIZES = (1_000, 100_000)
PART = "a page of 100,000 records"
PART = "a page of 100,000 records"
DORA = catalogue.domain("dora")
LAST = date(2026, 11, 22)
FAILED = Condition("outcome", "equals", "failed", "")
SERVICE = Condition("service", "contains", "api-3", "")
TARGET = 3
"""At most so many times the cost at the smaller size."""
ASKED = {
    "first page": RecordsRequest(),
    "page 3": RecordsRequest(first=200, last=300),
    "newest of one service": RecordsRequest((SERVICE,), (("completed_at", True),)),
    "failed ones, oldest first": RecordsRequest((FAILED,), (("completed_at", False),)),
    "one service by key": RecordsRequest((SERVICE,), (("key", False),)),
    "by service, descending": RecordsRequest((), (("service", True),)),
    "longest lead time first": RecordsRequest((), (("lead_time", True),)),
}
JUDGED = frozenset(list(ASKED)[:5])
"""The last two sort all rows by what no index holds; they are shown to say what that costs."""

FILL = """
insert into deployment (workspace_id, key, service, environment, outcome, created_at, completed_at)
select :w, 'd-' || lpad(i::text, 7, '0'), 'api-' || i % 40, 'production',
       case when i % 10 = 0 then 'failed' else 'successful' end, t - interval '1 hour', t
from (select i, timestamptz '2026-11-22 23:00:00Z' - i * (interval '360 days' / :n) as t
      from generate_series(1, :n) i) made
"""
CHANGES = """
insert into deployment_change (workspace_id, deployment, key, committed_at)
select :w, key, 'c-' || key || n, completed_at - n * interval '5 hours'
from deployment, generate_series(1, 2) n where workspace_id = :w
"""


def fill(database: Database, viewer: Viewer) -> dict[int, int]:
    """Workspace by size."""
    made = {}
    for size in SIZES:
        with database.job.begin() as connection:
            row = insert(tables.workspace).values(slug=f"records-{size}", name=f"{size}")
            made[size] = int(connection.execute(row.returning(tables.workspace.c.id)).scalar_one())
        with job_in(database.job, made[size]) as connection:
            values = {"w": made[size], "n": size}
            connection.execute(text(FILL), values)
            connection.execute(text(CHANGES), {"w": made[size]})
            membership = {"w": made[size], "u": viewer.user_id}
            connection.execute(
                text(
                    "insert into membership (workspace_id, user_id, role) values (:w, :u, 'viewer')"
                ),
                membership,
            )
    if database.owner is not None:
        with database.owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("vacuum analyze deployment, deployment_change"))
    return made


def measure(bench: Bench) -> list[Row]:
    """Measure each request, with the larger size against the smaller."""
    database, viewer = bench.database, bench.everyone
    made = fill(database, viewer)
    listing = DORA.records
    assert listing is not None

    def page(size: int, request: RecordsRequest) -> object:
        scope = listings.RecordsScope(
            made[size], LAST - timedelta(days=364), LAST, CountingRules(), {}
        )
        with context.in_workspace(database.web, viewer, made[size]) as connection:
            return listings.page(connection, "dora", listing, scope, request)

    table_rows = []
    for what, records_request in ASKED.items():
        small, large = (best_time(lambda s=size, a=records_request: page(s, a)) for size in SIZES)
        target = TARGET if what in JUDGED else None
        table_rows.append(Row(PART, what, large, small, "ms", target, f"{SIZES[0]:,} rows"))
    return table_rows
