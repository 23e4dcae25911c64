"""Commits between two deployments of GitLab as changes, the squash of a merge request since its first."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any

from ingest.pulling.choice.counts import LAST_WEEKS
from ingest.pulling.client import Client
from ingest.pulling.problems import SourceProblem
from ingest.pulling.shape import Pull, PulledPiece, PullScope
from ingest.sources.of_github.changes import RowsRead, between_successes
from ingest.sources.of_gitlab.choice import HIDDEN, OVERLAP, PAGE, instant, merged_pages

SQUASHES, FIRSTS = "squashes", 25
"""Stream of the merge requests that were squashed; first commits that are asked for at a time."""


def changes(pull: Pull, client: Client, scope: PullScope) -> Iterator[PulledPiece]:
    """Changes of each success. A merge of two parents is none: the commits that it brings are. What was
    squashed is read before, so that a squash begins with the first commit of its merge request."""

    def rows_of(base: Any, head: Any) -> RowsRead:
        commits = _commits_between(client, scope, base["sha"], head["sha"]) if base else []
        commits = [c for c in commits if len(c.get("parent_ids") or ()) < 2]
        begun = yield from _first_commit_instants(
            pull, client, scope, [str(c["id"]) for c in commits]
        )
        if begun is None:
            return None
        return [
            {
                "deployment": f"gitlab@{head['id']}",
                "key": c["id"],
                "committed_at": min(
                    c["authored_date"], begun.get(c["id"], c["authored_date"]), key=instant
                ),
            }
            for c in commits
        ]

    return between_successes(pull, scope, "gitlab", _read_squashes(pull, client, scope), rows_of)


def _commits_between(client: Client, scope: PullScope, base: str, head: str) -> list[Any]:
    """The commits that the head has and the base lacks; none for a roll-back, or where the base is gone."""
    if base == head:
        return []
    answer = client.get(
        f"/projects/{scope.external_id}/repository/compare",
        {"from": base, "to": head},
        accepts=(404,),
    )
    return answer.json.get("commits", []) if answer.status == 200 else []


def _read_squashes(
    pull: Pull, client: Client, scope: PullScope
) -> Generator[PulledPiece, None, bool]:
    """Reads what was merged since the last time, by its last change, and remembers the number of each merge
    request that was squashed. Returns whether the list was read to its end; a token that may not read it is
    told, and squashes begin at the merge."""
    cursor = pull.memory.cursor(scope.external_id, SQUASHES)
    floor = instant(cursor["to"]) - OVERLAP if "to" in cursor else pull.since - LAST_WEEKS
    newest = cursor.get("to", "")
    try:
        for page, is_last in merged_pages(client, scope, {}, floor):
            newest = max([newest, *(instant(m["updated_at"]).isoformat() for m in page)])
            squashes = {_key(m["squash_commit_sha"]): {"iid": m["iid"]}
                     for m in page if m.get("squash_commit_sha")}  # fmt: skip
            items = squashes | pull.memory.items_by_key(scope.external_id, list(squashes))
            yield PulledPiece(
                scope,
                SQUASHES,
                {"to": newest} if newest else {},
                items=items,
                done=list(items),  # nothing is left to do for them; they are there when asked for
                progress=f"{scope.name}: merge requests",
            )
            if not is_last and pull.is_over():
                return False
    except SourceProblem as problem:
        if problem.code not in ("scope_missing", "not_found_or_hidden"):
            raise
        pull.note(f"{scope.name}: merge requests can not be read, so squashes begin at the merge.")
    return True


def _first_commit_instants(
    pull: Pull, client: Client, scope: PullScope, shas: Sequence[str]
) -> Generator[PulledPiece, None, dict[str, str] | None]:
    """When the first commit of each that is a squash was made. None where the run is over before all of
    them are known; what is known by then is remembered."""
    known = pull.memory.items_by_key(scope.external_id, [_key(sha) for sha in shas])
    unknown = [key for key, squash in known.items() if "begun" not in squash]
    for start in range(0, len(unknown), FIRSTS):
        some = unknown[start : start + FIRSTS]
        firsts = {key: {**known[key], "begun": _first(client, scope, known[key])} for key in some}
        known |= firsts
        yield PulledPiece(
            scope,
            SQUASHES,
            {},
            items=firsts,
            done=list(firsts),
            progress=f"{scope.name}: first commits of squashes",
        )
        if pull.is_over() and start + FIRSTS < len(unknown):
            return None
    return {sha: begun for sha in shas if (begun := known.get(_key(sha), {}).get("begun"))}


def _first(client: Client, scope: PullScope, squash: Any) -> str:
    """When the first commit of a merge request was made; empty where its commits are not to be had."""
    path = f"/projects/{scope.external_id}/merge_requests/{squash['iid']}/commits"
    made: list[str] = []
    for answer in client.pages(path, {"per_page": str(PAGE)}, accepts=HIDDEN):
        if answer.status != 200:
            return ""
        made += [c["authored_date"] for c in answer.json if c.get("authored_date")]
    return min(made, key=instant, default="")


def _key(sha: str) -> str:
    return f"squash/{sha}"
