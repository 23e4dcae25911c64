"""Controls: the last result of each at the end of the day, per framework."""

from __future__ import annotations

import pandas as pd

from tests.one_by_one.collect import Days

STANDING = """
, spans as (
    select framework, control, result, valid_until, assessed_at,
           lead(assessed_at) over (partition by framework, control order by assessed_at) as next_at
    from control_result where workspace_id = :w
)
, standing as (
    select days.day, days.until, s.framework, s.control, s.result, s.valid_until,
           s.result = 'compliant' and s.valid_until > days.until as running,
           s.result = 'compliant' and s.valid_until <= days.until as out
    from days join spans s
      on s.assessed_at < days.until and (s.next_at is null or s.next_at >= days.until)
)
select day, framework,
       count(*) filter (where result = 'compliant') as compliant,
       count(*) filter (where result = 'partial') as partial,
       count(*) filter (where result = 'non_compliant') as non_compliant,
       count(*) filter (where result = 'not_assessed') as not_assessed,
       count(*) filter (where result = 'not_applicable') as not_applicable,
       min((valid_until at time zone :zone)::date - day) filter (where running) as days_to_lapse,
       count(*) filter (where running and valid_until <= until + interval '720 hours') as lapsing_30,
       count(*) filter (where out) as lapsed,
       (array_agg(control order by valid_until, control) filter (where running))[1] as lapse_control,
       (array_agg(control order by valid_until, control) filter (where out))[1] as lapsed_control
from standing group by day, framework
"""


def collect(days: Days) -> pd.DataFrame:
    """One row per day and framework that has any result: columns day, framework, facts, labels."""
    return days.query(STANDING)
