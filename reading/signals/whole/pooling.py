"""Pooled series of scopes: the sums over their workspaces, day by day.

What everybody does together cancels from the days of a workspace, by which holidays cancel. So the days of
a scope are weighed by what is usual on their weekday alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from aggregators.signal.rules import LAG, SeriesKind
from aggregators.signal.watch import DailyEvidence
from aggregators.vocabulary.effects import Array

WEEKS = 26
"""Weeks whose middle is what a weekday usually has: a holiday moves it by nothing."""


def memberships(scopes: Sequence[Sequence[int]], workspaces: Sequence[int]) -> Array:
    """1 where a workspace is in a scope [scope, workspace]; both are ids."""
    column = {workspace: n for n, workspace in enumerate(workspaces)}
    inside = np.zeros((len(scopes), len(workspaces)))
    for row, scope in enumerate(scopes):
        inside[row, [column[workspace] for workspace in scope if workspace in column]] = 1.0
    return inside


def pooled_evidence(
    history: DailyEvidence, inside: Array, seen: Array, weekdays: Array
) -> DailyEvidence:
    """Evidence of scopes from that of their workspaces, which are ``seen`` [workspace, day]; ``weekdays``
    [day] are shares of a usual day, for a rate."""
    x, squares = inside @ history.x, inside @ history.squares
    history = replace(history, begins=None)
    if history.kind is not SeriesKind.RATE:
        return replace(history, x=x, e=inside @ history.e, squares=squares, apart=True)
    # A workspace that is not seen takes its usual part of the scope's day with it.
    past = slice(None, max(seen.shape[1] - LAG, 1))
    usual = history.x[:, past].sum(axis=1) / np.maximum(seen[:, past].sum(axis=1), 1.0)
    usual_total = inside @ usual
    seen_part = inside @ (seen * usual[:, None])
    share = np.divide(
        seen_part,
        usual_total[:, None],
        out=np.zeros_like(seen_part),
        where=usual_total[:, None] > 0,
    )
    return replace(history, x=x, e=share * weekdays[None, :], squares=squares, apart=True)


def weekday_shares(kept_shares: Mapping[date, float], days: Sequence[date], last: date) -> Array:
    """Share of a usual day that each of some days is by its weekday alone: the middle of those of half
    a year up to ``last``, which nothing restates any more."""
    first = last - timedelta(weeks=WEEKS)
    past = [(day.weekday(), share) for day, share in kept_shares.items() if first < day <= last]
    shares_by_weekday = [[share for weekday, share in past if weekday == n] for n in range(7)]
    middle = np.array([np.median(shares) if shares else np.nan for shares in shares_by_weekday])
    usual = np.nan_to_num(middle, nan=float(np.nanmean(middle)) if any(shares_by_weekday) else 1.0)
    if usual.sum() <= 0:
        usual = np.ones(7)
    usual = 7 * usual / usual.sum()
    return np.array([usual[day.weekday()] for day in days])
