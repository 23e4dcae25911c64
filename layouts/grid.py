"""The records behind the figures in a grid: paged, sorted and filtered by the server."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import dash_ag_grid as dag
from dash import html
from dash.development.base_component import Component

from aggregators import words
from aggregators.figures import WorkspaceView
from aggregators.listing import COUNTED, Column, Listing, Page, Type, shown
from layouts import ids
from layouts.parts import data

BLOCK = 100
FILTERS = {
    Type.TEXT: "agTextColumnFilter",
    Type.NUMBER: "agNumberColumnFilter",
    Type.INSTANT: "agDateColumnFilter",
    Type.DAY: "agDateColumnFilter",
}
WIDEST_INSTANT = 175
RIGHT = (Type.NUMBER, Type.DURATION, Type.SHARE, Type.BURN)
COLUMN = {
    "resizable": True,
    "sortable": True,
    "suppressMovable": True,
    "wrapHeaderText": True,
    "autoHeaderHeight": True,
}
GRID = {
    "cacheBlockSize": BLOCK,
    "maxBlocksInCache": 10,
    "maxConcurrentDatasourceRequests": 1,
    "ensureDomOrder": True,
    "animateRows": False,
    "enableCellTextSelection": True,
    "pagination": True,
    "paginationPageSize": 25,
    "paginationPageSizeSelector": [25, 50, 100],
    "domLayout": "autoHeight",
}


def grid(view: WorkspaceView, listing: Listing, asked: dict[str, str]) -> Component:
    """The section of the records, narrowed to what the link said."""
    return html.Section(
        [
            html.Div(
                [
                    html.H2(listing.title, id="records-title"),
                    html.P(id=ids.RECORDS_COUNT, className="muted", role="status"),
                    html.A(
                        "Download CSV",
                        id=ids.RECORDS_CSV,
                        href=csv_href(view.slug, view.domain.key, view.period.query, asked),
                        className="button quiet",
                        download="",
                    ),
                ],
                className="records-head",
            ),
            html.P(listing.about, className="muted"),
            *_narrowed(listing, asked),
            dag.AgGrid(
                id=ids.RECORDS,
                rowModelType="infinite",
                columnDefs=[_column(c, listing) for c in listing.columns],
                defaultColDef=COLUMN,
                dashGridOptions=GRID,
                className="records-grid",
                style={"height": None},
            ),
        ],
        className="card records",
        **{"aria-labelledby": "records-title"},
    )


def _narrowed(listing: Listing, asked: dict[str, str]) -> list[Component]:
    words_ = listing.narrowing(asked)
    if not words_:
        return []
    return [
        html.P(
            [
                f"Showing {listing.title.lower()} {words_}. ",
                html.Button(
                    "Show all", type="button", className="button quiet", **data(unlink="1")
                ),
            ],
            className="narrowed",
        )
    ]


def _column(column: Column, listing: Listing) -> dict[str, Any]:
    order = dict(listing.order)
    made: dict[str, Any] = {
        "field": column.key,
        "headerName": column.title,
        "width": max(column.width, WIDEST_INSTANT) if column.type is Type.INSTANT else column.width,
        "headerTooltip": column.title,
        "filter": FILTERS.get(column.type, False),
    }
    if column.type in RIGHT:
        made |= {"cellClass": "ag-right-aligned-cell", "headerClass": "ag-right-aligned-header"}
    if column.key in order:
        made["sort"] = "desc" if order[column.key] else "asc"
        made["sortIndex"] = list(order).index(column.key)
    if column.type in (Type.TEXT, Type.NUMBER):
        made["filterParams"] = {"maxNumConditions": 1}
    if column.type in (Type.INSTANT, Type.DAY):
        made["filterParams"] = {"maxNumConditions": 1, "inRangeInclusive": True}
    return made


def rows(page: Page) -> list[dict[str, str]]:
    """A page's rows as the grid shows them."""
    return [
        {c.key: shown(v, c.type) for c, v in zip(page.columns, row, strict=True)}
        for row in page.rows
    ]


def counted(page: Page) -> str:
    """How many records there are, in words."""
    if page.total is None:
        return f"more than {words.number(COUNTED)} records"
    return words.counted(page.total, "record")


def csv_href(slug: str, key: str, period: str, more: dict[str, str]) -> str:
    """Where all of it can be downloaded."""
    query = f"{period}&{urlencode(more)}" if more else period
    return f"/ws/{slug}/records/{key}.csv?{query}"
