"""Count of what may be a repository's deployments: production deployments, runs of a workflow, releases,
tags, merges of the last 28 days. Several repositories are one query; a repository costs a request for its
runs, and one for each environment of which only GitHub knows whether it is production."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import instants
from aggregators.dora.words import LIVE, NOT_LIVE
from ingest.documents import value_at
from ingest.formats.releases import kind_of_tag
from ingest.pulling.choice.counts import (
    DEPLOYMENTS,
    LAST_WEEKS,
    MERGES,
    RELEASES,
    RUNS,
    TAGS,
    ChoiceCount,
)
from ingest.pulling.client import Client
from ingest.pulling.problems import SourceProblem
from ingest.pulling.shape import CountedPart, Pull, PullScope
from ingest.sources.of_github.asking import ask, client_of, instant_of
from ingest.sources.of_github.runs import CONCLUSIONS
from ingest.sources.of_github.tags import tagged_at
from ingest.words import default_meanings

CHOICES = (DEPLOYMENTS, RUNS, RELEASES, TAGS, MERGES)
ENVIRONMENTS = 100
"""Environments of a repository that are asked for."""
ASKED = 5
"""Environments of a repository that are asked for where they are counted alone."""
SURE = "production"
"""Environment that is production unless somebody says otherwise: nothing is asked of it to count."""
SIZES = (10, 3, 1)
"""Repositories a query, fewer where GitHub breaks it off."""
PAGE = 100
SAYS = re.compile(r"deploy|rollout|roll-out|go-live|golive", re.I)
"""Names of workflows that say that they deploy."""
ENDED = ("ACTIVE", "SUCCESS", "FAILURE", "ERROR", "INACTIVE", "DESTROYED")
FRAGMENT = """
fragment counted on Repository {
  isFork
  defaultBranchRef { name }
  deployments(first: 100, orderBy: {field: CREATED_AT, direction: DESC}) {
    nodes { databaseId createdAt environment state } }
  releases(first: 100, orderBy: {field: CREATED_AT, direction: DESC}) {
    nodes { isDraft isPrerelease publishedAt } }
  refs(refPrefix: "refs/tags/", first: 100, orderBy: {field: TAG_COMMIT_DATE, direction: DESC}) {
    nodes { name target { __typename
      ... on Commit { committedDate }
      ... on Tag { tagger { date } target { __typename ... on Commit { committedDate } } } } } }
  pullRequests(states: MERGED, first: 100, orderBy: {field: UPDATED_AT, direction: DESC}) {
    nodes { mergedAt baseRefName } }
}
"""
LIVE_ONES = """
query($owner: String!, $name: String!, $environments: [String!]) {
  repository(owner: $owner, name: $name) {
    deployments(first: 100, environments: $environments, orderBy: {field: CREATED_AT, direction: DESC}) {
      nodes { databaseId createdAt environment state }
    }
  }
}
"""
LIKELY = ["production", "Production", "prod", "Prod", "PROD", "prd", "live", "Live"]
"""Environments that are asked for by name where a page is full of others."""


def count_choices(pull: Pull, scopes: Sequence[PullScope]) -> Iterator[CountedPart]:
    """Counts of the repositories, a few a query. Raises SourceProblem."""
    client, sizes, waiting = client_of(pull), list(SIZES), list(scopes)
    since = pull.now - LAST_WEEKS
    while waiting:
        some = waiting[: sizes[0]]
        try:
            data = _answers_of(client, some)
        except SourceProblem as problem:
            if problem.code != "unreachable" or len(sizes) == 1:
                raise
            del sizes[0]
            continue
        del waiting[: len(some)]
        for number, scope in enumerate(some):
            yield scope, _of_repository(pull, client, scope, data.get(f"r{number}"), since)


def _answers_of(client: Client, scopes: Sequence[PullScope]) -> dict[str, Any]:
    """Answers for several repositories; one that is not there, or hidden, is None."""
    names = [scope.name.partition("/") for scope in scopes]
    variables = {f"o{n}": owner for n, (owner, _, _) in enumerate(names)}
    variables |= {f"n{n}": name for n, (_, _, name) in enumerate(names)}
    declared = ", ".join(f"${name}: String!" for name in variables)
    wanted = "\n".join(
        f"r{n}: repository(owner: $o{n}, name: $n{n}) {{ ...counted }}" for n in range(len(names))
    )
    document = ask(client, f"query({declared}) {{\n{wanted}\n}}\n{FRAGMENT}", variables)
    data = value_at(document, "data")
    if not isinstance(data, dict):
        message = value_at(document, "errors.0.message") or "GitHub counted nothing."
        raise SourceProblem("changed_shape", str(message)[:200])
    return data


def _of_repository(
    pull: Pull, client: Client, scope: PullScope, counts: Any, since: datetime
) -> tuple[ChoiceCount, ...]:
    if counts is None:
        note = "GitHub does not show it to the token."
        return tuple(ChoiceCount(choice, None, note=note) for choice in CHOICES)
    return (
        _deployments(client, scope, counts, since),
        _runs(pull, client, scope, since),
        _releases(counts, since),
        _tags(pull, counts, since),
        _merges(counts, since),
    )


def _nodes(repository_answer: Any, name: str) -> list[Any]:
    return [node for node in value_at(repository_answer, f"{name}.nodes") or [] if node]


def _is_since(instant_text: Any, since: datetime) -> bool:
    """Whether an instant is told and lies on or after another."""
    return bool(instant_text) and instant_of(str(instant_text)) >= since


def _deployments(
    client: Client, scope: PullScope, repository_answer: Any, since: datetime
) -> ChoiceCount:
    """Deployments that ended, to environments that are production by GitHub's word, else by their name."""
    every = _nodes(repository_answer, "deployments")
    some = [node for node in every if _is_since(node["createdAt"], since)]
    is_full = len(every) == PAGE and len(some) == PAGE
    count, environments = _to_production(client, scope, some)
    if not count and is_full:
        owner, _, name = scope.name.partition("/")
        variables = {"owner": owner, "name": name, "environments": LIKELY}
        document = ask(client, LIVE_ONES, variables)
        live = _nodes(value_at(document, "data.repository"), "deployments")
        some = [node for node in live if _is_since(node["createdAt"], since)]
        count, environments = _to_production(client, scope, some)
        is_full = len(some) == PAGE
    others = "" if count or not environments else f"to {', '.join(environments)[:80]} only"
    return ChoiceCount(DEPLOYMENTS, count, is_more=bool(count) and is_full, note=others)


