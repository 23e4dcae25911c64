"""Commits between two deployments of GitHub as changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

from ingest.pulling.client import Client
from ingest.pulling.shape import Pull, PulledPiece, PullScope
from ingest.sources.of_github.runs import rows_form

COMPARED = 300
"""Pairs of deployments that a run compares."""


def success_key(environment: str | None, ended: str, id: object) -> str:
    """Key under which a success is remembered: in order of time within its environment, whose name may have
    a slash, as those of branches do."""
    return f"ok/{quote(environment or '', safe='')}/{ended}/{id}"


def without_changes(pull: Pull) -> None:
    """A look ahead compares no deployments: that is a request for each of them."""
    pull.settings = {**pull.settings, "changes": "later"}


def changes(pull: Pull, client: Client, scope: PullScope) -> Iterator[PulledPiece]:
    """Commits between each success and the one before it in its environment, oldest first, once."""
    if pull.memory.cursor(scope.external_id, "deployments").get("resume"):
        return  # older ones are still to come, and would stand between
    succeeded = pull.memory.items(scope.external_id, COMPARED, "ok/")
    before = pull.memory.cursor(scope.external_id, "changes")
    for key, data in succeeded:
        environment = unquote(key.split("/")[1])
        base = before.get(environment)
        commits = _compared(pull, client, scope, base["sha"], data["sha"]) if base else []
        before = {**before, environment: data}
        rows = [
            {
                "deployment": str(data["id"]),
                "key": c["sha"],
                "committed_at": c["commit"]["author"]["date"],
            }
            for c in commits
        ]
        yield PulledPiece(
            scope,
            "changes",
            before,
            form=rows_form("github", rows),
            kind="changes" if rows else "",
            done=[key],
            progress=f"{scope.name}: changes",
        )
        if pull.is_over():
            return


def _compared(pull: Pull, client: Client, scope: PullScope, base: str, head: str) -> list[Any]:
    """The commits that the head has and the base lacks; none for a roll-back, or where the base is gone."""
    if base == head:
        return []
    path = f"/repos/{scope.name}/compare/{base}...{head}"
    commits: list[Any] = []
    for answer in client.pages(path, {"per_page": "100"}, accepts=(404, 422)):
        if answer.status != 200:
            pull.note(
                f"{scope.name}: a deployed commit is there no more; the changes since it are left out."
            )
            return []
        document = answer.json
        if document.get("ahead_by") == 0:
            return []
        commits += document.get("commits", [])
    return commits
