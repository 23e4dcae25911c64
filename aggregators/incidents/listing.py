"""Incidents as the workspace's page lists them: as they stand at the end of the period."""

from __future__ import annotations

from aggregators.incidents.records import INCIDENTS
from aggregators.records.listing import ListingQuery
from aggregators.vocabulary.clock import SINCE, UNTIL

OPEN = f"(i.over_since is null or i.over_since >= {UNTIL})"

QUERY = ListingQuery(
    f"""
select i.key, i.title, i.severity, case when {OPEN} then 'open' else 'resolved' end as status,
       i.opened_at, case when {OPEN} then extract(epoch from {UNTIL} - i.opened_at)::float8 end as age,
       i.acknowledged_at, i.seconds_to_acknowledge as time_to_acknowledge,
       i.resolved_at, i.seconds_to_resolve as time_to_resolve,
       case when not i.postmortem_owed then 'not required'
            when i.postmortem_published then 'published'
            when {OPEN} then 'required'
            when i.postmortem_due >= {UNTIL} then 'due in its grace'
            else 'missing' end as postmortem,
       i.postmortem_due, i.caused_by
from ({INCIDENTS}) i
where i.opened_at < {UNTIL}
  and (i.over_since is null or i.over_since >= {SINCE} or i.postmortem_due >= {SINCE})
""",
    unique=("key",),
    filled=("key",),
)
