"""GitLab, on gitlab.com or self-managed: deployments, and the commits between two of them as changes; or
releases, tags or merges, each project its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

import orjson

from aggregators.vocabulary import formats
from ingest.documents import value_at
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
from ingest.pulling.wire.answers import Limits
from ingest.pulling.wire.turning import PageTurns
from ingest.sources.of_github.changes import success_key, without_changes
from ingest.sources.of_gitlab.changes import changes
from ingest.sources.of_gitlab.choice import (
    CHOICES,
    OF_EACH,
    counter,
    instant,
    merges,
    releases,
    stamp,
    tags,
)

LIMITS = Limits("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", window=60.0)
OVERLAP, TICK = timedelta(minutes=10), timedelta(milliseconds=1)
ORDER = {"order_by": "updated_at", "sort": "asc", "per_page": "100"}


def _client(pull: Pull) -> Client:
    base = pull.settings["address"].rstrip("/") + "/api/v4"
    return pull.client(base, {"PRIVATE-TOKEN": pull.secret}, LIMITS)


def scopes(pull: Pull) -> list[FoundScope]:
    """Projects of the group and of those below it."""
    client = _client(pull)
    path = f"/groups/{quote(pull.settings['group'], safe='')}/projects"
    parameters = {
        "include_subgroups": "true", "archived": "false", "per_page": "100", "order_by": "id",
        "pagination": "keyset",
    }  # fmt: skip
    projects: list[FoundScope] = []
    for answer in client.pages(path, parameters):
        page = answer.json
        if not isinstance(page, list):
            raise SourceProblem("changed_shape", "The list of projects is none.")
        projects += [FoundScope(str(p["id"]), str(p["path_with_namespace"])) for p in page]
    return projects


def test_connection(pull: Pull) -> list[str]:
    """Asks what the sync asks, once each."""
    client = _client(pull)
    version = value_at(client.get("/version").json, "version")
    projects = scopes(pull)
    if not projects:
        raise SourceProblem("not_found_or_hidden", "The token sees no project of the group.")
    first = projects[0]
    path = f"/projects/{first.external_id}/deployments"
    answer = client.get(path, {"per_page": "1"}, accepts=(403,))
    sentences = (
        "Deployments can be read."
        if answer.status == 200
        else f"{first.name}: environments are turned off, or the token may not see them."
    )
    return [f"GitLab {version}.", f"{len(projects)} projects.", sentences]


def pull_pieces(pull: Pull) -> Iterator[PulledPiece]:
    """Project after project, by the instant of change; one that fails stops none of the others."""
    client = _client(pull)
    for scope in pull.scopes:
        if pull.is_over():
            return
        read = READERS[scope.counts or "deployments"]
        try:
            yield from read(pull, client, scope)
            if read is _deployments and pull.settings["changes"] == "yes":
                yield from changes(pull, client, scope)
        except SourceProblem as problem:
            if problem.code == "scope_missing":
                what = "environments are" if read is _deployments else f"{scope.counts} are"
                pull.note(f"{scope.name}: {what} turned off, or the token may not see them.")
            elif problem.code == "not_found_or_hidden":
                pull.note(f"{scope.name}: {problem}")
            else:
                raise


def _deployments(pull: Pull, client: Client, scope: PullScope) -> Iterator[PulledPiece]:
    """Reads what has changed since the greatest change that is known, less an overlap, oldest first; then
    the history that is still wanted, newest first. The cursor has the greatest change that is known and,
    while history goes on, the instant before which it does."""
    cursor = pull.memory.cursor(scope.external_id, "deployments")
    if "to" in cursor:
        yield from _news(pull, client, scope, cursor)
        cursor = pull.memory.cursor(scope.external_id, "deployments")
    if "to" not in cursor or "resume" in cursor:
        yield from _history(pull, client, scope, cursor)
        cursor = pull.memory.cursor(scope.external_id, "deployments")
        if "to" in cursor and "resume" not in cursor and not pull.is_over():
            yield from _news(pull, client, scope, cursor)  # what has changed while history was read


def _news(pull: Pull, client: Client, scope: PullScope, cursor: Cursor) -> Iterator[PulledPiece]:
    """Pages of what has changed; once a week of the last weeks, whole."""
    greatest, kept = cursor["to"], {k: v for k, v in cursor.items() if k == "resume"}
    since = datetime.fromisoformat(greatest) - OVERLAP
    whole = None if kept else whole_from(pull, scope)
    listed: dict[str, datetime] = {}
    for page, is_last in _pages(client, scope, min(since, whole or since)):
        greatest = max([greatest, *(instant(d["updated_at"]).isoformat() for d in page)])
        piece = _piece(pull, scope, page, {"to": greatest, **kept})
        listed |= piece.listed
        if is_last and whole is not None:
            is_there = partial(_is_there, client, scope)
            listed = with_those_still_there(pull, scope, listed, whole, is_there)
            piece = replace(piece, listed=listed, whole=whole)
        yield piece
        if pull.is_over():
            return


def _history(pull: Pull, client: Client, scope: PullScope, cursor: Cursor) -> Iterator[PulledPiece]:
    """Pages of history from where it was left."""
    begins = cursor.get("resume")
    before = datetime.fromisoformat(begins) if begins else None
    greatest = cursor.get("to", "")
    for page, rest in _pages_back(client, scope, pull.since, before):
        greatest = greatest or max((instant(d["updated_at"]).isoformat() for d in page), default="")
        known = {"to": greatest} if greatest else {}
        resume = {"resume": rest.isoformat()} if rest else {}
        yield replace(_piece(pull, scope, page, {**known, **resume}), follows=rest is not None)
        if pull.is_over():
            return


def _piece(pull: Pull, scope: PullScope, page: list[Any], cursor: Cursor) -> PulledPiece:
    created = {f"gitlab@{d['id']}": instant(d["created_at"]) for d in page}
    oldest = min(created.values(), default=None)
    compares = pull.settings["changes"] != "no"
    return PulledPiece(
        scope,
        "deployments",
        cursor,
        form="gitlab",
        content=orjson.dumps([_with_address(scope, d) for d in page]) if page else None,
        first=oldest,
        items=dict(_success_item(d) for d in page if compares and d.get("status") == "success"),
        progress=f"{scope.name}: deployments to {formats.day(oldest)}" if oldest else "",
        listed=created,
    )


def _pages(client: Client, scope: PullScope, since: datetime) -> Iterator[tuple[list[Any], bool]]:
    """Pages of deployments by change, each with whether it is the last. The next one begins where the one
    before ends, by time: one that changes meanwhile moves to the end, and would move others over a border
    of numbered pages, unread. Only a page of a single instant is followed by its number."""
    following: str | None = None
    turns = PageTurns()
    while True:
        page, following = _page(
            client, scope, turns, following, {**ORDER, "updated_after": stamp(since)}
        )
        yield page, following is None
        if following is None:
            return
        last = instant(page[-1]["updated_at"])
        if last > since and last > instant(page[0]["updated_at"]):
            since, following = last, None


def _pages_back(
    client: Client, scope: PullScope, since: datetime, before: datetime | None
) -> Iterator[tuple[list[Any], datetime | None]]:
    """Pages of deployments by change, newest first, each with the instant before which the rest is. The
    next one ends where the one before begins, by time, as one that is deleted meanwhile would move another
    over the border of a numbered page, unread. Instants are told cut to the millisecond."""
    following: str | None = None
    turns = PageTurns()
    while True:
        ends = {"updated_before": stamp(before)} if before else {}
        span = {**ORDER, "sort": "desc", "updated_after": stamp(since), **ends}
        page, following = _page(client, scope, turns, following, span)
        if following is None:
            yield page, None
            return
        last = instant(page[-1]["updated_at"]) + TICK
        if last <= instant(page[0]["updated_at"]) and (before is None or last < before):
            before, following = last, None
        yield page, before or instant(page[0]["updated_at"]) + TICK


def _page(
    client: Client,
    scope: PullScope,
    turns: PageTurns,
    following: str | None,
    span: Mapping[str, str],
) -> tuple[list[Any], str | None]:
    """A page, the one that follows another or the first of a span, and the one behind it."""
    path = f"/projects/{scope.external_id}/deployments"
    answer = client.get(following) if following else client.get(path, span)
    turns.turn(answer.url, answer.body if following else b"")  # by time it may begin with the same
    page = answer.json
    if not isinstance(page, list):
        raise SourceProblem("changed_shape", "The list of deployments is none.")
    return page, answer.next if page else None


def _is_there(client: Client, scope: PullScope, key: str) -> bool:
    path = f"/projects/{scope.external_id}/deployments/{key.removeprefix('gitlab@')}"
    return client.get(path, accepts=(404,)).status != 404


def _with_address(scope: PullScope, deployment: Any) -> Any:
    """A deployment with an address from which its project is read, which one made by the API lacks."""
    deployable = deployment.get("deployable") or {}
    url = deployable.get("web_url") or f"https://gitlab/{scope.name}/-/deployments"
    return {**deployment, "deployable": {**deployable, "web_url": url}}


def _success_item(deployment: Any) -> tuple[str, Any]:
    """Key, id and commit that are remembered of a deployment that succeeded."""
    ended = value_at(deployment, "deployable.finished_at") or deployment["updated_at"]
    key = success_key(value_at(deployment, "environment.name"), ended, deployment["id"])
    return key, {"id": deployment["id"], "sha": deployment["sha"]}


READERS: dict[str, Callable[[Pull, Client, PullScope], Iterator[PulledPiece]]] = {
    "deployments": _deployments,
    "releases": releases,
    "tags": tags,
    "merges": merges,
}
"""How each thing that may be a deployment is read."""
SOURCE = Source(
    kind="gitlab",
    title="GitLab",
    about="Deployments of a group's projects with their ends, and the commits between two of them as"
    " changes. One source may read a whole group and feed each project into its workspace by patterns."
    " The squash of a merge request begins with its first commit; a merge of two parents is none."
    " Webhooks may come beside it: the keys are the same.",
    fills=("deployments", "changes"),
    settings=(
        Setting("group", "Group", help="Path or number of the group; those below it are read as well."),
        Setting("address", "GitLab", "address", "https://gitlab.com", help="Or your own https://HOST."),
        Setting("counts", "What a deployment is", "choice", OF_EACH, choices=(OF_EACH, *CHOICES),
                help="Each project's own: the first of these of which it has any in 28 days, production"
                " deployments before all; shown, and changed, for each. Else the same for all. " + CAUTION),
        Setting("tags", "Tags that are deployments", required=False,
                help="A pattern, such as v*. Empty: tags with a version number."),
        Setting("changes", "Commits as changes", "choice", "yes", choices=("yes", "no"),
                help="Merge requests are read for it, back to 28 days before the history: a request for a"
                " hundred of them, and one for the first commit of each that was squashed and deployed."),
    ),
    pull=pull_pieces,
    test=test_connection,
    scopes=scopes,
    credential="Group access token",
    permissions=("read_api", "Role: Reporter"),
    history="All deployments.",
    limits="By the instance's limits, of which a fifth is left to others; a hundred deployments a request.",
    minutes=15,
    growth=HistoryGrowth(page=100, beside="changes"),
    lighten=without_changes,
    choices=CHOICES,
    count=counter(_client),
)  # fmt: skip
