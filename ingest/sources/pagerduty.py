"""PagerDuty: incidents with their first acknowledgement.

PagerDuty has no list of what has changed since: the log entries are that list. Each entry says that an
incident changed, so the incident is asked for as it is now; of the entries only the acknowledgements are
taken, since an incident forgets its own once it is resolved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

import instants
from aggregators.vocabulary import formats
from ingest.documents import value_at
from ingest.pulling.client import Client
from ingest.pulling.problems import SourceProblem
from ingest.pulling.shape import (
    FoundScope,
    HistoryGrowth,
    Pull,
    PulledPiece,
    PullScope,
    Setting,
    Source,
)
from ingest.pulling.wire.answers import Limits
from ingest.pulling.wire.turning import PageTurns

LIMITS = Limits(
    "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", is_wait=True, window=60.0
)
OVERLAP = timedelta(minutes=10)
WINDOW = timedelta(days=7)
PAGE, DEEPEST = 100, 9_900
"""Entries of a page; the offset at which PagerDuty ends every list."""
LEAST = timedelta(minutes=5)
HEADERS = {"Accept": "application/vnd.pagerduty+json;version=2", "Content-Type": "application/json"}


class TooMany(Exception):
    """A window holds more than PagerDuty lists."""


def _client(pull: Pull) -> Client:
    headers = {**HEADERS, "Authorization": f"Token token={pull.secret}"}
    return pull.client(pull.settings["address"].rstrip("/"), headers, LIMITS)


def _list_pages(client: Client, name: str, parameters: Mapping[str, str]) -> Iterator[list[Any]]:
    """Pages of a list to its end. Raises TooMany."""
    offset, turns = 0, PageTurns()
    while True:
        page = {"limit": str(PAGE), "offset": str(offset), **parameters}
        answer = client.get(f"/{name}", page)
        turns.turn(offset, answer.body)
        document = answer.json
        entries = value_at(document, name)
        if not isinstance(entries, list):
            raise SourceProblem("changed_shape", f"PagerDuty gives no list of {name}.")
        yield entries
        if not document.get("more"):
            return
        if not entries:
            raise SourceProblem("changed_shape", f"PagerDuty has more {name} and gives none.")
        offset += PAGE
        if offset >= DEEPEST:
            raise TooMany


def scopes(pull: Pull) -> list[FoundScope]:
    """Services."""
    pages = _list_pages(_client(pull), "services", {})
    return [FoundScope(s["id"], s.get("name") or s["summary"]) for page in pages for s in page]


def test_connection(pull: Pull) -> list[str]:
    """Asks what the sync asks, once each."""
    client = _client(pull)
    services = scopes(pull)
    span = _span(pull.now - timedelta(days=1), pull.now)
    client.get("/incidents", {"limit": "1", **span})
    client.get("/log_entries", {"limit": "1", "is_overview": "true", **span})
    return [f"{len(services)} services.", "Incidents can be read.", "Log entries can be read."]


def _span(begins: datetime, ends: datetime) -> dict[str, str]:
    return {
        "since": instants.to_the_second(begins),
        "until": instants.to_the_second(ends),
        "time_zone": "UTC",
    }


def pull_pieces(pull: Pull) -> Iterator[PulledPiece]:
    """Windows of the log: what changed lately first, then history backwards, a week at a time."""
    client = _client(pull)
    if not pull.scopes:
        return
    home = PullScope("", "", pull.scopes[0].workspace)
    cursor = pull.memory.cursor("", "log")
    begins = datetime.fromisoformat(cursor["to"]) - OVERLAP if cursor else pull.now - WINDOW
    bottom = datetime.fromisoformat(cursor["from"]) if cursor else begins
    known = cursor
    for first, last in _weeks(begins, pull.now):
        known = {"to": last.isoformat(), "from": bottom.isoformat()}
        yield from _window(pull, client, home, first, last, known)
    while bottom > pull.since and not pull.is_over():
        earlier = max(bottom - WINDOW, pull.since)
        known = {**known, "from": earlier.isoformat()}
        yield from _window(pull, client, home, earlier, bottom, known)
        bottom = earlier


def _weeks(begins: datetime, ends: datetime) -> Iterator[tuple[datetime, datetime]]:
    while begins < ends:
        yield begins, min(begins + WINDOW, ends)
        begins += WINDOW


def _window(
    pull: Pull,
    client: Client,
    home: PullScope,
    begins: datetime,
    ends: datetime,
    cursor: dict[str, str],
) -> Iterator[PulledPiece]:
    """Incidents that were opened or changed in a window, by service; then its cursor."""
    by_service = {scope.external_id: scope for scope in pull.scopes}
    incidents = _incidents_of_window(client, begins, ends)
    groups: dict[str, tuple[PullScope, list[Any]]] = {}
    unmapped = 0
    for incident in incidents:
        scope = by_service.get(str(value_at(incident, "service.id")))
        if scope is None:
            unmapped += 1
            continue
        groups.setdefault(scope.external_id, (scope, []))[1].append(incident)
    if unmapped:
        pull.note(f"{unmapped} incidents are of services that feed no workspace.")
    progress = f"incidents of {formats.day(begins, year=False)} to {formats.day(ends)}"
    for scope, some in groups.values():
        for number in range(0, len(some), PAGE):
            page = some[number : number + PAGE]
            first = min(_instant(i["created_at"]) for i in page)
            yield PulledPiece(
                scope,
                "incidents",
                {},
                form="pagerduty",
                content=orjson.dumps({"incidents": page}),
                first=first,
                progress=progress,
            )
    yield PulledPiece(home, "log", cursor, progress=progress)


def _incidents_of_window(client: Client, begins: datetime, ends: datetime) -> list[Any]:
    """Incidents of a window as they are now, each with its acknowledgements; a window that holds too many
    is halved."""
    try:
        span = _span(begins, ends)
        opened = {
            i["id"]: i
            for page in _list_pages(client, "incidents", {**span, "sort_by": "created_at:asc"})
            for i in page
        }
        entries: dict[str, list[Any]] = {}
        for page in _list_pages(client, "log_entries", {**span, "is_overview": "true"}):
            for entry in page:
                if (id := value_at(entry, "incident.id")) is not None:
                    entries.setdefault(id, []).append(entry)
    except TooMany:
        if ends - begins <= LEAST:
            raise SourceProblem(
                "too_large", f"More than {DEEPEST:,} incidents in {LEAST}."
            ) from None
        middle = begins + (ends - begins) / 2
        return _incidents_of_window(client, begins, middle) + _incidents_of_window(
            client, middle, ends
        )
    for id in entries.keys() - opened.keys():
        answer = client.get(f"/incidents/{id}", accepts=(404,))
        if answer.status == 200:
            opened[id] = answer.json["incident"]
    for id, incident in opened.items():
        kept = [
            e for e in entries.get(id, ()) if str(value_at(e, "type")).startswith("acknowledge_")
        ]
        incident["log_entries"] = kept
    return list(opened.values())


def _instant(field: str) -> datetime:
    return datetime.fromisoformat(field.replace("Z", "+00:00")).astimezone(UTC)


SOURCE = Source(
    kind="pagerduty",
    title="PagerDuty",
    about="Incidents with their first acknowledgement, as they are now: reopened ones are open again,"
    " merged ones part of the other. Webhooks may come beside it: the keys are the same.",
    fills=("incidents",),
    settings=(
        Setting("address", "API", "address", "https://api.pagerduty.com",
                help="In Europe https://api.eu.pagerduty.com."),
    ),
    pull=pull_pieces,
    test=test_connection,
    scopes=scopes,
    credential="Read-only API key",
    permissions=("incidents.read", "services.read"),
    history="All incidents, a week at a time.",
    limits="960 requests a minute, of which a fifth is left to others.",
    minutes=5,
    growth=HistoryGrowth(span=7),
)  # fmt: skip
