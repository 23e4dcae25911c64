"""Statuspage: incidents of a status page, by its API or as everybody may read them.

There is no list of what has changed since: each run reads the newest page, and goes on to one that reaches
what is known; what was open before is asked for by its id until it is over.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import orjson

from aggregators.vocabulary import formats
from ingest.documents import value_at
from ingest.pulling.client import Client
from ingest.pulling.problems import SourceProblem
from ingest.pulling.shape import HistoryGrowth, Pull, PulledPiece, PullScope, Setting, Source
from ingest.pulling.wire.turning import PageTurns

OVER = ("resolved", "postmortem", "completed")
OVERLAP = timedelta(minutes=10)
PAGE, PACE = 100, 1.0
"""Incidents of a page; seconds between two requests, as the sender asks for."""


def _client(pull: Pull) -> Client:
    headers = {"Authorization": f"OAuth {pull.secret}"} if pull.secret else {}
    return pull.client(pull.settings["address"].rstrip("/"), headers)


def _path(pull: Pull) -> str:
    """Path of the list of the page's incidents."""
    page = pull.settings["page"]
    return f"/v1/pages/{quote(page, safe='')}/incidents" if page else "/api/v2/incidents.json"


def _incidents_in(document: Any) -> list[Any]:
    """Incidents of a document. Raises SourceProblem where its shape has changed."""
    incidents = document if isinstance(document, list) else value_at(document, "incidents")
    if not isinstance(incidents, list) or any(not isinstance(i, dict) for i in incidents):
        raise SourceProblem("changed_shape", "The list of incidents is none.")
    return incidents


def _instant(incident: Any, field: str) -> datetime:
    try:
        return datetime.fromisoformat(str(incident[field]).replace("Z", "+00:00")).astimezone(UTC)
    except (KeyError, ValueError) as error:
        raise SourceProblem("changed_shape", f"An incident tells no {field}.") from error


def _is_over(incident: Any) -> bool:
    return value_at(incident, "status") in OVER or bool(value_at(incident, "resolved_at"))


def test_connection(pull: Pull) -> list[str]:
    """Asks what the sync asks, once."""
    parameters = {"limit": "1"} if pull.settings["page"] else None
    incidents = _incidents_in(_client(pull).get(_path(pull), parameters).json)
    newest = f", the newest of {incidents[0].get('created_at', '')[:10]}" if incidents else ""
    return [f"Incidents can be read{newest}."]


def pull_pieces(pull: Pull) -> Iterator[PulledPiece]:
    """Pages, newest first; what was open and is in none of them, by its id."""
    client = _client(pull)
    for scope in pull.scopes:
        seen: set[str] = set()
        for piece, ids in _pages(pull, client, scope):
            seen |= ids
            yield piece
        for key, _ in pull.memory.items(scope.external_id, 500):
            if pull.settings["page"] and key not in seen and not pull.is_over():
                yield from _still_open(pull, client, scope, key)


def _pages(pull: Pull, client: Client, scope: PullScope) -> Iterator[tuple[PulledPiece, set[str]]]:
    """Pages to one that reaches what is known, each with the ids in it."""
    cursor = pull.memory.cursor(scope.external_id, "incidents")
    known = datetime.fromisoformat(cursor["to"]) - OVERLAP if cursor else None
    greatest, number, floor = cursor.get("to", ""), 1, pull.since
    turns = PageTurns()
    while True:
        page = {"limit": str(PAGE), "page": str(number)} if pull.settings["page"] else None
        answer = client.get(_path(pull), page, etag=cursor.get("etag", "") if number == 1 else "")
        if answer.is_same:
            return
        turns.turn(number, answer.body)
        incidents = _incidents_in(answer.json)
        changed = [_instant(i, "updated_at") for i in incidents]
        greatest = max([greatest, *(c.isoformat() for c in changed)])
        oldest = min((_instant(i, "created_at") for i in incidents), default=floor)
        is_last = page is None or len(incidents) < PAGE or oldest < max(floor, known or floor)
        cursor_after = {
            "to": greatest,
            "etag": answer.etag if number == 1 else cursor.get("etag", ""),
        }
        cursor = cursor_after if is_last and greatest else cursor
        ids = {str(i["id"]) for i in incidents if i.get("id")}
        yield _piece(scope, incidents, answer.body, cursor), ids
        if is_last or pull.is_over():
            return
        number += 1
        client.sleep(PACE)


def _piece(
    scope: PullScope, incidents: list[Any], body: bytes, cursor: dict[str, str]
) -> PulledPiece:
    created = [_instant(i, "created_at") for i in incidents]
    return PulledPiece(
        scope,
        "incidents",
        cursor,
        form="statuspage",
        content=body if incidents else None,
        first=min(created, default=None),
        items={str(i["id"]): {} for i in incidents if not _is_over(i)},
        done=[str(i["id"]) for i in incidents if _is_over(i)],
        progress=f"incidents to {formats.day(min(created))}" if created else "",
    )


def _still_open(pull: Pull, client: Client, scope: PullScope, id: str) -> Iterator[PulledPiece]:
    """Ask for an incident that was open, as it is now; a deleted one is forgotten."""
    client.sleep(PACE)
    answer = client.get(f"{_path(pull)}/{quote(id, safe='')}", accepts=(404,))
    if answer.status == 404:
        yield PulledPiece(scope, "open", {}, done=[id])
        return
    incident = answer.json
    cursor = pull.memory.cursor(scope.external_id, "incidents")
    yield _piece(scope, [incident], orjson.dumps([incident]), cursor)


SOURCE = Source(
    kind="statuspage",
    title="Statuspage",
    about="Incidents of a status page with their impact, ends and postmortems. Planned maintenance is left"
    " out. With a page's id it is read by the API, whole; without one as the public reads it.",
    fills=("incidents",),
    settings=(
        Setting("address", "API, or the page", "address", "https://api.statuspage.io",
                help="Without a page's id the address of the page itself, such as https://status.example.com."),
        Setting("page", "Page", required=False, help="Id of the page, from the API info of your account."),
    ),
    pull=pull_pieces,
    test=test_connection,
    credential="API key; empty for a public page",
    permissions=("Reading of the page's incidents",),
    history="All incidents by the API; the newest 50 of a public page.",
    limits="A request a second, a hundred incidents a request.",
    minutes=15,
    growth=HistoryGrowth(page=PAGE, is_whole=True),
)  # fmt: skip
