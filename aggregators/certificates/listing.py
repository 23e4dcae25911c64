"""Certificates in service as the workspace's page lists them: as they stand at the end of the period."""

from __future__ import annotations

from aggregators.certificates.records import STATES
from aggregators.records.listing import ListingQuery
from aggregators.vocabulary.clock import UNTIL

QUERY = ListingQuery(
    f"""
select c.subject, c.hosts, c.issuer, c.not_before, c.not_after,
       case when c.not_after > {UNTIL}
            then extract(epoch from c.not_after - {UNTIL})::float8 end as time_left,
       case when c.state in ('7', '30', '90') then 'expiring' when c.state = 'later' then 'valid'
            else c.state end as status,
       c.fingerprint
from ({STATES}) c
where c.since < {UNTIL} and c.until >= {UNTIL}
""",
    unique=("fingerprint",),
    links={
        "status": "status = :link_status",
        "within": "time_left <= 86400 * :link_within",
    },
)
