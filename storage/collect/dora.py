"""Delivery: deployments, their failures, lead times and recoveries, by day."""

from __future__ import annotations

import pandas as pd

from storage.collect import Days, after

ENDED = """
with ended as (
    select (d.completed_at at time zone :zone)::date as day, d.key, d.created_at, d.completed_at,
           d.outcome in ('successful', 'successful_with_issues') as successful,
           d.outcome in ('failed', 'rolled_back') or exists (
               select 1 from incident i where i.workspace_id = :w and i.caused_by = d.key
           ) as failed
    from deployment d cross join edge
    where d.workspace_id = :w and d.environment = 'production' and d.outcome <> 'cancelled'
      and d.completed_at >= edge.since and d.completed_at < edge.until
)
"""

COUNTS = (
    ENDED
    + """
select day, count(*) as ended_deployments,
       count(*) filter (where failed) as failed_deployments,
       count(*) filter (where successful) as successful_deployments
from ended group by day
"""
)

LEAD_TIMES = (
    ENDED
    + """
select e.day, extract(epoch from e.completed_at - coalesce(c.committed_at, e.created_at))::float8
       as seconds
from ended e
left join deployment_change c on c.workspace_id = :w and c.deployment = e.key
where e.successful and coalesce(c.committed_at, e.created_at) <= e.completed_at
"""
)

CAUSED = """
with caused as (
    select i.opened_at, i.resolved_at, d.completed_at
    from incident i
    join deployment d on d.workspace_id = :w and d.key = i.caused_by
    where i.workspace_id = :w and d.environment = 'production' and d.outcome <> 'cancelled'
)
"""

RECOVERY_TIMES = (
    CAUSED
    + """
select (resolved_at at time zone :zone)::date as day,
       extract(epoch from resolved_at - completed_at)::float8 as seconds
from caused cross join edge
where resolved_at >= edge.since and resolved_at < edge.until and resolved_at >= completed_at
"""
)

LEVELS = (
    CAUSED
    + f"""
, spans as (
    select {after("opened_at")} as born, coalesce({after("resolved_at")}, clock.length + 1) as gone
    from caused cross join clock
)
, changes as (
    select n, sum(change)::int as change
    from spans cross join lateral (values (born, 1), (gone, -1)) as v(n, change)
    where born < gone group by n
)
select days.day, coalesce((first.at < days.until)::int, 0) as delivery_tracked,
       coalesce(sum(change) over (order by n), 0) as recoveries_open
from days left join changes using (n)
cross join (select min(completed_at) as at from deployment where workspace_id = :w) first
"""
)

FACTS = (COUNTS, LEVELS)
DURATIONS = {"lead_time": LEAD_TIMES, "recovery_time": RECOVERY_TIMES}


def collect(days: Days) -> pd.DataFrame:
    """Deployments by day of completion, what is tracked and unrecovered at the end of the day."""
    return days.facts(FACTS)


def durations(days: Days) -> dict[str, pd.DataFrame]:
    """Lead times by day of deployment, recovery times by day of resolution, in seconds."""
    return {name: days.query(sql) for name, sql in DURATIONS.items()}
