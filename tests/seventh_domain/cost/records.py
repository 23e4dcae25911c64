"""Spending, and what each request counts as."""

from __future__ import annotations

SPENDING = """
select s.key, s.cost_centre, s.requested_at, s.approved_at, s.amount, s.budget,
       (s.requested_at at time zone :zone)::date as day,
       extract(epoch from s.approved_at - s.requested_at)::float8 as seconds
from spending s where s.workspace_id = :w
"""
"""A request counts on the day on which it was made, and waits until it is approved."""
