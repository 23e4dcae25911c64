"""Requests to GitHub: the client, and queries of GraphQL in pages of a size that it can bear."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from ingest.documents import value_at
from ingest.pulling.client import Client
from ingest.pulling.problems import SourceProblem
from ingest.pulling.shape import Pull, PullScope
from ingest.pulling.wire.answers import Limits
from ingest.pulling.wire.turning import PageTurns

LIMITS = Limits("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
PAGES = (100, 50, 25, 10)
"""Sizes of a page: GitHub cancels answers that take it too long, a smaller one passes."""
CODES = {"NOT_FOUND": "not_found_or_hidden", "FORBIDDEN": "scope_missing",
         "INSUFFICIENT_SCOPES": "scope_missing"}  # fmt: skip


class GraphPage(NamedTuple):
    """A page of a list: what is on it, where the next one begins, and how many there are in all, where that
    was asked."""

    nodes: list[Any]
    after: str | None
    total: int | None


def client_of(pull: Pull) -> Client:
    """The run's client of the source's address."""
    headers = {
        "Authorization": f"Bearer {pull.secret}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    return pull.client(pull.settings["address"].rstrip("/"), headers, LIMITS)


def graphql(
    client: Client, query: str, variables: Mapping[str, Any], *, partly: bool = False
) -> Any:
    """Data of a query; with ``partly`` also where GitHub could not give some things on a list, which are
    null then. Raises SourceProblem."""
    document = ask(client, query, variables)
    errors = value_at(document, "errors")
    if partly and isinstance(errors, list):
        errors = [error for error in errors if not _is_of_one(error)]
    if isinstance(errors, list) and errors:
        kind, words = (
            str(value_at(errors[0], "type") or ""),
            str(value_at(errors[0], "message") or "")[:200],
        )
        raise SourceProblem(CODES.get(kind, "changed_shape"), words)
    return value_at(document, "data")


def _is_of_one(error: Any) -> bool:
    """Whether an error is of one thing on a list, not of the list."""
    path = value_at(error, "path")
    return isinstance(path, list) and any(isinstance(step, int) for step in path)


def ask(client: Client, query: str, variables: Mapping[str, Any]) -> Any:
    """Answer to a query, with its errors. Raises SourceProblem."""
    base = client.base
    path = base.removesuffix("/v3") + "/graphql" if base.endswith("/api/v3") else f"{base}/graphql"
    return client.post(path, {"query": query, "variables": dict(variables)}).json


def pages(
    client: Client,
    scope: PullScope,
    query: str,
    field: str,
    after: str | None = None,
    *,
    partly: bool = False,
) -> Iterator[GraphPage]:
    """Pages of a list of a repository; with ``partly`` without the things that GitHub can not give."""
    sizes, turns = list(PAGES), PageTurns()
    while True:
        page = _page(client, scope, query, field, after, sizes, partly=partly)
        turns.turn(after, orjson.dumps(page["nodes"]))
        after = (
            str(page["pageInfo"]["endCursor"] or "") if page["pageInfo"]["hasNextPage"] else None
        )
        if after == "":
            raise SourceProblem("changed_shape", f"GitHub has more {field} and does not say where.")
        nodes = [node for node in page["nodes"] if node]
        yield GraphPage(nodes, after, page.get("totalCount"))
        if after is None:
            return


def _page(
    client: Client,
    scope: PullScope,
    query: str,
    field: str,
    after: str | None,
    sizes: list[int],
    *,
    partly: bool,
) -> Any:
    """A page, smaller where GitHub breaks a larger one off; ``sizes`` loses those that were."""
    owner, _, name = scope.name.partition("/")
    problem: SourceProblem | None = None
    while sizes:
        size = sizes[0]
        try:
            variables = {"owner": owner, "name": name, "first": size, "after": after}
            data = graphql(client, query, variables, partly=partly)
        except SourceProblem as error:
            if error.code != "unreachable":
                raise
            problem = error
            del sizes[0]
            continue
        page = value_at(data, f"repository.{field}")
        if page is None:
            raise SourceProblem("not_found_or_hidden", f"There is no repository {scope.name}.")
        return page
    assert problem is not None
    raise problem


def instant_of(instant_text: str) -> datetime:
    """Instant as GitHub writes it. Raises ValueError."""
    return datetime.fromisoformat(instant_text.replace("Z", "+00:00")).astimezone(UTC)
