"""GET /ws/{slug}/records/{domain}.csv: the records of a workspace page, filtered as its grid is."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Protocol

import orjson
from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from aggregators.asking import InvalidRequest, conditions, order
from aggregators.cells import harmless
from aggregators.domains import DOMAINS
from aggregators.listing import Listing, Request
from aggregators.period import Ask, InvalidPeriod
from aggregators.read import NoSuchWorkspace
from api.problem import Problem
from api.routes import invalid

LISTINGS = {d.key: d.records for d in DOMAINS if d.records}
PIECE = 500


class Lister(Protocol):
    """Streams the records of one of the signed-in person's workspaces."""

    def every_record(
        self, slug: str, domain_key: str, ask: Ask, links: Mapping[str, str], asked: Request
    ) -> Iterator[tuple[object, ...]]:
        """Every record; raises NoSuchWorkspace, InvalidPeriod at the first."""


def blueprint(lister: Lister) -> Blueprint:
    """The one route."""
    made = Blueprint("records", __name__)

    @made.get("/ws/<slug>/records/<key>.csv", endpoint="csv")
    def download(slug: str, key: str) -> ResponseReturnValue:
        listing = LISTINGS.get(key)
        if listing is None:
            raise Problem(404)
        records = lister.every_record(slug, key, _ask(), request.args, _asked(listing))
        try:
            first = next(records, None)  # errors come before the first byte, not in mid-file
        except NoSuchWorkspace as error:
            raise Problem(404) from error
        except InvalidPeriod as wrong:
            raise invalid(wrong.field, str(wrong)) from wrong
        rows = chain([first] if first else [], records)
        answer = Response(_written(listing, rows), mimetype="text/csv")
        answer.headers["Content-Disposition"] = f'attachment; filename="{slug}-{key}.csv"'
        return answer

    return made


def _ask() -> Ask:
    try:
        return Ask.parse(*(request.args.get(name) for name in ("period", "start", "end")))
    except InvalidPeriod as wrong:
        raise invalid(wrong.field, str(wrong)) from wrong


def _asked(listing: Listing) -> Request:
    """Filter and sort of the query. Raises Problem 422 naming the parameter."""
    try:
        return Request(conditions(listing, _json("filter", {})), order(listing, _json("sort", [])))
    except InvalidRequest as wrong:
        raise invalid("filter", str(wrong)) from wrong


def _json(name: str, default: Any) -> Any:
    given = request.args.get(name)
    if not given:
        return default
    try:
        return orjson.loads(given[:10_000])
    except orjson.JSONDecodeError as error:
        raise invalid(name, "is no JSON") from error


def _written(listing: Listing, rows: Iterable[tuple[object, ...]]) -> Iterator[str]:
    """The file in pieces: a header, then the values as they are (instants in UTC, seconds)."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([c.key for c in listing.columns])
    for number, row in enumerate(rows, 1):
        writer.writerow(map(harmless, row))
        if number % PIECE == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
