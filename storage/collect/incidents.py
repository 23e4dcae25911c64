"""Incidents: opened, acknowledged, resolved and learned from, by day; open at its end."""

from __future__ import annotations

import pandas as pd

from storage.collect import Days, after

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
DURATIONS = {
    "ack_time": TIMES.format(event="acknowledged_at"),
    "resolve_time": TIMES.format(event="resolved_at"),
}

SUMS = """
select day, sum(seconds) as {seconds}, count(*) as {count} from ({times}) as times group by day
"""

POSTMORTEMS = """
with due as (
    select ((resolved_at + interval '168 hours') at time zone :zone)::date as day,
           postmortem_published_at is not null as published
    from incident
    where workspace_id = :w and coalesce(postmortem_required, severity in ('p1', 'p2'))
)
select day, count(*) as postmortems_due, count(*) filter (where published) as postmortems_published
from due where day between :first and :last group by day
"""

OPEN = f"""
with spans as (
    select key, severity, opened_at, {after("opened_at")} as born,
           coalesce({after("resolved_at")}, clock.length + 1) as gone
    from incident cross join clock where workspace_id = :w
)
, open as (
    select n, count(*) filter (where severity = 'p1') as open_p1,
           count(*) filter (where severity = 'p2') as open_p2,
           count(*) filter (where severity = 'p3') as open_p3,
           count(*) filter (where severity = 'p4') as open_p4,
           min(opened_at) as oldest,
           (array_agg(key order by opened_at, key))[1] as oldest_open_incident
    from spans cross join lateral generate_series(born, gone - 1) as n
    where born < gone group by n
)
select days.day, coalesce(open_p1, 0) as open_p1, coalesce(open_p2, 0) as open_p2,
       coalesce(open_p3, 0) as open_p3, coalesce(open_p4, 0) as open_p4,
       extract(epoch from days.until - oldest)::float8 as oldest_open_seconds, oldest_open_incident,
       coalesce((first.at < days.until)::int, 0) as incidents_tracked
from days left join open using (n)
cross join (select min(opened_at) as at from incident where workspace_id = :w) first
"""

FACTS = (
    OPENED,
    POSTMORTEMS,
    OPEN,
    SUMS.format(seconds="ack_seconds", count="incidents_acknowledged", times=DURATIONS["ack_time"]),
    SUMS.format(
        seconds="resolve_seconds", count="incidents_resolved", times=DURATIONS["resolve_time"]
    ),
)


def collect(days: Days) -> pd.DataFrame:
    """Counts and sums of the day, and what is open at its end."""
    return days.facts(FACTS)


def durations(days: Days) -> dict[str, pd.DataFrame]:
    """Times to acknowledge and to resolve, each by the day it ended, in seconds."""
    return {name: days.query(sql) for name, sql in DURATIONS.items()}
