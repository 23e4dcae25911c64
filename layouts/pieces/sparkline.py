"""A series as a line in inline SVG: gaps where days are missing, the previous period faint behind."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import chain, groupby
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from aggregators import words
from aggregators.chosen.annotations import Annotation
from aggregators.pooling.figures import ExpectedBand, Figure, Series
from aggregators.vocabulary import formats
from aggregators.vocabulary.scales import ends
from layouts.pieces.markup import html

WIDTH, HEIGHT, PAD = 240.0, 40.0, 3.0
Scale = tuple[float, float]


class Room(NamedTuple):
    """Place of a series in its picture."""

    left: float
    top: float
    right: float
    bottom: float

    def x(self, at: int, points: int) -> float:
        """Place of one of so many points, from the left."""
        return self.left + at * (self.right - self.left) / max(1, points - 1)

    def y(self, value: float, scale: Scale) -> float:
        """Height of a value, that of the scale's end where it lies beyond."""
        low, high = scale
        share = min(max((value - low) / (high - low), 0.0), 1.0)
        return self.bottom - share * (self.bottom - self.top)


WHOLE = Room(PAD, PAD, WIDTH - PAD, HEIGHT - PAD)
"""The room of a sparkline."""


def scale_of(figures: Iterable[Figure], *, previous: bool = False) -> Scale:
    """The common scale of several series."""
    return ends(
        value
        for figure in figures
        for series in ((figure.series, figure.previous_series) if previous else (figure.series,))
        for _, value in series
        if value is not None
    )


def scale_within(extremes: Scale | None) -> Scale:
    """The scale that holds the lowest and the highest value."""
    return ends(extremes or ())


def runs(series: Series, scale: Scale, room: Room = WHOLE) -> list[list[tuple[float, float]]]:
    """The unbroken pieces of a series as points (x, y) in the picture."""
    low, high = scale
    tall, step = room.bottom - room.top, (room.right - room.left) / max(1, len(series) - 1)
    pieces: list[list[tuple[float, float]]] = [[]]
    for i, (_, value) in enumerate(series):
        if value is None:
            pieces.append([])
            continue
        share = min(max((value - low) / (high - low), 0.0), 1.0)
        pieces[-1].append((room.left + i * step, room.bottom - share * tall))
    return [piece for piece in pieces if piece]


def path(points: Sequence[tuple[float, float]]) -> str:
    """SVG path data; a lone point becomes a short dash."""
    if len(points) == 1:
        (x, y) = points[0]
        return f"M{x - 1.5:.1f} {y:.1f}H{x + 1.5:.1f}"
    # All numbers of a line at once: one by one takes three times as long, and a card has a hundred.
    return "M" + "L".join(["%.1f %.1f"] * len(points)) % tuple(chain.from_iterable(points))


def band_of(band: ExpectedBand, scale: Scale, room: Room = WHOLE) -> list[Markup]:
    """The expected band as one surface, broken where nothing is expected."""
    # As lists: to take numbers out of an array one by one, and to write them, takes three times as long.
    high, low = (_heights(ends, scale, room).tolist() for ends in (band.high, band.low))
    step = (room.right - room.left) / max(1, len(low) - 1)
    known = [
        math.isfinite(top) and math.isfinite(bottom) for top, bottom in zip(high, low, strict=True)
    ]
    surfaces = []
    for is_known, places in groupby(range(len(known)), known.__getitem__):
        if not is_known:
            continue
        piece = list(places)
        top, bottom = ([(room.left + at * step, edge[at]) for at in piece] for edge in (high, low))
        if len(piece) == 1:
            top, bottom = ([(x - 1.5, y), (x + 1.5, y)] for ((x, y),) in (top, bottom))
        surfaces.append(html.Path(d=path([*top, *reversed(bottom)]) + "Z", className="spark-band"))
    return surfaces


def _heights(values: np.ndarray, scale: Scale, room: Room) -> np.ndarray:
    low, high = scale
    share = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(room.bottom - share * (room.bottom - room.top))


