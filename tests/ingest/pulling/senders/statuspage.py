"""Fake of Statuspage: the API of a page's incidents, newest first, and the page that everybody may read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.ingest.pulling.senders.fake import Fake, Reply


class FakeStatuspage(Fake):
    """A page with incidents; without a token only what the public may read."""

    token = "sp-0123456789abcdef"

    def __init__(self) -> None:
        super().__init__()
        self.incidents: list[dict[str, Any]] = []

    def authorised(self, headers: Any) -> bool:
        told = headers.get("Authorization")
        return told in (None, f"OAuth {self.token}")

    def refused(self, status: int, message: str) -> Reply:
        return Reply(status, {"error": message})

    def report(self, id: str, at: datetime, ended: datetime | None = None, **more: Any) -> None:
        """Opens an incident, and resolves it where it has ended."""
        self.incidents.append(
            {
                "id": id,
                "page_id": "kctbh9vrtdwd",
                "name": f"Trouble {id}",
                "status": "resolved" if ended else "investigating",
                "impact": "major",
                "created_at": _stamp(at),
                "updated_at": _stamp(ended or at),
                "resolved_at": _stamp(ended) if ended else None,
                "postmortem_published_at": None,
                "scheduled_for": None,
                "incident_updates": [],
                **more,
            }
        )

    def get(self, path: str, query: dict[str, str], headers: Any) -> Reply:
        newest = sorted(self.incidents, key=lambda i: i["created_at"], reverse=True)
        is_signed = headers.get("Authorization") is not None
        match path.strip("/").split("/"):
            case ["api", "v2", "incidents.json"]:
                return Reply(200, {"page": {"id": "kctbh9vrtdwd"}, "incidents": newest[:50]})
            case ["v1", "pages", "kctbh9vrtdwd", "incidents"] if is_signed:
                number, size = int(query.get("page", 1)), int(query.get("limit", 100))
                return Reply(200, newest[(number - 1) * size : number * size])
            case ["v1", "pages", "kctbh9vrtdwd", "incidents", id] if is_signed:
                known = [i for i in self.incidents if i["id"] == id]
                return Reply(200, known[0]) if known else self.refused(404, "Record not found")
        return self.refused(404 if is_signed else 401, "Could not authenticate")


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
