"""Fake of GitHub: its REST API, and the queries of GraphQL that are asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from tests.ingest.pulling.senders import github_graphql as graphql
from tests.ingest.pulling.senders import github_objects as objects
from tests.ingest.pulling.senders.fake import Fake, Reply


class FakeGitHub(Fake):
    """Repositories with deployments, releases, tags and merges (newest first), runs and commits.
    ``largest`` is the longest page that it gives of a list, ``most_counted`` how many repositories it
    counts at once."""

    def __init__(self) -> None:
        super().__init__()
        self.repositories: dict[str, dict[str, Any]] = {}
        self.deployments: dict[str, list[dict[str, Any]]] = {}
        self.releases: dict[str, list[dict[str, Any]]] = {}
        self.runs: dict[str, list[dict[str, Any]]] = {}
        self.tags: dict[str, list[dict[str, Any]]] = {}
        self.pulls: dict[str, list[dict[str, Any]]] = {}
        self.branches: dict[str, str] = {}
        self.forks: set[str] = set()
        self.without_actions: set[str] = set()
        self.without_pulls: set[str] = set()
        self.gone_workflows: set[str] = set()
        self.commits: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.largest = 100
        self.most_counted = 10

    def repository(self, number: int, name: str) -> None:
        self.repositories[name] = {"id": number, "full_name": name, "name": name.split("/")[1]}
        self.deployments.setdefault(name, [])

    def refused(self, status: int, message: str) -> Reply:
        return Reply(status, objects.refused(status, message))

    def get(self, path: str, query: dict[str, str], headers: Any) -> Reply:
        match path.strip("/").split("/"):
            case ["orgs", owner, "repos"]:
                own = [
                    objects.repository(r)
                    for n, r in self.repositories.items()
                    if n.startswith(f"{owner}/")
                ]
                return self.tagged(self.paged(path, query, own), headers)
            case ["repos", owner, repository, *rest] if rest:
                return self._of_repository(f"{owner}/{repository}", path, rest, query, headers)
        return self.refused(404, "Not Found")

    def tagged(self, reply: Reply, headers: Any) -> Reply:
        """A page with its tag; 304 where the asker has it."""
        content = json.dumps(reply.document).encode()
        tag = f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'
        if headers.get("If-None-Match") == tag:
            return Reply(304)
        return Reply(reply.status, reply.document, {**reply.headers, "ETag": tag})

    def _of_repository(
        self, name: str, path: str, rest: list[str], query: dict[str, str], headers: Any
    ) -> Reply:
        match rest:
            case ["compare", span]:
                base, _, head = span.partition("...")
                commits = self.commits.get((base, head))
                if commits is None:
                    return self.refused(404, "Not Found")
                return Reply(200, objects.comparison(name, base, head, commits))
            case ["releases"]:
                releases = [objects.release(name, r) for r in self.releases.get(name, [])]
                return self.tagged(self.paged(path, query, releases), headers)
            case ["actions", *_] if name in self.without_actions:
                return self.refused(403, "Resource not accessible by personal access token")
            case ["actions", "workflows", file, "runs"] if file in self.gone_workflows:
                return self.refused(404, "Not Found")
            case ["actions", "runs"]:
                return self._runs(name, path, query)
            case ["actions", "workflows", file, "runs"]:
                return self._runs(name, path, query, file)
            case ["deployments", id]:
                return self._deployment(name, id, objects.deployment)
            case ["deployments", id, "statuses"]:
                return self._deployment(name, id, _statuses)
        return self.refused(404, "Not Found")

    def _runs(self, name: str, path: str, query: dict[str, str], file: str = "") -> Reply:
        since, _, until = query.get("created", "..~").partition("..")
        runs = [
            r
            for r in self.runs.get(name, [])
            if since <= r["created_at"] <= until and r.get("path", file).endswith(file)
        ]
        page = self.paged(path, query, runs)
        whole = [objects.run(name, each) for each in page.document]
        return Reply(200, {"total_count": len(runs), "workflow_runs": whole}, page.headers)

    def _deployment(self, name: str, id: str, make: Callable[[str, Any], Any]) -> Reply:
        known = self.deployments.get(name, [])
        node = next((d for d in known if str(d["databaseId"]) == id), None)
        return self.refused(404, "Not Found") if node is None else Reply(200, make(name, node))

    def post(self, path: str, document: Any) -> Reply:
        variables = document["variables"]
        if "o0" in variables:
            return self._counted(variables)
        name = f"{variables['owner']}/{variables['name']}"
        if name not in self.repositories:
            return Reply(
                200, {"errors": [{"type": "NOT_FOUND", "message": f"no repository {name}"}]}
            )
        if "environments" in variables:
            live = [
                n for n in self.deployments[name] if n["environment"] in variables["environments"]
            ]
            listed = {"deployments": {"nodes": [graphql.seen(n) for n in live[:100]]}}
            return Reply(200, {"data": {"repository": listed}})
        if variables["first"] > self.largest:
            return Reply(502, {"message": "too big"})
        return self._listed(name, document["query"], variables)

    def _counted(self, variables: dict[str, str]) -> Reply:
        """Several repositories at once; of one that is not there nothing but an error."""
        numbers = range(len(variables) // 2)
        if len(numbers) > self.most_counted:
            return Reply(502, {"message": "too big"})
        names = [f"{variables[f'o{n}']}/{variables[f'n{n}']}" for n in numbers]
        data = {
            f"r{n}": graphql.counted(self, name) if name in self.repositories else None
            for n, name in enumerate(names)
        }
        errors = [
            {"type": "NOT_FOUND", "path": [alias], "message": "no such repository"}
            for alias, told in data.items()
            if told is None
        ]
        return Reply(200, {"data": data, **({"errors": errors} if errors else {})})

    def _listed(self, name: str, query: str, variables: dict[str, Any]) -> Reply:
        """A page of a list of a repository."""
        default = self.branches.get(name, "main")
        if "refs(" in query:
            place, things = "refs", [graphql.tag(t) for t in self.tags.get(name, [])]
        elif "pullRequests(" in query:
            if name in self.without_pulls:
                refused = {"type": "FORBIDDEN", "path": ["repository", "pullRequests"]}
                return Reply(200, {"data": {"repository": None}, "errors": [refused]})
            place, things = "pullRequests", self._merged(name, default)
        else:
            place, things = "deployments", self.deployments[name]
        after = int(variables.get("after") or 0)
        some = things[after : after + variables["first"]]
        if place == "deployments":  # copied by the page: a history of 60,000 has 600 of them
            some = [{k: v for k, v in node.items() if k != "production"} for node in some]
        end = after + len(some)
        page = {"hasNextPage": end < len(things), "endCursor": str(end)}
        total = {"totalCount": len(things)} if place == "refs" else {}
        errors = [
            {
                "path": ["repository", place, "nodes", n, "commits"],
                "message": "Something went wrong",
            }
            for n, node in enumerate(some)
            if node is None
        ]
        data = {"repository": {place: {**total, "pageInfo": page, "nodes": some}}}
        return Reply(200, {"data": data, **({"errors": errors} if errors else {})})

    def _merged(self, name: str, default: str) -> list[Any]:
        """Merged pull requests, by their last change; None for one whose commits can not be given."""
        told = sorted(
            self.pulls.get(name, []), key=lambda p: p.get("updated", p["merged"]), reverse=True
        )
        return [None if p.get("broken") else graphql.pull(p, default) for p in told]


def _statuses(name: str, node: dict[str, Any]) -> list[dict[str, Any]]:
    nodes = node["statuses"]["nodes"]
    return [objects.status(name, node["databaseId"], n, s) for n, s in enumerate(nodes, 1)]
