"""Evidence behind an answer, in a drawer: the figure, its line, the records, how it is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from urllib.parse import parse_qsl

from dash import html as dash_html
from dash.development.base_component import Component
from markupsafe import Markup

from aggregators import words
from aggregators.companions import companions
from aggregators.pooling.cards import Card
from aggregators.pooling.dashboard import Answer, Dashboard, Scorecard
from aggregators.pooling.figures import Figure
from aggregators.signal.series import series_of
from aggregators.vocabulary import formats
from aggregators.vocabulary.listing import Listing, RecordsPage, RecordsRequest, shown
from layouts import ids
from layouts.executive.answers import evidence_rows, sentence
from layouts.pieces.chart import over_time
from layouts.pieces.icons import icon
from layouts.pieces.markup import box_of_pieces, html
from layouts.pieces.parts import data, evidence_line, hidden_from_readers, hidden_text, link, pill
from layouts.workspace.counted import DeploymentsOf, counted_as

LISTED, COLUMNS = 6, 4
"""Records that the drawer lists, and columns of each; the page behind it has all of both."""


@dataclass(frozen=True, slots=True)
class AnswerSource:
    """Place of an answer on the dashboard: its domain's scorecard, and the workspace's card."""

    answer: Answer
    at: int
    scorecard: Scorecard | None
    card: Card | None

    @property
    def figure(self) -> Figure | None:
        """Figure that the answer is about, of the framework that it names."""
        if self.card is None:
            return None
        figure = self.card.figures[self.answer.measure]
        group = self.answer.evidence.get("framework")
        return (figure.by or {}).get(str(group), figure) if group else figure

    @property
    def listing(self) -> Listing | None:
        """List of the records behind the answer; None where it names no workspace, or nothing is listed."""
        return self.scorecard.domain.records if self.card and self.scorecard else None

    @property
    def first_records(self) -> RecordsRequest | None:
        """Request for the first records of that list, as many as the drawer shows."""
        return RecordsRequest(order=self.listing.order, last=LISTED) if self.listing else None

    @property
    def links(self) -> dict[str, str]:
        """Parameters of the answer's link: they narrow the list to what it is about."""
        return dict(parse_qsl((self.answer.href or "").partition("?")[2]))


def source_of(dashboard: Dashboard, key: str) -> AnswerSource | None:
    """The answer of that key and where it comes from; None for a key of none."""
    keys = [a.key for a in dashboard.answers]
    if key not in keys:
        return None
    at = keys.index(key)
    answer = dashboard.answers[at]
    for scorecard in dashboard.scorecards:
        page = scorecard.domain.page(answer.workspace or "")
        if answer.workspace and (answer.href or "").partition("?")[0] == page:
            return AnswerSource(answer, at, scorecard, scorecard.cards.find(answer.workspace))
    return AnswerSource(answer, at, None, None)


def drawer(
    dashboard: Dashboard,
    source: AnswerSource,
    page: RecordsPage | None,
    counted: Sequence[DeploymentsOf] = (),
) -> list[Component]:
    """Head, body and foot. ``page`` are the first records; None where the reader sees totals alone.
    ``counted`` is what its deployments are."""
    answer, figure = source.answer, source.figure
    body: list[Component | None] = [
        box_of_pieces(html.P(sentence(answer), className="why-sentence")),
        box_of_pieces(_figure(figure)) if figure else None,
        box_of_pieces(_drift(dashboard, source.card, figure)) if figure and source.card else None,
        _line(source.card, figure) if figure and source.card else None,
        box_of_pieces(_looked_at(answer)),
        box_of_pieces(_records(source, page)) if source.card else None,
        box_of_pieces(_counting_paragraph(dashboard, source, counted)) if figure else None,
    ]
    return [
        box_of_pieces(_head(dashboard, source), className="bare"),
        dash_html.Div(
            body, className="body", tabIndex="0", role="region", **_label_attributes("Evidence")
        ),
        box_of_pieces(_foot(answer), className="bare"),
    ]


def _label_attributes(text: str) -> dict[str, str]:
    """Attributes of what is read out under a name."""
    return {"aria-label": text}


def _head(dashboard: Dashboard, source: AnswerSource) -> Markup:
    answer, answers, at = source.answer, dashboard.answers, source.at
    before = answers[at - 1] if at else None
    after = answers[at + 1] if at + 1 < len(answers) else None
    about = f"{answer.question} · {formats.span(dashboard.period.span)}"
    title = f"Why {answer.workspace_name}" if answer.workspace_name else answer.question
    return html.Div(
        [
            html.Div(
                [
                    html.P(about, className="xs m"),
                    html.H2(title, id=ids.DRAWER_TITLE, tabIndex="-1"),
                ],
                className="dt",
            ),
            html.Span(f"{at + 1} of {len(answers)}", className="xs m hide-sm"),
            _walk("Previous answer", "up", before),
            _walk("Next answer", "down", after),
            _button("Copy link to this evidence", "chain", copy="1"),
            _button("Close", "close", why_close="1"),
        ],
        className="dh",
    )


