"""Deployments of a workspace by service, of two spans of days: what moved where a drift began."""

from __future__ import annotations

from aggregators.dora.records import DEPLOYMENTS
from aggregators.vocabulary.clock import SINCE, UNTIL

QUERY = f"""
select coalesce(d.service, '') as service, d.day >= :since as is_now,
       count(*) as ended_deployments,
       count(*) filter (where d.failed) as failed_deployments,
       count(*) filter (where d.successful) as successful_deployments
from ({DEPLOYMENTS}) d
where d.completed_at >= {SINCE} and d.completed_at < {UNTIL}
group by 1, 2 order by 1, 2
"""
"""Deployments that count of the days ``first`` to ``last``, those from the day ``since`` on apart: a row a
service and side, with the facts that the measures of delivery are made of. No service is ''."""
