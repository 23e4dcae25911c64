"""Tier-1 vendors and their reviews at the end of the day."""

from __future__ import annotations

import pandas as pd

from storage.collect import Days

REVIEWS = """
with known as (
    select min(coalesce(added_on, '-infinity')) as since from vendor where workspace_id = :w
)
, critical as (
    select key, name, coalesce(added_on, '-infinity') as added_on
    from vendor where workspace_id = :w and tier = 1 and status = 'active'
)
, reviews as (
    select r.vendor, r.completed_on,
           coalesce(r.next_due_on, r.completed_on + (cast(:cadence as int[]))[1]) as due_on,
           lead(r.completed_on) over (partition by r.vendor order by r.completed_on) as next_on
    from vendor_review r join critical v on v.key = r.vendor
    where r.workspace_id = :w
)
, standing as (
    select days.day, v.key, v.name, r.due_on, r.vendor is null as never,
           r.vendor is null or r.due_on < days.day as out
    from days join critical v on v.added_on <= days.day
    left join reviews r on r.vendor = v.key and r.completed_on <= days.day
                       and (r.next_on is null or r.next_on > days.day)
)
select days.day, 1 as vendors_tracked, count(key) as tier1_active,
       count(key) filter (where not out) as tier1_in_review,
       count(key) filter (where out) as tier1_out_of_review,
       count(key) filter (where never) as tier1_never_reviewed,
       count(key) filter (where not out and due_on <= days.day + 30) as tier1_due_30,
       max(days.day - due_on) filter (where out) as longest_overdue_days,
       min(due_on - days.day) filter (where not out) as next_review_days,
       (array_agg(name order by due_on, name) filter (where out and due_on is not null))[1]
       as longest_overdue_vendor,
       (array_agg(name order by due_on, name) filter (where not out))[1] as next_review_vendor
from days join known on known.since <= days.day left join standing using (day) group by days.day
"""

FACTS = (REVIEWS,)


def collect(days: Days) -> pd.DataFrame:
    """Tier-1 vendors by state of review."""
    return days.facts(FACTS)
