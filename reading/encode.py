"""A dashboard as the JSON of the contract. Pure: missing is null, never 0, NaN or infinity."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, repeat
from typing import Any

import numpy as np

import instants
from aggregators.chosen.annotations import Annotation
from aggregators.pooling.cards import Cards
from aggregators.pooling.contributions import VALUE, in_order
from aggregators.pooling.dashboard import Answer, Dashboard, DashboardScope, Scorecard
from aggregators.pooling.figures import Figure, delta_unit
from aggregators.pooling.measure_table import NO_ROW, MeasureTable
from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.effects import Array
from aggregators.vocabulary.measure import Measure, Status
from aggregators.vocabulary.period import Compare, Period
from reading.expectations import expectations_json
from reading.signals.changes_json import changes_json

Json = dict[str, Any]
RowsJson = dict[int, Json]
"""Figures of a table by their row."""

EVERY = slice(None)
EXACT = 2**53
"""Below it a float holds every whole number."""
STATUS_NAMES = {status: status.value for status in Status}
"""Plain texts: of a member of an enumeration its value is asked for each time."""
FULL_UP_TO = 200
"""Workspaces up to which the breakdown is in full unasked: every measure of every card, with its series. A
thousand workspaces' are 60 MB, half a second's work."""


def dashboard_json(
    dashboard: Dashboard,
    *,
    breakdown: bool = True,
    full: bool | None = None,
    ranks: slice = EVERY,
    order: str = VALUE,
) -> Json:
    """The whole answer; without the workspaces when ``breakdown`` is False.

    A ``full`` breakdown has every measure and its series, else it has those that the domain's cards and
    table show, their series empty; None leaves that to the number of workspaces. ``ranks`` are the
    cards of each domain that it has, worst first, from 0; ``order`` is the one that they are ranked in.
    """
    if full is None:
        full = len(range(*ranks.indices(len(dashboard.scope.slugs)))) <= FULL_UP_TO
    return {
        "organisation": dashboard.organisation,
        "time_zone": dashboard.time_zone,
        "as_of": dashboard.as_of,
        "snapshot_at": instant(dashboard.snapshot_at),
        "period": _period_json(dashboard.period),
        "scope": _scope_json(dashboard.scope),
        "answers": [answer_json(a) for a in dashboard.answers],
        "annotations": [annotation_json(a) for a in dashboard.annotations],
        "domains": [scorecard_json(s, breakdown, full, ranks, order) for s in dashboard.scorecards],
    }


def _period_json(period: Period) -> Json:
    return {
        "preset": period.preset,
        "start": period.start,
        "end": period.end,
        "days": period.days,
        **compared_json(period),
        "series_step_days": period.step,
        "series_window_days": period.window,
    }


def compared_json(period: Period) -> Json:
    """Days that changes are against; how they were chosen only where somebody chose."""
    if period.compare is Compare.NONE:
        return {"previous": None, "compare": period.compare}
    days = {"previous": {"start": period.previous.start, "end": period.previous.end}}
    return days if period.compare is Compare.PREVIOUS else days | {"compare": period.compare}


def _scope_json(scope: DashboardScope) -> Json:
    return {
        "workspaces": len(scope.slugs),
        "left_out": {
            reason: len(scope.left_out.get(reason, ())) for reason in ("inactive", "other_region")
        },
        "unavailable": list(scope.unavailable),
    }


def scorecard_json(
    scorecard: Scorecard,
    breakdown: bool,
    full: bool = True,
    ranks: slice = EVERY,
    order: str = VALUE,
) -> Json:
    """A domain; ``full``, ``ranks`` and ``order`` as for ``dashboard_json``."""
    encoded: Json = {
        "key": scorecard.domain.key,
        "title": scorecard.domain.title,
        "headline": scorecard.domain.headline,
        "snapshot_at": instant(scorecard.snapshot_at),
        "measures": {key: figure_json(f) for key, f in scorecard.figures.items()},
    }
    if breakdown:
        keys = tuple(scorecard.figures) if full else shown_measures(scorecard.domain)
        cards = in_order(scorecard, scorecard.domain.headline, order)
        encoded["order"] = order_json(cards)
        encoded["workspaces"] = cards_json(cards[ranks], keys, full)
    return encoded


def order_json(cards: Cards) -> Json:
    """Name of the order that the workspaces of a domain are in, and of the prior that their values are
    drawn towards; null where they are ranked as they are shown, or by something else."""
    headline = cards.domain.measure(cards.domain.headline)
    by = cards.order or VALUE
    prior = headline.prior if by == VALUE else ""
    return {"measure": headline.key, "by": by, "prior": prior or None}


def shown_measures(domain: Domain) -> tuple[str, ...]:
    """The measures that a domain's cards and table show."""
    return tuple(dict.fromkeys((domain.headline, *domain.supporting, *domain.columns)))


