"""The figures of one workspace from its records as they stand now, beside those of the snapshot.

The collectors are the nightly job's own, so that the two differ only by what has happened since.
"""

from __future__ import annotations

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from aggregators.figures import Evidence, Figure
from aggregators.measure import COMPLIANCE, DAYS_SEEN, Domain, Measure, Nature
from aggregators.period import Span
from aggregators.sketch import Sketch
from settings import Settings
from storage.collect import Days, certificates, compliance, dora, incidents, slos, vendors

COLLECTORS = {
    "dora": dora,
    "incidents": incidents,
    "slos": slos,
    "certificates": certificates,
    "vendors": vendors,
}


def live(
    connection: Connection,
    workspace_id: int,
    domain: Domain,
    span: Span,
    now: datetime,
    settings: Settings,
) -> dict[str, Figure]:
    """A domain's figures over a span that may end today, by measure key; groups under ``by``."""
    days = Days(
        connection,
        workspace_id,
        span.start,
        span.end,
        settings.time_zone,
        settings.review_days,
        now,
    )
    facts = _compliance(days) if domain.table == COMPLIANCE else _usage(days, domain)
    facts = facts.reindex(columns=[DAYS_SEEN, *domain.natures(), *domain.labels()])
    return {m.key: _figure(m, facts, domain) for m in domain.measures}


def _usage(days: Days, domain: Domain) -> pd.DataFrame:
    """One row: flows added up, levels of the last day, distributions over all days."""
    module = COLLECTORS[domain.key]
    daily = module.collect(days)
    row: dict[str, object] = {DAYS_SEEN: float(len(days.index))}
    for fact, nature in domain.natures().items():
        if nature is Nature.DISTRIBUTION or fact not in daily:
            continue
        values = daily[fact].astype(float)
        row[fact] = values.fillna(0.0).sum() if nature is Nature.FLOW else values.iloc[-1]
    for label in domain.labels() & set(daily):
        row[label] = daily[label].iloc[-1]
    for name, durations in getattr(module, "durations", lambda _: {})(days).items():
        row[name] = Sketch.of(durations["seconds"]) if len(durations) else None
    return pd.DataFrame([row], index=[""], dtype=object)


def _compliance(days: Days) -> pd.DataFrame:
    """A row per framework, as it stands on the last day."""
    last = Days(
        days.connection,
        days.workspace_id,
        days.last,
        days.last,
        days.time_zone,
        days.review_days,
        days.now,
    )
    return compliance.collect(last).set_index("framework").assign(**{DAYS_SEEN: 1.0})


def _figure(measure: Measure, facts: pd.DataFrame, domain: Domain) -> Figure:
    found = measure.evaluate(facts)
    each = {}
    for at, name in enumerate(facts.index):
        value = found.value.iloc[at]
        infinite = bool(value == float("inf"))
        each[str(name)] = Figure(
            measure,
            None if pd.isna(value) or infinite else float(value),
            over_budget=infinite,
            evidence=_evidence(measure, facts, found, at),
            group=str(name) or None,
        )
    if domain.by is None:
        return each.get("", Figure(measure))
    return Figure(measure, by=dict(sorted(each.items())))


def _evidence(measure: Measure, facts: pd.DataFrame, found: object, at: int) -> Evidence:
    def known(name: str) -> float | None:
        value = getattr(found, name).iloc[at]
        return None if pd.isna(value) else float(value)

    label = facts[measure.named_by].iloc[at] if measure.named_by else None
    seen = int(facts[DAYS_SEEN].iloc[at])
    return Evidence(known("numerator"), known("denominator"), known("n"), seen, seen, label or None)
