"""The floor: the same figures and series by plain SQL aggregates over daily rows, as their owner, without
row-level security. It says what the isolation and the Python cost."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from sqlalchemy import Engine

from aggregators.vocabulary.period import Period
from storage.snapshot.columns import HISTORY_COLUMNS, USAGE_COLUMNS

FLOWS, LEVELS = USAGE_COLUMNS.flows, USAGE_COLUMNS.levels
QUANTILES_STORED, DISTRIBUTIONS = USAGE_COLUMNS.quantiles, USAGE_COLUMNS.distributions
CONTROL_LEVELS = HISTORY_COLUMNS["compliance_snapshot_history"].levels

DAILY = """
drop schema if exists floor cascade;
create schema floor;
create table floor.daily as
select workspace_id, snapshot_date as day, {flows}, {levels}, {quantiles}
from workspace_usage_snapshot window w as (partition by workspace_id order by snapshot_date);
alter table floor.daily add primary key (workspace_id, day);
create index on floor.daily (day);
create table floor.control as
select workspace_id, framework, snapshot_date as day, {controls} from compliance_snapshot_history;
create index on floor.control (day);
create table floor.duration as
select workspace_id, array_position(array[{durations}], distribution)::smallint - 1 as kind,
       block * 32 + (e >> 27)::int + date '1970-01-01' as day,
       (((e >> 16) & 2047) - 1)::int as bucket, (e & 65535)::int as n
from duration_block d
cross join lateral generate_series(0, octet_length(d.data) / 4 - 1) as i
cross join lateral (
    select (get_byte(d.data, i * 4)::bigint << 24) | (get_byte(d.data, i * 4 + 1) << 16)
           | (get_byte(d.data, i * 4 + 2) << 8) | get_byte(d.data, i * 4 + 3) as e
) entry;
create index on floor.duration (day);
"""

FIGURES = """
select workspace_id, day between '{start}' and '{end}' as now, count(*) as days, {sums}, {at_end}
from floor.daily where day between '{before}' and '{end}'
group by grouping sets ((workspace_id, now), (now))
"""

SERIES = """
with step as (
    select workspace_id, ('{end}'::date - day) / {step} as back, count(*) as days, {sums}, {lasts}
    from floor.daily where day between '{first}' and '{end}'
    group by grouping sets ((workspace_id, back), (back))
)
select workspace_id, back, sum(days) over w as days, {trailing}, {levels} from step
window w as (partition by workspace_id order by back desc range between {behind} preceding and current row)
"""

CONTROLS = """
select workspace_id, framework, ('{end}'::date - day) / {step} as back, {controls}
from floor.control where day between '{before}' and '{end}' and ('{end}'::date - day) % {step} = 0
"""

PICKED = """, running as (
    select *, sum(n) over (partition by workspace_id, kind, point order by bucket) as below,
           sum(n) over (partition by workspace_id, kind, point) as total
    from spread
)
select workspace_id, kind, point, total,
       min(bucket) filter (where below > floor(0.5 * (total - 1))) as p50,
       min(bucket) filter (where below > floor(0.9 * (total - 1))) as p90
from running group by 1, 2, 3, 4
"""

# Of the organisation alone: those of each workspace and point stand in its daily row.
QUANTILES = (
    """
with entry as (
    select kind, bucket, ('{end}'::date - day) / {step} as back, sum(n) as n
    from floor.duration where day between '{first}' and '{end}' group by 1, 2, 3
), spread as (
    select 0 as workspace_id, kind, back - behind as point, bucket, sum(n) as n
    from entry cross join generate_series(0, {behind}) as points (behind)
    group by 1, 2, 3, 4
)"""
    + PICKED
)

WHOLE_QUANTILES = (
    """
