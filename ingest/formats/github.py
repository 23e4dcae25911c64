"""GitHub: ``deployment_status`` and ``deployment`` webhooks, and answers of the REST API (deployments
with their statuses, statuses, releases).

A deployment's key is its id. It ends with its last terminal status by GitHub's clock: success is
successful, failure and error are failed. queued, pending, in_progress, waiting and inactive (a later
deployment took over) end nothing; with the deployment itself they tell its beginning.
``production_environment`` says whether it is one to production where GitHub tells it, else the
workspace's mapping of environments does.

A rule of the workspace may link by ``github payload.NAME``; a release's address is its ``html_url``.

``GET /repos/OWNER/NAME/deployments`` tells no outcome: put each deployment's statuses into it as
``statuses``, or import ``GET .../deployments/ID/statuses`` as well. ``GET .../releases`` is read as
deployments too, completed when they were published, keyed REPOSITORY@TAG as the tags of ``git``: drafts
are left out, pre-releases are no production deployments. Webhooks of releases are left out, so that who
subscribes to everything does not count twice.

A body that is a form (content type application/x-www-form-urlencoded) is read from its field
``payload``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from aggregators.records.mentions import flat, normal_address, pack_mentions
from ingest.documents import (
    LeftOut,
    broken_row,
    cell_text,
    event,
    json_items,
    raw_row,
    record,
    sender_order,
    value_at,
)
from ingest.formats.form import Format, Signed
from ingest.reader import FormatInput, RawRecord

OUTCOMES = {"success": "successful", "failure": "failed", "error": "failed"}
UNDERWAY = ("queued", "pending", "in_progress", "waiting", "inactive")
COLUMNS = {
    "key": "id",
    "created_at": "created_at",
    "environment": "environment",
    "is_production": "production_environment",
}
PUSH, PING = ("pusher", "commits"), "zen"
REPOSITORY = re.compile(r"/repos/(?P<path>[^/]+/(?P<name>[^/]+))/")
DEPLOYMENT = re.compile(r"/deployments/(?P<id>\d+)$")


def read(reading: FormatInput) -> Iterator[RawRecord]:
    """A statement for each payload, or each thing of a list, about its deployment."""
    left_out = LeftOut(reading)
    for pointer, payload in json_items(reading):
        yield from _payload(reading, payload, pointer, left_out)
    left_out.tell()


def _payload(
    reading: FormatInput, payload: Any, pointer: str, left_out: LeftOut
) -> Iterator[RawRecord]:
    if isinstance(value_at(payload, "deployment"), Mapping):
        yield from _hook(reading, payload, pointer)
    elif value_at(payload, "tag_name") and not value_at(payload, "repository"):
        yield from _release(reading, payload, pointer, left_out)
    elif (
        value_at(payload, "environment")
        and value_at(payload, "id")
        and value_at(payload, "state") is None
    ):
        yield from _deployment(reading, payload, pointer)
    elif value_at(payload, "state") and value_at(payload, "deployment_url"):
        match = DEPLOYMENT.search(cell_text(value_at(payload, "deployment_url")))
        cells = {"key": match["id"]} if match else {}
        yield _status(reading, payload, pointer, cells)
    elif (name := _event_name(payload)) is not None:
        left_out.add(f"GitHub's {name} event: deployment_status events are read")
    else:
        yield broken_row(reading, "is no deployment, status or release of GitHub", pointer)


def _event_name(payload: Any) -> str | None:
    """The event that a webhook's payload is of, by its look, or None."""
    if not isinstance(payload, Mapping):
        return None
    if PING in payload and "hook" in payload:
        return "ping"
    if all(name in payload for name in PUSH):
        return "push"
    if "repository" not in payload and "organization" not in payload:
        return None
    known = (
        "workflow_job",
        "workflow_run",
        "check_run",
        "check_suite",
        "pull_request",
        "release",
        "issue",
    )
    return next((name for name in known if name in payload), "other")


