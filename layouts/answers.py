"""The four questions, answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from aggregators.figures import Answer
from layouts.markup import html
from layouts.parts import link


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
    rows = [(k, v) for k, v in evidence.items() if isinstance(v, str | int | float)]
    if not rows:
        return None
    return html.Dl(
        [
            html.Div([html.Dt(name.replace("_", " ").capitalize()), html.Dd(_plain(value))])
            for name, value in rows
        ]
    )


def _plain(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.3g}" if value % 1 else f"{value:,.0f}"
