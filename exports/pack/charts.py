"""Lines over time: scales with round ticks, the trend of a page, the sparkline of a row."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from aggregators.pooling.figures import Figure, Series
from aggregators.vocabulary import formats
from aggregators.vocabulary.measure import Unit
from aggregators.vocabulary.period import Compare, Period
from aggregators.vocabulary.scales import ends
from exports.pack import marks
from exports.pack.marks import NumberedNote
from exports.pack.paper import style
from exports.pack.paper.canvas import Canvas
from exports.pack.paper.ink import Point
from exports.pack.paper.style import Box

MINUTE, HOUR, DAY = 60, 3600, 86400
CLOCK = (
    *(1, 2, 5, 10, 15, 30),
    *(n * MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * HOUR for n in (1, 2, 3, 6, 12)),
)
"""Steps of a time axis in seconds; from a day on they are round numbers of days."""
MOST_TICKS = 5
FINEST = {Unit.RATIO: 0.01, Unit.COUNT: 1.0, Unit.DAYS: 1.0, Unit.BURN: 0.1, Unit.PER_DAY: 0.1}
"""The smallest step whose ticks still read differently."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Values low..high in ``steps`` equal steps; words show them times ``per`` (7: per week)."""

    low: float
    step: float
    steps: int
    per: int = 1

    @property
    def high(self) -> float:
        """The highest tick."""
        return self.low + self.step * self.steps

    @property
    def ticks(self) -> list[float]:
        """Every tick, ascending."""
        return [self.low + self.step * i for i in range(self.steps + 1)]

    def share(self, value: float) -> float:
        """Where a value lies, 0 at the lowest tick and 1 at the highest."""
        return (value - self.low) / (self.high - self.low)


def scale(values: Iterable[float], unit: Unit) -> Scale:
    """Round ticks around the values and 0."""
    known = list(values)
    low, high = ends(known if any(known) else [DAY if unit is Unit.SECONDS else 1.0])
    per = 7 if unit is Unit.PER_DAY and high < 1 else 1
    step = _step((high - low) * per / MOST_TICKS, unit) / per
    first = math.floor(low / step + 1e-9)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    return Scale(first * step, step, last - first, per)


def _step(least: float, unit: Unit) -> float:
    """The smallest round step of at least ``least``."""
    if unit is Unit.SECONDS:
        for tick in CLOCK:
            if tick >= least:
                return float(tick)
        return DAY * _round(least / DAY)
    return max(_round(least), FINEST[unit])


def _round(least: float) -> float:
    base = 10.0 ** math.floor(math.log10(least))
    return next(base * n for n in (1, 2, 5, 10) if base * n >= least * (1 - 1e-9))


def tick_words(of: Scale, unit: Unit) -> list[str]:
    """The ticks as words, one precision and one unit for all of them."""
    if unit is Unit.RATIO:
        return [formats.percent(t, 0) for t in of.ticks]
    if unit is Unit.PER_DAY:
        name, digits = "day" if of.per == 1 else "week", int(of.step * of.per < 1)
        return [f"{formats.number(t * of.per, digits)} / {name}" for t in of.ticks]
    return [formats.value(t, unit) for t in of.ticks]


def runs(series: Series, at: Callable[[int, float], Point]) -> list[list[Point]]:
    """The stretches without a gap, as points on paper."""
    pieces: list[list[Point]] = [[]]
    for i, (_, value) in enumerate(series):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append(at(i, value))
    return [run for run in pieces if run]


def known_values(*all_series: Series) -> list[float]:
    """Every value that is no gap."""
    return [value for series in all_series for _, value in series if value is not None]


def _placing(box: Box, series: Series, of: Scale) -> Callable[[int, float], Point]:
    last = max(len(series) - 1, 1)
    return lambda i, value: (box.x + box.w * i / last, box.bottom - box.h * of.share(value))


def _draw(
    canvas: Canvas, box: Box, series: Series, of: Scale, colour: str, width: float
) -> list[list[Point]]:
    pieces = runs(series, _placing(box, series, of))
    for run in pieces:
        canvas.path(run, colour, width)
    return pieces


def sparkline(canvas: Canvas, box: Box, figure: Figure) -> None:
    """The series, its last point dotted, with that of the previous period faint behind it."""
    values = known_values(figure.series, figure.previous_series)
    if not known_values(figure.series):
        canvas.text(box, "no data", style.TINY, colour=style.MUTED)
        return
    low, high = ends(values)
    of = Scale(low, high - low, 1)
    _draw(canvas, box, figure.previous_series, of, "#C3CBD3", 0.8)
    canvas.dot(_draw(canvas, box, figure.series, of, style.ACCENT, 1.2)[-1][-1], 1.9, style.ACCENT)


End = tuple[float, str, tuple[str, ...]]
"""Where a line ends (y), its colour, its name in lines."""

