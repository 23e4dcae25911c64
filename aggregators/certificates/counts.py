"""Certificates in exclusive buckets by the instant the day ends."""

from __future__ import annotations

from aggregators.certificates.records import ONE_EACH, STATES
from aggregators.vocabulary.clock import day_after, day_at_or_after

BUCKETS = f"""
with spans as (
    select state, {day_after("since")} as lower, {day_after("until")} as upper
    from ({STATES}) s cross join clock
)
, changes as (
    select n, sum(change) filter (where state = 'revoked')::int as revoked,
           sum(change) filter (where state = 'unreadable')::int as unreadable,
           sum(change) filter (where state = 'expired')::int as expired,
           sum(change) filter (where state = '7')::int as days_7,
           sum(change) filter (where state = '30')::int as days_30,
           sum(change) filter (where state = '90')::int as days_90,
           sum(change) filter (where state = 'later')::int as later
    from spans cross join lateral (values (lower, 1), (upper, -1)) as v(n, change) group by n
)
, first as (select min(born) as at from ({ONE_EACH}) c)
select day, coalesce((first.at < days.until)::int, 0) as certificates_tracked,
       coalesce(sum(revoked) over so_far, 0) as cert_revoked,
       coalesce(sum(unreadable) over so_far, 0) as cert_unreadable,
       coalesce(sum(expired) over so_far, 0) as cert_expired,
       coalesce(sum(days_7) over so_far, 0) as cert_7,
       coalesce(sum(days_30) over so_far, 0) as cert_30,
       coalesce(sum(days_90) over so_far, 0) as cert_90,
       coalesce(sum(later) over so_far, 0) as cert_later
from days cross join first left join changes using (n) window so_far as (order by n)
"""

FACTS = (BUCKETS,)

COUNTERS = {
    "monitored_host_count": f"""
select lower(days) as born, upper(days) as gone
from (
    select unnest(range_agg(int4range(born, gone))) as days
    from (
        select host, coalesce({day_after("first_seen")}, 1) as born,
               coalesce({day_at_or_after("superseded_at")}, clock.length + 1) as gone
        from certificate cross join clock where workspace_id = :w and host <> ''
    ) seen where born < gone group by host
) merged
"""
}
"""Hosts that serve a certificate; one counts once, however many it serves at a time."""
