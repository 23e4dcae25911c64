"""A drift over time as one picture: the days before it began, where the points were expected, the onset
with the days that it may have begun on, and the last value. Inline SVG: it is there with the page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from markupsafe import Markup

from aggregators import words
from aggregators.pooling.figures import Figure, Series
from aggregators.vocabulary import formats
from aggregators.vocabulary.measure import Unit
from layouts.pieces.markup import html
from layouts.pieces.sparkline import (
    Room,
    Scale,
    band_of,
    onset_place,
    outside_of,
    path,
    runs,
    scale_of,
)

WIDTH, HEIGHT = 400, 190
ROOM = Room(62, 24, 336, 160)
BASE = HEIGHT - 8
"""Where the days are written."""
TICKS = 5
"""Lines across at the most, the lowest one not counted."""
LONG = (30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 432000, 864000)
"""Steps of an axis of durations, in seconds."""
LEAST_APART = 15
CENTRE = ROOM.left + (ROOM.right - ROOM.left) / 2


class Onset(NamedTuple):
    """Day on which a drift began, give or take so many."""

    since: date
    give_or_take: int


def drift_chart(figure: Figure, onset: Onset) -> Markup:
    """The picture, with words for those who do not see it."""
    series, band = figure.series, figure.band
    scale = _scale(figure)
    at = onset_place(series, onset.since)
    behind = band_of(band, scale, ROOM) if band else []
    outer = outside_of(figure, band, scale, ROOM) if band else []
    lines = [html.Path(d=path(p), className="spark-line") for p in runs(series, scale, ROOM)]
    heard = (
        f"{words.spark(figure, int(band.outside.sum()) if band else 0)}, {_onset_sentence(onset)}"
    )
    return html.Svg(
        [
            *_axis(figure, scale),
            *behind,
            *(_span(series, onset) if at is not None else ()),
            *lines,
            *outer,
            *_days(series, has_onset=at is not None),
            *_ends(figure, scale),
        ],
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        className="drift-chart spark",
        role="img",
        **{"aria-label": heard},
    )


def _onset_sentence(onset: Onset) -> str:
    """Since when it drifts, give or take how much."""
    days = formats.counted(onset.give_or_take, "day")
    return f"drifting since {formats.day(onset.since)}, give or take {days}"


def _scale(figure: Figure) -> Scale:
    """From 0 to the first tick above the line and the band."""
    low, high = scale_of([figure])
    if figure.band is not None:
        known = figure.band.high[[math.isfinite(v) for v in figure.band.high.tolist()]]
        # A band of a few events reaches far: the line must still be seen.
        high = max(high, min(float(known.max(initial=0.0)), 1.5 * high))
    step = axis_step(high - low, figure.measure.unit)
    return low, max(math.ceil(high / step - 1e-9), 1) * step


def axis_step(span: float, unit: Unit) -> float:
    """Distance of two lines across, such that there are few and their numbers are round."""
    least = span / TICKS
    if unit is Unit.SECONDS and least <= LONG[-1]:
        return next(step for step in map(float, LONG) if step >= least)
    size = 10.0 ** math.floor(math.log10(max(least, 1e-9)))
    step = next(size * times for times in (1, 2, 5, 10) if size * times >= least * (1 - 1e-9))
    return max(step, 1.0) if unit in (Unit.COUNT, Unit.DAYS) else step


def _axis(figure: Figure, scale: Scale) -> Iterator[Markup]:
    """Lines across, each with its value."""
    unit, (low, high) = figure.measure.unit, scale
    step = axis_step(high - low, unit)
    for number in range(math.ceil(low / step), math.floor(high / step + 1e-9) + 1):
        value, y = number * step, ROOM.y(number * step, scale)
        yield html.Path(d=f"M{ROOM.left} {y:.1f}H{ROOM.right}", className="chart-line")
        yield _text(_axis_label(value, unit, high), ROOM.left - 8, y + 4, "end")


def _axis_label(value: float, unit: Unit, high: float) -> str:
    """A value of the axis, without decimals that say nothing."""
    if unit is Unit.RATIO and high >= 0.05:
        return formats.percent(value, 0)
    if unit is Unit.SECONDS and value == 0:
        return "0"
    return formats.value(value, unit, high)


def _text(words_: str, x: float, y: float, anchor: str = "start", name: str = "") -> Markup:
    anchored = {"text-anchor": anchor, "x": f"{x:.1f}", "y": f"{y:.1f}"}
    return html.Text(words_, className=name or None, **anchored)


def _span(series: Series, onset: Onset) -> Iterator[Markup]:
    """The day on which it began, dashed, and around it the days on which it may have."""
    first, last = series[0][0], series[-1][0]
    about = timedelta(days=onset.give_or_take)
    ends = (max(onset.since - about, first), min(onset.since + about, last))
    left, right = (_x(day, first, last) for day in ends)
    room = {"x": f"{left:.1f}", "width": f"{max(right - left, 1):.1f}"}
    yield html.Rect(y=ROOM.top, height=ROOM.bottom - ROOM.top, className="onset-span", **room)
    x = _x(onset.since, first, last)
    yield html.Path(d=f"M{x:.1f} {ROOM.top - 4}V{ROOM.bottom}", className="spark-onset")
    is_right = x > CENTRE
    anchored = (x - 6, "end") if is_right else (x + 6, "start")
    yield _text(formats.day(onset.since, year=False), anchored[0], ROOM.top - 8, anchored[1], "hot")


def _x(day: date, first: date, last: date) -> float:
    share = (day - first).days / max((last - first).days, 1)
    return ROOM.left + share * (ROOM.right - ROOM.left)


def _days(series: Series, *, has_onset: bool) -> Iterator[Markup]:
    """The first and the last day below the picture, and the middle one where no onset says where one is."""
    if not series:
        return
    places = {0: "start", len(series) - 1: "end"}
    if not has_onset and len(series) > 2:
        places[len(series) // 2] = "middle"
    for at, anchor in places.items():
        x = ROOM.x(at, len(series))
        yield _text(formats.day(series[at][0], year=False), x, BASE, anchor)


def _ends(figure: Figure, scale: Scale) -> Iterator[Markup]:
    """The last value and, beside what was expected at last, its name."""
    series, band = figure.series, figure.band
    if not series:
        return
    taken: list[float] = []
    value = series[-1][1]
    if value is not None:
        y, is_hot = ROOM.y(value, scale), bool(band is not None and band.outside[-1])
        taken.append(y)
        name = "spark-end hot" if is_hot else "spark-end"
        yield html.Path(d=f"M{ROOM.right} {y:.1f}h0.01", className=name)
        text = formats.about(value, figure.measure.unit)
        yield _text(text, ROOM.right + 8, y + 4, name="hot" if is_hot else "last")
    if band is not None and math.isfinite(band.high[-1]):
        ends = (ROOM.y(float(edge[-1]), scale) for edge in (band.low, band.high))
        y = _free_height(sum(ends) / 2, taken)
        yield _text("expected", ROOM.right + 8, y + 4)


def _free_height(y: float, taken: Sequence[float]) -> float:
    """The height, or the nearest one at which it stands clear of those that are taken."""
    for other in taken:
        if abs(y - other) < LEAST_APART:
            lower = other + LEAST_APART
            return lower if lower <= ROOM.bottom else other - LEAST_APART
    return y
