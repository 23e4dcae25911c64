"""GET /api/v1/platform/metrics: the dashboard's figures as OpenMetrics, for those who alert on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flask import Blueprint, Response, g
from flask.typing import ResponseReturnValue
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from aggregators.pooling.dashboard import Dashboard, Scorecard
from aggregators.pooling.figures import Figure
from aggregators.vocabulary.measure import Measure, Unit
from api.queries import PeriodQuery
from api.routes import DashboardReader
from web.operation import Operation, Outcome

PATH = "/api/v1/platform/metrics"
METRICS = Operation(
    "platformMetrics",
    "The figures as OpenMetrics, by workspace, with the evidence behind them",
    {200: Outcome("Gauges of every measure", "application/openmetrics-text")},
    query=PeriodQuery,
    problems=(403, 422),
)
SUFFIX = {Unit.RATIO: "_ratio", Unit.SECONDS: "_seconds"}
LABELS = ("workspace", "group")
EVIDENCE = {
    "numerator": "Upper part of the figure's fraction",
    "denominator": "Lower part of the figure's fraction",
    "days_seen": "Days with a snapshot",
}
Row = tuple[str, Figure]


def blueprint(reader: DashboardReader) -> Blueprint:
    """The one route."""
    made = Blueprint("platform_metrics", __name__)

    @made.get(PATH, endpoint="read", strict_slashes=False)
    @METRICS
    def read(query: PeriodQuery) -> ResponseReturnValue:
        dashboard = reader.read(g.account.viewer, query.ask)
        registry = CollectorRegistry(auto_describe=False)
        registry.register(DashboardCollector(dashboard))
        shown = generate_latest(registry)  # type: ignore[no-untyped-call]
        return Response(shown, content_type=CONTENT_TYPE_LATEST)

    return made


class DashboardCollector(Collector):
    """Gauges of a dashboard: the organisation under an empty workspace, each workspace under its slug."""

    def __init__(self, dashboard: Dashboard) -> None:
        self.dashboard = dashboard

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """A family for each measure, and one for each part of its evidence."""
        if self.dashboard.as_of is None:
            return
        stamp = GaugeMetricFamily("vigilo_snapshot_timestamp_seconds", "When the snapshot was made")
        if self.dashboard.snapshot_at is not None:
            stamp.add_metric((), self.dashboard.snapshot_at.timestamp())
        yield stamp
        for scorecard in self.dashboard.scorecards:
            for measure in scorecard.domain.measures:
                yield from _families(scorecard, measure)


def _families(scorecard: Scorecard, measure: Measure) -> Iterator[GaugeMetricFamily]:
    name = f"vigilo_{scorecard.domain.key}_{measure.key}"
    rows = list(_rows(scorecard, measure.key))
    value = GaugeMetricFamily(
        f"{name}{SUFFIX.get(measure.unit, '')}", measure.definition, labels=LABELS
    )
    for slug, figure in rows:
        if figure.value is not None:
            value.add_metric((slug, figure.group or ""), figure.value)
    yield value
    for part, about in EVIDENCE.items():
        yield _evidence(f"{name}_{part}", f"{about}: {measure.title}", part, rows)


def _evidence(name: str, about: str, part: str, rows: Iterable[Row]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, about, labels=LABELS)
    for slug, figure in rows:
        number = getattr(figure.evidence, part)
        if number is not None:
            family.add_metric((slug, figure.group or ""), number)
    return family


def _rows(scorecard: Scorecard, key: str) -> Iterator[Row]:
    """The organisation's figure and every workspace's, group by group where there are groups."""
    figures = [("", scorecard.figures[key])]
    figures += [(card.slug, card.figures[key]) for card in scorecard.cards]
    for slug, figure in figures:
        for each in (figure.by or {"": figure}).values():
            yield slug, each
