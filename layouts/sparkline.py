"""A series as a line in inline SVG: gaps where days are missing, the previous period faint behind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from aggregators import words
from aggregators.figures import Figure, Series
from layouts.markup import html

WIDTH, HEIGHT, PAD = 240.0, 40.0, 3.0
Scale = tuple[float, float]


def scale_of(figures: Iterable[Figure], *, previous: bool = False) -> Scale:
    """The common scale of several series: from 0, or below, to the highest value."""
    known = [
        value
        for figure in figures
        for series in ((figure.series, figure.previous_series) if previous else (figure.series,))
        for _, value in series
        if value is not None
    ]
    return scale_within((min(known), max(known)) if known else None)


def scale_within(extremes: Scale | None) -> Scale:
    """The scale that holds the lowest and the highest value, and 0."""
    low, high = extremes or (0.0, 0.0)
    low, high = min(0.0, low), max(0.0, high)
    return (low, high if high > low else low + 1.0)


def runs(series: Series, scale: Scale) -> list[list[tuple[float, float]]]:
    """The unbroken pieces of a series as points (x, y) in the picture."""
    low, high = scale
    step = (WIDTH - 2 * PAD) / max(1, len(series) - 1)
    pieces: list[list[tuple[float, float]]] = [[]]
    for i, (_, value) in enumerate(series):
        if value is None:
            pieces.append([])
            continue
        share = min(max((value - low) / (high - low), 0.0), 1.0)
        pieces[-1].append((PAD + i * step, HEIGHT - PAD - share * (HEIGHT - 2 * PAD)))
    return [piece for piece in pieces if piece]


def path(points: Sequence[tuple[float, float]]) -> str:
    """SVG path data; a lone point becomes a short dash."""
    if len(points) == 1:
        (x, y) = points[0]
        return f"M{x - 1.5:.1f} {y:.1f}H{x + 1.5:.1f}"
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def sparkline(figure: Figure, scale: Scale | None = None, *, previous: bool = False) -> Markup:
    """The picture, with words for those who do not see it. ``scale`` is shared by several cards."""
    scale = scale or scale_of([figure], previous=previous)
    lines = [
        html.Path(d=path(piece), className="spark-line") for piece in runs(figure.series, scale)
    ]
    before = []
    if previous:
        before = [
            html.Path(d=path(piece), className="spark-before")
            for piece in runs(figure.previous_series, scale)
        ]
    last = _last_point(figure.series, scale)
    return html.Span(
        html.Svg(
            [html.Path(d=_baseline(scale), className="spark-base"), *before, *lines, *last],
            viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}",
            preserveAspectRatio="none",
            className="spark",
        ),
        role="img",
        className="spark-box",
        **{"aria-label": words.spark(figure)},
    )


def _baseline(scale: Scale) -> str:
    low, high = scale
    y = HEIGHT - PAD - (0 - low) / (high - low) * (HEIGHT - 2 * PAD)
    return f"M{PAD} {y:.1f}H{WIDTH - PAD}"


def _last_point(series: Series, scale: Scale) -> list[Markup]:
    pieces = runs(series, scale)
    if not pieces or series[-1][1] is None:
        return []
    x, y = pieces[-1][-1]
    return [html.Path(d=f"M{x:.1f} {y:.1f}h0.01", className="spark-end")]
