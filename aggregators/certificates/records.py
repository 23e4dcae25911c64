"""Certificates, and what each counts as: figures, listing and live view all select from here.

A certificate is one fingerprint, however many hosts serve it. It is in the inventory from its first
sighting (else its notBefore) until every place that served it superseded it, or a renewal did. There it is
in one state at a time, to the second, as ``openssl x509 -checkend``.
"""

from __future__ import annotations

from aggregators.vocabulary.clock import just_before

ONE_EACH = f"""
select fingerprint, max(subject) as subject, max(issuer) as issuer, min(not_before) as not_before,
       max(not_after) as not_after, coalesce(max(names), max(subject)) as names,
       coalesce(max(key_usage), '') as key_usage,
       string_agg(distinct case when host <> '' then host || coalesce(':' || nullif(port, 0), '') end,
                  ', ') as hosts,
       coalesce(min(coalesce(first_seen, not_before)), '-infinity') as born,
       coalesce(case when bool_and(superseded_at is not null) then {just_before("max(superseded_at)")} end,
                'infinity') as gone,
       coalesce({just_before("min(revoked_at)")}, 'infinity') as revoked,
       max(last_seen) filter (where superseded_at is null) as served
from certificate where workspace_id = :w group by fingerprint
"""

APART = """'apart' = coalesce(
    (select m.meaning from word_meaning m
     where m.workspace_id = :w and m.about = 'certificates' and m.word = 'renewals'),
    (select o.meaning from organisation_meaning o
     where o.about = 'certificates' and o.word = 'renewals'),
    'together'
)"""
"""Whether the workspace, or else the organisation, says that certificates of one name are of different
servers and no renewals."""

INVENTORY = f"""
with each_one as ({ONE_EACH})
, renewed as (
    select o.fingerprint, min(greatest(r.not_before, r.born)) as at
    from each_one o join each_one r
      on r.names = o.names and r.key_usage = o.key_usage
     and r.not_before > o.not_before and r.not_before < o.not_after and r.revoked = 'infinity'
     and greatest(r.not_before, r.born) > coalesce(o.served, '-infinity')
    where not {APART}
    group by o.fingerprint
)
select o.fingerprint, o.subject, o.issuer, o.not_before, o.not_after, o.hosts, o.born, o.revoked,
       least(o.gone, coalesce({just_before("renewed.at")}, 'infinity')) as gone
from each_one o left join renewed using (fingerprint)
"""
"""Certificates with when they left the inventory: a renewal, of the same names and key usage, that begins
after one began and before it ends supersedes it once both are known. One that was revoked renews nothing,
and what a host was seen to serve since is still in service."""

STATES = f"""
select c.*, s.state, s.since, s.until
from (
    select *, not_after is null as unreadable, {just_before("not_after")} as expired,
           {just_before("not_after - interval '168 hours'")} as days_7,
           {just_before("not_after - interval '720 hours'")} as days_30,
           {just_before("not_after - interval '2160 hours'")} as days_90
    from ({INVENTORY}) i
) c
cross join lateral (values
    ('revoked', greatest(born, revoked), gone),
    ('unreadable', born, least(revoked, gone)),
    ('expired', greatest(born, expired), least(revoked, gone)),
    ('7', greatest(born, days_7), least(expired, revoked, gone)),
    ('30', greatest(born, days_30), least(days_7, revoked, gone)),
    ('90', greatest(born, days_90), least(days_30, revoked, gone)),
    ('later', born, least(days_90, revoked, gone))
) as s(state, since, until)
where s.since < s.until and (s.state = 'revoked' or unreadable = (s.state = 'unreadable'))
"""
"""A certificate is in a state at every instant after ``since`` up to ``until``; in one that is a number, it
expires within so many days, to the second, and not within fewer."""