def cards_json(cards: Cards, keys: Sequence[str], series: bool) -> list[Json]:
    """Workspaces of a domain with the measures named, measure by measure from the arrays: forty thousand
    figures of a thousand workspaces in a tenth of the time that it takes figure by figure."""
    figures = [_figures_json(cards, key, series) for key in keys]
    return [
        {
            "slug": workspace.slug,
            "name": workspace.name,
            "rank": rank,
            "rank_value": value,
            "href": href,
            "measures": dict(zip(keys, own, strict=True)),
        }
        for workspace, rank, value, href, own in zip(
            cards.workspaces,
            cards.ranks.tolist(),
            _rank_values(cards),
            cards.hrefs,
            zip(*figures, strict=True) if figures else repeat(()),
            strict=bool(figures),
        )
    ]


def _figures_json(cards: Cards, key: str, series: bool) -> list[Json]:
    """Figure of each card, with those of its groups in a domain with groups."""
    table, rows = cards.grid.tables[key], cards.rows(key).tolist()
    if cards.domain.by is None:
        return list(map(rows_json(table, set(rows), series).__getitem__, rows))
    groups = cards.groups
    by_row = rows_json(table, {*rows, *chain.from_iterable(own.values() for own in groups)}, series)
    named = _with_group_names(by_row, groups)
    return [_grouped_json(row, own, named) for row, own in zip(rows, groups, strict=True)]


def _rank_values(cards: Cards) -> list[Any]:
    """Values that the cards are ranked by: of the headline, or their parts in its change."""
    if cards.parts is not None:
        return numbers(cards.parts)
    key = cards.domain.headline
    return numbers(cards.grid.shrunken(key)[cards.rows(key)])


def _with_group_names(by_row: RowsJson, groups: Iterable[Mapping[str, int]]) -> RowsJson:
    """The figures of a table by row, each with the group that it is of."""
    for own in groups:
        for group, row in own.items():
            by_row[row]["group"] = group
    return by_row


def _grouped_json(row: int, groups: Mapping[str, int], by_row: RowsJson) -> Json:
    """A figure with the figures of all groups, where there are any."""
    figure = by_row[row]
    return (
        figure | {"by": {group: by_row[own] for group, own in groups.items()}} if groups else figure
    )


def figure_json(figure: Figure, series: bool = True) -> Json:
    """FIGURE of the contract, with its evidence; its series empty where ``series`` is False."""
    groups = {group: of_group.row for group, of_group in (figure.by or {}).items()}
    by_row = rows_json(figure.table, {figure.row, *groups.values()}, series)
    encoded = by_row[figure.row]
    if groups:
        return _grouped_json(figure.row, groups, _with_group_names(by_row, [groups]))
    return encoded if figure.group is None else encoded | {"group": figure.group}


def rows_json(table: MeasureTable, wanted: Iterable[int], series: bool = True) -> RowsJson:
    """FIGURE of the contract for some rows of a table, by row; ``NO_ROW`` among them where it is wanted."""
    rows = sorted(wanted)
    measure = table.measure
    title, unit, better = measure.title, measure.unit.value, measure.better.value
    change_unit = delta_unit(measure)
    encoded = {
        row: {
            "title": title,
            "value": value,
            "previous": previous,
            "delta": delta,
            "delta_unit": change_unit,
            "delta_relative": relative,
            "change": change,
            "unit": unit,
            "better": better,
            "status": status,
            "target": target,
            "low_sample": low,
            "over_budget": over,
            "band": band,
            "evidence": evidence,
            "series": points,
        }
        for row, value, previous, delta, relative, change, *rest in zip(
            rows, *_columns(table, rows, series), strict=True
        )
        for status, target, low, over, band, evidence, points in (rest,)
    }
    if series:
        for row, expectation in zip(rows, expectations_json(table, rows), strict=True):
            encoded[row]["expected"] = expectation
    return encoded


