"""The history rows of a domain with groups in the job's SQL, a row a day and group.

Where such a domain has flows or durations, a group that has once appeared has a row on every later snapshot
day: its totals go on, and a reader finds them on whatever day a period ends.
"""

from __future__ import annotations

from aggregators import catalogue
from aggregators.vocabulary.clock import CLOCK
from storage.distributed import KEPT_INSERT
from storage.snapshot.columns import SnapshotColumns
from storage.snapshot.durations import single_durations, trailing
from storage.snapshot.sql import ASKED, STAMP, column_list, fact, labels, take_staged
from storage.snapshot.tables import (
    histories,
    staged_histories,
    staged_workspace,
    usage_snapshot,
)


def written_columns(columns: SnapshotColumns) -> tuple[str, ...]:
    """Of a history row, besides its key and when it was computed."""
    return (*columns.totals, *columns.levels, "labels", *columns.quantiles)


def history_rows(columns: SnapshotColumns) -> str:
    """The CTEs up to ``written``: day, group_key and ``written_columns``."""
    (domain,) = (d for d in catalogue.DOMAINS if d.table == columns.table)
    queries = catalogue.parts("counts")[domain.key].FACTS
    facts = "".join(f", facts_{n} as ({sql})" for n, sql in enumerate(queries))
    rows = _going_on(columns, len(queries)) if columns.goes_on else _census(columns, len(queries))
    return f"with {ASKED}, {CLOCK} {facts}, {rows}"


def _days_of_groups(columns: SnapshotColumns, queries: int) -> str:
    """Every asked day on which a query knows a group."""
    return " union ".join(
        f"select day, {columns.group} as group_key from facts_{n} join asked using (day)"
        for n in range(queries)
    )


def _daily_facts(columns: SnapshotColumns, queries: int) -> str:
    """The facts of each of the ``keys``: day and group_key."""
    joined = " ".join(
        f"left join facts_{n} on facts_{n}.day = keys.day and facts_{n}.{columns.group} = group_key"
        for n in range(queries)
    )
    facts = [fact(name, columns) for name in (*columns.flows, *columns.levels)]
    return (
        f"select keys.day, group_key, {column_list([*facts, labels(columns)])} from keys {joined}"
    )


def _census(columns: SnapshotColumns, queries: int) -> str:
    """Levels alone: a day says what it finds, whatever was before it."""
    return f"""
keys as ({_days_of_groups(columns, queries)})
, written as ({_daily_facts(columns, queries)})
"""


def _going_on(columns: SnapshotColumns, queries: int) -> str:
    """Totals that go on from the snapshot day before, and later rows moved, as those of the usage table.
    A group that is new in the past is so on all later snapshot days."""
    trailing_ctes = f", {trailing(columns)}" if columns.distributions else ""
    return f"""
base as ({_stored_totals(columns, "< (select min(day) from asked)")})
, known as ({_groups_since(columns, queries)})
, keys as (select asked.day, group_key from asked join known on since <= asked.day)
, daily as ({_daily_facts(columns, queries)})
, fresh as ({_new_rows(columns)})
, moved as ({_changes_of_totals(columns)})
, later as ({_later_rows(columns)})
{trailing_ctes}
, rows as (select * from fresh union all select * from later)
, written as ({_with_quantiles(columns)})
"""


def _groups_since(columns: SnapshotColumns, queries: int) -> str:
    """Every group with the day since which it has a row."""
    days = _days_of_groups(columns, queries)
    if columns.distributions:
        durations = single_durations(columns.distributions)
        days += f" union select day, group_key from ({durations}) d join asked using (day)"
    return f"""
select group_key, min(day) as since
from ({days} union select '-infinity', group_key from base) every_day group by group_key
"""


def _new_rows(columns: SnapshotColumns) -> str:
    """The asked days, each total going on from the one before."""
    values = [
        *(
            f"coalesce(base.{flow}_total, 0) + sum({flow}) over so_far as {flow}_total"
            for flow in columns.flows
        ),
        *columns.levels,
        "labels",
        *(f"null::float8 as {name}" for name in columns.quantiles),
    ]
    return f"""
select day, group_key, {column_list(values)} from daily left join base using (group_key)
window so_far as (partition by group_key order by day)
"""


def _changes_of_totals(columns: SnapshotColumns) -> str:
    """By how much the totals of each group change on the last day."""
    changes = [f"coalesce(f.{t}, 0) - coalesce(replaced.{t}, 0) as {t}" for t in columns.totals]
    return f"""
select {column_list(["group_key", *changes])}
from (select * from fresh where day = :last) f
full join ({_stored_totals(columns, "<= :last")}) replaced using (group_key)
"""


def _later_rows(columns: SnapshotColumns) -> str:
    """The rows of later snapshot days, moved; new where the group has none yet."""
    values = [
        *(f"coalesce(h.{total}, 0) + moved.{total} as {total}" for total in columns.totals),
        *(f"h.{name}" for name in columns.levels),
        "coalesce(h.labels, '{}') as labels",
        *(f"h.{name}" for name in columns.quantiles),
    ]
    return f"""
select u.snapshot_date as day, moved.group_key, {column_list(values)}
from {usage_snapshot.name} u cross join moved
left join {columns.table} h on h.workspace_id = :w and h.snapshot_date = u.snapshot_date
    and h.{columns.group} = moved.group_key
where u.workspace_id = :w and u.snapshot_date > :last
"""


def _with_quantiles(columns: SnapshotColumns) -> str:
    """The rows with the quantiles of the days that end with each of them."""
    quantiles = [
        f"case when affected.day is null then rows.{name} else quantiles.{name} end as {name}"
        for name in columns.quantiles
    ]
    joined = "left join affected using (day) left join quantiles using (day, group_key)"
    values = [*columns.totals, *columns.levels, "labels", *quantiles]
    return f"""
select day, group_key, {column_list(values)} from rows {joined if columns.distributions else ""}
"""


def _stored_totals(columns: SnapshotColumns, when: str) -> str:
    """The totals of every group on the last snapshot day within some days."""
    return f"""
select {column_list([f"{columns.group} as group_key", *columns.totals])} from {columns.table}
where workspace_id = :w and snapshot_date = (
    select max(snapshot_date) from {usage_snapshot.name}
    where workspace_id = :w and snapshot_date {when}
)
"""


def stage_history(columns: SnapshotColumns) -> str:
    """Stages the rows of one history."""
    written = column_list(written_columns(columns))
    return f"""
{history_rows(columns)}, {STAMP}
insert into {staged_histories[columns.table].name}
    (workspace_id, snapshot_date, {columns.group}, {written}, computed_at)
select :w, day, group_key, {written}, stamp.at from written cross join stamp
{KEPT_INSERT}
"""


def publish_history(columns: SnapshotColumns) -> str:
    """Writes the rows of one history, and removes those of the asked days whose group is gone."""
    table, group = histories[columns.table].name, columns.group
    values = (*written_columns(columns), "computed_at")
    inserted = f"snapshot_date, {group}, {column_list(values)}"
    return f"""
with {take_staged(staged_histories[columns.table].name)}
, gone as (
    delete from {table} h
    using (select unnest(days) as day from {staged_workspace.name} where workspace_id = :w) asked
    where h.workspace_id = :w and h.snapshot_date = asked.day and not exists (
        select from ready where ready.snapshot_date = h.snapshot_date and ready.{group} = h.{group}
    )
)
insert into {table} (workspace_id, {inserted}) select :w, {inserted} from ready
on conflict (workspace_id, {group}, snapshot_date) do update
set {column_list(values, "{0} = excluded.{0}")}
"""