def _to_production(client: Client, scope: PullScope, nodes: Sequence[Any]) -> tuple[int, list[str]]:
    """How many of the deployments ended in production, and the environments of all of them."""
    ended = [node for node in nodes if node.get("state") in ENDED]
    by_name = Counter(str(node["environment"] or "production") for node in ended)
    newest = {str(node["environment"] or "production"): node["databaseId"] for node in ended}
    count = 0
    for name, number in by_name.most_common(ASKED):
        declared = None if name == SURE else production_of(client, scope.name, newest[name])
        count += number if (_is_live(name) if declared is None else declared) else 0
    return count, sorted(by_name)


def _is_live(environment: str) -> bool:
    return default_meanings()["environment"](environment.casefold()) is not None


def production_of(client: Client, name: str, id: object) -> bool | None:
    """GitHub's own word on whether the environment of a deployment is production; None where it says
    none."""
    answer = client.get(f"/repos/{name}/deployments/{id}", accepts=(403, 404))
    is_production = (
        value_at(answer.json, "production_environment") if answer.status == 200 else None
    )
    return is_production if isinstance(is_production, bool) else None


def _runs(pull: Pull, client: Client, scope: PullScope, since: datetime) -> ChoiceCount:
    """Runs of the workflow that the settings name, else of one whose name says that it deploys."""
    named = pull.settings.get("workflow", "")
    base = f"/repos/{scope.name}/actions/"
    path = base + (f"workflows/{quote(named)}/runs" if named else "runs")
    span = "..".join(map(instants.to_the_second, (since, pull.now)))
    answer = client.get(path, {"created": span, "per_page": str(PAGE)}, accepts=(403, 404))
    if answer.status == 403:
        return ChoiceCount(RUNS, None, named, note="The token may not read Actions.")
    if answer.status == 404:
        note = f"There is no workflow {named}." if named else "Actions are turned off."
        return ChoiceCount(RUNS, 0, named, note=note)
    listed = [
        r
        for r in value_at(answer.json, "workflow_runs") or []
        if r.get("conclusion") in CONCLUSIONS
    ]
    is_more = int(value_at(answer.json, "total_count") or 0) > PAGE
    if named:
        return ChoiceCount(RUNS, len(listed), named, bool(listed) and is_more)
    files = Counter(_file(run) for run in listed)
    deploying = [file for file in files if _deploys(file)]
    if not deploying:
        seen = ", ".join(sorted(file for file in files if file))[:80]
        return ChoiceCount(RUNS, 0, note=f"none says that it deploys: {seen}" if seen else "")
    file = min(deploying, key=lambda each: (not _parts(each) & LIVE, -files[each], each))
    return ChoiceCount(RUNS, files[file], file, is_more)


def _file(run: Any) -> str:
    """File of a run's workflow, without its folder and the branch that some have behind it."""
    return str(run.get("path") or "").partition("@")[0].rpartition("/")[2]


def _parts(name: str) -> set[str]:
    return set(re.split(r"[^a-z0-9]+", name.lower())) - {""}


def _deploys(file: str) -> bool:
    """Whether the name of a workflow says that it deploys, and not to somewhere else than production."""
    return bool(SAYS.search(file)) and not _parts(file) & NOT_LIVE


def _releases(repository_answer: Any, since: datetime) -> ChoiceCount:
    """Releases that are published, and no pre-releases."""
    every = _nodes(repository_answer, "releases")
    some = [r for r in every if not r["isDraft"] and _is_since(r["publishedAt"], since)]
    whole = [r for r in some if not r["isPrerelease"]]
    note = "all of them are pre-releases" if some and not whole else ""
    return ChoiceCount(RELEASES, len(whole), is_more=len(whole) == PAGE, note=note)


def _tags(pull: Pull, repository_answer: Any, since: datetime) -> ChoiceCount:
    """Tags that are releases to production by the pattern. Those of a fork came with it."""
    pattern = pull.settings.get("tags", "")
    if repository_answer["isFork"]:
        return ChoiceCount(TAGS, 0, pattern, note="a fork has those of what it was made of")
    some = [ref for ref in _nodes(repository_answer, "refs") if _is_since(tagged_at(ref), since)]
    kinds = [kind_of_tag(ref["name"], pattern) for ref in some]
    count = sum(kind is not None and kind[1] for kind in kinds)
    lacking = f"{len(some)} do not fit {pattern}" if pattern else "none has a version number"
    note = lacking if some and not count else ""
    return ChoiceCount(TAGS, count, pattern, count == PAGE, note)


def _merges(repository_answer: Any, since: datetime) -> ChoiceCount:
    """Pull requests that were merged into the default branch."""
    branch = value_at(repository_answer, "defaultBranchRef.name")
    every = _nodes(repository_answer, "pullRequests")
    count = sum(_is_since(p["mergedAt"], since) and p["baseRefName"] == branch for p in every)
    return ChoiceCount(MERGES, count, is_more=count == PAGE)