with spread as (
    select coalesce(workspace_id, 0) as workspace_id, kind, day >= '{start}' as point, bucket, sum(n) as n
    from floor.duration where day between '{before}' and '{end}'
    group by grouping sets ((workspace_id, kind, day >= '{start}', bucket),
                            (kind, day >= '{start}', bucket))
)"""
    + PICKED
)

STATEMENTS = {
    "FIGURES": FIGURES,
    "SERIES": SERIES,
    "CONTROLS": CONTROLS,
    "WHOLE_QUANTILES": WHOLE_QUANTILES,
    "QUANTILES": QUANTILES,
}
"""Every statement of the floor, by its name."""


def statement(name: str, period: Period) -> str:
    """The statement of that name in ``STATEMENTS`` over a period."""
    return STATEMENTS[name].format(**_words(period))


@dataclass(frozen=True)
class Floor:
    """The floor over one installation; ``owner`` is an engine that row-level security does not bind."""

    owner: Engine

    def prepare(self) -> None:
        """Makes the daily rows from the snapshots. Not timed."""
        sql = DAILY.format(
            flows=", ".join(
                f"{f}_total - lag({f}_total, 1, 0::float8) over w as {f}" for f in FLOWS
            ),
            levels=", ".join(LEVELS),
            quantiles=", ".join(QUANTILES_STORED),
            controls=", ".join(CONTROL_LEVELS),
            durations=", ".join(f"'{name}'" for name in DISTRIBUTIONS),
        )
        self._run(sql.split(";"))
        with self.owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("vacuum analyze")

    def sums(self, period: Period) -> list[bytes]:
        """Every figure and series but the quantiles, as the bytes that the server sends."""
        return [self._copied(q.format(**_words(period))) for q in (FIGURES, SERIES, CONTROLS)]

    def everything(self, period: Period) -> list[bytes]:
        """Figures with the quantiles that no daily row holds: of each whole period, and the
        organisation's of each point."""
        words = _words(period)
        quantiles = [self._copied(q.format(**words)) for q in (WHOLE_QUANTILES, QUANTILES)]
        return [*self.sums(period), *quantiles]

    def figures(self, period: Period, *, now: bool = True) -> dict[int, Any]:
        """Each workspace's flows of the period or of the one before it, and its levels where the last day
        has a row, by id: what the answers are compared by."""
        rows = self._rows(FIGURES, period, f"now = {now} and workspace_id is not null")
        return {row["workspace_id"]: row for row in rows}

    def series(self, period: Period, among: Iterable[int]) -> list[Any]:
        """The flows up to each point of some workspaces, by how many steps it is back from the last."""
        listed = ", ".join(map(str, among))
        return self._rows(SERIES, period, f"workspace_id in ({listed})")

    def quantiles(self, period: Period) -> list[Any]:
        """The buckets of the whole periods' quantiles, of workspaces and (0) the organisation."""
        return self._rows(WHOLE_QUANTILES, period, "true")

    def csv(self, name: str, file: BinaryIO) -> list[str]:
        """A table of the floor written as CSV with a heading; returns the names of its columns."""
        raw: Any = self.owner.raw_connection()
        try:
            with raw.cursor() as cursor:
                cursor.execute(f"select * from floor.{name} limit 0")
                columns = [column.name for column in cursor.description]
                cursor.copy_expert(f"copy floor.{name} to stdout (format csv, header)", file)
            raw.rollback()
        finally:
            raw.close()
        return columns

    def _rows(self, query: str, period: Period, where: str) -> list[Any]:
        statement = query.format(**_words(period)).replace("%", "%%")
        with self.owner.connect() as connection:
            result = connection.exec_driver_sql(f"select * from ({statement}) f where {where}")
            return list(result.mappings())

    def _copied(self, query: str) -> bytes:
        """COPY in binary: the rows arrive, and no Python makes objects of them."""
        out = io.BytesIO()
        raw: Any = self.owner.raw_connection()
        try:
            with raw.cursor() as cursor:
                cursor.execute("set work_mem = '256MB'")
                cursor.copy_expert(f"copy ({query}) to stdout (format binary)", out)
            raw.rollback()
        finally:
            raw.close()
        return out.getvalue()

    def _run(self, statements: Sequence[str]) -> None:
        with self.owner.begin() as connection:
            for statement in statements:
                if statement.strip():
                    connection.exec_driver_sql(statement.replace("%", "%%"))


def _words(period: Period) -> dict[str, object]:
    step, window = period.step, period.window
    previous = period.previous
    first = previous.start.toordinal() - window
    # Levels of a last day, as if none were missing: cheaper than of the last that is there.
    last = f"('{period.end}'::date - day) % {step} = 0"
    points = [*LEVELS, *(q for q in QUANTILES_STORED if q.endswith(f"_{window}"))]
    ends = f"day in ('{period.end}', '{previous.end}')"
    return {
        "start": period.start,
        "end": period.end,
        "before": previous.start,
        "first": type(period.end).fromordinal(first),
        "step": step,
        "behind": window // step - 1,
        "sums": ", ".join(f"sum({f}) as {f}" for f in FLOWS),
        "lasts": ", ".join(f"max({c}) filter (where {last}) as {c}" for c in points),
        "at_end": ", ".join(f"max({c}) filter (where {ends}) as {c}" for c in LEVELS),
        "trailing": ", ".join(f"sum({f}) over w as {f}" for f in FLOWS),
        "levels": ", ".join(points),
        "controls": ", ".join(CONTROL_LEVELS),
    }
