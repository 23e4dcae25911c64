"""Vigilo's own counters of a workspace's use, where this installation has their source."""

from __future__ import annotations

import pandas as pd

from tests.one_by_one.collect import Days

COUNTERS = """
select days.day,
       (select count(*) from membership m where m.workspace_id = :w and m.granted_at < days.until
        and (m.revoked_at is null or m.revoked_at >= days.until)) as member_count,
       (select count(*) from deployment d where d.workspace_id = :w
        and d.completed_at < days.until and d.completed_at >= days.until - interval '1 day')
       as change_count_24h,
       (select count(*) from incident i where i.workspace_id = :w
        and i.opened_at < days.until and i.opened_at >= days.until - interval '1 day')
       as incident_count_24h,
       (select count(distinct c.host) from certificate c where c.workspace_id = :w and c.host <> ''
        and (c.first_seen is null or c.first_seen < days.until)
        and (c.superseded_at is null or c.superseded_at > days.until)) as monitored_host_count
from days
"""


def collect(days: Days) -> pd.DataFrame:
    """Members, changes, incidents and hosts."""
    return days.by_day(COUNTERS)
