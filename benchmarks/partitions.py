"""Whether the snapshots pay for partitions by time: the same rows plain, by month and by year.

Run ``python benchmarks/partitions.py``: it writes ``results/partitions.json``, which docs/scaling.md shows.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

HERE = Path(__file__).parent
sys.path.pop(0)
sys.path.insert(0, str(HERE.parent))

from sqlalchemy import Connection, create_engine, text  # noqa: E402

from settings import load  # noqa: E402
from storage import embedded  # noqa: E402
from storage.database import connect  # noqa: E402

LAST = date(2026, 11, 22)
BORDERS = 60
"""Days that a dashboard asks for: the ends of its periods, sprints and points."""
TRAILING = 29
"""Days that the nightly job writes."""
ROUNDS = 5
LAYOUTS = {"plain": None, "by month": "month", "by year": "year"}

# In the order of the nights, as they were written: a workspace's rows lie far apart.
FILL = """
insert into {t} ({columns}) select {columns} from (
    select w as workspace_id, cast(:last as date) - d as snapshot_date
    from generate_series(:days - 1, 0, -1) d, generate_series(1, :workspaces) w) made,
    (select {others} from workspace_usage_snapshot) pattern
"""
# PostgreSQL leaves no partition out for an array, only for the range that is named beside it.
RANGE = "and s.snapshot_date between days[1] and days[cardinality(days)]"
READ = """
create function read_{n}{named}(days date[]) returns double precision language plpgsql as $$
declare w bigint; found double precision; summed double precision := 0;
begin
    for w in select id from workspace loop
        select sum(s.successful_deployments_total + length(s.lead_time_total)) into found
        from {t} s where s.workspace_id = w and s.snapshot_date = any(days) {range};
        summed := summed + coalesce(found, 0);
    end loop;
    return summed;
end $$
"""
NIGHT = """
create function night_{n}(first date) returns void language plpgsql as $$
declare w bigint;
begin
    for w in select id from workspace loop
        insert into {t} ({columns}) select {columns} from {t} s
        where s.workspace_id = w and s.snapshot_date >= first
        on conflict (workspace_id, snapshot_date) do update set
            computed_at = now(), open_p1 = excluded.open_p1 + 1,
            successful_deployments_total = excluded.successful_deployments_total + 1;
    end loop;
end $$
"""
PATTERN = """
insert into workspace_usage_snapshot ({columns}) select {columns}
from jsonb_populate_record(null::workspace_usage_snapshot,
    (select jsonb_object_agg(attname, case when atttypid = 'bytea'::regtype
         then to_jsonb('\\x' || repeat('5a', 90)) when atttypid = 'text'::regtype then '"a name"'
         when atttypid = 'timestamptz'::regtype then to_jsonb(now())
         when atttypid = 'date'::regtype then '"1999-01-01"' else '1' end)
     from pg_attribute where attrelid = 'workspace_usage_snapshot'::regclass and attnum > 0))
"""
COLUMNS = """
select attname::text from pg_attribute where attrelid = 'workspace_usage_snapshot'::regclass
and attnum > 0 and attgenerated = '' and not attisdropped order by attnum
"""


def fill_statement(connection: Connection, sql: str, **names: object) -> str:
    """The statement with the table's columns; generated ones are not written."""
    columns = connection.execute(text(COLUMNS)).scalars().all()
    others = ", ".join(c for c in columns if c not in ("workspace_id", "snapshot_date"))
    return sql.format(columns=", ".join(columns), others=others, **names)


def create(connection: Connection, number: int, unit: str | None, days: int) -> str:
    """An empty table of that layout, with the key and the index of the product's."""
    table = f"layout_{number}"
    split = " partition by range (snapshot_date)" if unit else ""
    connection.exec_driver_sql(
        f"create table {table} (like workspace_usage_snapshot including generated){split};"
        f"alter table {table} add primary key (workspace_id, snapshot_date);"
        f"create index on {table} (workspace_id, computed_at)"
    )
    if unit:
        parts = text(
            f"select d::date, (d + interval '1 {unit}')::date from generate_series("
            f"date_trunc('{unit}', cast(:first as date)), cast(:last as date), interval '1 {unit}') d"
        )
        first = LAST - timedelta(days=days - 1)
        for start, end in connection.execute(parts, {"first": first, "last": LAST}).all():
            connection.exec_driver_sql(
                f"create table {table}_{start:%Y%m} partition of {table}"
                f" for values from ('{start}') to ('{end}')"
            )
    for named, limits in (("", ""), ("_named", RANGE)):
        sql = READ.format(t=table, n=number, named=named, range=limits)
        connection.exec_driver_sql(sql)
    connection.exec_driver_sql(fill_statement(connection, NIGHT, t=table, n=number))
    return table


