"""A domain at a glance: headline, change, sparkline, supporting measures, the worst workspace."""

from __future__ import annotations

from datetime import UTC

from markupsafe import Markup

from aggregators import words
from aggregators.pooling.dashboard import Dashboard, Scorecard
from aggregators.pooling.figures import Evidence, Figure
from aggregators.vocabulary import formats
from aggregators.vocabulary.measure import Status
from layouts import ids
from layouts.executive.late import slot
from layouts.pieces.markup import html
from layouts.pieces.parts import (
    MARKS,
    data,
    evidence_line,
    hidden_from_readers,
    link,
    name_in_brackets,
    pill,
    value,
)
from layouts.pieces.sparkline import sparkline


def tile(scorecard: Scorecard, dashboard: Dashboard, open_domain: str | None) -> Markup:
    """The section; its heading holds the one button that opens the domain, stretched over it."""
    domain = scorecard.domain
    title_id = f"{ids.TILE.format(domain.key)}-title"
    body = _empty(scorecard) if scorecard.is_empty else _figures(scorecard)
    return html.Section(
        [
            html.H2(
                html.Button(
                    domain.title,
                    id=title_id,
                    className="tile-button",
                    type="button",
                    **{
                        "aria-expanded": str(domain.key == open_domain).lower(),
                        "aria-controls": ids.EXPANSION,
                        "aria-describedby": f"{ids.TILE.format(domain.key)}-tip",
                    },
                    **data(open=domain.key, measure=domain.headline),
                ),
                className="tile-title",
            ),
            slot(domain.key),
            *body,
            _tip(scorecard, dashboard),
        ],
        id=ids.TILE.format(domain.key),
        className="tile",
        **{"aria-labelledby": title_id},
    )


def _figures(scorecard: Scorecard) -> list[Markup | None]:
    head = scorecard.headline
    return [
        html.Div(
            [
                measure_button(scorecard, head, "headline"),
                html.Div(pill(head) if head.has_data else None, className="tile-change"),
            ],
            className="tile-head",
        ),
        sparkline(head, previous=True, notes=scorecard.notes_of(head.measure.key)),
        html.Ul(
            [
                html.Li(measure_button(scorecard, figure, "supporting"))
                for figure in _supporting(scorecard)
            ],
            className="supporting",
        ),
        _drifts(scorecard),
        _worst(scorecard),
        _hidden_moves(scorecard),
    ]


def _drifts(scorecard: Scorecard) -> Markup | None:
    """Since when its figures drift that the tile shows: what all workspaces in scope do together."""
    head = scorecard.headline
    figures = [head, *(f for f in _supporting(scorecard) if f.measure.key != head.measure.key)]
    phrase = words.drifting(figures)
    return (
        html.P(link(phrase, "/platform/signals", "drift"), className="tile-drift")
        if phrase
        else None
    )


def _supporting(scorecard: Scorecard) -> list[Figure]:
    """The other groups of the headline where the domain has groups, else the declared measures."""
    head = scorecard.headline
    if head.by:
        others = sorted(head.by.values(), key=lambda f: (f.value is None, f.value or 0.0))
        groups = [f for f in others if f.group != head.group][:2]
        declared = [scorecard.figures[key] for key in scorecard.domain.supporting]
        return [*groups, *declared][:3]
    return [scorecard.figures[key] for key in scorecard.domain.supporting]


def measure_button(scorecard: Scorecard, figure: Figure, class_name: str) -> Markup:
    """A figure that opens its domain ranked by it."""
    measure = figure.measure
    shown = html.Span(
        [_mark(figure), value(figure), _of_total(scorecard, figure)],
        className=f"{class_name}-value status-{figure.status.value}",
    )
    name = html.Span(_label(scorecard, figure), className=f"{class_name}-name")
    lines = evidence_line(figure), words.target(figure)
    return html.Button(
        [shown, " ", name] if class_name == "headline" else [name, " ", shown],
        type="button",
        className=f"measure {class_name}",
        title=f"{measure.title}{name_in_brackets(figure)}: {' · '.join(filter(None, lines))}",
        **data(open=scorecard.domain.key, measure=measure.key),
    )


