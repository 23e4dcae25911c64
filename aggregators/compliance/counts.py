"""Controls: the last result of each at the end of the day, per framework."""

from __future__ import annotations

from aggregators.compliance.records import RESULTS
from aggregators.vocabulary.clock import day_after

STANDING = f"""
with results as (
    select *, {day_after("assessed_at")} as born, {day_after("replaced_at")} as gone
    from ({RESULTS}) r cross join clock
)
, standing as materialized (
    select framework, control, result, valid_until, lapses_on, born, gone,
           {day_after("lapsed_since")} as lapsed, {day_after("lapsing_since")} as lapsing
    from results cross join clock where born < gone
)
, spans as (
    select framework, what, lower, upper
    from standing cross join lateral (values
        (result, born, gone),
        ('lapsing', greatest(born, lapsing), least(gone, lapsed)),
        ('lapsed', greatest(born, lapsed), gone)
    ) as v(what, lower, upper)
    where lower < upper and (what = result or lapsed is not null)
)
, changes as (
    select framework, n, sum(change) filter (where what not in ('lapsing', 'lapsed'))::int as standing,
           sum(change) filter (where what = 'compliant')::int as compliant,
           sum(change) filter (where what = 'partial')::int as partial,
           sum(change) filter (where what = 'non_compliant')::int as non_compliant,
           sum(change) filter (where what = 'not_assessed')::int as not_assessed,
           sum(change) filter (where what = 'not_applicable')::int as not_applicable,
           sum(change) filter (where what = 'lapsing')::int as lapsing,
           sum(change) filter (where what = 'lapsed')::int as lapsed
    from spans cross join lateral (values (lower, 1), (upper, -1)) as v(n, change)
    group by framework, n
)
, counted as (
    select day, n, f.framework, sum(standing) over so_far as standing,
           coalesce(sum(compliant) over so_far, 0) as compliant,
           coalesce(sum(partial) over so_far, 0) as partial,
           coalesce(sum(non_compliant) over so_far, 0) as non_compliant,
           coalesce(sum(not_assessed) over so_far, 0) as not_assessed,
           coalesce(sum(not_applicable) over so_far, 0) as not_applicable,
           coalesce(sum(lapsing) over so_far, 0) as lapsing_30,
           coalesce(sum(lapsed) over so_far, 0) as lapsed
    from days cross join (select distinct framework from changes) f
    left join changes using (framework, n)
    window so_far as (partition by f.framework order by n)
)
, ranked as (
    select framework, control, lapses_on, born, gone, lapsed,
           row_number() over (order by valid_until, control)::int as place
    from standing where lapsed is not null
)
, next_lapse as (
    select framework, n, min(place) as place
    from ranked cross join lateral generate_series(born, least(gone, lapsed) - 1) as n
    group by framework, n
)
, first_lapsed as (
    select framework, n, min(place) as place
    from ranked cross join lateral generate_series(greatest(born, lapsed), gone - 1) as n
    group by framework, n
)
select c.day, c.framework, c.compliant, c.partial, c.non_compliant, c.not_assessed, c.not_applicable,
       soon.lapses_on - c.day as days_to_lapse, c.lapsing_30, c.lapsed,
       soon.control as lapse_control, gone.control as lapsed_control
from counted c
left join next_lapse using (framework, n) left join first_lapsed using (framework, n)
left join ranked soon on soon.place = next_lapse.place
left join ranked gone on gone.place = first_lapsed.place
where c.standing > 0
"""
"""The control closest to lapse is found by its place among all spans of evidence: the smallest number
of a day. Counting and sorting each day's controls took seven times as long."""

FACTS = (STANDING,)
