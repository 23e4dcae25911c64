"""The four questions, answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from markupsafe import Markup

from aggregators.pooling.dashboard import Answer
from aggregators.vocabulary import formats
from aggregators.vocabulary.period import Span
from layouts.pieces.markup import html
from layouts.pieces.parts import data, hidden_text, link


def _path(seconds: Sequence[float]) -> str:
    return " → ".join(map(formats.duration, seconds))


def _numbers(numbers: Sequence[float]) -> str:
    return ", ".join(map(formats.number, numbers))


def _sprints(sprints: Sequence[Sequence[str]]) -> str:
    first, last = sprints[0][0], sprints[-1][1]
    return formats.span(Span(date.fromisoformat(first), date.fromisoformat(last)))


VALUE = re.compile(r"([−+]?\d[\d,.]* (?:%|(?:d|h|min|s|pts)\b)(?: \d+ (?:h|min)\b)?)")
"""A value with its unit, as ``formats`` writes it."""
EVIDENCE: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "failed": ("Failed deployments", formats.number),
    "deployments": ("Deployments", formats.number),
    "interval_low": ("95 % interval from", formats.percent),
    "interval_high": ("95 % interval to", formats.percent),
    "delta_points": ("Change", formats.points),
    "above": ("Workspaces that show a higher rate", formats.number),
    "after_shrinking": ("Rate after shrinking", lambda given: f"about {formats.percent(given)}"),
    "judged": ("Workspaces with enough events", formats.number),
    "framework": ("Framework", str),
    "control": ("Control", str),
    "days": ("Days left", formats.number),
    "lapsing_within_30_days": ("Lapse within 30 days", formats.number),
    "already_out": ("Workspaces with controls out", lambda given: formats.number(len(given))),
    "slope_points_per_day": ("Change a day", formats.points),
    "projected": ("Projected pass rate", formats.percent),
    "total": ("Expire within 30 days", formats.number),
    "held": ("In this workspace", formats.number),
    "share": ("Its share", formats.percent),
    "workspaces": ("Workspaces that hold most", formats.number),
    "hold": ("Their share", formats.percent),
    "of": ("Of workspaces", formats.number),
    "mttr_seconds": ("MTTR by sprint", _path),
    "resolved": ("Resolved by sprint", _numbers),
    "sprints": ("Sprints", _sprints),
    "climbing": ("Workspaces whose MTTR climbs", lambda given: formats.number(len(given))),
}
"""How each piece of evidence is told; what is not here is for programs."""


def answers(four: Sequence[Answer]) -> Markup:
    """A band of four: a sentence with its figure and link; "Why" opens the evidence."""
    return html.Section(
        [
            html.H2("What needs attention", className="visually-hidden", id="answers-title"),
            html.Ul([_answer(a) for a in four], className="answers"),
        ],
        **{"aria-labelledby": "answers-title"},
    )


def _answer(answer: Answer) -> Markup:
    return html.Li(
        [
            html.H3(answer.question, className="answer-question"),
            html.P(sentence(answer), className="answer-sentence"),
            html.Button(
                ["Why", hidden_text(f": {answer.question}")],
                type="button",
                className="why",
                **data(why=answer.key),
            )
            if answer.evidence
            else None,
        ],
        className="answer" if answer.found else "answer answer-calm",
    )


def sentence(answer: Answer) -> list[Markup | str]:
    """The sentence, its workspace a link and its figure emphasised. A name that is too long for its line
    is cut there, and whole on hover."""
    parts: list[Markup | str] = [answer.sentence]
    if answer.workspace_name and answer.href:
        name = answer.workspace_name
        parts = _replace_first(parts, name, link(name, answer.href, title=name))
    for name in answer.further:
        parts = _replace_first(parts, name, html.Span(name, className="further", title=name))
    parts = (
        _replace_first(parts, answer.figure, html.Strong(answer.figure)) if answer.figure else parts
    )
    return [each for part in parts for each in _values_unbroken(part)]


def _replace_first(parts: list[Markup | str], text: str, component: Markup) -> list[Markup | str]:
    """Puts the component where the text first stands."""
    for i, part in enumerate(parts):
        if isinstance(part, str) and text in part:
            before, after = part.split(text, 1)
            return [*parts[:i], before, component, after, *parts[i + 1 :]]
    return parts


def _values_unbroken(part: Markup | str) -> list[Markup | str]:
    """Text with each value kept on one line with its unit: "1 h 19 min" over two lines reads as two."""
    if isinstance(part, Markup):
        return [part]
    pieces = VALUE.split(part)
    return [html.Span(p, className="nw") if n % 2 else p for n, p in enumerate(pieces) if p]


def evidence_rows(evidence: Mapping[str, object]) -> list[tuple[str, str]]:
    """Pieces of evidence with their names, in words."""
    return [
        (title, in_words(evidence[key]))
        for key, (title, in_words) in EVIDENCE.items()
        if evidence.get(key) is not None
    ]