def _mark(figure: Figure) -> Markup | None:
    """The shape that says with the colour that a figure is not on its target."""
    if figure.status not in (Status.WATCH, Status.BAD):
        return None
    return html.Span(className=f"{MARKS[figure.status]} beside", **hidden_from_readers())


def _label(scorecard: Scorecard, figure: Figure) -> str:
    """The measure's name with the group that it is of; another group's headline goes by the group."""
    if not figure.group:
        return figure.measure.title
    if figure.measure.key == scorecard.domain.headline and figure is not scorecard.headline:
        return figure.group
    return f"{figure.measure.title}, {figure.group}"


def _of_total(scorecard: Scorecard, figure: Figure) -> Markup | None:
    total = figure.measure.of_total
    if not total or not figure.has_data:
        return None
    return html.Span(f" / {words.figure(scorecard.figures[total])}", className="muted")


def _worst(scorecard: Scorecard) -> Markup:
    domain = scorecard.domain
    worst = scorecard.cards.worst()
    if worst is None:
        return html.P("No workspace stands out.", className="tile-worst muted")
    card, figure = worst.card, worst.figure
    title = figure.measure.title if domain.worst_by else "Worst"
    by = words.superlative(worst, len(scorecard.cards), title)
    group = f"{figure.group} " if figure.group else ""
    return html.P(
        [f"{by}: ", link(card.name, card.href), f" {group}{words.figure(figure)}"],
        className="tile-worst",
    )


def _hidden_moves(scorecard: Scorecard) -> Markup | None:
    """Moves that the figure of the organisation does not show."""
    moves = words.hidden_moves(scorecard)
    return html.P(moves, className="tile-hidden") if moves else None


def _empty(scorecard: Scorecard) -> list[Markup]:
    is_set_up_nowhere = scorecard.domain.by and not scorecard.seen.why_none
    about = link("Compliance frameworks", "/help/frameworks") if is_set_up_nowhere else None
    return [html.P([scorecard.why_empty, " ", about], className="tile-empty muted")]


def _tip(scorecard: Scorecard, dashboard: Dashboard) -> Markup:
    """Text on hover and focus: when the snapshot was made, of which days, how the figure is defined."""
    head = scorecard.headline
    measure = head.measure
    band = measure.band(head.value)
    rows = [
        ("Snapshot", _instant(scorecard, dashboard)),
        ("Oldest contributing", _oldest(scorecard)),
        ("Definition", measure.definition),
        ("Evidence", _evidence(head.evidence, head)),
        ("Target", _target(head)),
        ("Benchmark", f"{band} DORA band" if band else ""),
    ]
    return html.Div(
        html.Dl([html.Div([html.Dt(k), html.Dd(v)]) for k, v in rows if v]),
        id=f"{ids.TILE.format(scorecard.domain.key)}-tip",
        className="tip",
        role="tooltip",
        **hidden_from_readers() if scorecard.snapshot_at is None else {},
    )


def _target(figure: Figure) -> str:
    target_words = words.target(figure).removeprefix("target ")
    return f"{target_words}; {words.giver_of_target(figure.measure)}" if target_words else ""


def _instant(scorecard: Scorecard, dashboard: Dashboard) -> str:
    if scorecard.snapshot_at is None or dashboard.as_of is None:
        return "none yet"
    computed = formats.instant(scorecard.snapshot_at, UTC)
    return f"end of {formats.day(dashboard.as_of)}, computed {computed}"


def _oldest(scorecard: Scorecard) -> str:
    day = scorecard.oldest_snapshot_day
    return f"end of {formats.day(day)}" if day else ""


def _evidence(evidence: Evidence, figure: Figure) -> str:
    named_by = f"{evidence.name}, " if evidence.name else ""
    return f"{named_by}{evidence_line(figure)}"
