"""The four questions, answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from markupsafe import Markup

from aggregators import words
from aggregators.figures import Answer
from aggregators.period import Span
from layouts.markup import html
from layouts.parts import link


def _path(seconds: Sequence[float]) -> str:
    return " → ".join(map(words.duration, seconds))


def _numbers(given: Sequence[float]) -> str:
    return ", ".join(map(words.number, given))


def _sprints(given: Sequence[Sequence[str]]) -> str:
    first, last = given[0][0], given[-1][1]
    return words.span(Span(date.fromisoformat(first), date.fromisoformat(last)))


EVIDENCE: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "failed": ("Failed deployments", words.number),
    "deployments": ("Deployments", words.number),
    "interval_low": ("95 % interval from", words.percent),
    "interval_high": ("95 % interval to", words.percent),
    "delta_points": ("Change", words.points),
    "judged": ("Workspaces with enough events", words.number),
    "framework": ("Framework", str),
    "control": ("Control", str),
    "days": ("Days left", words.number),
    "lapsing_within_30_days": ("Lapse within 30 days", words.number),
    "already_out": ("Workspaces with controls out", lambda given: words.number(len(given))),
    "slope_points_per_day": ("Change a day", words.points),
    "projected": ("Projected pass rate", words.percent),
    "total": ("Expire within 30 days", words.number),
    "held": ("In this workspace", words.number),
    "share": ("Its share", words.percent),
    "workspaces": ("Workspaces that hold most", words.number),
    "hold": ("Their share", words.percent),
    "of": ("Of workspaces", words.number),
    "mttr_seconds": ("MTTR by sprint", _path),
    "resolved": ("Resolved by sprint", _numbers),
    "sprints": ("Sprints", _sprints),
    "climbing": ("Workspaces whose MTTR climbs", lambda given: words.number(len(given))),
}
"""How each piece of evidence is told; what is not here is for programs."""


def answers(given: Sequence[Answer]) -> Markup:
    """A band of four: a sentence with its figure and link, and the evidence behind "Why"."""
    return html.Section(
        [
            html.H2("What needs attention", className="visually-hidden", id="answers-title"),
            html.Ul([_answer(a) for a in given], className="answers"),
        ],
        **{"aria-labelledby": "answers-title"},
    )


def _answer(answer: Answer) -> Markup:
    return html.Li(
        [
            html.H3(answer.question, className="answer-question"),
            html.P(_sentence(answer), className="answer-sentence"),
            html.Details(
                [
                    html.Summary(
                        ["Why", html.Span(f": {answer.question}", className="visually-hidden")]
                    ),
                    html.Div(
                        _evidence(answer.evidence) or html.P("Nothing more was looked at."),
                        className="answer-why",
                    ),
                ],
                className="why",
            )
            if answer.evidence
            else None,
        ],
        className="answer" if answer.found else "answer answer-calm",
    )


def _sentence(answer: Answer) -> list[Markup | str]:
    """The sentence, its workspace a link and its figure emphasised."""
    parts: list[Markup | str] = [answer.sentence]
    if answer.workspace_name and answer.href:
        parts = _marked(parts, answer.workspace_name, link(answer.workspace_name, answer.href))
    return _marked(parts, answer.figure, html.Strong(answer.figure)) if answer.figure else parts


def _marked(parts: list[Markup | str], text: str, component: Markup) -> list[Markup | str]:
    """Puts the component where the text first stands."""
    for i, part in enumerate(parts):
        if isinstance(part, str) and text in part:
            before, after = part.split(text, 1)
            return [*parts[:i], before, component, after, *parts[i + 1 :]]
    return parts


def _evidence(evidence: Mapping[str, object]) -> Markup | None:
    rows = [
        (title, said(evidence[key]))
        for key, (title, said) in EVIDENCE.items()
        if evidence.get(key) is not None
    ]
    if not rows:
        return None
    return html.Dl([html.Div([html.Dt(title), html.Dd(value)]) for title, value in rows])
