"""Deployments from the runs of a workflow of GitHub Actions, or from releases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import orjson

import instants
from aggregators.vocabulary import formats
from ingest.formats.form import Format
from ingest.formats.github import REPOSITORY
from ingest.pulling.client import Client
from ingest.pulling.shape import Pull, PulledPiece, PullScope
from ingest.pulling.wire.turning import PageTurns
from ingest.reader import FormatInput, RawRecord
from ingest.sources.of_github.asking import instant_of

OVERLAP = timedelta(hours=48)
"""Time that is read again: deployments and runs end after they are listed."""
CONCLUSIONS = {
    "success": "successful",
    "failure": "failed",
    "timed_out": "failed",
    "cancelled": "cancelled",
}


def rows_form(name: str, rows: list[dict[str, str]]) -> Format:
    """Rows of one kind, as a file would hold them."""

    def read(reading: FormatInput) -> Iterator[RawRecord]:
        for cells in rows:
            yield RawRecord(reading.path, 0, cells)

    return Format(name, {"changes": read, "deployments": read})


def workflow_runs(pull: Pull, client: Client, scope: PullScope) -> Iterator[PulledPiece]:
    """Runs of the workflow, in windows: a filtered list ends at a thousand, so a full window is halved."""
    cursor = pull.memory.cursor(scope.external_id, "runs")
    first = datetime.fromisoformat(cursor["to"]) - OVERLAP if cursor else pull.since
    windows = [(first, pull.now)]
    while windows:
        begins, ends = windows.pop()
        created = "..".join(map(instants.to_the_second, (begins, ends)))
        runs, total = _runs_within(pull, client, scope, created)
        if total > 1000 and ends - begins > timedelta(minutes=2):
            middle = begins + (ends - begins) / 2
            windows += [(middle, ends), (begins, middle)]
            continue
        rows = [_run(scope, run) for run in runs if run.get("conclusion") in CONCLUSIONS]
        yield PulledPiece(
            scope,
            "runs",
            {"to": ends.isoformat()},
            form=rows_form("github", rows),
            kind="deployments" if rows else "",
            first=begins,
            listed={row["key"]: instant_of(row["completed_at"]) for row in rows},
            progress=f"{scope.name}: runs to {formats.day(ends)}",
        )
        if pull.is_over():
            return


def _runs_within(
    pull: Pull, client: Client, scope: PullScope, created: str
) -> tuple[list[Any], int]:
    workflow = scope.named
    base = f"/repos/{scope.name}/actions/"
    path = base + (f"workflows/{quote(workflow)}/runs" if workflow else "runs")
    runs: list[Any] = []
    for answer in client.pages(path, {"created": created, "per_page": "100"}):
        document = answer.json
        total = int(document["total_count"])
        if total > 1000:
            return [], total
        runs += document["workflow_runs"]
    return runs, len(runs)


def _run(scope: PullScope, run: Any) -> dict[str, str]:
    return {
        "key": f"{scope.name}@run-{run['id']}",
        "created_at": run["run_started_at"] or run["created_at"],
        "completed_at": run["updated_at"],
        "outcome": CONCLUSIONS[run["conclusion"]],
        "environment": "production",
        "service": scope.name.rpartition("/")[2],
    }


def releases(pull: Pull, client: Client, scope: PullScope) -> Iterator[PulledPiece]:
    """Releases, newest first, to the end of history; while the first page is the same, nothing is read."""
    cursor = pull.memory.cursor(scope.external_id, "releases")
    answer = client.get(
        f"/repos/{scope.name}/releases", {"per_page": "100"}, etag=cursor.get("etag", "")
    )
    if answer.is_same:
        return
    etag, turns = answer.etag, PageTurns()
    while True:
        turns.turn(answer.url, answer.body)
        page = answer.json
        published = [instant_of(r["published_at"]) for r in page if r.get("published_at")]
        following = answer.next
        is_last = following is None or (bool(published) and min(published) < pull.since)
        yield PulledPiece(
            scope,
            "releases",
            {"etag": etag} if is_last else cursor,
            form="github",
            content=orjson.dumps(page) if page else None,
            first=min(published, default=None),
            listed=_published_by_key(page),
            progress=f"{scope.name}: releases",
        )
        if is_last or following is None:
            return
        answer = client.get(following)


def _published_by_key(page: list[Any]) -> dict[str, datetime]:
    """Keys of releases, as the format makes them, with when they were published."""
    return {
        f"{match['path']}@{release['tag_name']}": instant_of(release["published_at"])
        for release in page
        if release.get("published_at") and not release.get("draft")
        if (match := REPOSITORY.search(str(release.get("url"))))
    }
