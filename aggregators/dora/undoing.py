"""Deployments that roll-backs undo, as ``deployment.rolled_back_at`` keeps it: worked out when either is
told, so that no figure and no listing has to.

Each roll-back undoes the newest deployment of its service and environment, by what its name means, that was
complete before it and is not undone yet, as brackets match: of all that happened to a service, a deployment
is one up, a roll-back one down, and what a deployment brought up to a number, the next event at that number
takes down again. One that finds nothing standing undoes nothing.
"""

from __future__ import annotations

from aggregators.dora.records import COUNTS
from aggregators.records.kinds import Settling

EVERY = "select distinct service, mapped_environment from roll_back where workspace_id = :w"
"""Services, by environment, that were ever rolled back."""

LINKED = "exists (select from deployment p where p.workspace_id = :w and p.part_of is not null)"
"""Whether deployments of the workspace are part of others, of another service maybe: every service may then
be concerned."""

OF_THESE = f"""
select r.service, r.mapped_environment
from deployment d
join roll_back r on r.workspace_id = :w and r.service = coalesce(d.service, '')
                and r.mapped_environment = d.mapped_environment and r.rolled_back_at > d.completed_at
where d.workspace_id = :w and d.key = any(cast(:keys as text[]))
union
select r.service, r.mapped_environment
from deployment d join roll_back r on r.workspace_id = :w and r.rolled_back_at = d.rolled_back_at
where d.workspace_id = :w and d.key = any(cast(:keys as text[])) and d.rolled_back_at is not null
union
select r.service, r.mapped_environment from roll_back r where r.workspace_id = :w and {LINKED}
"""
"""Services whose roll-backs may undo others since these deployments were told: those after them, and those
that undid them before, of another service maybe."""


STEPS = f"""
last as materialized (
    select r.service, r.mapped_environment, max(r.rolled_back_at) as at
    from roll_back r join touched using (service, mapped_environment)
    where r.workspace_id = :w group by r.service, r.mapped_environment
),
steps as (
    select l.service, l.mapped_environment, d.completed_at as at, d.key, 1 as step
    from deployment d
    join last l on l.service = coalesce(d.service, '') and l.mapped_environment = d.mapped_environment
               and d.completed_at < l.at
    where {COUNTS.format(d="d")}
    union all
    select distinct l.service, l.mapped_environment, d.completed_at, d.key, 1
    from deployment p
    join deployment d on d.workspace_id = :w and d.key = p.part_of
    join last l on l.service = coalesce(p.service, '') and l.mapped_environment = p.mapped_environment
               and d.completed_at < l.at
    where p.workspace_id = :w and p.part_of is not null and {COUNTS.format(d="d")}
      and (l.service, l.mapped_environment) is distinct from (coalesce(d.service, ''), d.mapped_environment)
    union all
    select r.service, r.mapped_environment, r.rolled_back_at, r.key, -1
    from roll_back r join touched using (service, mapped_environment) where r.workspace_id = :w
)
"""
"""Of the services ``touched``, the deployments that count and lie before their last roll-back, each one
up, and the roll-backs, each one down. A deployment is of the services of its parts too."""

MATCHED = """
undone as materialized (
    select key, min(taken_down_at) as at
    from (
        select key, step, lead(at) over (
            partition by service, mapped_environment, level order by at, step, key
        ) as taken_down_at
        from (
            select s.*, sum(step) over (
                partition by service, mapped_environment order by at, step, key
            ) + (step = -1)::int as level
            from steps s
        ) levels
    ) matched
    where step = 1 and taken_down_at is not null group by key
)
"""
"""Deployments that were taken down again, with when: what follows one on its level is a roll-back."""


def settle_statement(touched: str, stale: str) -> str:
    """The statement that works it out for the services ``touched``; ``stale`` is a condition on deployments
    ``d``, beside theirs, that may not be undone any more."""
    return f"""
with touched as materialized ({touched}), {STEPS}, {MATCHED}
update deployment d set rolled_back_at = now_so.at
from (
    select coalesce(u.key, s.key) as key, u.at
    from undone u
    full join (
        select d.key from deployment d
        where d.workspace_id = :w and d.rolled_back_at is not null
          and ({stale} or (coalesce(d.service, ''), d.mapped_environment) in (select * from touched))
    ) s on s.key = u.key
) now_so
where d.workspace_id = :w and d.key = now_so.key and d.rolled_back_at is distinct from now_so.at
returning d.completed_at
"""


EVERYTHING = settle_statement(EVERY, "true")
OF_NO_OTHER = """not exists (
    select from roll_back r
    where r.workspace_id = :w and r.service = coalesce(d.service, '')
      and r.mapped_environment = d.mapped_environment and r.rolled_back_at = d.rolled_back_at
)"""
"""Whether a deployment was undone as one of a part's service, which it may have no more."""
BY_DEPLOYMENTS = Settling(
    settle_statement(OF_THESE, f"d.key = any(cast(:keys as text[])) or {LINKED} or {OF_NO_OTHER}"),
    EVERYTHING,
)
BY_ROLL_BACKS = Settling(EVERYTHING, EVERYTHING)
"""Roll-backs are few, and one that moves to another service concerns two."""
