"""Vendors, and what each counts as: figures, listing and live view all select from here."""

from __future__ import annotations

REVIEWS = """
select r.vendor, r.completed_on, r.next_due_on,
       lead(r.completed_on) over (partition by r.vendor order by r.completed_on) as next_on
from vendor_review r
where r.workspace_id = :w
"""
"""Reviews, when the next one is due after each where the review says so, and when it was made."""

DUE_ON = """coalesce(r.next_due_on, r.completed_on + (cast(:cadence as int[]))[
    4 * width_bucket(days.day, cast(:cadence_since as date[])) + v.tier])"""
"""SQL of the day on which the next review of a vendor is due, as it stands on a day: by the cadence of that
day for the vendor's tier where the review does not say."""

VENDORS = f"""
select days.day, v.key, v.name, v.tier, v.status, v.tier = 1 and v.status = 'active' as counts,
       r.completed_on as reviewed_on, due.due_on,
       case when r.vendor is null then 'never reviewed'
            when due.due_on < days.day then 'overdue'
            when due.due_on <= days.day + 30 then 'due within 30 days'
            else 'in review' end as review
from days
join vendor v on v.workspace_id = :w and coalesce(v.added_on, '-infinity') <= days.day
left join ({REVIEWS}) r on r.vendor = v.key and r.completed_on <= days.day
                       and (r.next_on is null or r.next_on > days.day)
cross join lateral (select {DUE_ON} as due_on) due
"""
"""Vendors known on each of the ``days``, with their last review by then and how it stands. Those never
reviewed and those overdue are out of review; active ones of tier 1 count."""
