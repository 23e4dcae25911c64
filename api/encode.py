"""A dashboard as the JSON of the contract. Pure: missing is null, never 0, NaN or infinity."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from aggregators.effects import Array
from aggregators.figures import Answer, Card, Dashboard, Evidence, Figure, Scorecard
from aggregators.measure import Domain
from aggregators.rollup import Cards, Table

Json = dict[str, Any]


EVERY = slice(None)
FULL_UP_TO = 200
"""Workspaces up to which the breakdown is in full unasked: every measure of every card, with its series. A
thousand workspaces' are 60 MB, half a second's work."""


def dashboard_json(
    dashboard: Dashboard,
    *,
    breakdown: bool = True,
    full: bool | None = None,
    ranks: slice = EVERY,
) -> Json:
    """The whole answer; without the workspaces when ``breakdown`` is False.

    A ``full`` breakdown has every measure and its series, else it has those that the domain's cards and
    table show, their series empty; None leaves that to the number of workspaces. ``ranks`` are the
    cards of each domain that it has, worst first, from 0.
    """
    if full is None:
        full = len(range(*ranks.indices(len(dashboard.scope.slugs)))) <= FULL_UP_TO
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
        "domains": [scorecard_json(s, breakdown, full, ranks) for s in dashboard.scorecards],
    }


def scorecard_json(
    scorecard: Scorecard, breakdown: bool, full: bool = True, ranks: slice = EVERY
) -> Json:
    """One domain; ``full`` and ``ranks`` as for ``dashboard_json``."""
    found: Json = {
        "key": scorecard.domain.key,
        "title": scorecard.domain.title,
        "headline": scorecard.domain.headline,
        "snapshot_at": instant(scorecard.snapshot_at),
        "measures": {key: figure_json(f) for key, f in scorecard.figures.items()},
    }
    if breakdown:
        cards = scorecard.cards
        keys = tuple(scorecard.figures) if full else shown(scorecard.domain)
        found["workspaces"] = (
            cards_json(cards.take(ranks), keys, full)
            if isinstance(cards, Cards)
            else [card_json(c, keys, full) for c in cards[ranks]]
        )
    return found


def shown(domain: Domain) -> tuple[str, ...]:
    """The measures that a domain's cards and table show."""
    return tuple(dict.fromkeys((domain.headline, *domain.supporting, *domain.columns)))


def card_json(card: Card, keys: Sequence[str], series: bool) -> Json:
    """One workspace of a domain, with the measures named."""
    return {
        "slug": card.slug,
        "name": card.name,
        "rank": card.rank,
        "href": card.href,
        "measures": {key: figure_json(card.figures[key], series) for key in keys},
    }


def cards_json(cards: Cards, keys: Sequence[str], series: bool) -> list[Json]:
    """``card_json`` of every card, measure by measure from the arrays: forty thousand figures of a
    thousand workspaces in a tenth of the time that it takes one by one. Equal to it by test."""
    found: list[Json] = [
        {
            "slug": place.slug,
            "name": place.name,
            "rank": rank,
            "href": cards.href(place),
            "measures": {},
        }
        for rank, place in enumerate((cards.places[i] for i in cards.order), cards.first)
    ]
    groups = list(cards.groups())
    for key in keys:
        table = cards.grid.tables[key]
        shown_rows = cards.of(key).tolist()
        rows = rows_json(
            table, {*shown_rows, *(at for held in groups for at in held.values())}, series
        )
        nothing = figure_json(table.nothing())
        for card, row, held in zip(found, shown_rows, groups, strict=True):
            figure = rows[row] if row >= 0 else nothing
            if cards.domain.by and held:
                by = {group: {**rows[at], "group": group} for group, at in held.items()}
                group = next(group for group, at in held.items() if at == row)
                figure = {**figure, "group": group, "by": by}
            card["measures"][key] = figure
    return found


def rows_json(table: Table, wanted: Iterable[int], series: bool = True) -> dict[int, Json]:
    """``figure_json`` of some rows of a table, by row; -1 is none."""
    rows = sorted(row for row in wanted if row >= 0)
    measure = table.measure
    title, unit, better = measure.title, measure.unit.value, measure.better.value
    delta_unit = Figure(measure).delta_unit
    now = table.now.value[rows]
    bands = [measure.band(v) for v in now.tolist()] if measure.bands else [None] * len(now)
    columns = zip(
        rows,
        numbers(now),
        numbers(table.before.value[rows]),
        numbers(table.delta[rows]),
        numbers(table.relative_delta[rows]),
        [table.status[row] for row in rows],
        table.low_sample[rows].tolist(),
        np.isinf(now).tolist(),
        bands,
        _evidences(table, rows),
        _serieses(table, rows, series),
        strict=True,
    )
    return {
        row: {
            "value": value,
            "previous": previous,
            "delta": delta,
            "delta_relative": relative,
            "status": status,
            "low_sample": low,
            "over_budget": over,
            "band": band,
            "evidence": evidence,
            "series": points,
            "title": title,
            "delta_unit": delta_unit,
            "unit": unit,
            "better": better,
        }
        for row, value, previous, delta, relative, status, low, over, band, evidence, points in columns
    }


def _evidences(table: Table, rows: Sequence[int]) -> list[Json]:
    found = table.now
    expected = table.plan.period.days
    columns = zip(
        numbers(found.numerator[rows]),
        numbers(found.denominator[rows]),
        numbers(found.n[rows]),
        table.seen[rows].astype(int).tolist(),
        [table.names[row] for row in rows] if table.names else [None] * len(rows),
        strict=True,
    )
    return [
        {
            "numerator": numerator,
            "denominator": denominator,
            "n": n,
            "days_seen": seen,
            "days_expected": expected,
            **({"name": name} if name else {}),
        }
        for numerator, denominator, n, seen, name in columns
    ]


def _serieses(table: Table, rows: Sequence[int], series: bool) -> list[list[tuple[str, Any]]]:
    if not series:
        return [[] for _ in rows]
    days = [day.isoformat() for day in table.plan.points]
    return [list(zip(days, row, strict=True)) for row in numbers(table.series[rows])]


def numbers(values: Array) -> list[Any]:
    """As ``number``: whole ones without a fraction, None for what is not finite."""
    finite = np.isfinite(values)
    if finite.all() and (values == np.rint(values)).all() and (np.abs(values) < 2**53).all():
        return list(values.astype(np.int64).tolist())
    if finite.all():
        return list(values.tolist())
    found = values.astype(object)
    found[~finite] = None
    return list(found.tolist())


def figure_json(figure: Figure, series: bool = True) -> Json:
    """FIGURE of the contract, with what it rests on; its series empty where ``series`` is False."""
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
        "series": [[day, number(value)] for day, value in figure.series] if series else [],
    }
    if figure.group is not None:
        found["group"] = figure.group
    if figure.by is not None:
        found["by"] = {group: figure_json(f, series) for group, f in figure.by.items()}
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
