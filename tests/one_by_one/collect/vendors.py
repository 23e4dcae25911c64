"""Tier-1 vendors and their reviews at the end of the day."""

from __future__ import annotations

import pandas as pd

from tests.one_by_one.collect import Days

REVIEWS = """
, reviews as (
    select r.vendor, r.completed_on,
           coalesce(r.next_due_on, r.completed_on + (cast(:cadence as int[]))[v.tier]) as due_on,
           lead(r.completed_on) over (partition by r.vendor order by r.completed_on) as next_on
    from vendor_review r
    join vendor v on v.workspace_id = :w and v.key = r.vendor
    where r.workspace_id = :w
)
, standing as (
    select days.day, v.name, v.tier = 1 and v.status = 'active' as critical, r.due_on,
           r.vendor is null as never,
           r.vendor is null or r.due_on < days.day as out
    from days
    join vendor v on v.workspace_id = :w and (v.added_on is null or v.added_on <= days.day)
    left join reviews r on r.vendor = v.key and r.completed_on <= days.day
                       and (r.next_on is null or r.next_on > days.day)
)
select day, 1 as vendors_tracked,
       count(*) filter (where critical) as tier1_active,
       count(*) filter (where critical and not out) as tier1_in_review,
       count(*) filter (where critical and out) as tier1_out_of_review,
       count(*) filter (where critical and never) as tier1_never_reviewed,
       count(*) filter (where critical and not out and due_on <= day + 30) as tier1_due_30,
       max(day - due_on) filter (where critical and out) as longest_overdue_days,
       min(due_on - day) filter (where critical and not out) as next_review_days,
       (array_agg(name order by due_on, name) filter (where critical and out and due_on is not null))[1]
       as longest_overdue_vendor,
       (array_agg(name order by due_on, name) filter (where critical and not out))[1]
       as next_review_vendor
from standing group by day
"""


def collect(days: Days) -> pd.DataFrame:
    """Tier-1 vendors by state of review."""
    return days.by_day(REVIEWS, cadence=list(days.review_days))
