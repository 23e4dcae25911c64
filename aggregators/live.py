"""The figures of one workspace from its records as they stand now, beside those of the snapshot.

The collectors are the nightly job's own, so that the two differ only by what has happened since.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from aggregators.domains import facts as facts_of
from aggregators.figures import Evidence, Figure
from aggregators.measure import COMPLIANCE, DAYS_SEEN, Domain, Evaluation, Facts, Measure, Nature
from aggregators.period import Span
from aggregators.sketch import Histogram, Sketch
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
    found = _compliance(days) if domain.table == COMPLIANCE else _usage(days, domain)
    return {m.key: _figure(m, found, domain) for m in domain.measures}


@dataclass(frozen=True, slots=True)
class _Live:
    """Facts of each group ("" without groups), an element each, and label columns by name."""

    groups: list[str]
    facts: Facts
    names: pd.DataFrame


def _usage(days: Days, domain: Domain) -> _Live:
    """Flows added up, levels of the last day, distributions over all days."""
    module = COLLECTORS[domain.key]
    daily = module.collect(days)
    facts: dict[str, object] = {DAYS_SEEN: np.array([float(len(days.index))])}
    for fact, nature in domain.natures().items():
        if nature is Nature.DISTRIBUTION:
            continue
        values = daily[fact].astype(float) if fact in daily else pd.Series([np.nan])
        total = values.fillna(0.0).sum() if nature is Nature.FLOW else values.iloc[-1]
        facts[fact] = np.array([total])
    for name, durations in getattr(module, "durations", lambda _: {})(days).items():
        facts[name] = Histogram.of([Sketch.of(durations["seconds"])])
    return _Live([""], facts, daily.reindex(columns=list(domain.labels())).iloc[-1:])


def _compliance(days: Days) -> _Live:
    """Each framework as it stands on the last day."""
    last = replace(days, first=days.last)
    found = compliance.collect(last)
    natures = facts_of(COMPLIANCE)
    facts: dict[str, object] = {fact: found[fact].to_numpy(float) for fact in natures}
    facts[DAYS_SEEN] = np.ones(len(found))
    return _Live(list(found["framework"]), facts, found)


def _figure(measure: Measure, live: _Live, domain: Domain) -> Figure:
    found = measure.evaluate(live.facts)
    each = {}
    for at, name in enumerate(live.groups):
        value = float(found.value[at])
        each[name] = Figure(
            measure,
            value if math.isfinite(value) else None,
            over_budget=math.isinf(value),
            evidence=_evidence(measure, live, found, at),
            group=name or None,
        )
    if domain.by is None:
        return each.get("", Figure(measure))
    return Figure(measure, by=dict(sorted(each.items())))


def _evidence(measure: Measure, live: _Live, found: Evaluation, at: int) -> Evidence:
    label = live.names[measure.named_by].iloc[at] if measure.named_by else None
    seen = int(live.facts[DAYS_SEEN][at])
    numerator, denominator, n = (
        float(part[at]) if math.isfinite(part[at]) else None
        for part in (found.numerator, found.denominator, found.n)
    )
    name = label if isinstance(label, str) else None
    return Evidence(numerator, denominator, n, seen, seen, name)
