"""Vendors as the workspace's page lists them: as they stand on the last day of the period."""

from __future__ import annotations

from aggregators.records.listing import ListingQuery, yes_no
from aggregators.vendors.records import VENDORS

QUERY = ListingQuery(
    f"""
select v.name, v.key, v.tier, v.status, v.reviewed_on, v.due_on, v.review,
       case when v.review = 'overdue' then v.day - v.due_on end as days_overdue,
       {yes_no("v.counts")} as counts
from ({VENDORS}) v
""",
    unique=("key",),
    links={"review": "review = :link_review"},
)
