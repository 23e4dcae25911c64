"""Objectives as the workspace's page lists them: as they stand at the end of the period."""

from __future__ import annotations

from aggregators.records.listing import ListingQuery
from aggregators.slos.records import OBJECTIVES

QUERY = ListingQuery(
    f"""
select o.key, o.name, o.type, o.target, o.window_days, o.state, o.remaining, o.burn, l.burn_limit,
       o.burn_1h, l.burn_1h_limit, o.burn_6h, l.burn_6h_limit,
       case when o.burn_1h > l.burn_1h_limit then 'page: over 1 h'
            when o.burn_6h > l.burn_6h_limit then 'page: over 6 h'
            when o.burn > l.burn_limit then 'ticket: spends too fast' else 'no' end as alert,
       o.good, o.total
from (
    select key, name, type, target, window_days, state, nullif(remaining, '-Infinity') as remaining,
           nullif(burn, 'Infinity') as burn, burn_1h_max as burn_1h, burn_6h_max as burn_6h,
           window_good as good, nullif(window_total, 0) as total
    from ({OBJECTIVES}) o where there
) o
cross join lateral (
    select 1.0::float8 * o.window_days / 30 as burn_limit,
           14.4::float8 * o.window_days / 30 as burn_1h_limit,
           6.0::float8 * o.window_days / 30 as burn_6h_limit
) l
""",
    unique=("key",),
)
"""Limits are those of the SRE workbook for 30 days, scaled to the window. A budget of nothing is overspent
without a number."""
