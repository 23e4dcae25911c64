"""Deployments from tags, and from merges into the default branch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import orjson

from aggregators.vocabulary import formats
from ingest.documents import value_at
from ingest.formats.releases import kind_of_tag
from ingest.pulling.client import Client
from ingest.pulling.shape import Cursor, Pull, PulledPiece, PullScope
from ingest.sources.of_github.asking import instant_of, pages
from ingest.sources.of_github.pulls import first_authored, merged_pages
from ingest.sources.of_github.runs import rows_form

TAGS = """
query($owner: String!, $name: String!, $first: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    refs(refPrefix: "refs/tags/", first: $first, after: $after,
         orderBy: {field: TAG_COMMIT_DATE, direction: DESC}) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes { name target { __typename
        ... on Commit { committedDate }
        ... on Tag { tagger { date } target { __typename ... on Commit { committedDate } } } } }
    }
  }
}
"""


def tagged_at(ref: Any) -> str | None:
    """When a tag was made: by its own word, else its commit's; None for a tag of anything else."""
    target = value_at(ref, "target")
    instant_text = value_at(target, "tagger.date") or value_at(target, "committedDate")
    return str(instant_text or value_at(target, "target.committedDate") or "") or None


def tags(pull: Pull, client: Client, scope: PullScope) -> Iterator[PulledPiece]:
    """Tags that are releases. GitHub orders them by their commits, and an old commit may be tagged today,
    so all are read where their number or the first page is another one than it was."""
    known = pull.memory.cursor(scope.external_id, "tags")
    now: Cursor = {}
    for nodes, after, total in pages(client, scope, TAGS, "refs"):
        if not now:
            now = {"first": hashlib.sha256(orjson.dumps(nodes)).hexdigest(), "total": total}
            if now == known:
                return
        rows = [row for node in nodes if (row := _tag(pull, scope, node)) is not None]
        yield _piece(scope, "tags", now if after is None else known, rows)
        if after is not None and pull.is_over():
            return


def _tag(pull: Pull, scope: PullScope, node: Any) -> dict[str, str] | None:
    """A tag as a deployment; None for one that is no release, or older than is wanted."""
    kind, made = kind_of_tag(node["name"], scope.named), tagged_at(node)
    if kind is None or made is None or instant_of(made) < pull.since:
        return None
    line, is_production = kind
    name = scope.name.rpartition("/")[2]
    return {
        "key": f"{scope.name}@{node['name']}",
        "completed_at": made,
        "outcome": "successful",
        "environment": "production" if is_production else "pre-release",
        "is_production": "yes" if is_production else "no",
        "service": f"{name}/{line}" if line else name,
    }


def merges(pull: Pull, client: Client, scope: PullScope) -> Iterator[PulledPiece]:
    """Pull requests that were merged into the default branch, by their last change, and each as a change
    since its first commit."""
    cursor = pull.memory.cursor(scope.external_id, "merges")
    for page in merged_pages(client, scope, cursor, pull.since):
        yield from _merge_pieces(pull, scope, page.nodes, page.cursor)
        if pull.is_over():
            return


def _merge_pieces(
    pull: Pull, scope: PullScope, nodes: list[Any], cursor: Cursor
) -> Iterator[PulledPiece]:
    """Pieces of merged pull requests: deployments, and their changes where those are asked for."""
    own = [node for node in nodes if _is_own(node) and instant_of(node["mergedAt"]) >= pull.since]
    rows = [
        {
            "key": f"{scope.name}@merge-{node['number']}",
            "completed_at": node["mergedAt"],
            "outcome": "successful",
            "environment": "production",
            "service": scope.name.rpartition("/")[2],
        }
        for node in own
    ]
    began = [_change(scope, node) for node in own] if pull.settings["changes"] == "yes" else []
    if began:
        yield _piece(scope, "merges", pull.memory.cursor(scope.external_id, "merges"), rows)
        rows_of = rows_form("github", began)
        yield PulledPiece(scope, "merges", cursor, form=rows_of, kind="changes")
    else:
        yield _piece(scope, "merges", cursor, rows)


def _is_own(node: Any) -> bool:
    """Whether a pull request was merged into the default branch."""
    default = value_at(node, "baseRepository.defaultBranchRef.name")
    return bool(node.get("mergedAt")) and node["baseRefName"] == default


def _change(scope: PullScope, node: Any) -> dict[str, str]:
    """Change that a merge brought, since its first commit was made."""
    merged = node["mergedAt"]
    begun = first_authored(node) or merged
    return {
        "deployment": f"{scope.name}@merge-{node['number']}",
        "key": str(value_at(node, "mergeCommit.oid") or f"merge-{node['number']}"),
        "committed_at": min(begun, merged, key=instant_of),
    }


def _piece(
    scope: PullScope, stream: str, cursor: Cursor, rows: list[dict[str, str]]
) -> PulledPiece:
    """A page of deployments with the cursor behind it."""
    listed = {row["key"]: instant_of(row["completed_at"]) for row in rows}
    oldest = min(listed.values(), default=None)
    return PulledPiece(
        scope,
        stream,
        cursor,
        form=rows_form("github", rows),
        kind="deployments" if rows else "",
        first=oldest,
        listed=listed,
        progress=f"{scope.name}: {stream} to {formats.day(oldest)}" if oldest else "",
    )
