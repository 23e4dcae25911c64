"""The records behind the figures in a grid: paged, sorted and filtered by the server."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import dash_ag_grid as dag
from dash import html
from dash.development.base_component import Component

from aggregators.pooling.dashboard import WorkspaceView
from aggregators.records.kinds import field_title
from aggregators.vocabulary import formats
from aggregators.vocabulary.listing import COUNTED, Column, ColumnType, Listing, RecordsPage, shown
from auth.membership import KEEPERS
from ingest.desk.corrections import LONGEST_CELL, LONGEST_KEY, correctable_fields
from ingest.kinds import KINDS
from layouts import ids
from layouts.pieces.parts import data

BLOCK = 100
KEY = "key"
"""Column that names a record."""
FILTERS = {
    ColumnType.TEXT: "agTextColumnFilter",
    ColumnType.WORD: "agTextColumnFilter",
    ColumnType.NUMBER: "agNumberColumnFilter",
    ColumnType.INSTANT: "agDateColumnFilter",
    ColumnType.DAY: "agDateColumnFilter",
}
WIDEST_INSTANT = 175
EDGES, LETTER, FILTER, SORTED = 36, 9, 26, 48
"""Pixels of a heading: both edges, a letter at the widest, and what may stand beside the words."""
RIGHT = (ColumnType.NUMBER, ColumnType.DURATION, ColumnType.SHARE, ColumnType.BURN)
COLUMN = {
    "resizable": True,
    "sortable": True,
    "suppressMovable": True,
    "wrapHeaderText": True,
    "autoHeaderHeight": True,
}
MENU = {
    "colId": "menu",
    "headerName": "Actions",
    "headerClass": "row-menu-head",
    "cellClass": "row-menu-cell",
    "cellRenderer": "rowMenu",
    "pinned": "right",
    "lockPinned": True,
    "width": 52,
    "resizable": False,
    "sortable": False,
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
    "localeText": {
        "noRowsToShow": "No such records in this period",
        "noMatchingRows": "No record matches the filters",
        "pageSizeSelectorLabel": "A page:",
    },
}


def grid(view: WorkspaceView, listing: Listing, link_filters: dict[str, str]) -> Component:
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
                        href=csv_href(view.slug, view.domain.key, view.period.query, link_filters),
                        className="button quiet",
                        download="",
                    ),
                ],
                className="records-head",
            ),
            html.P(listing.about, className="muted"),
            *_narrowing_notice(listing, link_filters),
            dag.AgGrid(
                id=ids.RECORDS,
                rowModelType="infinite",
                columnDefs=[
                    *(_column(c, listing) | _link(c, view, listing) for c in listing.columns),
                    *_menu(view, listing),
                ],
                defaultColDef=COLUMN,
                dashGridOptions=GRID,
                className="records-grid",
                style={"height": None},
            ),
        ],
        className="card records",
        **{"aria-labelledby": "records-title"},
    )


def _narrowing_notice(listing: Listing, link_filters: dict[str, str]) -> list[Component]:
    """Words for how the list is narrowed, with a button for all; nothing where it is whole."""
    words_ = listing.narrowing(link_filters)
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


def _width(column: Column, *, is_sorted: bool) -> int:
    """Width at which neither a value nor a word of the heading is cut: beside the words stand the filter
    and, in a column that the list is sorted by, the direction and its place among those."""
    word = max(map(len, column.title.split()))
    heading = EDGES + word * LETTER + (FILTER if column.type in FILTERS else 0)
    least = WIDEST_INSTANT if column.type is ColumnType.INSTANT else 0
    return max(column.width, least, heading + (SORTED if is_sorted else 0))


def _column(column: Column, listing: Listing) -> dict[str, Any]:
    order = dict(listing.order)
    made: dict[str, Any] = {
        "field": column.key,
        "headerName": column.title,
        "width": _width(column, is_sorted=column.key in order),
        "headerTooltip": column.title,
        "filter": FILTERS.get(column.type, False),
    }
    if column.type in RIGHT:
        made |= {"cellClass": "ag-right-aligned-cell", "headerClass": "ag-right-aligned-header"}
    if column.key in order:
        made["sort"] = "desc" if order[column.key] else "asc"
        made["sortIndex"] = list(order).index(column.key)
    if column.type in (ColumnType.TEXT, ColumnType.WORD, ColumnType.NUMBER):
        made["filterParams"] = {"maxNumConditions": 1}
    if column.type in (ColumnType.INSTANT, ColumnType.DAY):
        made["filterParams"] = {"maxNumConditions": 1, "inRangeInclusive": True}
    return made


def _link(column: Column, view: WorkspaceView, listing: Listing) -> dict[str, Any]:
    """How the cell that names a record leads those who look after records to its page."""
    leads = column.key == (listing.record_cell or listing.record_key[-1])
    if not leads or not listing.record_kind or view.role not in KEEPERS:
        return {}
    under = f"/ws/{view.slug}/records/{listing.record_kind}/"
    columns = list(listing.record_key)
    return {
        "cellRenderer": "recordLink",
        "cellRendererParams": {"under": under, "columns": columns},
    }


def _menu(view: WorkspaceView, listing: Listing) -> list[dict[str, Any]]:
    """The last column, of what may be done with a row that is one record; absent for those who may not."""
    kind = KINDS.get(listing.record_kind)
    if kind is None or listing.record_key != kind.key or view.role not in KEEPERS:
        return []
    menu = {
        "under": f"/ws/{view.slug}/records/{kind.name}/",
        "columns": list(listing.record_key),
        "fields": [[name, field_title(name)] for name in correctable_fields(kind)],
        "longest": {"value": LONGEST_CELL, "key": LONGEST_KEY},
        "merges": kind.fold.lend is not None,
    }
    return [MENU | {"cellRendererParams": menu}]


def rows(page: RecordsPage) -> list[dict[str, str]]:
    """A page's rows as the grid shows them."""
    return [
        {c.key: shown(v, c.type) for c, v in zip(page.columns, row, strict=True)}
        for row in page.rows
    ]


def count_sentence(page: RecordsPage) -> str:
    """How many records there are, in words."""
    if page.total is None:
        return f"more than {formats.number(COUNTED)} records"
    return formats.counted(page.total, "record")


def csv_href(slug: str, key: str, period: str, more: dict[str, str]) -> str:
    """Where all of it can be downloaded."""
    query = f"{period}&{urlencode(more)}" if more else period
    return f"/ws/{slug}/records/{key}.csv?{query}"
