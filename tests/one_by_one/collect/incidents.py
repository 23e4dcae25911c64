"""Incidents: opened, acknowledged, resolved and learned from, by day; open at its end."""

from __future__ import annotations

import pandas as pd

from tests.one_by_one.collect import Days

OPENED = """
select (opened_at at time zone :zone)::date as day, count(*) as incidents_opened
from incident cross join edge
where workspace_id = :w and opened_at >= edge.since and opened_at < edge.until group by 1
"""

TIMES = """
select (i.{event} at time zone :zone)::date as day,
       extract(epoch from i.{event} - i.opened_at)::float8 as seconds
from incident i cross join edge
where i.workspace_id = :w and i.{event} >= edge.since and i.{event} < edge.until
"""

POSTMORTEMS = """
, due as (
    select ((resolved_at + interval '168 hours') at time zone :zone)::date as day,
           postmortem_published_at is not null as published
    from incident
    where workspace_id = :w and coalesce(postmortem_required, severity in ('p1', 'p2'))
)
select day, count(*) as postmortems_due, count(*) filter (where published) as postmortems_published
from due where day between :first and :last group by day
"""

OPEN = """
select days.day, open.*,
       (exists (select 1 from incident i where i.workspace_id = :w and i.opened_at < days.until))::int
       as incidents_tracked
from days cross join lateral (
    select count(*) filter (where severity = 'p1') as open_p1,
           count(*) filter (where severity = 'p2') as open_p2,
           count(*) filter (where severity = 'p3') as open_p3,
           count(*) filter (where severity = 'p4') as open_p4,
           extract(epoch from days.until - min(opened_at))::float8 as oldest_open_seconds,
           (array_agg(key order by opened_at, key))[1] as oldest_open_incident
    from incident i
    where i.workspace_id = :w and i.opened_at < days.until
      and (i.resolved_at is null or i.resolved_at >= days.until)
) open
"""


def collect(days: Days) -> pd.DataFrame:
    """Counts and sums of the day, and what is open at its end."""
    facts = days.flows(OPENED).join(days.flows(POSTMORTEMS)).join(days.by_day(OPEN))
    for distribution, seconds, count in (
        ("ack_time", "ack_seconds", "incidents_acknowledged"),
        ("resolve_time", "resolve_seconds", "incidents_resolved"),
    ):
        by_day = durations(days)[distribution].groupby("day")["seconds"]
        facts[seconds] = by_day.sum().reindex(days.index, fill_value=0.0)
        facts[count] = by_day.count().reindex(days.index, fill_value=0).astype(float)
    return facts


def durations(days: Days) -> dict[str, pd.DataFrame]:
    """Times to acknowledge and to resolve, each by the day it ended, in seconds."""
    return {
        "ack_time": days.query(TIMES.format(event="acknowledged_at")),
        "resolve_time": days.query(TIMES.format(event="resolved_at")),
    }
