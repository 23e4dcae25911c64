"""Controls as the workspace's page lists them: as they stand at the end of the period."""

from __future__ import annotations

from aggregators.compliance.records import ASSET_RESULTS, RESULTS
from aggregators.records.listing import ListingQuery
from aggregators.vocabulary.clock import UNTIL

NAMED = 100
"""Assets that a control's row names; all are counted."""

NAMES = f"""
select framework, control, result,
       string_agg(asset, ', ' order by asset) filter (where n <= {NAMED})
       || case when count(*) > {NAMED} then ' and ' || count(*) - {NAMED} || ' more' else '' end as names
from (
    select framework, control, result, asset,
           row_number() over (partition by framework, control, result order by asset) as n
    from ({ASSET_RESULTS}) a
    where asset <> '' and assessed_at < {UNTIL} and replaced_at >= {UNTIL}
) a
where exists (select from control_result c where c.workspace_id = :w and c.asset <> '')
group by framework, control, result
"""
"""Names of the assets of each control, by result."""

QUERY = ListingQuery(
    f"""
select framework, control,
       coalesce((select s.title from framework_control s where s.workspace_id = :w
                 and s.framework = r.framework and s.control = r.control), '') as title,
       result, r.last_assessed_at as assessed_at, r.valid_until,
       nullif(r.assets, 0) as assets, case when r.assets > 0 then r.assets_like_it end as assets_like_it,
       n.names as asset_names,
       case when r.lapsed_since >= {UNTIL} then r.lapses_on - cast(:last as date) end as days_to_lapse,
       case when r.result <> 'compliant' then ''
            when r.lapsed_since < {UNTIL} then 'lapsed'
            when r.lapsing_since < {UNTIL} then 'lapses within 30 days'
            else 'valid' end as evidence
from ({RESULTS}) r left join ({NAMES}) n using (framework, control, result)
where r.assessed_at < {UNTIL} and r.replaced_at >= {UNTIL}
""",
    unique=("framework", "control"),
    links={
        "framework": "framework = cast(:link_framework as text)",
        "result": "(result = :link_result or :link_result = 'failing'"
        " and result in ('non_compliant', 'partial', 'not_assessed'))",
    },
)
