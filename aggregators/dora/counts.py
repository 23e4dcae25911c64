"""Delivery: deployments, their failures, lead times and recoveries, by day."""

from __future__ import annotations

from aggregators.dora.records import DEPLOYMENTS, RECOVERIES, lead_times
from aggregators.vocabulary.clock import SINCE, UNTIL, count_spans, day_after

COUNTS = f"""
select day, count(*) as ended_deployments,
       count(*) filter (where failed) as failed_deployments,
       count(*) filter (where successful) as successful_deployments
from ({DEPLOYMENTS}) d cross join edge
where completed_at >= edge.since and completed_at < edge.until group by day
"""

UNRECOVERED = count_spans(
    f"""
select {day_after("opened_at")} as born, coalesce({day_after("over_since")}, clock.length + 1) as gone
from ({RECOVERIES}) r cross join clock
""",
    "recoveries_open",
)
"""Incidents that a deployment caused, unresolved at the end of the day."""

TRACKED = """
select days.day, coalesce((first.at < days.until)::int, 0) as delivery_tracked
from days cross join (
    select min(completed_at) as at from deployment where workspace_id = :w and left_out is null
) first
"""
"""Tracked from the first deployment on, whatever its outcome, that was not withdrawn."""

FACTS = (COUNTS, UNRECOVERED, TRACKED)
DURATIONS = {
    "lead_time": f"""
select day, seconds from ({lead_times(f"d.completed_at >= {SINCE} and d.completed_at < {UNTIL}")}) d
""",
    "recovery_time": f"""
select (resolved_at at time zone :zone)::date as day, seconds
from ({RECOVERIES}) r cross join edge
where resolved_at >= edge.since and resolved_at < edge.until and resolved_at >= completed_at
""",
}
"""Seconds: lead times by the day of the deployment, recovery times by the day of the resolution."""

COUNTERS = {
    "change_count_24h": f"""
select {day_after("completed_at")} as born, {day_after("completed_at + interval '24 hours'")} as gone
from deployment cross join clock cross join edge
where workspace_id = :w and left_out is null
  and completed_at >= edge.since - interval '1 day' and completed_at < edge.until
"""
}
"""Deployments of any kind and outcome within the last 24 hours, but for withdrawn ones."""
