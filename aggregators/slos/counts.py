"""Objectives: budget over each one's own window, and burn over the day."""

from __future__ import annotations

from aggregators.slos.records import OBJECTIVES

COUNTS = {
    "objectives_with_data": "state in ('in budget', 'exhausted')",
    "objectives_in_budget": "state = 'in budget'",
    "objectives_exhausted": "state = 'exhausted'",
    "objectives_no_traffic": "state = 'no traffic'",
}
"""Unknown, not 0, where the workspace has no objective at all."""

COUNTED = ",\n       ".join(
    f"case when count(key) > 0 then count(*) filter (where {condition}) end as {name}"
    for name, condition in COUNTS.items()
)

STATES = f"""
select days.day, count(*) filter (where there) as objectives,
       {COUNTED},
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
from days left join ({OBJECTIVES}) o using (day) group by days.day
"""
"""Of equal extremes the first objective is named."""

FACTS = (STATES,)
