"""Tier-1 vendors and their reviews at the end of the day."""

from __future__ import annotations

from aggregators.vendors.records import VENDORS

REVIEWS = f"""
with known as (
    select min(coalesce(added_on, '-infinity')) as since from vendor where workspace_id = :w
)
, standing as (
    select *, review in ('never reviewed', 'overdue') as out from ({VENDORS}) v where counts
)
select days.day, 1 as vendors_tracked, count(key) as tier1_active,
       count(key) filter (where not out) as tier1_in_review,
       count(key) filter (where out) as tier1_out_of_review,
       count(key) filter (where review = 'never reviewed') as tier1_never_reviewed,
       count(key) filter (where review = 'due within 30 days') as tier1_due_30,
       max(days.day - due_on) filter (where out) as longest_overdue_days,
       min(due_on - days.day) filter (where not out) as next_review_days,
       (array_agg(name order by due_on, name) filter (where out and due_on is not null))[1]
       as longest_overdue_vendor,
       (array_agg(name order by due_on, name) filter (where not out))[1] as next_review_vendor
from days join known on known.since <= days.day left join standing using (day) group by days.day
"""

FACTS = (REVIEWS,)
