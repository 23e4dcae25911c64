"""Certificates in exclusive buckets by the instant the day ends, as ``openssl x509 -checkend``.

A certificate is one fingerprint, however many hosts serve it. It is in the inventory from its
first sighting (else its notBefore) until every place that served it superseded it.
"""

from __future__ import annotations

import pandas as pd

from storage.collect import Days, after, reached

BUCKETS = f"""
with inventory as (
    select max(not_after) as not_after, min(revoked_at) as revoked_at,
           min(coalesce(first_seen, not_before)) as since,
           case when bool_and(superseded_at is not null) then max(superseded_at) end as superseded_at
    from certificate where workspace_id = :w group by fingerprint
)
, marks as (
    select coalesce({after("since")}, 1) as born, not_after is null as unreadable,
           coalesce({reached("superseded_at")}, clock.length + 1) as gone,
           coalesce({reached("revoked_at")}, clock.length + 1) as revoked,
           {reached("not_after")} as expired,
           {reached("not_after - interval '168 hours'")} as days_7,
           {reached("not_after - interval '720 hours'")} as days_30,
           {reached("not_after - interval '2160 hours'")} as days_90
    from inventory cross join clock
)
, spans as (
    select bucket, lower, upper
    from marks cross join lateral (values
        ('revoked', greatest(born, revoked), gone),
        ('unreadable', born, least(revoked, gone)),
        ('expired', greatest(born, expired), least(revoked, gone)),
        ('7', greatest(born, days_7), least(expired, revoked, gone)),
        ('30', greatest(born, days_30), least(days_7, revoked, gone)),
        ('90', greatest(born, days_90), least(days_30, revoked, gone)),
        ('later', born, least(days_90, revoked, gone))
    ) as v(bucket, lower, upper)
    where lower < upper and (bucket = 'revoked' or unreadable = (bucket = 'unreadable'))
)
, changes as (
    select n, sum(change) filter (where bucket = 'revoked')::int as revoked,
           sum(change) filter (where bucket = 'unreadable')::int as unreadable,
           sum(change) filter (where bucket = 'expired')::int as expired,
           sum(change) filter (where bucket = '7')::int as days_7,
           sum(change) filter (where bucket = '30')::int as days_30,
           sum(change) filter (where bucket = '90')::int as days_90,
           sum(change) filter (where bucket = 'later')::int as later
    from spans cross join lateral (values (lower, 1), (upper, -1)) as v(n, change) group by n
)
select day, coalesce((n >= (select min(born) from marks))::int, 0) as certificates_tracked,
       coalesce(sum(revoked) over so_far, 0) as cert_revoked,
       coalesce(sum(unreadable) over so_far, 0) as cert_unreadable,
       coalesce(sum(expired) over so_far, 0) as cert_expired,
       coalesce(sum(days_7) over so_far, 0) as cert_7,
       coalesce(sum(days_30) over so_far, 0) as cert_30,
       coalesce(sum(days_90) over so_far, 0) as cert_90,
       coalesce(sum(later) over so_far, 0) as cert_later
from days left join changes using (n) window so_far as (order by n)
"""

FACTS = (BUCKETS,)


def collect(days: Days) -> pd.DataFrame:
    """Certificates per bucket at the end of each day."""
    return days.facts(FACTS)
