"""Results of controls, and what each counts as: figures, listing and live view all select from here.

A result belongs to a control of an asset: a host, an account, a project, a component. The control's result
in the workspace is the worst of its assets' latest ones; of a control without assets it is the latest.
"""

from __future__ import annotations

from aggregators.compliance.fold import WORST_FIRST
from aggregators.vocabulary.clock import just_before

ASSET_RESULTS = """
select framework, control, asset, result, assessed_at, valid_until,
       least(next_at, retired_at,
             case when asset <> '' then max(seen_until) over (partition by asset, stay) end) as replaced_at
from (
    select s.*, count(*) filter (where returns) over by_sight as stay
    from (
        select c.*, coalesce(assessed_at > max(seen_until) over (
                   by_sight rows between unbounded preceding and 1 preceding), false) as returns
        from (
            select o.*, greatest(
                assessed_at + interval '24 hours' * (cast(:unseen as int[]))[1 + width_bucket(
                    (assessed_at at time zone :zone)::date, cast(:unseen_since as date[]))],
                case when result = 'compliant' and valid_until is not null
                     then least(valid_until, next_at, retired_at) end) as seen_until
            from (
                select r.framework, r.control, r.asset, r.result, r.assessed_at, r.valid_until,
                       t.retired_at, lead(r.assessed_at, 1, 'infinity') over (
                           partition by r.framework, r.control, r.asset order by r.assessed_at) as next_at
                from control_result r
                left join lateral (
                    select least((
                        select min(a.retired_at) from asset_retirement a
                        where a.workspace_id = :w and a.asset = r.asset and a.framework in ('', r.framework)
                          and a.retired_at > r.assessed_at
                    ), (
                        select min(a.retired_at) from asset_absence a
                        where a.workspace_id = :w and a.asset = r.asset and a.framework = r.framework
                          and a.retired_at > r.assessed_at
                    )) as retired_at
                ) t on r.asset <> ''
                where r.workspace_id = :w
            ) o
        ) c
        window by_sight as (partition by asset order by assessed_at, framework, control)
    ) s
    window by_sight as (partition by asset order by assessed_at, framework, control)
) l
"""
"""A result of a control of an asset stands at every instant after ``assessed_at`` up to ``replaced_at``:
until the next one, or until its asset left. An asset is there for the ``:unseen`` days after any result of
it that held on the day of that result, and while evidence of it that stands holds; a ``stay`` ends for all
of its results."""

WORST = " ".join(f"when sum({result}) over so_far > 0 then '{result}'" for result in WORST_FIRST)
STEPS = ", ".join(
    f"coalesce(sum(step) filter (where result = '{result}'), 0) as {result},"
    f" coalesce(sum(step) filter (where result = '{result}' and asset <> ''), 0) as assets_{result}"
    for result in WORST_FIRST
)
LIKE_IT = " ".join(
    f"when sum({result}) over so_far > 0 then sum(assets_{result}) over so_far"
    for result in WORST_FIRST
)

OVER_ASSETS = f"""
with each as materialized ({ASSET_RESULTS})
, steps as (
    select framework, control, at, {STEPS},
           sum(step) filter (where asset <> '') as assets,
           max(at) filter (where step > 0) as assessed_at
    from each cross join lateral (values (assessed_at, 1), (replaced_at, -1)) as v(at, step)
    group by framework, control, at
)
, worst as (
    select framework, control, at as since, lead(at, 1, 'infinity') over so_far as replaced_at,
           case {WORST} else 'not_assessed' end as result,
           coalesce(sum(assets) over so_far, 0) as assets, case {LIKE_IT} else 0 end as assets_like_it,
           max(assessed_at) over so_far as last_assessed_at
    from steps window so_far as (partition by framework, control order by at)
)
, evidence as (
    select framework, control, since, min(e.valid_until) as valid_until
    from (select * from worst where result = 'compliant') w full join (
        select * from each where result = 'compliant' and valid_until is not null
    ) e using (framework, control)
    where coalesce(e.assessed_at <= w.since and e.replaced_at > w.since, false)
    group by framework, control, since
)
select framework, control, w.result, since as assessed_at, w.replaced_at, e.valid_until,
       w.assets::int as assets, w.assets_like_it::int as assets_like_it, w.last_assessed_at
from worst w left join evidence e using (framework, control, since)
where since < 'infinity'
"""
"""The worst over the assets, from each instant at which it may change; the evidence of one that passes ends
with the first of its assets' to end. The planner does not know how much evidence there is; a full join, of
which no row without its counterpart is left, can not become a loop over all of it for each instant."""

CONTROLS = f"""
select framework, control, result, assessed_at,
       lead(assessed_at, 1, 'infinity') over (
           partition by framework, control order by assessed_at) as replaced_at,
       valid_until, 0 as assets, 0 as assets_like_it, assessed_at as last_assessed_at
from control_result
where workspace_id = :w and not exists (
    select from control_result a where a.workspace_id = :w and a.asset <> '')
union all
select framework, control, result, assessed_at, replaced_at, valid_until, assets, assets_like_it,
       last_assessed_at
from ({OVER_ASSETS}) o
where exists (select from control_result a where a.workspace_id = :w and a.asset <> '')
union all
select s.framework, s.control, 'not_assessed', s.set_up_at, coalesce(t.told_at, 'infinity'), null, 0, 0,
       s.set_up_at
from framework_control s
left join lateral (
    select min(r.assessed_at) as told_at from control_result r
    where r.workspace_id = :w and r.framework = s.framework and r.control = s.control
) t on true
where s.workspace_id = :w and coalesce(t.told_at, 'infinity') > s.set_up_at
"""
"""Results of the controls, in a quarter of the time where no asset has ever been told of. A control
that was set up stands as not assessed until the first result."""

RESULTS = f"""
select framework, control, result, assessed_at, replaced_at, valid_until, assets, assets_like_it,
       last_assessed_at,
       case when result = 'compliant' then {just_before("valid_until")} end as lapsed_since,
       case when result = 'compliant' then {just_before("valid_until - interval '720 hours'")} end
       as lapsing_since,
       case when result = 'compliant' then (valid_until at time zone :zone)::date end as lapses_on
from ({CONTROLS}) c
"""
"""A result stands at every instant after ``assessed_at`` up to ``replaced_at``. Of one that passes, the
evidence lapses within 30 days after ``lapsing_since`` and has lapsed after ``lapsed_since``; null where it
has no end."""