def _columns(table: MeasureTable, rows: Sequence[int], series: bool) -> Iterator[list[Any]]:
    """Values of the rows, a list for each that differs from row to row."""
    at = np.array(rows, int)  # once: numpy would make one of the list for each column
    measure, value, statuses = table.measure, table.now.value[at], table.status
    yield numbers(value)
    yield numbers(table.before.value[at])
    yield numbers(table.delta[at])
    yield numbers(table.relative_delta[at])
    yield changes_json(table, rows)
    yield [STATUS_NAMES[statuses[row]] for row in rows]
    yield _targets(table, rows)
    yield table.low_sample[at].tolist()
    yield np.isinf(value).tolist()
    yield measure.bands_of(value)
    yield _evidences(table, rows)
    yield _serieses(table, rows) if series else [[] for _ in rows]


def _targets(table: MeasureTable, rows: Sequence[int]) -> list[Json | None]:
    """Targets of the rows: the value, whether it is met, whose it is; None where there is none."""
    shared = {met: _target(table.measure, met) for met in (True, False, None)}
    if shared[None] is None and not table.own:
        return [None] * len(rows)
    met = table.meets_target
    if not table.own:
        return [shared[met[row]] for row in rows]
    return [
        _target(table.own[row], met[row]) if row in table.own else shared[met[row]] for row in rows
    ]


def _target(measure: Measure, met: bool | None) -> Json | None:
    aim = measure.aim
    if aim is None:
        return None
    return {
        "value": number(aim.value),
        "is_met_at": aim.is_met_at,
        "met": met,
        "set_by": aim.origin.value,
        "since": aim.since,
    }


def _evidences(table: MeasureTable, rows: Sequence[int]) -> list[Json]:
    """Numerator, denominator, n, the days seen, and who holds an extreme."""
    evaluation, expected, at = table.now, table.days, np.array(rows, int)
    columns = zip(
        numbers(evaluation.numerator[at]),
        numbers(evaluation.denominator[at]),
        numbers(evaluation.n[at]),
        table.seen[at].astype(int).tolist(),
        strict=True,
    )
    evidences: list[Json] = [
        {
            "numerator": numerator,
            "denominator": denominator,
            "n": n,
            "days_seen": seen,
            "days_expected": expected,
        }
        for numerator, denominator, n, seen in columns
    ]
    for key, holders in (("name", table.names), ("workspace", table.holders)):
        if holders:
            for evidence, row in zip(evidences, rows, strict=True):
                if holder := holders[row]:
                    evidence[key] = holder
    return evidences


def _serieses(table: MeasureTable, rows: Sequence[int]) -> list[list[tuple[str, Any]]]:
    """Points (day, value) of each row; none for a scope that has no row."""
    days = [day.isoformat() for day in table.points]
    filled_rows = [row for row in rows if row != NO_ROW]
    points = [list(zip(days, row, strict=True)) for row in numbers(table.series[filled_rows])]
    return [[] for row in rows if row == NO_ROW] + points


def numbers(values: Array) -> list[Any]:
    """Numbers as ``number`` writes them, in lists of the array's shape."""
    if values.shape == (1,):  # of the organisation: half of a request's tables are looked at so
        return [number(values.item())]
    finite = np.isfinite(values)
    whole = finite & (values == np.rint(values)) & (np.abs(values) < EXACT)
    if whole.all():
        return list(values.astype(np.int64).tolist())
    encoded = values.astype(object)
    encoded[whole] = values[whole].astype(np.int64)
    encoded[~finite] = None
    return list(encoded.tolist())


def annotation_json(annotation: Annotation) -> Json:
    """Note of people on days."""
    return {
        "id": str(annotation.id),
        "workspace": annotation.workspace,
        "about": annotation.about or None,
        "first_day": annotation.first_day,
        "last_day": annotation.last_day,
        "text": annotation.text,
        "by": annotation.by,
        "at": instant(annotation.at),
        "edited_at": instant(annotation.edited_at),
    }


def answer_json(answer: Answer) -> Json:
    """Answer to a question of the page."""
    return {
        "key": answer.key,
        "question": answer.question,
        "sentence": answer.sentence,
        "found": answer.found,
        "workspace": answer.workspace,
        "href": answer.href,
        "evidence": {key: without_nan(value) for key, value in answer.evidence.items()},
    }


def without_nan(value: Any) -> Any:
    """Evidence of an answer without NaN or infinity, whatever its depth."""
    if isinstance(value, dict):
        return {str(key): without_nan(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(v) for v in value]
    return number(value) if isinstance(value, float) else value


def number(value: float | None) -> float | int | None:
    """A finite number, whole ones without a fraction; None otherwise."""
    if value is None or not math.isfinite(value):
        return None
    return int(value) if float(value).is_integer() and abs(value) < EXACT else float(value)


def instant(value: datetime | None) -> str | None:
    """UTC with Z, to the second."""
    return instants.to_the_second(value) if value else None
