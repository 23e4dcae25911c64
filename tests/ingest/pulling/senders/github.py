"""Fake of GitHub: its REST API, and the one query of GraphQL that is asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from tests.ingest.pulling.senders import github_objects as objects
from tests.ingest.pulling.senders.fake import Fake, Reply


class FakeGitHub(Fake):
    """Repositories with deployments (newest first) and commits; ``limit`` is the quota that it tells."""

    def __init__(self) -> None:
        super().__init__()
        self.repositories: dict[str, dict[str, Any]] = {}
        self.deployments: dict[str, list[dict[str, Any]]] = {}
        self.releases: dict[str, list[dict[str, Any]]] = {}
        self.runs: dict[str, list[dict[str, Any]]] = {}
        self.commits: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.largest = 100

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
            case ["actions", "runs"] | ["actions", "workflows", _, "runs"]:
                return self._runs(name, path, query)
            case ["deployments", id]:
                return self._deployment(name, id, objects.deployment)
            case ["deployments", id, "statuses"]:
                return self._deployment(name, id, _statuses)
        return self.refused(404, "Not Found")

    def _runs(self, name: str, path: str, query: dict[str, str]) -> Reply:
        since, _, until = query.get("created", "..~").partition("..")
        runs = [r for r in self.runs.get(name, []) if since <= r["created_at"] <= until]
        page = self.paged(path, query, runs)
        whole = [objects.run(name, each) for each in page.document]
        return Reply(200, {"total_count": len(runs), "workflow_runs": whole}, page.headers)

    def _deployment(self, name: str, id: str, make: Callable[[str, Any], Any]) -> Reply:
        known = self.deployments.get(name, [])
        node = next((d for d in known if str(d["databaseId"]) == id), None)
        return self.refused(404, "Not Found") if node is None else Reply(200, make(name, node))

    def post(self, path: str, document: Any) -> Reply:
        variables = document["variables"]
        name = f"{variables['owner']}/{variables['name']}"
        if name not in self.repositories:
            return Reply(
                200, {"errors": [{"type": "NOT_FOUND", "message": f"no repository {name}"}]}
            )
        if variables["first"] > self.largest:
            return Reply(502, {"message": "too big"})
        things, after = self.deployments[name], int(variables.get("after") or 0)
        some = [
            {name: value for name, value in node.items() if name != "production"}
            for node in things[after : after + variables["first"]]
        ]
        end = after + len(some)
        page = {"hasNextPage": end < len(things), "endCursor": str(end)}
        deployments = {"pageInfo": page, "nodes": some}
        return Reply(200, {"data": {"repository": {"deployments": deployments}}})


def _statuses(name: str, node: dict[str, Any]) -> list[dict[str, Any]]:
    nodes = node["statuses"]["nodes"]
    return [objects.status(name, node["databaseId"], n, s) for n, s in enumerate(nodes, 1)]
