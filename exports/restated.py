"""Whether figures that were exported before have changed since: a late record, a corrected snapshot.

A finished export keeps the organisation's figures. The next one of the same days and the same workspaces
compares its own with them, once both saw every day of the period.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from aggregators import words
from aggregators.pooling.dashboard import Dashboard
from aggregators.pooling.figures import Figure
from aggregators.vocabulary import formats
from exports.pack.outline import Restated

OrganisationValues = Mapping[str, float | None]


def organisation_values(dashboard: Dashboard) -> dict[str, float | None]:
    """The organisation's values by ``domain.measure`` or ``domain.measure/group``; empty before every day
    of the period has its snapshot."""
    if dashboard.as_of is None or dashboard.as_of < dashboard.period.end:
        return {}
    return {key: figure.value for key, figure in _figures(dashboard)}


def _figures(dashboard: Dashboard) -> Iterator[tuple[str, Figure]]:
    for scorecard in dashboard.scorecards:
        for key, figure in scorecard.figures.items():
            if figure.by:
                for group, of_group in figure.by.items():
                    yield f"{scorecard.domain.key}.{key}/{group}", of_group
            else:
                yield f"{scorecard.domain.key}.{key}", figure


def figures_restated(connection: Connection, dashboard: Dashboard) -> Restated | None:
    """Figures that the newest export of the same days and workspaces gave otherwise; None where it agrees
    or there is none."""
    now = organisation_values(dashboard)
    row = connection.execute(
        text(
            "select finished_at, figures from export_job"
            " where figures is not null and params ->> 'end' = :end and params ->> 'start' = :start"
            " and scope @> cast(:scope as text[]) and scope <@ cast(:scope as text[])"
            " order by finished_at desc limit 1"
        ),
        {
            "start": str(dashboard.period.start),
            "end": str(dashboard.period.end),
            "scope": list(dashboard.scope.slugs),
        },
    ).first()
    if row is None or not now:
        return None
    changes = tuple(_changes(dashboard, row.figures))
    return Restated(row.finished_at, changes) if changes else None


def _changes(dashboard: Dashboard, before: OrganisationValues) -> Sequence[tuple[str, str, str]]:
    changes = []
    for key, figure in _figures(dashboard):
        if key in before and not _are_equal(before[key], figure.value):
            was = formats.value(before[key], figure.measure.unit)
            named = " ".join(filter(None, (figure.measure.title, figure.group)))
            changes.append((named, was, words.figure(figure)))
    return changes


def _are_equal(former: float | None, value: float | None) -> bool:
    """Whether two values are one but for rounding; no data equals no data alone."""
    if former is None or value is None:
        return former is value
    return math.isclose(former, value, rel_tol=1e-9, abs_tol=1e-12)


def keep(connection: Connection, id: Any, dashboard: Dashboard) -> None:
    """Notes what the export said."""
    if figures := organisation_values(dashboard):
        connection.execute(
            text("update export_job set figures = cast(:f as jsonb) where id = :id"),
            {"f": json.dumps(figures), "id": id},
        )
