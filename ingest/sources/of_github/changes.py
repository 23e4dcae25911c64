"""Commits between two deployments of GitHub as changes, a squash of several since the first of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any
from urllib.parse import quote, unquote

from ingest.pulling.client import Client
from ingest.pulling.shape import Cursor, Pull, PulledPiece, PullScope
from ingest.sources.of_github.pulls import begins, begun_of
from ingest.sources.of_github.runs import rows_form

COMPARED = 300
"""Pairs of deployments that a run compares."""
RowsRead = Generator[PulledPiece, None, list[dict[str, str]] | None]
"""Reading of rows, with pieces that remember what was read for them; None where the run is over before."""


def success_key(environment: str | None, ended: str, id: object) -> str:
    """Key under which a success is remembered: in order of time within its environment, whose name may have
    a slash, as those of branches do."""
    return f"ok/{quote(environment or '', safe='')}/{ended}/{id}"


def without_changes(pull: Pull) -> None:
    """A look ahead compares no deployments: that is a request for each of them."""
    pull.settings = {**pull.settings, "changes": "later"}


def changes(pull: Pull, client: Client, scope: PullScope) -> Iterator[PulledPiece]:
    """Changes of each success; what was merged is read before, so that the squash of a pull request begins
    with its first commit."""

    def rows_of(base: Any, head: Any) -> RowsRead:
        yield from ()
        commits = _commits_between(pull, client, scope, base["sha"], head["sha"]) if base else []
        return _rows(pull, scope, str(head["id"]), commits)

    return between_successes(pull, scope, "github", begins(pull, client, scope), rows_of)


def between_successes(
    pull: Pull,
    scope: PullScope,
    form: str,
    merged: Generator[PulledPiece, None, bool],
    rows_of: Callable[[Any, Any], RowsRead],
) -> Iterator[PulledPiece]:
    """Changes between each success and the one before it in its environment, oldest first, once. Before two
    are compared ``merged`` is read, which returns whether it came to its end; ``rows_of`` reads the rows of
    a success from the one before it, if any."""
    if pull.memory.cursor(scope.external_id, "deployments").get("resume"):
        return  # older ones are still to come, and would stand between
    succeeded = pull.memory.items(scope.external_id, COMPARED, "ok/")
    before = pull.memory.cursor(scope.external_id, "changes")
    if _are_compared(succeeded, before) and not (yield from merged):
        return
    for key, data in succeeded:
        environment = _environment_of(key)
        rows = yield from rows_of(before.get(environment), data)
        if rows is None:
            return
        before = {**before, environment: data}
        yield PulledPiece(
            scope,
            "changes",
            before,
            form=rows_form(form, rows),
            kind="changes" if rows else "",
            done=[key],
            progress=f"{scope.name}: changes",
        )
        if pull.is_over():
            return


def _environment_of(key: str) -> str:
    return unquote(key.split("/")[1])


def _are_compared(succeeded: list[tuple[str, Any]], before: Cursor) -> bool:
    """Whether one of the successes has another before it."""
    environments = [_environment_of(key) for key, _ in succeeded]
    return any(each in before for each in environments) or len(set(environments)) < len(succeeded)


def _rows(
    pull: Pull, scope: PullScope, deployment: str, commits: list[Any]
) -> list[dict[str, str]]:
    """Changes of a deployment. A merge of two parents is none: the commits that it brings are."""
    own = [c for c in commits if len(c.get("parents") or ()) < 2]
    begun = begun_of(pull, scope, [c["sha"] for c in own])
    return [
        {
            "deployment": deployment,
            "key": c["sha"],
            "committed_at": begun.get(c["sha"], c["commit"]["author"]["date"]),
        }
        for c in own
    ]


def _commits_between(
    pull: Pull, client: Client, scope: PullScope, base: str, head: str
) -> list[Any]:
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
