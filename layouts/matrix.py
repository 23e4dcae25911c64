"""Workspaces by columns in one table: the certificates' picture, and every domain's table view."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from aggregators import words
from aggregators.figures import Card, Figure, Scorecard
from aggregators.measure import Domain, Status, Unit
from layouts.markup import html
from layouts.parts import data, evidence_line, link


def matrix(scorecard: Scorecard, rows: Sequence[Markup], measure_key: str) -> Markup:
    """Rows workspaces, columns the domain's; the organisation in the last row."""
    domain = scorecard.domain
    keys, share = _keys(domain, measure_key), _share_key(domain)
    return html.Div(
        html.Table(
            [
                html.Caption(f"{domain.title} by workspace", className="visually-hidden"),
                html.Thead(html.Tr(_header(domain, keys, measure_key, share))),
                html.Tbody(list(rows), **data(grows="1")),
                html.Tfoot(html.Tr(_total(scorecard, keys, share))),
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
    keys, share = _keys(scorecard.domain, measure_key), _share_key(scorecard.domain)
    return [_row(c, scorecard, keys, share) for c in cards]


def _keys(domain: Domain, measure_key: str) -> list[str]:
    return list(dict.fromkeys((*domain.columns, measure_key)))


def _share_key(domain: Domain) -> str | None:
    """Where cells lead into a window, the widest declared one says who holds most of it."""
    levels = [k for k in domain.cell_queries if domain.measure(k).bad is not None]
    return levels[-1] if levels else None


def _header(domain: Domain, keys: list[str], measure_key: str, share: str | None) -> list[Markup]:
    cells: list[Markup] = [html.Th("Workspace", scope="col")]
    for key in keys:
        sort = {"aria-sort": "descending"} if key == measure_key else {}
        cells.append(html.Th(domain.measure(key).title, scope="col", className="num", **sort))
    if share:
        cells.append(html.Th("Share of the org", scope="col", className="num"))
    return cells


def _row(card: Card, scorecard: Scorecard, keys: list[str], share: str | None) -> Markup:
    cells: list[Markup] = [html.Th(link(card.name, card.href), scope="row")]
    cells += [_cell(card, card.figures[key], scorecard.domain) for key in keys]
    if share:
        cells.append(
            html.Td(_share(card.figures[share], scorecard.figures[share]), className="num")
        )
    return html.Tr(cells)


def _share(part: Figure, whole: Figure) -> str:
    if part.value is None or not whole.value:
        return words.NONE
    return words.percent(part.value / whole.value, 0)


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
            href=f"{domain.page(card.slug)}?{query}",
            **{
                "aria-label": f"{card.name}: {text} {figure.measure.title}"
                + (", over" if bad else "")
            },
        )
    classes = f"num cell-{figure.status.value}" + (" low" if figure.low_sample else "")
    return html.Td(content, className=classes, title=evidence_line(figure))


def _total(scorecard: Scorecard, keys: list[str], share: str | None) -> list[Markup]:
    cells: list[Markup] = [html.Th("Organisation", scope="row")]
    cells += [
        html.Td(
            words.figure(scorecard.figures[k]),
            className="num",
            title=evidence_line(scorecard.figures[k]),
        )
        for k in keys
    ]
    if share:
        whole = scorecard.figures[share]
        everything = whole.measure.unit is Unit.COUNT and whole.value
        cells.append(html.Td("100 %" if everything else words.NONE, className="num"))
    return cells
