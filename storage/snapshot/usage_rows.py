"""The usage rows in the job's SQL: facts of every domain without groups, a row a day."""

from __future__ import annotations

from aggregators import catalogue
from aggregators.vocabulary.clock import CLOCK
from storage.distributed import KEPT_INSERT
from storage.snapshot import usage
from storage.snapshot.columns import USAGE_COLUMNS
from storage.snapshot.durations import trailing
from storage.snapshot.sql import (
    ASKED,
    STAMP,
    column_list,
    fact,
    labels,
    preferring_new,
    take_staged,
)
from storage.snapshot.tables import staged_usage, usage_snapshot

TOTALS, FLOWS = USAGE_COLUMNS.totals, USAGE_COLUMNS.flows
NUMBERS = (*USAGE_COLUMNS.levels, *USAGE_COLUMNS.counters)
QUANTILES = USAGE_COLUMNS.quantiles
COLUMNS = (*TOTALS, *NUMBERS, "labels", *QUANTILES)
"""Of a usage row, besides its key and when it was computed and changed."""

COLLECTORS = (
    *(catalogue.parts("counts")[d.key] for d in catalogue.DOMAINS if not d.by),
    usage,
)
FACTS = [sql for module in COLLECTORS for sql in module.FACTS]

DAILY = f"""
daily as (
    select days.day, {column_list(fact(name, USAGE_COLUMNS) for name in (*FLOWS, *USAGE_COLUMNS.levels))},
           {column_list(USAGE_COLUMNS.counters)}, {labels(USAGE_COLUMNS)}
    from days {" ".join(f"left join facts_{n} using (day)" for n in range(len(FACTS)))}
)
"""
"""Every fact of each asked day: flows of the day alone, levels at its end, labels."""

RUNNING = f"""
base as (
    select {column_list(TOTALS)} from {usage_snapshot.name}
    where workspace_id = :w and snapshot_date < (select min(day) from asked)
    order by snapshot_date desc limit 1
)
, fresh as (
    select day, coalesce(base.days_total, 0) + row_number() over (order by day) as days_total,
           {column_list(FLOWS, "coalesce(base.{0}_total, 0) + sum({0}) over so_far as {0}_total")},
           {column_list((*NUMBERS, "labels"))}, {column_list(QUANTILES, "null::float8 as {}")}
    from daily left join base on true window so_far as (order by day)
)
, moved as (
    select {column_list(TOTALS, "fresh.{0} - coalesce(replaced.{0}, 0) as {0}")}
    from fresh left join (
        select {column_list(TOTALS)} from {usage_snapshot.name}
        where workspace_id = :w and snapshot_date <= :last order by snapshot_date desc limit 1
    ) replaced on true
    where fresh.day = :last
)
, later as (
    select u.snapshot_date as day, {column_list(TOTALS, "u.{0} + moved.{0} as {0}")},
           {column_list((*NUMBERS, "labels", *QUANTILES), "u.{}")}
    from {usage_snapshot.name} u cross join moved
    where u.workspace_id = :w and u.snapshot_date > :last
)
"""
"""Totals that go on from the row before, and later rows moved by what the total before them changed:
by exactly 0 where nothing did, so that they stay the same to the last bit."""


def usage_rows() -> str:
    """The CTEs up to ``written``: usage rows of the asked days, and of later ones, moved."""
    facts = "".join(f", facts_{n} as ({sql})" for n, sql in enumerate(FACTS))
    quantiles = column_list(
        f"case when affected.day is null then rows.{name} else quantiles.{name} end as {name}"
        for name in QUANTILES
    )
    return f"""
with {ASKED}, {CLOCK} {facts}, {DAILY}, {RUNNING}, {trailing(USAGE_COLUMNS)}
, rows as (select * from fresh union all select * from later)
, written as (
    select day, {column_list((*TOTALS, *NUMBERS, "labels"))}, {quantiles}
    from rows left join affected using (day) left join quantiles using (day)
)
"""


def stage_usage() -> str:
    """Stages the usage rows."""
    return f"""
{usage_rows()}, {STAMP}
insert into {staged_usage.name}
    (workspace_id, snapshot_date, {column_list(COLUMNS)}, computed_at, changed_at)
select :w, day, {column_list(COLUMNS)}, stamp.at, stamp.at from written cross join stamp
{KEPT_INSERT}
"""


def publish_usage() -> str:
    """Writes the usage rows."""
    table, columns = (
        usage_snapshot.name,
        f"snapshot_date, {column_list(COLUMNS)}, computed_at, changed_at",
    )
    return f"""
with {take_staged(staged_usage.name)}
insert into {table} (workspace_id, {columns}) select :w, {columns} from ready
on conflict (workspace_id, snapshot_date) do update {preferring_new(table, COLUMNS)}
"""
