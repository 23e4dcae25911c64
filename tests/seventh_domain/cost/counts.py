"""Spending by day and cost centre: what was spent and planned, what waits at the end of the day."""

from __future__ import annotations

from aggregators.cost.records import SPENDING

from aggregators.vocabulary.clock import day_after

BY_DAY = f"""
with centres as (
    select cost_centre, min(requested_at) as since from ({SPENDING}) s group by cost_centre
)
, days_spent as (
    select day, cost_centre, sum(amount) as spent, sum(budget) as budget
    from ({SPENDING}) s group by day, cost_centre
)
, waits as (
    select n, cost_centre, count(*) as waiting
    from (
        select cost_centre, {day_after("requested_at")} as born,
               coalesce({day_after("approved_at")}, clock.length + 1) as gone
        from ({SPENDING}) s cross join clock
    ) spans cross join lateral generate_series(born, gone - 1) as n
    group by n, cost_centre
)
select days.day, c.cost_centre, coalesce(d.spent, 0) as spent, coalesce(d.budget, 0) as budget,
       coalesce(w.waiting, 0) as waiting
from days join centres c on c.since < days.until
left join days_spent d on d.day = days.day and d.cost_centre = c.cost_centre
left join waits w on w.n = days.n and w.cost_centre = c.cost_centre
"""

FACTS = (BY_DAY,)
DURATIONS = {
    "approval_time": f"""
select (approved_at at time zone :zone)::date as day, cost_centre, seconds
from ({SPENDING}) s cross join edge
where approved_at >= edge.since and approved_at < edge.until
"""
}
