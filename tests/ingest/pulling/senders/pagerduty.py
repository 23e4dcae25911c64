"""Fake of PagerDuty: services, incidents, log entries."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.ingest.pulling.senders.fake import Fake, Reply


class FakePagerDuty(Fake):
    """Services, incidents and their log; what a test does not say of them is made up, whole."""

    token = "pd-0123456789abcdef"

    def __init__(self) -> None:
        super().__init__()
        self.services: list[dict[str, Any]] = []
        self.incidents: dict[str, dict[str, Any]] = {}
        self.log: list[dict[str, Any]] = []
        self.deepest = 10_000

    def get(self, path: str, query: dict[str, str], headers: Any) -> Reply:
        since, until = query.get("since", ""), query.get("until", "~")
        match path.strip("/").split("/"):
            case ["services"]:
                return self._page("services", [_service(s) for s in self.services], query)
            case ["incidents"]:
                own = [i for i in self.incidents.values() if since <= i["created_at"] < until]
                own.sort(key=lambda i: i["created_at"])
                return self._page("incidents", [_incident(i) for i in own], query)
            case ["incidents", id]:
                known = self.incidents.get(id)
                return Reply(200, {"incident": _incident(known)}) if known else self.none()
            case ["log_entries"]:
                own = [e for e in self.log if since <= e["created_at"] < until]
                return self._page("log_entries", [_entry(e) for e in own], query)
        return self.none()

    def none(self) -> Reply:
        """The answer to what is not there."""
        return Reply(404, {"error": {"message": "Not Found", "code": 2100}})

    def report(
        self, id: str, at: datetime, service: str = "P1", ended: datetime | None = None
    ) -> None:
        """Opens an incident, and acknowledges and resolves it where it has ended."""
        steps = [("trigger", at)]
        if ended is not None:
            steps += [("acknowledge", at + (ended - at) / 2), ("resolve", ended)]
        self.log += [
            {"type": f"{kind}_log_entry", "created_at": _stamp(when), "incident": {"id": id}}
            for kind, when in steps
        ]
        self.incidents[id] = {
            "id": id,
            "title": id,
            "created_at": _stamp(at),
            "updated_at": _stamp(ended or at),
            "status": "resolved" if ended else "triggered",
            "resolved_at": _stamp(ended) if ended else None,
            "urgency": "high",
            "service": {"id": service},
        }

    def _page(self, name: str, things: list[Any], query: dict[str, str]) -> Reply:
        offset, limit = int(query.get("offset", 0)), int(query["limit"])
        if offset + limit > self.deepest:
            return Reply(400, {"error": "too deep"})
        some = things[offset : offset + limit]
        more = offset + limit < len(things)
        told = {"limit": limit, "offset": offset, "more": more, "total": None}
        return Reply(200, {name: some, **told})


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _whole(told: dict[str, Any], kind: str) -> dict[str, Any]:
    """A thing with the addresses and names that every thing of PagerDuty has."""
    where = f"https://api.pagerduty.com/{kind.removesuffix('_reference')}s/{told['id']}"
    summary = told.get("title") or told.get("name") or told["id"]
    return {"type": kind, "summary": summary, "self": where, "html_url": where, **told}


def _service(told: dict[str, Any]) -> dict[str, Any]:
    policy = _whole({"id": "PPOLICY"}, "escalation_policy_reference")
    return {"escalation_policy": policy, **_whole(told, "service")}


def _incident(told: dict[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in told.items() if value is not None}
    return {
        "incident_number": 1,
        "incident_key": told["id"],
        "acknowledgements": [],
        "assignments": [],
        "teams": [],
        **_whole(told, "incident"),
        "service": _whole(told["service"], "service_reference"),
    }


def _entry(told: dict[str, Any]) -> dict[str, Any]:
    id = f"R{abs(hash((told['type'], told['created_at'], told['incident']['id'])))}"
    return _whole({"id": id, **told}, told["type"]) | {
        "incident": _whole(told["incident"], "incident_reference")
    }
