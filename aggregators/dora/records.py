"""Delivery's records, and what each counts as: figures, listing and live view all select from here."""

from __future__ import annotations

SUCCESSFUL = "('successful', 'successful_with_issues')"
COUNTS = "{d}.workspace_id = :w and {d}.production and {d}.left_out is null and {d}.outcome <> 'cancelled'"
"""A deployment that counts: one to production that was not cancelled, neither withdrawn nor part of
another, whatever came of it. Whether it reached production is ``reached`` in REACHED."""

REACHED = f"""
select d.key, d.service, d.created_at, d.completed_at,
       (d.completed_at at time zone :zone)::date as day,
       d.outcome in {SUCCESSFUL} as reached
from deployment d where {COUNTS.format(d="d")}
"""
"""Deployments that count, by the day on which they ended, and whether they reached production, be they
rolled back later."""

CHANGES = """
select c.deployment, c.key, c.committed_at from deployment_change c where c.workspace_id = :w
union all
select p.part_of, c.key, c.committed_at
from deployment p join deployment_change c on c.workspace_id = :w and c.deployment = p.key
where p.workspace_id = :w and p.part_of is not null
"""
"""Changes by the deployment that they count with: their own, and that which it is part of."""

CHANGES_OF = f"select c.key, c.committed_at from ({CHANGES}) c where c.deployment = {{d}} offset 0"
"""Changes of one deployment, looked up for each (``offset 0`` keeps it so): a plan of the average
workspace would look through all changes of a large one for each of its deployments."""

CAUSED = """
exists (
    select from incident i where i.workspace_id = :w and i.caused_by = {d}.key and i.left_out is null
) or {d}.key in (
    select p.part_of from deployment p join incident i on i.workspace_id = :w and i.caused_by = p.key
    where p.workspace_id = :w and p.part_of is not null and i.left_out is null
)
"""
"""Whether a deployment, or one that is part of it, caused an incident. Of parts there are few: they are
looked up once, not for each deployment, for which a table without statistics would be read whole."""

DEPLOYMENTS = f"""
select d.key, d.service, d.created_at, d.completed_at, d.rolled_back_at,
       case when d.rolled_back_at is not null then 'rolled_back' else d.outcome end as outcome,
       (d.completed_at at time zone :zone)::date as day,
       d.rolled_back_at is null and d.outcome in {SUCCESSFUL} as successful,
       d.rolled_back_at is not null or d.outcome in ('failed', 'rolled_back') or {CAUSED.format(d="d")}
       as failed
from deployment d where {COUNTS.format(d="d")}
"""
"""Deployments that count. One failed where its outcome says so, where a roll-back undid it
(``dora.undoing``), or where it caused an incident, even one that ended successful."""


RETRIED = f"""
select f.key as attempt, n.key, n.completed_at
from deployment f
cross join lateral (
    select p.key, p.completed_at from deployment p
    where {COUNTS.format(d="p")} and p.outcome in {SUCCESSFUL}
      and p.service is not distinct from f.service
      and (p.completed_at, p.key) > (f.completed_at, f.key)
    order by p.completed_at, p.key limit 1
) n
where {COUNTS.format(d="f")} and f.outcome not in {SUCCESSFUL}
"""
"""Attempts that did not reach production, with the first of their service to reach it after them."""


def _carried_changes(only: str) -> str:
    """Changes with a deployment ``d`` that carries them to production: one that succeeded and lists them,
    or the first to succeed after an attempt that listed them. A deployment without changes has a row
    without one. ``only`` is a condition on ``d``.

    The attempts are few and found first, then what they led to is looked up for each (``offset 0`` keeps it
    so): joined the other way round they cost forty times as much.
    """
    return f"""
select d.key, d.service, d.day, d.created_at, d.completed_at, c.key as change, c.committed_at
from ({REACHED}) d
left join lateral ({CHANGES_OF.format(d="d.key")}) c on true
where d.reached and {only}
union all
select d.key, d.service, d.day, d.created_at, d.completed_at, r.change, r.committed_at
from (
    with retried as materialized ({RETRIED})
    select d.key, c.key as change, c.committed_at
    from retried d cross join lateral ({CHANGES_OF.format(d="d.attempt")}) c
    where {only} offset 0
) r
cross join lateral ({REACHED} and d.key = r.key offset 0) d
"""


EARLIER = f"""
select from (
    select c.deployment from deployment_change c where c.workspace_id = :w and c.key = d.change offset 0
) c
cross join lateral (
    select c.deployment as key
    union all
    select p.part_of from deployment p
    where p.workspace_id = :w and p.key = c.deployment and p.part_of is not null
) o
cross join lateral (
    select from deployment e
    where e.key = o.key and {COUNTS.format(d="e")}
      and e.service is not distinct from d.service
      and (e.completed_at, e.key) < (d.completed_at, d.key)
      and (e.outcome in {SUCCESSFUL} or exists (
          select from deployment s
          where {COUNTS.format(d="s")} and s.outcome in {SUCCESSFUL}
            and s.service is not distinct from d.service
            and (s.completed_at, s.key) > (e.completed_at, e.key)
            and (s.completed_at, s.key) < (d.completed_at, d.key)
      ))
    offset 0
) e
"""
"""Whether the change of a row ``d`` of CARRIED had reached production before it: a change counts once. Of
what was complete at one instant, the keys say what was first. What lists the change is found first and each
of it looked up (``offset 0`` keeps it so): without statistics a plan would go through all deployments for
each change."""

TELL_CHANGES = f"""
select s.service from (
    select distinct coalesce(service, '') as service from deployment where workspace_id = :w
) s
where exists (
    select from deployment x
    cross join lateral ({CHANGES_OF.format(d="x.key")}) c
    where x.workspace_id = :w and coalesce(x.service, '') = s.service and x.left_out is null
)
"""
"""Services that have ever told a change, of deployments that were not withdrawn; looked for once, however
many deployments ask."""


def lead_times(only: str) -> str:
    """Query of lead times: a row per change, from its commit to the first successful deployment of its
    service that carries it, be it rolled back later; or from the deployment's creation where its service
    has never told a change. ``only`` is a condition on the deployment ``d``."""
    return f"""
select key, day, completed_at,
       extract(epoch from completed_at - coalesce(committed_at, created_at))::float8 as seconds
from (
    select d.key, d.service, d.day, d.completed_at, d.change,
           min(d.created_at) as created_at, min(d.committed_at) as committed_at
    from ({_carried_changes(only)}) d group by d.key, d.service, d.day, d.completed_at, d.change
) d
where coalesce(committed_at, created_at) <= completed_at
  and case when change is not null then not exists ({EARLIER}) else coalesce(service, '') not in
  ({TELL_CHANGES}) end
"""


CAUSE = "case when p.part_of is null then i.caused_by else p.part_of end"
"""Deployment that caused an incident: that which it is part of. No ``coalesce``, behind which row-level
security lets no index be used: as PostgreSQL sees it, it might tell what it is given."""

RECOVERIES = f"""
select i.opened_at, i.resolved_at, d.completed_at,
       coalesce(i.resolved_at, case when i.is_over then i.opened_at end) as over_since,
       extract(epoch from i.resolved_at - d.completed_at)::float8 as seconds
from incident i
left join lateral (
    select p.part_of from deployment p
    where p.workspace_id = :w and p.key = i.caused_by and p.part_of is not null offset 0
) p on true
cross join lateral ({REACHED} and d.key = {CAUSE} offset 0) d
where i.workspace_id = :w and i.left_out is null and i.caused_by is not null
"""
"""Incidents that a deployment caused, looked up for each; recovered from when they are resolved."""
