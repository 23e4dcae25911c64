"""Incidents, and what each counts as: figures, listing and live view all select from here.

When one that was reopened is resolved is decided before, in ``fold.py``.
"""

from __future__ import annotations

INCIDENTS = """
select i.key, i.title, i.severity, i.opened_at, i.acknowledged_at, i.resolved_at, i.caused_by,
       coalesce(i.resolved_at, case when i.is_over then i.opened_at end) as over_since,
       extract(epoch from i.acknowledged_at - i.opened_at)::float8 as seconds_to_acknowledge,
       extract(epoch from i.resolved_at - i.opened_at)::float8 as seconds_to_resolve,
       p.owed as postmortem_owed, i.postmortem_published_at is not null as postmortem_published,
       case when p.owed then i.resolved_at + interval '24 hours' * (cast(:grace as int[]))[
           1 + width_bucket((i.resolved_at at time zone :zone)::date, cast(:grace_since as date[]))]
       end as postmortem_due
from incident i
cross join lateral (
    select coalesce(i.postmortem_required, i.severity in ('p1', 'p2')) as owed
) p
where i.workspace_id = :w and i.left_out is null
"""
"""An incident is open from when it was opened until it is resolved; one that is told as over without an
instant that can be (``over_since`` is its opening) is open nowhere and has no duration. Those that were
withdrawn, merged into another or are heartbeats are none. A postmortem is owed where the incident
says so, else for P1 and P2; it falls due the days after the resolution
that held on the day of it."""
