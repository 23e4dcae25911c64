"""Delivery: deployments, their failures, lead times and recoveries, by day."""

from __future__ import annotations

import pandas as pd

from tests.one_by_one.collect import Days

ENDED = """
, ended as (
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
, caused as (
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
    + """
select days.day,
       (exists (select 1 from deployment d
                where d.workspace_id = :w and d.completed_at < days.until))::int as delivery_tracked,
       (select count(*) from caused
        where opened_at < days.until and (resolved_at is null or resolved_at >= days.until))
       as recoveries_open
from days
"""
)


def collect(days: Days) -> pd.DataFrame:
    """Deployments by day of completion, what is tracked and unrecovered at the end of the day."""
    return days.flows(COUNTS).join(days.by_day(LEVELS))


def durations(days: Days) -> dict[str, pd.DataFrame]:
    """Lead times by day of deployment, recovery times by day of resolution, in seconds."""
    return {"lead_time": days.query(LEAD_TIMES), "recovery_time": days.query(RECOVERY_TIMES)}
