"""Vigilo's own counters of a workspace's use, where this installation has their source."""

from __future__ import annotations

from storage.collect import after, reached

COUNTED = """
, changes as (
    select n, sum(change)::int as change
    from spans cross join lateral (values (born, 1), (gone, -1)) as v(n, change)
    where born < gone group by n
)
select days.day, coalesce(sum(change) over (order by n), 0) as {counter}
from days left join changes using (n)
"""
"""How many spans hold each day."""

MEMBERS = f"""
with spans as (
    select {after("granted_at")} as born, coalesce({after("revoked_at")}, clock.length + 1) as gone
    from membership cross join clock where workspace_id = :w
)
"""

CHANGES = f"""
with spans as (
    select {after("completed_at")} as born, {after("completed_at + interval '24 hours'")} as gone
    from deployment cross join clock cross join edge
    where workspace_id = :w
      and completed_at >= edge.since - interval '1 day' and completed_at < edge.until
)
"""

INCIDENTS = f"""
with spans as (
    select {after("opened_at")} as born, {after("opened_at + interval '24 hours'")} as gone
    from incident cross join clock where workspace_id = :w
)
"""

HOSTS = f"""
with seen as (
    select host, coalesce({after("first_seen")}, 1) as born,
           coalesce({reached("superseded_at")}, clock.length + 1) as gone
    from certificate cross join clock where workspace_id = :w and host <> ''
)
, spans as (
    select lower(days) as born, upper(days) as gone
    from (
        select unnest(range_agg(int4range(born, gone))) as days
        from seen where born < gone group by host
    ) merged
)
"""
"""A host counts once, however many certificates it serves at a time."""

WITHOUT_SOURCE = """
select day, null::bigint as api_call_count_24h, null::bigint as storage_bytes,
       null::bigint as audit_event_count_24h
from days
"""

FACTS = (
    MEMBERS + COUNTED.format(counter="member_count"),
    CHANGES + COUNTED.format(counter="change_count_24h"),
    INCIDENTS + COUNTED.format(counter="incident_count_24h"),
    HOSTS + COUNTED.format(counter="monitored_host_count"),
    WITHOUT_SOURCE,
)