def _hook(reading: FormatInput, payload: Any, pointer: str) -> Iterator[RawRecord]:
    """The payload of a webhook: the deployment, with the status that it is about."""
    cells, columns = _began(payload, "deployment.")
    if service := cell_text(value_at(payload, "repository.name")):
        cells["service"] = service
    if not isinstance(value_at(payload, "deployment_status"), Mapping):
        began = record(reading, payload, columns, pointer, cells)
        yield event(began, cell_text(value_at(payload, "deployment.created_at")))
        return
    yield _status(reading, payload, pointer, cells, columns, "deployment_status.")


def _began(document: Any, within: str = "") -> tuple[dict[str, str], dict[str, str]]:
    """Mentions of its payload, and the columns that a deployment has."""
    paths = {ours: within + theirs for ours, theirs in COLUMNS.items()}
    mentions = pack_mentions("github", flat(value_at(document, f"{within}payload"), "payload"))
    return {"mentions": mentions} if mentions else {}, {
        o: path for o, path in paths.items() if o == "key" or value_at(document, path) is not None
    }


def _repository(thing: Any) -> str:
    """The repository's name in the address of one of its things."""
    url = cell_text(value_at(thing, "url")) or cell_text(value_at(thing, "statuses_url"))
    match = REPOSITORY.search(f"{url}/")
    return match["name"] if match else ""


def _deployment(reading: FormatInput, deployment: Any, pointer: str) -> Iterator[RawRecord]:
    """A deployment of a list as it began, and the statuses in it."""
    cells, columns = _began(deployment)
    if service := _repository(deployment):
        cells["service"] = service
    began = record(reading, deployment, columns, pointer, cells)
    yield event(began, cell_text(value_at(deployment, "created_at")))
    statuses = value_at(deployment, "statuses")
    for number, status in enumerate(statuses if isinstance(statuses, list) else ()):
        key = {"key": cell_text(value_at(deployment, "id"))}
        yield _status(reading, status, f"{pointer}/statuses/{number}", key)


def _status(
    reading: FormatInput,
    document: Any,
    pointer: str,
    cells: Mapping[str, str],
    columns: Mapping[str, str] = MappingProxyType({}),
    within: str = "",
) -> RawRecord:
    """Statement of a status: the outcome, where it is terminal."""
    state = value_at(document, f"{within}state")
    instant = cell_text(value_at(document, f"{within}created_at"))
    if state in UNDERWAY:
        return event(record(reading, document, columns, pointer, cells), instant)
    if state not in OUTCOMES:
        return broken_row(reading, f"{within}state is unknown: {cell_text(state)[:40]!r}", pointer)
    paths = {**columns, "completed_at": f"{within}created_at"}
    ended = record(reading, document, paths, pointer, {**cells, "outcome": OUTCOMES[state]})
    return event(ended, instant, sender_order(value_at(document, f"{within}id")))


def _release(
    reading: FormatInput, release: Any, pointer: str, left_out: LeftOut
) -> Iterator[RawRecord]:
    match = REPOSITORY.search(cell_text(value_at(release, "url")))
    if value_at(release, "draft") is True:
        left_out.add("a draft of a release")
    elif match is None:
        yield broken_row(reading, "is a release of no repository: it has no url", pointer)
    else:
        is_production = "no" if value_at(release, "prerelease") is True else "yes"
        yield raw_row(
            reading,
            release,
            {"completed_at": "published_at"},
            pointer,
            key=f"{match['path']}@{cell_text(value_at(release, 'tag_name'))}",
            service=match["name"],
            outcome="successful",
            environment="production" if is_production == "yes" else "pre-release",
            is_production=is_production,
            addresses=normal_address(cell_text(value_at(release, "html_url"))),
        )


def _looks_like(head: bytes) -> bool:
    return any(all(word in head for word in words) for words in LOOKS)


LOOKS = (
    (b'"deployment_status"', b'"deployment"'),
    (b'"statuses_url"', b'"environment"', b"/deployments/"),
    (b'"deployment_url"', b'"state"'),
    (b'"tag_name"', b'"prerelease"'),
    (b"payload=", b"deployment_status"),
)
FORMAT = Format(
    "github",
    {"deployments": read},
    "GitHub deployment_status webhooks, and lists of its REST API",
    sniff=_looks_like,
    ingest=True,
    signed=Signed("X-Hub-Signature-256", "sha256="),
)
