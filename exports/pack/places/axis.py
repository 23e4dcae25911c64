"""The axis that all rows of a page share: where a figure lies on it, how sure it is, how it came there."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from aggregators.pooling.figures import ExpectedBand, Figure
from aggregators.vocabulary.measure import Status, Unit
from exports.pack.charts import known_values, scale, tick_words
from exports.pack.paper import style
from exports.pack.paper.canvas import Canvas
from exports.pack.paper.ink import Point
from exports.pack.paper.style import Box
from exports.pack.places.intervals import interval

Thing = TypeVar("Thing")
DOT, THICK = 2.3, 2.2
FLAT = 2.0
"""Points that a row's line keeps off the lines above and below it."""


def target(figure: Figure) -> float | None:
    """The value that a figure should stand on the better side of: its workspace's own target, the
    organisation's, or the declared one."""
    return figure.measure.aim.value if figure.measure.aim else None


def is_sum(figure: Figure) -> bool:
    """Whether the organisation's figure adds up those of its workspaces, and so lies beyond their axis."""
    return figure.measure.unit in (Unit.COUNT, Unit.PER_DAY)


@dataclass(frozen=True, slots=True)
class SharedAxis:
    """Values ``low`` to ``high`` of a unit, as wide as a column; ``ends`` are both as words."""

    low: float
    high: float
    ends: tuple[str, str]

    @classmethod
    def of(cls, figures: Sequence[Figure]) -> SharedAxis:
        """An axis that holds every value, line, interval and target of few rows. The lines and
        intervals of figures over few events are cut: they would press the others together."""
        unit = figures[0].measure.unit
        values: list[float] = []
        for figure in figures:
            values += [] if figure.low_sample else known_values(figure.series)
            values += [figure.value] if figure.value is not None else []
            own = target(figure)
            values += [own] if own is not None else []
            around = None if figure.low_sample else interval(figure)
            values += around or ()
        of = scale(values, unit)
        words = tick_words(of, unit)
        return cls(of.low, of.high, (words[0], words[-1]))

    @property
    def words(self) -> str:
        """ "0 – 50 %": both ends, their unit once."""
        low, high = self.ends
        unit = high.partition(" ")[2]
        same = unit and low.endswith(f" {unit}")
        return f"{low.removesuffix(f' {unit}') if same else low} – {high}"

    def share(self, value: float) -> float:
        """Where a value lies, 0 to 1; what lies beyond an end lies on it."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)


def draw_standing(
    canvas: Canvas, box: Box, axis: SharedAxis, figure: Figure, limit: float | None, colour: str
) -> None:
    """Draws where a figure stands: a dot within its interval where it was sampled, a bar where it was
    counted; the target dotted. The interval is red where it lies beyond the target as a whole."""
    middle = box.y + box.h / 2

    def at(value: float) -> float:
        return box.x + box.w * axis.share(value)

    if limit is not None and axis.low < limit <= axis.high:
        canvas.dots((at(limit), box.y + 1), (at(limit), box.bottom - 1), style.INK)
    value = axis.high if figure.over_budget else figure.value
    if value is None:
        return
    around = interval(figure)
    if around is None:
        wide = max(at(value) - at(0.0), 0.9)
        canvas.bar(Box(at(0.0), middle - 2.4, wide, 4.8), colour)
        return
    low, high = around
    is_beyond = limit is not None and not low <= limit <= high and colour == style.BAD
    stroke = style.BAD if is_beyond else style.PREVIOUS
    canvas.ink.path(((at(low), middle), (at(high), middle)), stroke, THICK)
    canvas.dot((at(value), middle), DOT, colour)


def tone(status: Status) -> str:
    """The colour of a mark: a status that is no news is the series' own."""
    return style.COLOUR[status] if status in (Status.BAD, Status.WATCH) else style.ACCENT


def line(canvas: Canvas, box: Box, axis: SharedAxis, figure: Figure) -> None:
    """Draws how a figure came where it is, a gap where a day is missing; behind it what is expected, red
    what lies outside of that and all since it drifts."""
    series, last = figure.series, max(len(figure.series) - 1, 1)

    def at(number: int, value: float) -> Point:
        share = (box.h - 2 * FLAT) * axis.share(value)
        return box.x + box.w * number / last, box.bottom - FLAT - share

    points = [None if value is None else at(i, value) for i, (_, value) in enumerate(series)]
    band = figure.band
    if band:
        _band(canvas, band, at)
    canvas.line((box.x, box.bottom - FLAT), (box.right, box.bottom - FLAT), style.GRID, 0.5)
    since = figure.drifting_since
    turn = next((i for i, (day, _) in enumerate(series) if since and day >= since), None)
    for run in _stretches(points):
        canvas.path(run, style.ACCENT, 1.1)
    if band:
        is_far = zip(points, band.outside.tolist(), strict=True)
        for run in _stretches(point if far else None for point, far in is_far):
            canvas.path(run, style.BAD, 1.5)
    if turn is not None:
        _drift(canvas, box, points, turn)
    if points and points[-1] is not None:
        is_red = turn is not None or (band is not None and bool(band.outside[-1]))
        canvas.dot(points[-1], 1.7, style.BAD if is_red else style.ACCENT)


def _band(canvas: Canvas, band: ExpectedBand, at: Callable[[int, float], Point]) -> None:
    """Surfaces of what is expected, broken where nothing is."""
    ends = list(zip(band.low.tolist(), band.high.tolist(), strict=True))
    known = (i if math.isfinite(low + high) else None for i, (low, high) in enumerate(ends))
    for run in _stretches(known):
        upper = [at(i, ends[i][1]) for i in run]
        lower = [at(i, ends[i][0]) for i in reversed(run)]
        if len(run) > 1:
            canvas.ink.area([*upper, *lower], style.BAND)


def _drift(canvas: Canvas, box: Box, points: Sequence[Point | None], turn: int) -> None:
    x = box.x + box.w * turn / max(len(points) - 1, 1)
    canvas.dashes((x, box.y + 1), (x, box.bottom - 1), style.BAD, 0.8)
    for run in _stretches(points[turn:]):
        canvas.path(run, style.BAD, 1.5)


def _stretches(things: Iterable[Thing | None]) -> list[list[Thing]]:
    """The stretches without a gap."""
    stretches: list[list[Thing]] = [[]]
    for thing in things:
        if thing is None:
            stretches.append([])
        else:
            stretches[-1].append(thing)
    return [stretch for stretch in stretches if stretch]
