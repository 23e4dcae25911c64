"""Spending as the workspace's page lists it."""

from __future__ import annotations

from aggregators.cost.records import SPENDING

from aggregators.records.listing import ListingQuery
from aggregators.vocabulary.clock import SINCE, UNTIL

QUERY = ListingQuery(
    f"""
select s.requested_at, s.key, s.cost_centre, s.amount, s.budget, s.seconds as approval_time,
       case when s.approved_at < {UNTIL} then 'approved' else 'waiting' end as state
from ({SPENDING}) s where s.requested_at >= {SINCE} and s.requested_at < {UNTIL}
""",
    unique=("key",),
    links={"state": "state = :link_state"},
)
