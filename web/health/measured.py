"""Metrics that the database knows: the same from whichever process is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection, Row, text

from settings import Settings
from storage.bounds.away import first_line
from storage.database import Database
from storage.scheduled import nights
from storage.sources.tables import SOURCE_STATES
from storage.tables import OPEN_EXPORT_STATES
from web.health.checkup import UNREACHABLE, log

EXPORTS = text("""
select state, count(*), coalesce(extract(epoch from max(now() - created_at)), 0) from export_job group by 1
""")
MAILS = text("""
select state, count(*), coalesce(extract(epoch from max(now() - created_at)), 0) from mail_outbox group by 1
""")
QUARANTINE = text("""
select workspaces, parts, coalesce(extract(epoch from now() - oldest), 0) as age from vigilo.quarantined()
""")
SOURCES = text("""
select cast(id as text) as source, kind, case when enabled then state else 'paused' end as state, failures,
       extract(epoch from now() - coalesce(last_success_at, made_at)) as age, schedule_minutes * 60 as turn
from source order by id
""")
OPEN_MAILS = ("queued",)


class DatabaseCollector(Collector):
    """Asks the database at each scrape. Where it is away, ``vigilo_database_up`` is 0 and nothing else is
    told; where its schema is another, it is up and what could be asked is told."""

    def __init__(self, database: Callable[[], Database], settings: Settings) -> None:
        self._database, self._settings = database, settings

    def collect(self) -> Iterator[Metric]:
        """Metrics of the nights, the exports, the mails, and of what comes in."""
        metrics: list[Metric] = []
        answers = False
        try:
            with self._database().job.connect() as connection:
                answers = bool(connection.execute(text("select true")).scalar())
                metrics += _nights(connection, self._settings)
                metrics += _queues(connection)
                metrics += _incoming(connection)
        except UNREACHABLE as error:
            log.warning("the database can not be measured: %s", first_line(error))
        yield GaugeMetricFamily(
            "vigilo_database_up", "Whether the database answers", value=float(answers)
        )
        yield from metrics


def _nights(connection: Connection, settings: Settings) -> Iterator[Metric]:
    """Metrics of the nights: days missing, the last day's age, how the last run went."""
    now = settings.now()
    state = nights.state(connection, now)
    missing = len(state.missing) if now > state.due_at else 0
    yield GaugeMetricFamily(
        "vigilo_snapshot_days_missing", "Days due whose snapshot is missing", value=missing
    )
    if state.made is not None:
        age = (now.date() - state.made).days
        yield GaugeMetricFamily(
            "vigilo_snapshot_age_days", "Days since the last day of all workspaces", value=age
        )
    run = state.last_run
    if run is not None and run.duration is not None:
        yield GaugeMetricFamily(
            "vigilo_snapshot_run_seconds",
            "Seconds that the last night took",
            value=run.duration.total_seconds(),
        )
        yield GaugeMetricFamily(
            "vigilo_snapshot_failures",
            "Workspaces that failed in the last night",
            value=len(run.failures),
        )


def _queues(connection: Connection) -> Iterator[Metric]:
    for name, what, query, waiting in (
        ("export", "Exports", EXPORTS, OPEN_EXPORT_STATES),
        ("mail", "Mails", MAILS, OPEN_MAILS),
    ):
        rows = [(str(row[0]), int(row[1]), float(row[2])) for row in connection.execute(query)]
        by_state = GaugeMetricFamily(f"vigilo_{name}s", f"{what} by state", labels=["state"])
        for state, count, _ in rows:
            by_state.add_metric([state], count)
        yield by_state
        yield GaugeMetricFamily(
            f"vigilo_{name}_oldest_seconds",
            f"{what}: age of the oldest that waits",
            value=max((age for state, _, age in rows if state in waiting), default=0.0),
        )


def _incoming(connection: Connection) -> Iterator[Metric]:
    """Metrics of quarantine and sources: sums and numbers, no name of anything."""
    waiting = connection.execute(QUARANTINE).one()
    for name, what, value in (
        ("vigilo_quarantine_parts", "Parts of deliveries in quarantine", waiting.parts),
        ("vigilo_quarantine_workspaces", "Workspaces with parts in quarantine", waiting.workspaces),
        ("vigilo_quarantine_oldest_seconds", "Age of the oldest part in quarantine", waiting.age),
    ):
        yield GaugeMetricFamily(name, what, value=float(value))
    rows = connection.execute(SOURCES).all()
    by_state = GaugeMetricFamily("vigilo_sources", "Sources by state", labels=["state"])
    for state in (*SOURCE_STATES, "paused"):
        by_state.add_metric([state], sum(row.state == state for row in rows))
    yield by_state
    for name, what, column in (
        (
            "vigilo_source_success_age_seconds",
            "Since the last good sync, or since it was connected",
            "age",
        ),
        ("vigilo_source_turn_seconds", "Time between a source's syncs", "turn"),
        ("vigilo_source_failures", "Syncs that failed since the last good one", "failures"),
    ):
        family = GaugeMetricFamily(name, what, labels=["source", "kind"])
        yield _of_sources(family, rows, column)


def _of_sources(
    family: GaugeMetricFamily, rows: Sequence[Row[Any]], column: str
) -> GaugeMetricFamily:
    """The family with a value for each source that is not paused."""
    for row in rows:
        if row.state != "paused":
            family.add_metric([row.source, row.kind], float(row._mapping[column]))
    return family
