"""The first sheet of the workbook: a line a headline, read back from the file."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from openpyxl import load_workbook

from aggregators.catalogue import DOMAINS
from aggregators.pooling.dashboard import Dashboard
from aggregators.vocabulary import formats
from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.measure import LOWER, Measure, Unit
from exports.workbook.book import as_xlsx
from tests.sentences.kinds import whole
from tests.sentences.titles import is_worst, text_of
from tests.sentences.truth import Change, Truth, bad

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
HEAD = 3
"""Lines above the table: title, what it is of, an empty one."""
WORSE, BETTER = {"worse", "likely worse"}, {"better", "likely better"}
NEITHER = {"within noise", "too few to tell", "same", "no comparison"}


def check_workbook(truth: Truth, dashboard: Dashboard) -> None:
    """Every line of the first sheet, and that no headline is missing."""
    file = as_xlsx(dashboard, requested_by="a@x.example", exported_at=AT, export_id="x")
    sheet = load_workbook(io.BytesIO(file), read_only=True)["Summary"]
    lines = [list(line) for line in sheet.iter_rows(min_row=HEAD + 2, values_only=True)]
    table = lines[: next(n for n, line in enumerate(lines) if not line[0])]
    by_title = {domain.title: domain for domain in DOMAINS}
    assert [domain for domain in by_title if any(line[0] == domain for line in table)] == list(
        by_title
    )
    for line in table:
        _check_line(truth, by_title[line[0]], line)
    for domain in DOMAINS:
        groups = [
            g for g in truth.groups(domain) if _measure_of(truth, domain, g).now.value is not None
        ]
        told = [line for line in table if line[0] == domain.title]
        assert len(told) >= len(groups)


def _measure_of(truth: Truth, domain: Domain, group: str) -> Change:
    return truth.change(domain.headline, truth.everybody, group)


def _check_line(truth: Truth, domain: Domain, line: Sequence[Any]) -> None:
    measure = domain.measure(domain.headline)
    title, value, before, change, verdict, stands, _, worst, figure = (*line[1:9], line[9])
    group = title.removeprefix(measure.title).removeprefix(", ")
    own = _measure_of(truth, domain, group)
    assert _number(value, measure) == _near(own.now.value)
    assert _number(before, measure) == _near(own.before.value if own.comparable else None)
    _check_change(own, measure, change, verdict)
    _check_standing(own, measure, stands)
    if worst:
        _check_worst(truth, domain, worst, figure, group)


def _number(cell: Any, measure: Measure) -> float | None:
    if cell is None:
        return None
    if measure.unit is Unit.SECONDS:
        return float(cell.total_seconds())
    return float(cell)


def _near(value: float | None) -> Any:
    return None if value is None or math.isinf(value) else pytest.approx(value)


def _check_change(own: Change, measure: Measure, change: str | None, verdict: str | None) -> None:
    """The change, and a verdict that goes the way of the records."""
    if own.delta is None:
        assert change in (formats.NONE, "no earlier data", None)
        assert not verdict
        return
    shift = formats.shift(own.delta, measure.unit, own.now.value)
    from_nought = measure.unit is not Unit.RATIO and own.before.value == 0
    told = f"{shift}, from 0" if from_nought else shift
    assert change in (told, "No change")
    if change == "No change":
        assert formats.is_nothing(own.delta, measure.unit, own.now.value)
    worsened = bad(measure, own.delta)
    if verdict in WORSE | BETTER:
        assert (verdict in WORSE) == (worsened > 0)
    else:
        assert verdict in NEITHER


def _check_standing(own: Change, measure: Measure, stands: str | None) -> None:
    """On or off target by the declared threshold; watched between the two."""
    if measure.bad is None or own.now.value is None:
        return
    sign = 1 if measure.better is LOWER else -1
    off = sign * own.now.value >= sign * measure.bad
    assert (stands == "Off target") == off


def _check_worst(truth: Truth, domain: Domain, worst: str, figure: str, group: str) -> None:
    """The one named stands worst by the measure that the order follows, unless the order allows for few."""
    key = domain.worst_by or domain.headline
    measure, own = domain.measure(key), truth.index(worst)
    shown = truth.shown(domain, key)
    stated = figure.removeprefix(f"{measure.title}: ")
    named = truth.worst_group(domain, [own], key) or ""
    assert stated == (f"{named} " if named else "") + text_of(shown[own], measure.unit)
    assert not group or named == group
    if len(truth.organisation) > 1:
        others = sum(
            math.isclose(bad(measure, shown[n]), bad(measure, shown[own]), abs_tol=1e-12)
            for n in shown
            if n != own
        )
        above = any(bad(measure, shown[n]) > bad(measure, shown[own]) + 1e-12 for n in shown)
        is_worst(truth, domain, worst, str(others), allowing=above)
        assert not above or measure.prior, whole(str(others))
