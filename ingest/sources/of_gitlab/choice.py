"""Releases, tags and merges of a project of GitLab: counted beside its deployments, and read in their
place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import instants
from ingest.documents import value_at
from ingest.formats.gitlab import TIERS
from ingest.formats.releases import kind_of_tag
from ingest.pulling.choice.counts import (
    DEPLOYMENTS,
    LAST_WEEKS,
    MERGES,
    RELEASES,
    TAGS,
    ChoiceCount,
)
from ingest.pulling.client import Client
from ingest.pulling.problems import SourceProblem
from ingest.pulling.shape import CountedPart, Cursor, Pull, PulledPiece, PullScope
from ingest.pulling.wire.turning import PageTurns
from ingest.sources.of_github.runs import rows_form
from ingest.words import default_meanings

CHOICES = (DEPLOYMENTS, RELEASES, TAGS, MERGES)
OF_EACH = "each project's own"
OVERLAP, PAGE = timedelta(hours=48), 100
TICK = timedelta(milliseconds=1)
HIDDEN = (403, 404)
ENDED = ("success", "failed")
NEWEST = {"sort": "desc", "per_page": str(PAGE)}


def instant(instant_text: str) -> datetime:
    """Instant as GitLab writes it. Raises ValueError."""
    return datetime.fromisoformat(instant_text.replace("Z", "+00:00")).astimezone(UTC)


def stamp(at: datetime) -> str:
    """Instant as GitLab reads it."""
    return instants.exact(at)


def counter(client_of: Callable[[Pull], Client]) -> Callable[..., Iterator[CountedPart]]:
    """The count of what projects have of the last weeks: five requests each."""

    def counted(pull: Pull, scopes: Sequence[PullScope]) -> Iterator[CountedPart]:
        client, since = client_of(pull), pull.now - LAST_WEEKS
        for scope in scopes:
            counts = (
                _deployments(client, scope, since),
                _count_of_choice(
                    client, scope, RELEASES, since, lambda each: _release_instant(each, pull.now)
                ),
                _count_of_choice(
                    client, scope, TAGS, since, lambda each: _tag_instant(each, _pattern(pull))
                ),
                _merges(client, scope, since),
            )
            yield scope, counts

    return counted


def _pattern(pull: Pull) -> str:
    return pull.settings.get("tags", "")


def _page(client: Client, scope: PullScope, path: str, span: Mapping[str, str]) -> list[Any] | None:
    """The newest of a list; None where the token may not see it, or it is turned off."""
    answer = client.get(f"/projects/{scope.external_id}/{path}", {**span, **NEWEST}, accepts=HIDDEN)
    if answer.status != 200:
        return None
    if not isinstance(answer.json, list):
        raise SourceProblem("changed_shape", f"The list of {path} is none.")
    return answer.json


def _deployments(client: Client, scope: PullScope, since: datetime) -> ChoiceCount:
    span = {"order_by": "updated_at", "updated_after": stamp(since)}
    page = _page(client, scope, "deployments", span)
    if page is None:
        return ChoiceCount(DEPLOYMENTS, 0, note="environments are turned off, or hidden")
    ended = [d for d in page if d.get("status") in ENDED and instant(d["created_at"]) >= since]
    live = [d for d in ended if _is_production(d)]
    others = sorted({str(value_at(d, "environment.name")) for d in ended})
    note = f"to {', '.join(others)[:80]} only" if others and not live else ""
    return ChoiceCount(DEPLOYMENTS, len(live), is_more=len(page) == PAGE and bool(live), note=note)


def _is_production(deployment: Any) -> bool:
    """Whether a deployment is one to production: by the tier of its environment, else by its name."""
    tier = TIERS.get(str(value_at(deployment, "environment.tier") or ""))
    if tier:
        return tier == "yes"
    return (
        default_meanings()["environment"](str(value_at(deployment, "environment.name")).casefold())
        is not None
    )


def _count_of_choice(
    client: Client,
    scope: PullScope,
    choice: str,
    since: datetime,
    when: Callable[[Any], str | None],
) -> ChoiceCount:
    """How many of a choice's list there were since an instant, as far as its first page shows."""
    path, span = LISTS[choice]
    page = _page(client, scope, path, span)
    if page is None:
        return ChoiceCount(choice, None, note=f"The token may not read {choice}.")
    instants = [happened for each in page if (happened := when(each))]
    count = sum(instant(happened) >= since for happened in instants)
    return ChoiceCount(choice, count, is_more=count == PAGE)


def _release_instant(release: Any, now: datetime) -> str | None:
    """When a release was published; None for one that is to come."""
    published = release.get("released_at")
    return (
        None
        if release.get("upcoming_release") or not published or instant(published) > now
        else str(published)
    )


def _tag_instant(tag: Any, pattern: str) -> str | None:
    """When a tag that is a release to production was made; None for any other."""
    kind = kind_of_tag(str(tag["name"]), pattern)
    instant_text = tag.get("created_at") or value_at(tag, "commit.created_at")
    return str(instant_text) if kind is not None and kind[1] and instant_text else None


def _default_branch(client: Client, scope: PullScope) -> str:
    answer = client.get(f"/projects/{scope.external_id}", accepts=HIDDEN)
    return str(value_at(answer.json, "default_branch") or "") if answer.status == 200 else ""


