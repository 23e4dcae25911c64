"""GET /ws/{slug}/records/{domain}.csv: the records of a workspace page, filtered as its grid is."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from flask import Blueprint
from flask.typing import ResponseReturnValue

from aggregators.catalogue import DOMAINS
from aggregators.vocabulary.listing import Listing, RecordsRequest
from aggregators.vocabulary.period import Ask
from api.queries import RecordsQuery
from exports.files import MEDIA_TYPES
from exports.spreadsheet import csv_pieces
from reading.grid_request import conditions, order
from storage.bounds.statement import TooCostly
from storage.viewer import Viewer
from web.bounds.streams import Downloads, send_file
from web.members import WORKSPACE
from web.operation import Operation, Outcome
from web.people.right_to_answer import RightToAnswer
from web.plain_text import read_json
from web.problem import Problem

LISTINGS = {d.key: d.records for d in DOMAINS if d.records}
LONGEST_SECONDS = 60.0
"""Until all records must have been read: each fetch of them is a statement of its own."""
DOWNLOAD = Operation(
    "recordsCsv",
    "Records behind a domain's figures in a workspace, as its page lists them",
    {200: Outcome("A header line, then a record a line, as they are", "text/csv")},
    query=RecordsQuery,
    path={**WORKSPACE, "key": {"type": "string", "enum": list(LISTINGS)}},
    problems=(404, 422, 429, 503),
)


class Lister(Protocol):
    """Streams the records of one of the signed-in person's workspaces."""

    def viewer(self) -> Viewer:
        """The signed-in person."""

    def right_to_answer(self, slug: str) -> RightToAnswer:
        """Membership of the signed-in person in a workspace, to be asked for again."""

    def note_download(self, slug: str, domain_key: str, ask: Ask, links: Mapping[str, str]) -> None:
        """Notes that the person takes the records with them."""

    def every_record(
        self, slug: str, domain_key: str, ask: Ask, links: Mapping[str, str], wanted: RecordsRequest
    ) -> Iterator[tuple[object, ...]]:
        """Every record; raises NotAMember, InvalidPeriod at the first."""


def blueprint(lister: Lister, downloads: Downloads) -> Blueprint:
    """The one route. No connection is held while the client reads: the file is written first."""
    made = Blueprint("records", __name__)

    @made.get("/ws/<slug>/records/<key>.csv", endpoint="csv")
    @DOWNLOAD
    def download(slug: str, key: str, query: RecordsQuery) -> ResponseReturnValue:
        listing = LISTINGS.get(key)
        if listing is None:
            raise Problem(404)
        wanted = listing_request(listing, query)
        viewer, right = lister.viewer(), lister.right_to_answer(slug)
        with downloads.lend_slot(viewer) as slot:
            records = lister.every_record(slug, key, query.ask, query.links, wanted)
            pieces = right.over(csv_pieces([c.key for c in listing.columns], _in_time(records)))
            file = downloads.spool_in_turn(viewer, pieces)
            lister.note_download(slug, key, query.ask, query.links)
            answer = send_file(file, slot, MEDIA_TYPES["csv"], right)
        answer.headers["Content-Disposition"] = f'attachment; filename="{slug}-{key}.csv"'
        return answer

    return made


def listing_request(listing: Listing, query: RecordsQuery) -> RecordsRequest:
    """Filter and sort of the query. Raises NotText, InvalidRequest."""
    filters = read_json(query.filter, "filter") if query.filter else {}
    columns = read_json(query.sort, "sort") if query.sort else []
    return RecordsRequest(conditions(listing, filters), order(listing, columns))


def _in_time(rows: Iterable[tuple[object, ...]]) -> Iterator[tuple[object, ...]]:
    """The rows. Raises TooCostly when there is no end to them."""
    deadline = time.monotonic() + LONGEST_SECONDS
    for row in rows:
        yield row
        if time.monotonic() > deadline:
            raise TooCostly("The list is too long: choose a shorter period or filter it.")
