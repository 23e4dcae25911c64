"""Deployments as the workspace's page lists them."""

from __future__ import annotations

from aggregators.dora.records import DEPLOYMENTS, lead_times
from aggregators.records.listing import ListingQuery, yes_no
from aggregators.vocabulary.clock import SINCE, UNTIL

SNAPSHOT = """exists (
    select 1 from workspace_usage_snapshot s where s.workspace_id = :w and s.snapshot_date = listed.day
)"""

QUERY = ListingQuery(
    f"""
select listed.completed_at, listed.key, listed.service, listed.outcome, {yes_no("listed.failed")} as failed,
       (select count(*) from incident i where i.workspace_id = :w
        and i.caused_by = listed.key and i.left_out is null)
       + (select count(*) from deployment p join incident i on i.workspace_id = :w and i.caused_by = p.key
          where p.workspace_id = :w and p.part_of = listed.key and i.left_out is null)
       as incidents,
       listed.created_at,
       t.changes, t.lead_time,
       {yes_no(SNAPSHOT)} as counted
from ({DEPLOYMENTS}) listed
cross join lateral (
    select count(*) as changes, percentile_cont(0.5) within group (order by seconds) as lead_time
    from ({lead_times("d.key = listed.key")}) l
) t
where listed.completed_at >= {SINCE} and listed.completed_at < {UNTIL}
""",
    unique=("key",),
    links={"failed": "failed = :link_failed"},
    filled=("completed_at", "key"),
)
