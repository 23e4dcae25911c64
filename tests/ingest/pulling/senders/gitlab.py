"""Fake of GitLab: projects of a group, deployments, comparisons."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.ingest.pulling.senders.fake import Fake, Reply


class FakeGitLab(Fake):
    """Projects with deployments."""

    token = "glpat-0123456789abcdef"

    def __init__(self) -> None:
        super().__init__()
        self.projects: list[dict[str, Any]] = []
        self.deployments: dict[str, list[dict[str, Any]]] = {}
        self.commits: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def authorised(self, headers: Any) -> bool:
        return headers.get("PRIVATE-TOKEN") == self.token

    def get(self, path: str, query: dict[str, str], headers: Any) -> Reply:
        match path.removeprefix("/api/v4/").split("/"):
            case ["version"]:
                return Reply(200, {"version": "18.1.0"})
            case ["groups", _, "projects"]:
                return self.paged(path, query, self.projects)
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


def _told(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