def _walk(label: str, picture: str, to: Answer | None) -> Markup:
    if to is None:
        return html.Button(
            [icon(picture), hidden_text(label)], type="button", className="btn g ic", disabled=True
        )
    return _button(f"{label}: {to.question}", picture, why=to.key)


def _button(label: str, picture: str, **does: str) -> Markup:
    return html.Button(
        [icon(picture), hidden_text(label)],
        type="button",
        className="btn g ic",
        title=label,
        **data(**does),
    )


def _section(title: str, *content: object) -> Markup:
    return html.Section([html.H3(title), *content], className="sec")


def _figure(figure: Figure) -> Markup:
    evidence = figure.evidence
    parts = words.evidence(figure)
    change = [pill(figure), html.Span(f"before {_previous_value(figure)}", className="s m")]
    return _section(
        f"{figure.measure.title}{f', {figure.group}' if figure.group else ''}",
        html.Div(
            [
                html.Div(
                    [
                        html.P(parts, className="b") if parts else None,
                        html.P(figure.measure.definition, className="s m"),
                    ]
                ),
                html.Div(
                    [
                        html.P(words.figure(figure), className="big num"),
                        html.P(words.days_seen(figure), className="xs m num"),
                        html.P(evidence.name, className="xs m num") if evidence.name else None,
                    ]
                ),
            ],
            className="card pad why-figure",
        ),
        html.P(change, className="row why-change"),
    )


def _drift(dashboard: Dashboard, card: Card, figure: Figure) -> Markup | None:
    """Since when the figure drifts, and what moved with it."""
    series = series_of(figure.measure)
    since = words.drifting([figure])
    if series is None or not since:
        return None
    moved = words.moved_with_it(companions(dashboard, card.slug, series.key))
    sentence = html.P(" ".join(filter(None, (f"{since}.", moved))), className="s")
    signals = link("Its signals", f"/platform/signals?workspace={card.slug}")
    return _section("Drift", sentence, html.P(signals, className="s"))


def _previous_value(figure: Figure) -> str:
    """Value of the period before, in words."""
    return formats.value(figure.previous, figure.measure.unit)


def _line(card: Card, figure: Figure) -> Component:
    title = f"{card.name} over the period"
    return dash_html.Section([dash_html.H3(title), over_time(figure)], className="sec")


def _looked_at(answer: Answer) -> Markup | None:
    rows = evidence_rows(answer.evidence)
    if not rows:
        return None
    pairs = [piece for title, value in rows for piece in (html.Dt(title), html.Dd(value))]
    return _section("What was looked at", html.Dl(pairs, className="dl"))


def _records(source: AnswerSource, page: RecordsPage | None) -> Markup | None:
    scorecard, answer = source.scorecard, source.answer
    listing = scorecard.domain.records if scorecard else None
    if listing is None:
        return None
    if page is None:
        words_ = f"You see totals of {answer.workspace_name}, not rows."
        return _section(listing.title, html.P(words_, className="s m"))
    if not page.rows:
        return _section(listing.title, html.P("None in this period.", className="s m"))
    total = f"more than {formats.number(len(page.rows))}"
    total = formats.number(page.total) if page.total is not None else total
    note = (
        f"{len(page.rows)} of {total}. Shown because you are a member of {answer.workspace_name}."
    )
    return _section(listing.title, _table(page), html.P(note, className="xs m"))


def _table(page: RecordsPage) -> Markup:
    columns = page.columns[:COLUMNS]
    head = html.Thead(html.Tr([html.Th(c.title, scope="col") for c in columns]))
    body = [
        html.Tr(
            [
                html.Td(shown(value, column.type), **{"data-l": column.title})
                for column, value in zip(columns, row, strict=False)
            ]
        )
        for row in page.rows
    ]
    table = html.Table([head, html.Tbody(body)], className="t stackd")
    return html.Div(
        table, className="card tw", tabIndex="0", role="group", **_label_attributes("Records")
    )


def _counting_paragraph(
    dashboard: Dashboard, source: AnswerSource, counted: Sequence[DeploymentsOf]
) -> Markup | None:
    """How the answer's figure is counted, what it rests on and when; None without a figure."""
    figure = source.figure
    if figure is None or dashboard.as_of is None:
        return None
    at = source.scorecard.snapshot_at if source.scorecard else None
    made = f", computed {formats.instant(at, UTC)}" if at else ""
    text = f"{figure.measure.definition} {evidence_line(figure)}."
    snapshot = f" Snapshot of {formats.day(dashboard.as_of)}{made}."
    return _section(
        "How it is counted", html.P(text + snapshot, className="s m"), counted_as(counted)
    )


def _foot(answer: Answer) -> Markup | None:
    if not answer.href:
        return None
    label = f"Open in {answer.workspace_name}"
    return html.Div(
        html.A(
            [label, html.Span(icon("right"), **hidden_from_readers())],
            href=answer.href,
            className="btn p",
        ),
        className="df",
    )