def _merges(client: Client, scope: PullScope, since: datetime) -> ChoiceCount:
    span = {"state": "merged", "target_branch": _default_branch(client, scope),
             "order_by": "updated_at", "updated_after": stamp(since)}  # fmt: skip
    page = _page(client, scope, "merge_requests", span)
    if page is None:
        return ChoiceCount(MERGES, None, note="The token may not read merge requests.")
    count = sum(bool(m.get("merged_at")) and instant(m["merged_at"]) >= since for m in page)
    return ChoiceCount(MERGES, count, is_more=count == PAGE)


LISTS: dict[str, tuple[str, dict[str, str]]] = {
    RELEASES: ("releases", {"order_by": "released_at"}),
    TAGS: ("repository/tags", {"order_by": "updated"}),
}


def releases(pull: Pull, client: Client, scope: PullScope) -> Iterator[PulledPiece]:
    """Releases, newest first, down to what is known; those that are to come are read when they came."""
    cursor = pull.memory.cursor(scope.external_id, RELEASES)
    floor = instant(cursor["to"]) - OVERLAP if "to" in cursor else pull.since
    path, span = LISTS[RELEASES]
    newest = cursor.get("to", "")
    for answer in client.pages(f"/projects/{scope.external_id}/{path}", {**span, **NEWEST}):
        page = answer.json
        names_and_instants = [
            (str(each["tag_name"]), _release_instant(each, pull.now)) for each in page
        ]
        published = [(tag, instant(when)) for tag, when in names_and_instants if when]
        newest = max([newest, *(when.isoformat() for _, when in published)])
        is_last = answer.next is None or any(when < floor for _, when in published)
        rows = [_row(scope, tag, when) for tag, when in published if when >= pull.since]
        yield _piece(scope, RELEASES, {"to": newest} if is_last and newest else cursor, rows)
        if is_last:
            return


def tags(pull: Pull, client: Client, scope: PullScope) -> Iterator[PulledPiece]:
    """Tags that are releases to production; while the first page is the same, nothing more is read."""
    cursor = pull.memory.cursor(scope.external_id, TAGS)
    path, span = LISTS[TAGS]
    first, following = "", f"/projects/{scope.external_id}/{path}"
    parameters: dict[str, str] | None = {**span, **NEWEST}
    while True:
        answer = client.get(following, parameters, etag="" if first else cursor.get("etag", ""))
        if answer.is_same:
            return
        first = first or answer.etag or "none"
        named = [(str(each["name"]), _tag_instant(each, scope.named)) for each in answer.json]
        made = [(name, instant(when)) for name, when in named if when]
        rows = [_row(scope, name, when) for name, when in made if when >= pull.since]
        is_last = answer.next is None
        yield _piece(scope, TAGS, {"etag": first} if is_last and first != "none" else cursor, rows)
        if answer.next is None:
            return
        following, parameters = answer.next, None


def merged_pages(
    client: Client, scope: PullScope, span: Mapping[str, str], floor: datetime
) -> Iterator[tuple[list[Any], bool]]:
    """Pages of merge requests that were merged, by their last change since ``floor``, and whether each is
    the last. Each begins with the instant at which the one before it ended: one that is changed meanwhile
    goes to the end, and a page by its number would leave out the one that takes its place."""
    path, turns = f"/projects/{scope.external_id}/merge_requests", PageTurns()
    parameters = {**span, "state": "merged", "order_by": "updated_at", "sort": "asc",
             "per_page": str(PAGE)}  # fmt: skip
    following: str | None = None
    while True:
        first = {**parameters, "updated_after": stamp(floor)}
        answer = client.get(following) if following else client.get(path, first)
        turns.turn(
            answer.url, answer.body if following else b""
        )  # by time it may begin with the same
        page = answer.json
        if not isinstance(page, list):
            raise SourceProblem("changed_shape", "The list of merge requests is none.")
        yield page, answer.next is None or not page
        if answer.next is None or not page:
            return
        last = instant(page[-1]["updated_at"]) - TICK
        following = None if last > floor else answer.next
        floor = max(floor, last)


def merges(pull: Pull, client: Client, scope: PullScope) -> Iterator[PulledPiece]:
    """Merge requests that were merged into the default branch, by their last change."""
    cursor = pull.memory.cursor(scope.external_id, MERGES)
    floor = instant(cursor["to"]) - OVERLAP if "to" in cursor else pull.since
    span = {"target_branch": _default_branch(client, scope)}
    newest = cursor.get("to", "")
    for page, _ in merged_pages(client, scope, span, floor):
        merged = [m for m in page if m.get("merged_at")]
        newest = max([newest, *(instant(m["updated_at"]).isoformat() for m in merged)])
        ended = [(f"merge-{m['iid']}", instant(m["merged_at"])) for m in merged]
        rows = [_row(scope, key, when) for key, when in ended if when >= pull.since]
        yield _piece(scope, MERGES, {"to": newest} if newest else {}, rows)
        if pull.is_over():
            return


def _row(scope: PullScope, key: str, when: datetime) -> dict[str, str]:
    return {
        "key": f"{scope.name}@{key}",
        "completed_at": when.isoformat(),
        "outcome": "successful",
        "environment": "production",
        "service": scope.name.rpartition("/")[2],
    }


def _piece(
    scope: PullScope, stream: str, cursor: Cursor, rows: list[dict[str, str]]
) -> PulledPiece:
    listed = {row["key"]: instant(row["completed_at"]) for row in rows}
    oldest = min(listed.values(), default=None)
    return PulledPiece(
        scope,
        stream,
        cursor,
        form=rows_form("gitlab", rows),
        kind=DEPLOYMENTS if rows else "",
        first=oldest,
        listed=listed,
        progress=f"{scope.name}: {stream}",
    )
