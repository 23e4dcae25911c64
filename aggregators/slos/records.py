"""Objectives, and what each counts as: figures, listing and live view all select from here.

The arithmetic is that of the Google SRE workbook, chapter 5; a test compares it with the published one,
in Python. A budget spent to the last event is spent, not overspent: the twelfth digit is arithmetic.
"""

from __future__ import annotations

BURN = """
case when {total} > 0 then
    case when 1 - target > 0 then {bad} / {total} / (1 - target)
         when {bad} = 0 then 0 else 'Infinity' end
end
"""

DAYS = """
case when o.calendar is null then o.rolling_days
     else (date_trunc(o.calendar, {day}) + case o.calendar when 'quarter' then interval '3 months'
           else ('1 ' || o.calendar)::interval end)::date - date_trunc(o.calendar, {day})::date end
"""
"""Days of an objective's window on a day: of a calendar one, those of the week, month, quarter or year."""

OBJECTIVES = f"""
with chosen as (
    select o.key, o.name, o.type, o.target_percent / 100 as target, o.calendar,
           case when o.calendar is null then o.window_days else 366 end as longest,
           o.window_days as rolling_days,
           (select min(e.day) from objective_day e where e.workspace_id = :w and e.key = o.key) as since
    from objective o where o.workspace_id = :w
)
, calendar as (
    select d::date as day
    from (select max(longest) * interval '1 day' as longest from chosen) w
    cross join (select min(day) as first, max(day)::timestamp as last from days) r
    cross join generate_series(r.first - w.longest, r.last, interval '1 day') d
)
, events as (
    select key, day, total, good, total - good as bad, burn_1h_max, burn_6h_max from objective_day
    where workspace_id = :w
      and day between (select min(day) from calendar) and (select max(day) from days)
)
, running as (
    select o.*, c.day, {DAYS.format(day="c.day")} as window_days,
           case when o.calendar is null then o.rolling_days
                else c.day - date_trunc(o.calendar, c.day)::date + 1 end as days_so_far, e.total, e.bad,
                e.burn_1h_max, e.burn_6h_max,
           coalesce(sum(e.total) over so_far, 0) as total_so_far,
           sum(e.good) over so_far as good_so_far,
           coalesce(sum(e.bad) over so_far, 0) as bad_so_far
    from chosen o cross join calendar c left join events e using (key, day)
    window so_far as (partition by o.key order by c.day)
)
, windows as (
    select *,
           total_so_far - coalesce(lag(total_so_far, days_so_far) over by_day, 0) as window_total,
           good_so_far - coalesce(lag(good_so_far, days_so_far) over by_day, 0) as window_good,
           bad_so_far - coalesce(lag(bad_so_far, days_so_far) over by_day, 0) as window_bad
    from running window by_day as (partition by key order by day)
)
, burned as (
    select windows.*, since is null or since <= day as there,
           {BURN.format(total="total", bad="bad")} as burn,
           round((1 - {BURN.format(total="window_total", bad="window_bad")}) * 1e12) / 1e12
           as remaining
    from windows join days using (day)
)
select *,
       case when not there then null when remaining is null then 'no traffic'
            when remaining >= 0 then 'in budget' else 'exhausted' end as state,
       case when remaining > 0 and burn > 0 then remaining * (window_days * 86400) / burn end
       as seconds_left
from burned
"""
"""Objectives on each of the ``days``: events and budget of the window that ends with it, burn of the day
itself, and how it stands; ``there`` from its first day with events on, without any from the beginning.

A calendar window's budget begins anew on its first day. Running sums over a calendar cost one pass
however long the windows are; a sum per day and window took minutes for a year."""
