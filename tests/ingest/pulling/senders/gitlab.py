"""Fake of GitLab: projects of a group, deployments, releases, tags, merge requests, comparisons."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from tests.ingest.pulling.senders.fake import Fake, Reply


class FakeGitLab(Fake):
    """Projects with deployments, releases, tags and merge requests."""

    token = "glpat-0123456789abcdef"

    def __init__(self) -> None:
        super().__init__()
        self.projects: list[dict[str, Any]] = []
        self.deployments: dict[str, list[dict[str, Any]]] = {}
        self.releases: dict[str, list[dict[str, Any]]] = {}
        self.tags: dict[str, list[dict[str, Any]]] = {}
        self.merged: dict[str, list[dict[str, Any]]] = {}
        self.branches: dict[str, str] = {}
        self.of_merge: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.without_merges: set[str] = set()
        self.commits: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def authorised(self, headers: Any) -> bool:
        return headers.get("PRIVATE-TOKEN") == self.token

    def get(self, path: str, query: dict[str, str], headers: Any) -> Reply:
        match path.removeprefix("/api/v4/").split("/"):
            case ["version"]:
                return Reply(200, {"version": "18.1.0"})
            case ["groups", _, "projects"]:
                return self.paged(path, query, self.projects)
            case ["projects", id]:
                return Reply(200, {"id": int(id), "default_branch": self.branches.get(id, "main")})
            case ["projects", id, "releases"]:
                return self.paged(path, query, self.releases.get(id, []))
            case ["projects", id, "repository", "tags"]:
                return tagged(self.paged(path, query, self.tags.get(id, [])), headers)
            case ["projects", id, "merge_requests"] if id in self.without_merges:
                return Reply(403, {"message": "403 Forbidden"})
            case ["projects", id, "merge_requests"]:
                return self.paged(path, query, self._merged(id, query))
            case ["projects", id, "merge_requests", number, "commits"]:
                if (id, number) not in self.of_merge:
                    return self.refused(404, "404 Not Found")
                return self.paged(path, query, self.of_merge[id, number])
            case ["projects", id, "deployments"]:
                if id not in self.deployments:
                    return Reply(403, {"message": "403 Forbidden"})
                return self.paged(path, query, self._listed(id, query))
            case ["projects", id, "deployments", number]:
                known = [d for d in self.deployments.get(id, []) if str(d["id"]) == number]
                return Reply(200, known[0]) if known else self.refused(404, "404 Not Found")
            case ["projects", id, "repository", "compare"]:
                commits = self.commits.get((query["from"], query["to"]), [])
                return Reply(200, {"commits": commits})
        return Reply(404, {"message": "404 Not Found"})

    def _merged(self, id: str, query: dict[str, str]) -> list[dict[str, Any]]:
        """Merge requests into a branch, in the order of their changes."""
        begins = datetime.fromisoformat(query["updated_after"])
        some = [
            m
            for m in self.merged.get(id, [])
            if m["target_branch"] == query.get("target_branch", m["target_branch"])
            and datetime.fromisoformat(m["updated_at"]) >= begins
        ]
        return sorted(some, key=lambda m: m["updated_at"], reverse=query["sort"] == "desc")

    def _listed(self, id: str, query: dict[str, str]) -> list[dict[str, Any]]:
        """Deployments in the order that is asked for; instants are kept finer than they are told."""
        known = [(datetime.fromisoformat(d["updated_at"]), d) for d in self.deployments[id]]
        begins, ends = (query.get(name) for name in ("updated_after", "updated_before"))
        changed = [
            (at, d["id"], d)
            for at, d in known
            if (not begins or at >= datetime.fromisoformat(begins))
            and (not ends or at <= datetime.fromisoformat(ends))
        ]
        changed.sort(reverse=query.get("sort") == "desc")
        return [{**d, "updated_at": _told(at)} for at, _, d in changed]


def tagged(reply: Reply, headers: Any) -> Reply:
    """A page with its tag; 304 where the asker has it."""
    content = json.dumps(reply.document).encode()
    tag = f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'
    if headers.get("If-None-Match") == tag:
        return Reply(304)
    return Reply(reply.status, reply.document, {**reply.headers, "ETag": tag})


def _told(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