BEFORE = {
    Compare.PREVIOUS: ("Previous", "period"),
    Compare.YEAR: ("A year", "ago"),
    Compare.NONE: (),
}
"""Name of the line behind, in lines."""
GUTTER, AXIS = 56.0, 46.0
"""Room for the labels of the lines, and for the words of the ticks."""


def trend(
    canvas: Canvas,
    box: Box,
    figure: Figure,
    period: Period,
    noted: list[NumberedNote] | None = None,
) -> None:
    """A figure over the period, the previous one grey behind it, each line labelled at its end; what was
    noted is marked on the axis."""
    plot = Box(box.x + AXIS, box.y + 6, box.w - AXIS - GUTTER, box.h - 24)
    values = known_values(figure.series, figure.previous_series)
    if not values:
        canvas.fill(Box(box.x, box.y + 6, box.w, box.h - 12), style.TINT, 8)
        canvas.text(box, "No points in either period", colour=style.MUTED, align="C")
        return
    of = scale([*values, *_near_thresholds(figure, values)], figure.measure.unit)
    _grid(canvas, plot, of, figure.measure.unit)
    labels = _limits(canvas, plot, of, figure)
    _dates(canvas, plot, period)
    lines = [
        (figure.previous_series, style.PREVIOUS, style.MUTED, 1.1, BEFORE[figure.table.compare]),
        (figure.series, style.ACCENT, style.ACCENT, 1.9, ("This period",)),
    ]
    for series, stroke, ink, width, name in lines:
        pieces = _draw(canvas, plot, series, of, stroke, width)
        if pieces:
            canvas.dot(pieces[-1][-1], width * 1.25, stroke)
            labels.append((pieces[-1][-1][1], ink, name))
    _labels(canvas, plot, labels)
    marks.draw_along(
        canvas, Box(plot.x, plot.y, plot.w, plot.h + marks.RADIUS), figure.series, noted or []
    )


def _near_thresholds(figure: Figure, values: Sequence[float]) -> list[float]:
    """The thresholds no further from the values than the values are from each other."""
    low, high = min(values), max(values)
    reach = max(high - low, 0.05 * abs(high))
    limits = (figure.measure.watch, figure.measure.bad)
    return [x for x in limits if x is not None and low - reach <= x <= high + reach]


def _grid(canvas: Canvas, plot: Box, of: Scale, unit: Unit) -> None:
    for tick, text in zip(of.ticks, tick_words(of, unit), strict=True):
        y = plot.bottom - plot.h * of.share(tick)
        canvas.line((plot.x, y), (plot.right, y), style.GRID, 0.6)
        text_box = Box(plot.x - AXIS, y - 5, AXIS - 5, 10)
        canvas.text(text_box, text, style.TINY, colour=style.MUTED, align="R")


def _limits(canvas: Canvas, plot: Box, of: Scale, figure: Figure) -> list[End]:
    """The thresholds that lie within the picture, to be named at their ends."""
    measure = figure.measure
    limits: list[End] = []
    for limit, colour, name in (
        (measure.watch, style.WATCH, "watch"),
        (measure.bad, style.BAD, "target"),
    ):
        if limit is not None and of.low < limit <= of.high:
            y = plot.bottom - plot.h * of.share(limit)
            canvas.dashes((plot.x, y), (plot.right, y), colour, 0.6)
            limits.append((y, colour, (f"{name} {formats.value(limit, measure.unit)}",)))
    return limits


def _dates(canvas: Canvas, plot: Box, period: Period) -> None:
    """First, middle and last day of the points."""
    days = period.points()
    y, w = plot.bottom + 5, 70.0
    chosen = {0: "L", len(days) // 2: "C", len(days) - 1: "R"} if len(days) > 4 else {0: "L"}
    for i, align in chosen.items():
        x = plot.x + plot.w * i / max(len(days) - 1, 1)
        left = x - {"L": 0.0, "C": w / 2, "R": w}[align]
        canvas.line((x, plot.bottom), (x, plot.bottom + 3), style.PREVIOUS, 0.6)
        text = formats.day(days[i], year=period.start.year != period.end.year)
        canvas.text(Box(left, y, w, 9), text, style.TINY, colour=style.MUTED, align=align)


def _labels(canvas: Canvas, plot: Box, labels: Sequence[End]) -> None:
    """Each line's name beside its end, pushed apart where they would touch."""
    below = plot.y - 8
    for y, colour, name in sorted(labels, key=lambda end: end[0]):
        top = max(y - 5 * len(name), below)
        for i, text in enumerate(name):
            text_box = Box(plot.right + 6, top + i * 9, GUTTER - 6, 9)
            canvas.text(text_box, text, style.TINY, bold=colour == style.ACCENT, colour=colour)
        below = top + 9 * len(name) + 1
