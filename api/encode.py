"""A dashboard as the JSON of the contract. Pure: missing is null, never 0, NaN or infinity."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from aggregators.figures import Answer, Card, Dashboard, Evidence, Figure, Scorecard

Json = dict[str, Any]


def dashboard_json(dashboard: Dashboard, *, breakdown: bool = True) -> Json:
    """The whole answer; without the workspaces when ``breakdown`` is False."""
    period = dashboard.period
    return {
        "organisation": dashboard.organisation,
        "time_zone": dashboard.time_zone,
        "as_of": dashboard.as_of,
        "snapshot_at": instant(dashboard.snapshot_at),
        "period": {
            "preset": period.preset,
            "start": period.start,
            "end": period.end,
            "days": period.days,
            "previous": {"start": period.previous.start, "end": period.previous.end},
            "series_step_days": period.step,
            "series_window_days": period.window,
        },
        "scope": {
            "workspaces": len(dashboard.scope.slugs),
            "left_out": {
                reason: len(dashboard.scope.left_out.get(reason, ()))
                for reason in ("inactive", "other_region")
            },
            "unavailable": list(dashboard.scope.unavailable),
        },
        "answers": [answer_json(a) for a in dashboard.answers],
        "domains": [scorecard_json(s, breakdown) for s in dashboard.scorecards],
    }


def scorecard_json(scorecard: Scorecard, breakdown: bool) -> Json:
    """One domain."""
    found: Json = {
        "key": scorecard.domain.key,
        "title": scorecard.domain.title,
        "headline": scorecard.domain.headline,
        "snapshot_at": instant(scorecard.snapshot_at),
        "measures": {key: figure_json(f) for key, f in scorecard.figures.items()},
    }
    if breakdown:
        found["workspaces"] = [card_json(c) for c in scorecard.cards]
    return found


def card_json(card: Card) -> Json:
    """One workspace of a domain."""
    return {
        "slug": card.slug,
        "name": card.name,
        "rank": card.rank,
        "href": card.href,
        "measures": {key: figure_json(f) for key, f in card.figures.items()},
    }


def figure_json(figure: Figure) -> Json:
    """FIGURE of the contract, with what it rests on."""
    measure = figure.measure
    found: Json = {
        "title": measure.title,
        "value": number(figure.value),
        "previous": number(figure.previous),
        "delta": number(figure.delta),
        "delta_unit": figure.delta_unit,
        "delta_relative": number(figure.relative_delta),
        "unit": measure.unit.value,
        "better": measure.better.value,
        "status": figure.status.value,
        "low_sample": figure.low_sample,
        "over_budget": figure.over_budget,
        "band": measure.band(figure.value),
        "evidence": evidence_json(figure.evidence),
        "series": [[day, number(value)] for day, value in figure.series],
    }
    if figure.group is not None:
        found["group"] = figure.group
    if figure.by is not None:
        found["by"] = {group: figure_json(f) for group, f in figure.by.items()}
    return found


def evidence_json(evidence: Evidence) -> Json:
    """Numerator, denominator, n, the days seen, and who holds an extreme."""
    found: Json = {
        "numerator": number(evidence.numerator),
        "denominator": number(evidence.denominator),
        "n": number(evidence.n),
        "days_seen": evidence.days_seen,
        "days_expected": evidence.days_expected,
    }
    if evidence.name:
        found["name"] = evidence.name
    if evidence.workspace:
        found["workspace"] = evidence.workspace
    return found


def answer_json(answer: Answer) -> Json:
    """One of the four answers."""
    return {
        "key": answer.key,
        "question": answer.question,
        "sentence": answer.sentence,
        "found": answer.found,
        "workspace": answer.workspace,
        "href": answer.href,
        "evidence": {key: plain(value) for key, value in answer.evidence.items()},
    }


def plain(value: Any) -> Any:
    """Evidence of an answer without NaN or infinity, whatever its depth."""
    if isinstance(value, dict):
        return {str(key): plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return number(value) if isinstance(value, float) else value


def number(value: float | None) -> float | int | None:
    """A finite number, whole ones without a fraction; None otherwise."""
    if value is None or not math.isfinite(value):
        return None
    return int(value) if float(value).is_integer() and abs(value) < 2**53 else float(value)


def instant(value: datetime | None) -> str | None:
    """UTC with Z, to the second."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if value else None
