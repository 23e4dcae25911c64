"""Key to the lines of the cards: said once above them, with the scale that all of them share."""

from __future__ import annotations

from markupsafe import Markup

from aggregators.pooling.dashboard import Scorecard
from aggregators.pooling.plan import BASE_DAYS
from aggregators.signal.series import series_of
from aggregators.vocabulary import formats
from layouts.pieces.markup import html
from layouts.pieces.parts import hidden_from_readers
from layouts.pieces.sparkline import Scale


def legend(scorecard: Scorecard, measure_key: str, scale: Scale) -> Markup:
    """Words for the line, for the surface behind it, and for the scale that every card has."""
    measure = scorecard.domain.measure(measure_key)
    expected = [
        _entry("band", f"expected, from the {BASE_DAYS} days before"),
        _entry("out", "outside of it"),
    ]
    low, high = (formats.value(end, measure.unit, scale[1]) for end in scale)
    return html.P(
        [
            _entry("line", "this period"),
            *(expected if series_of(measure) is not None else []),
            html.Span(f"All cards: {low} to {high}", className="legend-scale"),
        ],
        className="legend",
    )


def _entry(kind: str, words: str) -> Markup:
    return html.Span([html.Span(className=f"key-{kind}", **hidden_from_readers()), words])
