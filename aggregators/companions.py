"""Companions of what drifts: other watched measures of the same workspace, or of all together, that moved
with it. They are told, not blamed."""

from __future__ import annotations

from collections.abc import Mapping

from aggregators.catalogue import DOMAINS
from aggregators.pooling.dashboard import Dashboard
from aggregators.pooling.figures import Figure
from aggregators.signal.change import Verdict
from aggregators.signal.series import WatchedSeries, watched_series

WATCHED: Mapping[str, WatchedSeries] = {one.key: one for one in watched_series(DOMAINS)}
MOST = 3
MOVED = (Verdict.WORSE, Verdict.LIKELY_WORSE, Verdict.LIKELY_BETTER, Verdict.BETTER)
DEPLOYMENTS = "successful_deployments"
"""Series that is told whatever its verdict: whether somebody changed something is asked first."""


def companions(dashboard: Dashboard, slug: str, series: str) -> list[Figure]:
    """Other watched measures whose change over the dashboard's period is beyond noise, the surest first;
    and the deployments, moved or not. ``slug`` is the workspace, empty for all in scope together."""
    if slug and slug not in dashboard.scope.names:
        return []
    others = {key: _figure(dashboard, one, slug) for key, one in WATCHED.items() if key != series}
    moved = sorted((f for f in others.values() if f.verdict in MOVED), key=_sureness)[:MOST]
    deployments = others.get(DEPLOYMENTS)
    if deployments is not None and deployments.delta is not None and deployments not in moved:
        moved.append(deployments)
    return moved


def _figure(dashboard: Dashboard, one: WatchedSeries, slug: str) -> Figure:
    scorecard = dashboard.scorecard(one.domain.key)
    figures = scorecard.cards.find(slug).figures if slug else scorecard.figures
    return figures[one.measure.key]


def _sureness(figure: Figure) -> float:
    change = figure.table.change
    return -abs(float(change.outcome.z[figure.row])) if change else 0.0
