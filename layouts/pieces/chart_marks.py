"""Marks of a chart over time: the target across it, and notes of people at their days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from aggregators.chosen.annotations import Annotation
from aggregators.vocabulary import formats
from aggregators.vocabulary.measure import Measure

Mark = tuple[dict[str, Any], dict[str, Any]]
"""A line in the picture, and its label."""
GREY = "#7C8A99"
DOTTED = {"color": GREY, "width": 1, "dash": "dot"}


def layout(
    measure: Measure, scale: float, days: Sequence[date], notes: Sequence[Annotation]
) -> dict[str, Any]:
    """Part of plotly's layout: the target of the measure, on an axis of this scale, and the notes."""
    marks = [*_target(measure, scale), *_notes(days, notes)]
    lines, labels = [line for line, _ in marks], [label for _, label in marks]
    return {"shapes": lines, "annotations": labels} if marks else {}


def _target(measure: Measure, scale: float) -> list[Mark]:
    aim = measure.aim
    if aim is None:
        return []
    y = aim.value * scale
    line = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": DOTTED}
    label = {"xref": "paper", "x": 1, "xanchor": "right", "y": y, "yanchor": "bottom"}
    text = f"target {formats.value(aim.value, measure.unit)}"
    return [(line, label | {"text": text, "showarrow": False, "font": {"size": 12}})]


def _notes(days: Sequence[date], notes: Sequence[Annotation]) -> list[Mark]:
    """A line up at the first day of each note, its number on the axis."""
    marks: list[Mark] = []
    for number, note in enumerate(notes if days else (), 1):
        x = min(max(note.first_day, days[0]), days[-1]).isoformat()
        line = {"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1, "line": DOTTED}
        label = {"x": x, "yref": "paper", "y": 0, "yanchor": "bottom", "showarrow": False}
        circle = {"bordercolor": GREY, "borderwidth": 1, "borderpad": 2, "font": {"size": 11}}
        marks.append((line, {"text": str(number), **label, **circle}))
    return marks