def outside_of(
    figure: Figure, band: ExpectedBand, scale: Scale, room: Room = WHOLE
) -> list[Markup]:
    """Pieces of the line that lie outside of what is expected."""
    if not band.outside.any():
        return []
    outer = [
        (day, value if out else None)
        for (day, value), out in zip(figure.series, band.outside.tolist(), strict=True)
    ]
    return [html.Path(d=path(piece), className="spark-out") for piece in runs(outer, scale, room)]


def sparkline(
    figure: Figure,
    scale: Scale | None = None,
    *,
    previous: bool = False,
    notes: Sequence[Annotation] = (),
    since: date | None = None,
) -> Markup:
    """The picture, with words for those who do not see it. ``scale`` is shared by several cards; ``notes``
    are marked at their days, and the day ``since`` when it drifts."""
    scale = scale or scale_of([figure], previous=previous)
    band = figure.band
    behind = band_of(band, scale) if band else []
    outer = outside_of(figure, band, scale) if band else []
    pieces = runs(figure.series, scale)
    lines = [html.Path(d=path(piece), className="spark-line") for piece in pieces]
    before = _previous_lines(figure, scale) if previous else []
    last = _last_point(figure.series, pieces)
    seen_words, heard = _in_words(figure, notes, since, int(band.outside.sum()) if band else 0)
    return html.Span(
        html.Svg(
            [
                *behind,
                html.Path(d=_baseline(scale), className="spark-base"),
                *note_marks(figure.series, notes),
                *_onset(figure.series, since),
                *before,
                *lines,
                *outer,
                *last,
            ],
            viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}",
            preserveAspectRatio="none",
            className="spark",
        ),
        role="img",
        className="spark-box",
        title=seen_words or None,
        **{"aria-label": heard},
    )


def _previous_lines(figure: Figure, scale: Scale) -> list[Markup]:
    """The line of the period before, in its unbroken pieces."""
    pieces = runs(figure.previous_series, scale)
    return [html.Path(d=path(piece), className="spark-before") for piece in pieces]


def _in_words(
    figure: Figure, notes: Sequence[Annotation], since: date | None, outside: int
) -> tuple[str, str]:
    """Notes in words, and the whole picture, so many points of which lie ``outside``."""
    note_words = "; ".join(f"{note.days}: {note.text}" for note in notes)
    drawn = words.spark(figure, outside)
    if since is not None:
        drawn = f"{drawn}, drifting since {formats.day(since)}"
    return note_words, f"{drawn}; noted {note_words}" if note_words else drawn


def note_marks(series: Series, notes: Sequence[Annotation]) -> list[Markup]:
    """A line down at the day of each note, or at the first point after it."""
    days = [day for day, _ in series]
    if not days:
        return []
    places = {min(bisect_left(days, note.first_day), len(days) - 1) for note in notes}
    return [_mark(at, len(days), "spark-note") for at in sorted(places)]


def onset_place(series: Series, since: date | None) -> int | None:
    """Point at which a drift begins; None where it began before the first one or after the last."""
    days = [day for day, _ in series]
    if since is None or not days or not days[0] <= since <= days[-1]:
        return None
    return bisect_left(days, since)


def _onset(series: Series, since: date | None) -> list[Markup]:
    at = onset_place(series, since)
    return [] if at is None else [_mark(at, len(series), "spark-onset")]


def _mark(at: int, points: int, class_name: str) -> Markup:
    """A line down at one of so many points."""
    return html.Path(d=f"M{WHOLE.x(at, points):.1f} 0V{HEIGHT:.0f}", className=class_name)


def _baseline(scale: Scale) -> str:
    """The line of 0."""
    low, high = scale
    y = HEIGHT - PAD - (0 - low) / (high - low) * (HEIGHT - 2 * PAD)
    return f"M{PAD} {y:.1f}H{WIDTH - PAD}"


def _last_point(series: Series, pieces: Sequence[Sequence[tuple[float, float]]]) -> list[Markup]:
    """The dot at the line's end; none where the newest point is a gap."""
    if not pieces or series[-1][1] is None:
        return []
    x, y = pieces[-1][-1]
    return [html.Path(d=f"M{x:.1f} {y:.1f}h0.01", className="spark-end")]
