"""Objectives: budget over each one's own window, and burn over the day.

The arithmetic is that of the Google SRE workbook, chapter 5; a test compares it with the published one,
in Python. A budget spent to the last event is spent, not overspent: the twelfth digit is arithmetic.
"""

from __future__ import annotations

import pandas as pd

from storage.collect import Days

BURN = """
case when {total} > 0 then
    case when 1 - target > 0 then {bad} / {total} / (1 - target)
         when {bad} = 0 then 0 else 'Infinity' end
end
"""

WINDOWS = f"""
with chosen as (
    select o.key, o.target_percent / 100 as target, o.window_days,
           (select min(e.day) from objective_day e where e.workspace_id = :w and e.key = o.key) as since
    from objective o where o.workspace_id = :w
)
, calendar as (
    select d::date as day
    from (select max(window_days) as longest from chosen) w
    cross join generate_series(cast(:first as timestamp) - w.longest * interval '1 day',
                               cast(:last as timestamp), interval '1 day') d
)
, events as (
    select key, day, total, total - good as bad, burn_1h_max from objective_day
    where workspace_id = :w and day between (select min(day) from calendar) and :last
)
, running as (
    select o.key, o.target, o.window_days, o.since, c.day, e.total, e.bad, e.burn_1h_max,
           coalesce(sum(e.total) over so_far, 0) as total_so_far,
           coalesce(sum(e.bad) over so_far, 0) as bad_so_far
    from chosen o cross join calendar c left join events e using (key, day)
    window so_far as (partition by o.key order by c.day)
)
, windows as (
    select *,
           total_so_far - coalesce(lag(total_so_far, window_days) over by_day, 0) as window_total,
           bad_so_far - coalesce(lag(bad_so_far, window_days) over by_day, 0) as window_bad
    from running window by_day as (partition by key order by day)
)
, burned as (
    select key, day, since is null or since <= day as there, window_days, burn_1h_max,
           {BURN.format(total="total", bad="bad")} as burn,
           round((1 - {BURN.format(total="window_total", bad="window_bad")}) * 1e12) / 1e12
           as remaining
    from windows join days using (day)
)
, states as (
    select *, there and remaining is not null as known,
           case when remaining > 0 and burn > 0 then remaining * (window_days * 86400) / burn end
           as seconds_left
    from burned
)
"""

FOUND = """
select days.day, count(*) filter (where there) as objectives,
       {counts},
       max(burn) as fastest_burn, max(burn_1h_max) as burn_1h, min(seconds_left) as budget_seconds_left,
       min(remaining) as budget_remaining,
       (array_agg(key order by burn desc, key) filter (where burn is not null))[1]
       as fastest_burn_objective,
       (array_agg(key order by burn_1h_max desc, key) filter (where burn_1h_max is not null))[1]
       as burn_1h_objective,
       (array_agg(key order by seconds_left, key) filter (where seconds_left is not null))[1]
       as budget_seconds_left_objective,
       (array_agg(key order by remaining, key) filter (where remaining is not null))[1]
       as budget_remaining_objective
from days left join states using (day) group by days.day
"""
"""Of equal extremes the first objective is named."""

COUNTS = {
    "objectives_with_data": "known",
    "objectives_in_budget": "known and remaining >= 0",
    "objectives_exhausted": "known and remaining < 0",
    "objectives_no_traffic": "there and not known",
}
"""Unknown, not 0, where the workspace has no objective at all."""

FACTS = (
    WINDOWS
    + FOUND.format(
        counts=",\n       ".join(
            f"case when count(key) > 0 then count(*) filter (where {what}) end as {name}"
            for name, what in COUNTS.items()
        )
    ),
)


def collect(days: Days) -> pd.DataFrame:
    """Objectives by state at the end of each day, the fastest burn and the lowest budget."""
    return days.facts(FACTS)
