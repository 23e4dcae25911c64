"""GitLab: ``deployment`` webhooks, and ``GET /projects/ID/deployments`` of the REST API.

The key is gitlab@ and the deployment's id, which is one across the instance. It ends with its last
terminal status by GitLab's clock: success is successful, failed is failed, canceled is cancelled;
created, running and blocked end nothing. ``environment_tier`` (``environment.tier``) says whether it is
one to production; without it, or where it is ``other``, the workspace's mapping of environments does. A
retried job is a deployment of its own; one to an older commit is a redeploy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ingest.documents import LeftOut, broken_row, cell_text, event, json_items, record, value_at
from ingest.formats.form import Format
from ingest.reader import FormatInput, RawRecord

OUTCOMES = {
    "success": "successful",
    "failed": "failed",
    "canceled": "cancelled",
    "cancelled": "cancelled",
}
UNDERWAY = ("created", "running", "blocked", "manual", "pending", "skipped")
TIERS = {"production": "yes", "staging": "no", "testing": "no", "development": "no"}
ENDS = ("finished_at", "deployable.finished_at", "updated_at")
PROJECT = re.compile(r"https?://[^/]+/(?:.*/)?(?P<name>[^/]+)/-/")
SPACED = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) (UTC|[+-]\d{4})")


def read(reading: FormatInput) -> Iterator[RawRecord]:
    """A statement for each payload, or each deployment of a list."""
    left_out = LeftOut(reading)
    for pointer, payload in json_items(reading):
        kind = value_at(payload, "object_kind")
        if kind == "deployment":
            yield _hook(reading, payload, pointer)
        elif kind is not None:
            left_out.add(f"GitLab's {cell_text(kind)[:60]} event: deployment events are read")
        elif value_at(payload, "environment") and value_at(payload, "iid") is not None:
            yield _listed_deployment(reading, payload, pointer)
        else:
            yield broken_row(reading, "is no deployment of GitLab", pointer)
    left_out.tell()


def _hook(reading: FormatInput, payload: Any, pointer: str) -> RawRecord:
    cells = {
        "environment": cell_text(value_at(payload, "environment")),
        "service": cell_text(value_at(payload, "project.name")),
        "is_production": TIERS.get(cell_text(value_at(payload, "environment_tier")), ""),
    }
    changed = _instant(value_at(payload, "status_changed_at"))
    return _deployment_record(reading, payload, "deployment_id", cells, changed, pointer)


def _listed_deployment(reading: FormatInput, payload: Any, pointer: str) -> RawRecord:
    """A deployment of a list, as a row."""
    match = PROJECT.match(cell_text(value_at(payload, "deployable.web_url")))
    cells = {
        "environment": cell_text(value_at(payload, "environment.name")),
        "service": match["name"] if match else "",
        "is_production": TIERS.get(cell_text(value_at(payload, "environment.tier")), ""),
        "created_at": _instant(value_at(payload, "created_at")),
    }
    ended = next(
        (_instant(value_at(payload, path)) for path in ENDS if value_at(payload, path)), ""
    )
    return _deployment_record(reading, payload, "id", cells, ended, pointer)


def _deployment_record(
    reading: FormatInput, payload: Any, key: str, cells: dict[str, str], ended: str, pointer: str
) -> RawRecord:
    name, status = cell_text(value_at(payload, key)), value_at(payload, "status")
    if not name or not (status in OUTCOMES or status in UNDERWAY):
        wrong = f"status is unknown: {cell_text(status)[:40]!r}" if name else f"has no {key}"
        return broken_row(reading, wrong, pointer)
    cells |= {"key": f"gitlab@{name}"}
    if status in OUTCOMES:
        cells |= {"completed_at": ended, "outcome": OUTCOMES[cell_text(status)]}
    return event(
        record(reading, payload, {}, pointer, {k: v for k, v in cells.items() if v}), ended
    )


def _instant(instant_text: Any) -> str:
    """An instant, also as webhooks write it: 2026-04-28 21:50:00 +0200."""
    match = SPACED.fullmatch(cell_text(instant_text))
    return (
        f"{match[1]}T{match[2]}{match[3].replace('UTC', 'Z')}" if match else cell_text(instant_text)
    )


FORMAT = Format(
    "gitlab",
    {"deployments": read},
    "GitLab deployment webhooks, and lists of its REST API",
    sniff=lambda head: (
        (b'"object_kind"' in head and b'"deployment"' in head)
        or (b'"iid"' in head and b'"deployable"' in head and b'"environment"' in head)
    ),
    ingest=True,
)
