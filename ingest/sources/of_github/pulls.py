"""Pull requests of GitHub that were merged: pages of them, and where a squash of one began."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from ingest.documents import value_at
from ingest.pulling.choice.counts import LAST_WEEKS
from ingest.pulling.client import Client
from ingest.pulling.problems import SourceProblem
from ingest.pulling.shape import Cursor, Pull, PulledPiece, PullScope
from ingest.sources.of_github.asking import graphql, instant_of, pages
from ingest.sources.of_github.runs import OVERLAP

MERGES = """
query($owner: String!, $name: String!, $first: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequests(states: MERGED, first: $first, after: $after,
                 orderBy: {field: UPDATED_AT, direction: DESC}) {
      pageInfo { hasNextPage endCursor }
      nodes { number mergedAt updatedAt baseRefName
              baseRepository { defaultBranchRef { name } }
              mergeCommit { oid authoredDate parents(first: 1) { totalCount } }
              commits(first: 1) { nodes { commit { authoredDate } } }
              newest: commits(last: 1) { nodes { commit { authoredDate } } } }
    }
  }
}
"""
REFUSED = ("scope_missing", "feature_off")
UNREADABLE = "pull requests can not be read, so squashes begin at the merge."


class MergedPage(NamedTuple):
    """A page of merged pull requests, by their last change, the cursor behind it, and whether it is the
    last one that is wanted."""

    nodes: list[Any]
    cursor: Cursor
    is_last: bool


def merged_pages(
    client: Client, scope: PullScope, cursor: Cursor, oldest: datetime, *, partly: bool = False
) -> Iterator[MergedPage]:
    """Pages down to two days behind what is known, else to the oldest that is wanted; with ``partly`` what
    GitHub can not give of them is left out. The cursor holds the newest change that is known (``to``), and
    while pages are missing that of the first one (``top``) with the page at which to go on."""
    floor = datetime.fromisoformat(cursor["to"]) - OVERLAP if "to" in cursor else oldest
    top = str(cursor.get("top") or cursor.get("to") or "")
    listed = pages(client, scope, MERGES, "pullRequests", cursor.get("resume"), partly=partly)
    for nodes, following, _ in listed:
        changed = [instant_of(node["updatedAt"]).isoformat() for node in nodes]
        top = max([top, *changed])
        is_last = following is None or (bool(changed) and min(changed) < floor.isoformat())
        before = {"to": cursor["to"]} if "to" in cursor else {}
        reached = {"to": top} if is_last and top else {**before, "top": top, "resume": following}
        yield MergedPage(nodes, reached if top else {}, is_last)
        if is_last:
            return


def merged_can_be_read(client: Client, repository: str) -> str:
    """Sentence about whether the token may read a repository's merged pull requests."""
    owner, _, name = repository.partition("/")
    try:
        graphql(client, MERGES, {"owner": owner, "name": name, "first": 1}, partly=True)
    except SourceProblem as problem:
        if problem.code not in REFUSED:
            raise
        return UNREADABLE[0].upper() + UNREADABLE[1:]
    return "Pull requests can be read."


def first_authored(node: Any, commits: str = "commits") -> str | None:
    """When the first of a pull request's commits was made, or the only one of another list of them."""
    nodes = value_at(node, f"{commits}.nodes")
    listed = nodes if isinstance(nodes, list) else []
    return str(value_at(listed[0], "commit.authoredDate") or "") or None if listed else None


def begins(pull: Pull, client: Client, scope: PullScope) -> Generator[PulledPiece, None, bool]:
    """Reads what was merged since the last time, and remembers of each squash when its first commit was
    made. Returns whether the list was read to its end; a token that may not read it is told, and changes
    begin with their own commits."""
    cursor = pull.memory.cursor(scope.external_id, "pulls")
    while True:
        was_cut = (
            "resume" in cursor
        )  # what was merged meanwhile stands before the page where it goes on
        listed = merged_pages(client, scope, cursor, pull.since - LAST_WEEKS, partly=True)
        try:
            for page in listed:
                cursor = page.cursor
                items = _squashes(pull, scope, page.nodes)
                yield PulledPiece(
                    scope,
                    "pulls",
                    cursor,
                    items=items,
                    done=list(
                        items
                    ),  # nothing is left to do for them; they are there when asked for
                    progress=f"{scope.name}: merged pull requests",
                )
                if not page.is_last and pull.is_over():
                    return False
        except SourceProblem as problem:
            if problem.code not in REFUSED:
                raise
            pull.note(f"{scope.name}: {UNREADABLE}")
            return True
        if not was_cut:
            return True


def _squashes(pull: Pull, scope: PullScope, nodes: list[Any]) -> dict[str, Any]:
    """Squashes on a page; of two that name one commit the earliest begin counts, in whatever order."""
    squashes = [squash for node in nodes if (squash := _squash(node)) is not None]
    items = pull.memory.items_by_key(scope.external_id, [_key(sha) for sha, _ in squashes])
    for sha, begun in squashes:
        begun_text = items.get(_key(sha), {}).get("begun", begun)
        items[_key(sha)] = {"begun": min(begun_text, begun, key=instant_of)}
    return items


def _squash(node: Any) -> tuple[str, str] | None:
    """The commit that a pull request was squashed into, and when its first one was made. None where its
    commits came as they are: under a merge of two parents, or written anew by a rebase, which leaves the
    last one its author's time."""
    sha, made = value_at(node, "mergeCommit.oid"), value_at(node, "mergeCommit.authoredDate")
    begun, ended = first_authored(node), first_authored(node, "newest")
    if (
        not sha
        or not made
        or begun is None
        or value_at(node, "mergeCommit.parents.totalCount") != 1
    ):
        return None
    if ended is not None and instant_of(ended) == instant_of(made):
        return None
    return (str(sha), begun) if instant_of(begun) < instant_of(made) else None


def begun_of(pull: Pull, scope: PullScope, shas: list[str]) -> dict[str, str]:
    """When the first commit of each that is a squash was made."""
    known = pull.memory.items_by_key(scope.external_id, [_key(sha) for sha in shas])
    return {sha: known[_key(sha)]["begun"] for sha in shas if _key(sha) in known}


def _key(sha: str) -> str:
    return f"squash/{sha}"
