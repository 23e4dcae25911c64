"""GitHub, GitHub Enterprise: deployments with their statuses, workflow runs, releases, tags or merges, each
repository its own; and the commits between two deployments as changes.

Deployments come over GraphQL, a hundred with their statuses a request: over REST each would be a request of
its own. GitHub orders them by creation alone, so each run walks back two days behind what it has, and those
that have not ended are asked for until they have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote

import orjson

from aggregators.vocabulary import formats
from ingest.documents import value_at
from ingest.formats.github import OUTCOMES
from ingest.pulling.choice.counts import CAUTION
from ingest.pulling.client import Client
from ingest.pulling.problems import SourceProblem
from ingest.pulling.shape import (
    Cursor,
    FoundScope,
    HistoryGrowth,
    Pull,
    PulledPiece,
    PullScope,
    Setting,
    Source,
)
from ingest.pulling.vanished import whole_from, with_those_still_there
from ingest.pulling.wire.answers import SenderAnswer
from ingest.pulling.wire.turning import PageTurns
from ingest.sources.of_github.asking import client_of, graphql, instant_of, pages
from ingest.sources.of_github.changes import changes, success_key, without_changes
from ingest.sources.of_github.counting import CHOICES, ENVIRONMENTS, count_choices, production_of
from ingest.sources.of_github.pulls import merged_can_be_read
from ingest.sources.of_github.runs import OVERLAP, releases, workflow_runs
from ingest.sources.of_github.tags import merges, tags

ENDED = ("success", "failure", "error", "inactive")
LISTED = "repositories"
"""Stream of the list of repositories, of the whole source."""
DEPLOYMENTS = """
query($owner: String!, $name: String!, $first: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    deployments(first: $first, after: $after, orderBy: {field: CREATED_AT, direction: DESC}) {
      pageInfo { hasNextPage endCursor }
      nodes { databaseId createdAt updatedAt environment commitOid
              statuses(first: 10) { nodes { state createdAt } } }
    }
  }
}
"""


def scopes(pull: Pull) -> list[FoundScope]:
    """Repositories of the organisation, to the end of the list; one that was renamed keeps its number. A
    page that is the same as the last time is not sent again, and costs no quota."""
    client = client_of(pull)
    before, pages = pull.memory.cursor("", LISTED), dict[str, Any]()
    turns = PageTurns()
    path: str | None = f"{client.base}/orgs/{quote(pull.settings['owner'])}/repos"
    parameters: dict[str, str] | None = {"type": "all", "sort": "created", "per_page": "100"}
    while path is not None:
        answer = client.get(path, parameters, etag=before.get(path, {}).get("etag", ""))
        turns.turn(path, answer.body)
        pages[path] = before[path] if answer.is_same else _page_of_repositories(answer)
        path, parameters = pages[path]["next"], None
    if pages != before:
        pull.memory.keep(LISTED, pages)
    return [FoundScope(*each) for page in pages.values() for each in page["repositories"]]


def _page_of_repositories(answer: SenderAnswer) -> dict[str, Any]:
    """A page of the list as it is remembered: its tag, the numbers and names on it, the page behind it."""
    if not isinstance(answer.json, list):
        raise SourceProblem("changed_shape", "The list of repositories is none.")
    repositories = [
        [str(each["id"]), str(each["full_name"])]
        for each in answer.json
        if not each.get("archived") and not each.get("disabled")
    ]
    return {"etag": answer.etag, "next": answer.next, "repositories": repositories}


def test_connection(pull: Pull) -> list[str]:
    """Asks what the sync asks, once each."""
    repositories = scopes(pull)
    if not repositories:
        raise SourceProblem("not_found_or_hidden", "The token sees no repository of the owner.")
    client, name = client_of(pull), repositories[0].name
    sentences = [f"{len(repositories)} repositories."]
    counts = pull.settings["counts"]
    if counts == "releases":
        client.get(f"/repos/{name}/releases", {"per_page": "1"})
        return [*sentences, "Releases can be read."]
    if counts == "workflow runs":
        client.get(f"/repos/{name}/actions/runs", {"per_page": "1"})
        return [*sentences, "Workflow runs can be read."]
    if counts in READERS and counts != "deployments":
        next(READERS[counts](pull, client, PullScope("", name, "", counts)), None)
        return [*sentences, f"{counts.capitalize()} can be read."]
    owner, _, repository = name.partition("/")
    graphql(client, DEPLOYMENTS, {"owner": owner, "name": repository, "first": 1})
    sentences.append("Deployments can be read.")
    if pull.settings["changes"] == "yes":
        sentences.append(merged_can_be_read(client, name))
    return sentences


def pull_pieces(pull: Pull) -> Iterator[PulledPiece]:
    """Repository after repository; one that fails stops none of the others."""
    client = client_of(pull)
    for scope in pull.scopes:
        if pull.is_over():
            return
        read = READERS[scope.counts or "deployments"]
        try:
            yield from read(pull, client, scope)
            if read is _deployments and pull.settings["changes"] == "yes":
                yield from changes(pull, client, scope)
        except SourceProblem as problem:
            if problem.code not in ("not_found_or_hidden", "scope_missing", "feature_off"):
                raise
            pull.note(f"{scope.name}: {problem}")


def _deployments(pull: Pull, client: Client, scope: PullScope) -> Iterator[PulledPiece]:
    """Pages of deployments: what is new, to two days behind what is known, then the history that is still
    wanted. The cursor holds the ``newest`` instant that is known and the page at which history goes on."""
    yield from _unfinished_pieces(pull, client, scope)
    cursor = pull.memory.cursor(scope.external_id, "deployments")
    newest, resume = cursor.get("newest"), cursor.get("resume")
    production = pull.memory.cursor(scope.external_id, "environments")
    if newest is not None:
        kept = {"resume": resume} if resume else {}
        whole = whole_from(pull, scope)
        floor = whole or datetime.fromisoformat(newest) - OVERLAP
        top, listed = newest, dict[str, datetime]()
        for nodes, after in _pages(client, scope, None, floor):
            yield from _environments(client, scope, nodes, production)
            top = max([top, *(instant_of(n["createdAt"]).isoformat() for n in nodes)])
            reached = {"newest": newest if after else top}
            listed |= _created_by_key(nodes)
            piece = _page_of_deployments(pull, scope, nodes, production, reached | kept)
            if whole is not None and after is None:
                is_there = partial(_is_there, client, scope)
                listed = with_those_still_there(pull, scope, listed, whole, is_there)
                piece = replace(piece, listed=listed, whole=whole)
            yield piece
    if newest is None or resume:
        for nodes, after in _pages(client, scope, resume, pull.since):
            yield from _environments(client, scope, nodes, production)
            newest = newest or max(
                (instant_of(n["createdAt"]).isoformat() for n in nodes), default=None
            )
            rest = {"resume": after} if after else {}
            cursor = ({"newest": top if resume else newest} if newest else {}) | rest
            page = _page_of_deployments(pull, scope, nodes, production, cursor)
            yield replace(page, follows=after is not None)
            if pull.is_over():
                return


def _is_there(client: Client, scope: PullScope, id: str) -> bool:
    return client.get(f"/repos/{scope.name}/deployments/{id}", accepts=(404,)).status != 404


def _created_by_key(nodes: list[Any]) -> dict[str, datetime]:
    """Keys of deployments with when they were created."""
    return {str(node["databaseId"]): instant_of(node["createdAt"]) for node in nodes}


def _pages(
    client: Client, scope: PullScope, after: str | None, floor: datetime
) -> Iterator[tuple[list[Any], str | None]]:
    """Pages of deployments down to an instant, each with the place where the next one begins."""
    for nodes, following, _ in pages(client, scope, DEPLOYMENTS, "deployments", after):
        if nodes and min(instant_of(n["createdAt"]) for n in nodes) < floor:
            yield nodes, None
            return
        yield nodes, following


def _environments(
    client: Client, scope: PullScope, nodes: list[Any], known: dict[str, bool | None]
) -> Iterator[PulledPiece]:
    """GitHub's own word on which environments are production, which GraphQL does not tell: a request for
    each environment that is not known yet, up to a number, as previews may have one for each branch."""
    news = {node["environment"]: node["databaseId"] for node in nodes if node["environment"]}
    some = sorted(news.keys() - known.keys())[: max(ENVIRONMENTS - len(known), 0)]
    fresh = {name: production_of(client, scope.name, news[name]) for name in some}
    if fresh:
        known |= fresh
        yield PulledPiece(scope, "environments", dict(known))


def _page_of_deployments(
    pull: Pull,
    scope: PullScope,
    nodes: list[Any],
    production: Mapping[str, bool | None],
    cursor: Cursor,
) -> PulledPiece:
    """Deployments as webhooks would tell them."""
    items = {}
    compares = pull.settings["changes"] != "no"
    for node in nodes:
        states = _states(node)
        if not any(state in ENDED for state, _ in states):
            items[f"open/{node['databaseId']}"] = {"id": node["databaseId"]}
        if compares and (ended := _success_instant(node)) is not None:
            items[success_key(node["environment"], ended, node["databaseId"])] = {
                "id": node["databaseId"], "sha": node["commitOid"],
            }  # fmt: skip
    created = [instant_of(node["createdAt"]) for node in nodes]
    return PulledPiece(
        scope,
        "deployments",
        cursor,
        form="github",
        content=orjson.dumps([_as_told(scope, node, production) for node in nodes])
        if nodes
        else None,
        first=min(created, default=None),
        items=items,
        listed=_created_by_key(nodes),
        progress=f"{scope.name}: deployments to {formats.day(min(created))}" if created else "",
    )


def _as_told(scope: PullScope, node: Any, production: Mapping[str, Any]) -> dict[str, Any]:
    """A deployment as a webhook would tell it with the status that is its outcome; one that has not ended
    as the REST API lists it."""
    deployment = {
        "id": node["databaseId"],
        "url": f"https://api.github.com/repos/{scope.name}/deployments/{node['databaseId']}",
        "created_at": node["createdAt"],
        "environment": node["environment"],
        "production_environment": production.get(node["environment"]),
    }
    ends = _ends(node)
    if not ends:
        return deployment
    instant, state = ends[-1]
    return {
        "deployment": deployment,
        "deployment_status": {"state": state, "created_at": instant},
        "repository": {"name": scope.name.rpartition("/")[2]},
    }


def _states(node: Any) -> list[tuple[str, str]]:
    statuses = value_at(node, "statuses.nodes") or []
    return [(str(s["state"]).lower(), s["createdAt"]) for s in statuses if s]


def _ends(node: Any) -> list[tuple[str, str]]:
    """Statuses that ended it, in time; the last one is its outcome, the others would say nothing more."""
    return sorted((i, s) for s, i in _states(node) if s in OUTCOMES)


def _success_instant(node: Any) -> str | None:
    """When a deployment succeeded, by its last status that ended it."""
    ends = _ends(node)
    return ends[-1][0] if ends and ends[-1][1] == "success" else None


def _unfinished_pieces(pull: Pull, client: Client, scope: PullScope) -> Iterator[PulledPiece]:
    """Deployments that had not ended when they were read, however long ago."""
    for key, data in pull.memory.items(scope.external_id, 500, "open/"):
        path = f"/repos/{scope.name}/deployments/{data['id']}"
        answer = client.get(path, accepts=(404,))
        if answer.status == 404:
            yield PulledPiece(scope, "unfinished", {}, done=[key])
            continue
        statuses = client.get(f"{path}/statuses", {"per_page": "100"}).json
        document = {**answer.json, "statuses": statuses}
        ended = any(value_at(s, "state") in ENDED for s in statuses)
        succeeded = sorted(s["created_at"] for s in statuses if value_at(s, "state") == "success")
        items = (
            {success_key(document["environment"], succeeded[-1], data["id"]):
                {"id": data["id"], "sha": document["sha"]}}
            if succeeded else {}
        )  # fmt: skip
        yield PulledPiece(
            scope,
            "unfinished",
            {},
            form="github",
            content=orjson.dumps([document]),
            first=instant_of(document["created_at"]),
            items=items,
            done=[key] if ended else [],
        )


OF_EACH = "each repository's own"
"""Setting by which each repository has its own choice."""
READERS: dict[str, Callable[[Pull, Client, PullScope], Iterator[PulledPiece]]] = {
    "deployments": _deployments,
    "workflow runs": workflow_runs,
    "releases": releases,
    "tags": tags,
    "merges": merges,
}
"""How each thing that may be a deployment is read."""
SOURCE = Source(
    kind="github",
    title="GitHub",
    about="Deployments with the statuses that ended them, and the commits between two of them as changes."
    " The squash of a pull request begins with its first commit; commits of a rebase, and those under a"
    " merge of two parents, begin each with its own time, and that merge is none. One source may read"
    " the repositories of a whole organisation and feed each into its workspace by patterns."
    " Webhooks may come beside it: the keys are the same, so nothing is counted twice.",
    fills=("deployments", "changes"),
    settings=(
        Setting("owner", "Organisation", help="The organisation whose repositories are read."),
        Setting("address", "API", "address", "https://api.github.com",
                help="GitHub Enterprise Server: https://HOST/api/v3."),
        Setting("counts", "What a deployment is", "choice", OF_EACH, choices=(OF_EACH, *CHOICES),
                help="Each repository's own: the first of these of which it has any in 28 days, production"
                " deployments before all; shown, and changed, for each. Else the same for all. " + CAUTION),
        Setting("workflow", "Workflow", required=False,
                help="File of the workflow whose runs are deployments, such as deploy.yml. Empty: one whose"
                " name says that it deploys."),
        Setting("tags", "Tags that are deployments", required=False,
                help="A pattern, such as v*. Empty: tags with a version number."),
        Setting("changes", "Commits as changes", "choice", "yes", choices=("yes", "no"),
                help="Merged pull requests are read for it, back to 28 days before the history; a"
                " token that may not has squashes begin at the merge, with a note."),
    ),
    pull=pull_pieces,
    test=test_connection,
    scopes=scopes,
    credential="Fine-grained personal access token, or an installation's token",
    permissions=("Metadata: read", "Deployments: read", "Contents: read", "Pull requests: read",
                 "Actions: read"),
    history="All deployments and releases; workflow runs as long as GitHub keeps them (90 to 400 days).",
    limits="5,000 requests an hour, of which a fifth is left to others; a hundred deployments a request,"
    " one request a comparison of two deployments, and one a hundred pull requests merged since the last.",
    minutes=15,
    growth=HistoryGrowth(page=100, is_whole=True, beside="changes"),
    lighten=without_changes,
    choices=CHOICES,
    count=count_choices,
)  # fmt: skip
