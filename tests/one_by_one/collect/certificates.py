"""Certificates in exclusive buckets by the instant the day ends, as ``openssl x509 -checkend``.

A certificate is one fingerprint, however many hosts serve it. It is in the inventory from its
first sighting (else its notBefore) until every place that served it superseded it.
"""

from __future__ import annotations

import pandas as pd

from tests.one_by_one.collect import Days

BUCKETS = """
, inventory as (
    select fingerprint, max(not_after) as not_after, min(revoked_at) as revoked_at,
           min(coalesce(first_seen, not_before)) as since,
           case when bool_and(superseded_at is not null) then max(superseded_at) end as superseded_at
    from certificate where workspace_id = :w group by fingerprint
)
, placed as (
    select days.day,
           case when c.superseded_at <= days.until then 'superseded'
                when c.revoked_at <= days.until then 'revoked'
                when c.not_after is null then 'unreadable'
                when c.not_after <= days.until then 'expired'
                when c.not_after <= days.until + interval '168 hours' then '7'
                when c.not_after <= days.until + interval '720 hours' then '30'
                when c.not_after <= days.until + interval '2160 hours' then '90'
                else 'later' end as bucket
    from days join inventory c on c.since is null or c.since < days.until
)
select day, 1 as certificates_tracked,
       count(*) filter (where bucket = 'revoked') as cert_revoked,
       count(*) filter (where bucket = 'unreadable') as cert_unreadable,
       count(*) filter (where bucket = 'expired') as cert_expired,
       count(*) filter (where bucket = '7') as cert_7,
       count(*) filter (where bucket = '30') as cert_30,
       count(*) filter (where bucket = '90') as cert_90,
       count(*) filter (where bucket = 'later') as cert_later
from placed group by day
"""


def collect(days: Days) -> pd.DataFrame:
    """Certificates per bucket at the end of each day."""
    return days.flows(BUCKETS)
