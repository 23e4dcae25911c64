"""Annotations as a list beside the picture that marks their days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from aggregators.chosen.annotations import Annotation
from layouts.pieces.markup import html

MOST = 8
"""Notes that a list shows."""


def note_list(
    notes: Sequence[Annotation], names: Mapping[str, str], *, numbered: bool = False
) -> Markup:
    """Days, workspace, text and author of each; ``numbered`` as the chart beside it has them."""
    shown = [
        html.Li(
            [
                html.Span(f"{number}", className="note-number") if numbered else None,
                html.B(note.days),
                f" {names.get(note.workspace, note.workspace)}: " if note.workspace else " ",
                note.text,
                html.Span(f" \N{MIDDLE DOT} {note.by}", className="muted"),
            ]
        )
        for number, note in enumerate(notes[:MOST], 1)
    ]
    rest = len(notes) - MOST
    more = f"and {rest} more" if rest > 0 else ""
    return html.Section(
        [
            html.H3("Noted", className="notes-title"),
            html.Ul(shown, className="notes"),
            html.P(more, className="muted") if more else None,
        ],
        className="noted",
    )