def time_read(work: Callable[[], object]) -> float:
    """Milliseconds of one run."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def border_days(days: int) -> list[date]:
    """The borders of a dashboard over so many days."""
    return sorted(
        {LAST - timedelta(days=round(i * (days - 1) / (BORDERS - 1))) for i in range(BORDERS)}
    )


def forget(connection: Connection, table: str, unit: str | None, before: date) -> None:
    """Drops what is older: rows one by one, or whole partitions."""
    if unit is None:
        connection.exec_driver_sql(f"delete from {table} where snapshot_date < '{before}'")
        connection.exec_driver_sql(f"vacuum {table}")
        return
    old = text(
        "select inhrelid::regclass::text from pg_inherits where inhparent = cast(:t as regclass)"
        " and right(inhrelid::regclass::text, 6) < :month"
    )
    for part in connection.execute(old, {"t": table, "month": f"{before:%Y%m}"}).scalars().all():
        connection.exec_driver_sql(f"alter table {table} detach partition {part}")
        connection.exec_driver_sql(f"drop table {part}")


def measure(
    connection: Connection, number: int, unit: str | None, workspaces: int, days: int
) -> dict[str, float]:
    """Milliseconds of a layout by what was done."""
    table = create(connection, number, unit, days)
    given = {"last": LAST, "days": days, "workspaces": workspaces}
    connection.execute(text(fill_statement(connection, FILL, t=table)), given)
    connection.exec_driver_sql(f"vacuum analyze {table}")

    def read(over: int, named: str) -> object:
        sql = text(f"select read_{number}{named}(cast(:days as date[]))")
        return connection.execute(sql, {"days": border_days(over)}).scalar_one()

    milliseconds_by_task = {}
    for over in (28, days - 40):
        for named, what in (("", ""), ("_named", ", the range named")):
            read(over, named)
            milliseconds = [time_read(lambda o=over, n=named: read(o, n)) for _ in range(ROUNDS)]  # type: ignore[misc]
            milliseconds_by_task[f"read {over} days{what}"] = statistics.median(milliseconds)
    first = {"first": LAST - timedelta(days=TRAILING - 1)}
    night = text(f"select night_{number}(:first)")
    milliseconds_by_task["a night"] = statistics.median(
        time_read(lambda: connection.execute(night, first)) for _ in range(3)
    )
    cut = date(LAST.year - 1, 1, 1)
    milliseconds_by_task["forget"] = time_read(lambda: forget(connection, table, unit, cut))
    connection.exec_driver_sql(f"drop table {table} cascade")
    return {what: round(milliseconds, 1) for what, milliseconds in milliseconds_by_task.items()}


def main() -> None:
    """Loads, measures, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspaces", type=int, default=1_000)
    parser.add_argument("--days", type=int, default=800)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="vigilo-partitions-"))
    settings = load(data_dir=folder)
    database = connect(settings)
    try:
        database.upgrade(settings)
        # The superuser: row security costs each layout the same.
        engine = create_engine(
            database.web.url.set(username="postgres"), isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            connection.exec_driver_sql(
                "insert into workspace (slug, name)"
                f" select 'ws-' || n, n from generate_series(1, {given.workspaces}) n"
            )
            connection.exec_driver_sql(fill_statement(connection, PATTERN))
            measured = {
                name: measure(connection, n, unit, given.workspaces, given.days)
                for n, (name, unit) in enumerate(LAYOUTS.items())
            }
        engine.dispose()
    finally:
        database.close()
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)
    result = {"workspaces": given.workspaces, "days": given.days, "milliseconds": measured}
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / "partitions.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
