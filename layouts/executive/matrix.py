"""Workspaces by columns in one table: the certificates' picture, and every domain's table view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl

from markupsafe import Markup

from aggregators import words
from aggregators.pooling.cards import Card
from aggregators.pooling.dashboard import Scorecard
from aggregators.pooling.figures import Figure
from aggregators.vocabulary import formats
from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.measure import Better, Measure, Status, Unit
from aggregators.vocabulary.period import Compare
from layouts.pieces.markup import html
from layouts.pieces.parts import data, evidence_line, hidden_text, link, pill


def matrix(scorecard: Scorecard, rows: Sequence[Markup], measure_key: str) -> Markup:
    """Rows workspaces, columns the domain's and the change of the measure that they are ranked by; the
    organisation in the last row."""
    domain = scorecard.domain
    columns = _columns(scorecard, measure_key)
    return html.Div(
        html.Table(
            [
                html.Caption(f"{domain.title} by workspace", className="visually-hidden"),
                html.Thead(html.Tr(_header(domain, columns, measure_key))),
                html.Tbody(list(rows), **data(grows="1")),
                html.Tfoot(html.Tr(_total(scorecard, columns))),
            ],
            className="matrix",
        ),
        className="matrix-scroll",
        tabIndex="0",
        role="group",
        **{"aria-label": f"{domain.title}, table"},
    )


def rows(scorecard: Scorecard, cards: Sequence[Card], measure_key: str) -> list[Markup]:
    """The rows; cells over their threshold solid red with "!"."""
    columns = _columns(scorecard, measure_key)
    return [_row(c, scorecard, columns) for c in cards]


class _Columns(NamedTuple):
    """Measures that have a column; the one whose change has the next; the one whose share of the whole
    has the last. None for no such column."""

    keys: list[str]
    changed: str | None
    share: str | None


def _columns(scorecard: Scorecard, measure_key: str) -> _Columns:
    domain = scorecard.domain
    keys = list(dict.fromkeys((*domain.columns, measure_key)))
    is_alone = scorecard.figures[measure_key].table.compare is Compare.NONE
    return _Columns(keys, None if is_alone else measure_key, _share_key(domain))


def _share_key(domain: Domain) -> str | None:
    """Where cells lead into a window, the widest declared one says who holds most of it."""
    levels = [k for k in domain.cell_queries if domain.measure(k).bad is not None]
    return levels[-1] if levels else None


def _header(domain: Domain, columns: _Columns, measure_key: str) -> list[Markup]:
    cells: list[Markup] = [html.Th("Workspace", scope="col")]
    for key in columns.keys:
        measure = domain.measure(key)
        sort = {"aria-sort": _column_order(measure)} if key == measure_key else {}
        cells.append(html.Th(measure.title, scope="col", className="num", **sort))
        if key == columns.changed:
            cells.append(
                html.Th(
                    ["Change", hidden_text(f" of {measure.title}")], scope="col", className="moved"
                )
            )
    if columns.share:
        cells.append(html.Th("Share of the org", scope="col", className="num"))
    return cells


def _column_order(measure: Measure) -> str:
    """The order of a column's values, worst first; small samples are drawn to the others, so that what is
    shown follows it only roughly."""
    if measure.prior:
        return "other"
    return "descending" if measure.better is Better.LOWER else "ascending"


def _row(card: Card, scorecard: Scorecard, columns: _Columns) -> Markup:
    cells: list[Markup] = [html.Th(link(card.name, card.href), scope="row")]
    for key in columns.keys:
        figure = card.figures[key]
        cells.append(_cell(card, figure, scorecard.domain))
        if key == columns.changed:
            cells.append(html.Td(pill(figure), className="moved"))
    if share := columns.share:
        cells.append(
            html.Td(_share(card.figures[share], scorecard.figures[share]), className="num")
        )
    return html.Tr(cells)


def _share(part: Figure, whole: Figure) -> str:
    if part.value is None or not whole.value:
        return formats.NONE
    return formats.percent(part.value / whole.value, 0)


def _cell(card: Card, figure: Figure, domain: Domain) -> Markup:
    text = words.figure(figure) + (f" {figure.group}" if figure.group else "")
    bad = figure.status is Status.BAD
    query = domain.cell_queries.get(figure.measure.key)
    content: list[Markup | str | None] | Markup = [
        text,
        html.Span(" !", className="alarm") if bad else None,
    ]
    if query and figure.value:
        content = html.A(
            content,
            href=card.narrowed_href(**dict(parse_qsl(query))),
            **{
                "aria-label": f"{card.name}: {text} {figure.measure.title}"
                + (", over" if bad else "")
            },
        )
    classes = f"num cell-{figure.status.value}" + (" low" if figure.low_sample else "")
    return html.Td(content, className=classes, title=_cell_evidence(figure))


def _cell_evidence(figure: Figure) -> str:
    """Evidence of a cell and the change with the verdict on it."""
    return " · ".join(filter(None, (evidence_line(figure), words.change(figure))))


def _total(scorecard: Scorecard, columns: _Columns) -> list[Markup]:
    cells: list[Markup] = [html.Th("Organisation", scope="row")]
    for key in columns.keys:
        figure = scorecard.figures[key]
        cells.append(html.Td(words.figure(figure), className="num", title=_cell_evidence(figure)))
        if key == columns.changed:
            cells.append(html.Td(pill(figure), className="moved"))
    if columns.share:
        whole = scorecard.figures[columns.share]
        everything = whole.measure.unit is Unit.COUNT and whole.value
        cells.append(html.Td("100 %" if everything else formats.NONE, className="num"))
    return cells
