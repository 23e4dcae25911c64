"""Incidents: opened, acknowledged, resolved and learned from, by day; open at its end."""

from __future__ import annotations

from aggregators.incidents.records import INCIDENTS
from aggregators.vocabulary.clock import day_after

OPENED = f"""
select (opened_at at time zone :zone)::date as day, count(*) as incidents_opened
from ({INCIDENTS}) i cross join edge
where opened_at >= edge.since and opened_at < edge.until group by 1
"""


def _times(event: str, seconds: str) -> str:
    """How long it took from the opening to an event, by the day of the event."""
    return f"""
select (i.{event} at time zone :zone)::date as day, i.{seconds} as seconds
from ({INCIDENTS}) i cross join edge
where i.{event} >= edge.since and i.{event} < edge.until
"""


DURATIONS = {
    "ack_time": _times("acknowledged_at", "seconds_to_acknowledge"),
    "resolve_time": _times("resolved_at", "seconds_to_resolve"),
}

SUMS = """
select day, sum(seconds) as {seconds}, count(*) as {count} from ({times}) as times group by day
"""

POSTMORTEMS = f"""
with due as (
    select (postmortem_due at time zone :zone)::date as day, postmortem_published
    from ({INCIDENTS}) i
)
select day, count(*) as postmortems_due,
       count(*) filter (where postmortem_published) as postmortems_published
from due where day between :first and :last group by day
"""

OPEN = f"""
with spans as (
    select key, severity, opened_at, {day_after("opened_at")} as born,
           coalesce({day_after("over_since")}, clock.length + 1) as gone
    from ({INCIDENTS}) i cross join clock
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
cross join (select min(opened_at) as at from ({INCIDENTS}) i) first
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

COUNTERS = {
    "incident_count_24h": f"""
select {day_after("opened_at")} as born, {day_after("opened_at + interval '24 hours'")} as gone
from ({INCIDENTS}) i cross join clock
"""
}
"""Incidents opened within the last 24 hours."""
