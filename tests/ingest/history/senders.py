"""A true history as senders tell it: the bodies that they send, and the rows of CSV."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tests.ingest.history.true_history import (
    History,
    Step,
    Trouble,
    TrueDeployment,
    deployment_rows,
    family,
    incident_rows,
    roll_back_rows,
    spans,
    standing,
)
from tests.plain.records import Row


def text_of(at: datetime) -> str:
    """An instant as JSON has it."""
    return at.isoformat().replace("+00:00", "Z")


def pagerduty_hooks(history: History) -> list[Any]:
    """A webhook for each step."""
    names = {
        "acknowledge": "acknowledged",
        "resolve": "resolved",
        "reopen": "reopened",
        "priority": "priority_updated",
        "merge": "resolved",
    }
    told = []
    for trouble in history.troubles:
        told.append(_hook(trouble, "triggered", Step(trouble.opened, "", trouble.priority)))
        told += [_hook(trouble, names[step.verb], step) for step in trouble.steps]
    return told


def _hook(trouble: Trouble, name: str, step: Step) -> Any:
    incident = _incident(trouble, step.priority)
    if step.verb == "merge":
        incident |= _merged(trouble)
    return {
        "event": {
            "event_type": f"incident.{name}",
            "occurred_at": text_of(step.at),
            "data": incident,
        }
    }


def _incident(trouble: Trouble, priority: str) -> dict[str, Any]:
    return {
        "id": trouble.key,
        "title": f"Trouble {trouble.key}",
        "created_at": text_of(trouble.opened),
        "urgency": "high",
        "status": "triggered",
        "priority": {"summary": priority},
    }


def _merged(trouble: Trouble) -> dict[str, Any]:
    return {"resolve_reason": {"type": "merge_resolve_reason", "incident": {"id": trouble.part_of}}}


def pagerduty_list(history: History) -> list[Any]:
    """The incidents of the REST API as they stand at the end, with their log entries."""
    told = []
    for trouble in history.troubles:
        turns = [s for s in trouble.steps if s.verb != "priority"]
        incident = _incident(trouble, trouble.final_priority)
        is_over = bool(turns) and turns[-1].verb in ("resolve", "merge")
        incident["status"] = "resolved" if is_over else "triggered"
        incident["last_status_change_at"] = text_of(turns[-1].at if turns else trouble.opened)
        incident["updated_at"] = text_of([trouble.opened, *(s.at for s in trouble.steps)][-1])
        if trouble.part_of:
            incident |= _merged(trouble)
        entries = [("trigger", trouble.opened), *((s.verb, s.at) for s in turns)]
        incident["log_entries"] = [
            {"type": f"{'resolve' if v == 'merge' else v}_log_entry", "created_at": text_of(at)}
            for v, at in entries
        ]
        told.append({"incidents": [incident]})
    return told


def alertmanager_groups(history: History, repeats: int) -> list[list[Any]]:
    """Of each alert its notices in order, each repeated, as it does until somebody ends it."""
    told = []
    for row, trouble in zip(incident_rows(history), standing(history), strict=True):
        labels = {"alertname": trouble.key, "severity": trouble.final_priority}
        notices = []
        for start, end in spans(row["opened_at"], trouble):
            fires = {"status": "firing", "labels": labels, "startsAt": text_of(start)}
            notices += [fires] * repeats
            if end:
                notices += [fires | {"status": "resolved", "endsAt": text_of(end)}] * repeats
        told.append([{"externalURL": "http://am.example", "alerts": [n]} for n in notices])
    return told


SPELLINGS = ("prod", "Live", "production")
"""Names of the one production, as tools that roll back have them."""


def cdevents(history: History) -> list[Any]:
    """Signs and ends of incidents, services deployed and rolled back."""
    told = []
    for row, trouble in zip(incident_rows(history), standing(history), strict=True):
        signs = [t.opened for t in family(trouble, history)]
        told += [_cdevent("incident.reported", at, trouble.key) for at in signs]
        if row["resolved_at"]:
            ends = trouble.instants("resolve")
            told += [_cdevent("incident.resolved", at, trouble.key) for at in ends]
    for row in deployment_rows(history):
        if row["outcome"] == "successful":
            where = {"environment": {"id": row["environment"]}}
            at = row["completed_at"]
            told.append(_cdevent("service.deployed", at, row["service"], row["key"], where))
    for number, row in enumerate(roll_back_rows(history)):
        where = {"environment": {"id": SPELLINGS[number % len(SPELLINGS)]}}
        at = row["rolled_back_at"]
        told.append(_cdevent("service.rolledback", at, row["service"], row["key"], where))
    return told


def _cdevent(
    name: str, at: datetime, subject: str, number: str = "", content: Any = None
) -> dict[str, Any]:
    context = {"id": number or f"{subject}{name}{at.timestamp()}", "source": "/pipeline"}
    context |= {"type": f"dev.cdevents.{name}.0.2.0", "timestamp": text_of(at)}
    return {"context": context, "subject": {"id": subject, "content": content or {}}}


def github_hooks(history: History) -> list[Any]:
    """A webhook for each status of a deployment."""
    return [
        {
            "deployment": _deployment(delivery),
            "deployment_status": status,
            "repository": {"name": delivery.service},
        }
        for delivery in history.deliveries
        for status in _statuses(delivery)
    ]


def github_list(history: History) -> list[Any]:
    """The deployments of the REST API with their statuses."""
    return [
        _deployment(delivery)
        | {
            "url": f"https://api.github.com/repos/acme/{delivery.service}/deployments/{delivery.number}",
            "statuses_url": f"https://api.github.com/repos/acme/{delivery.service}/deployments/statuses",
            "statuses": _statuses(delivery),
        }
        for delivery in history.deliveries
    ]


def _deployment(delivery: TrueDeployment) -> dict[str, Any]:
    return {
        "id": delivery.number,
        "environment": delivery.environment,
        "production_environment": delivery.is_production,
        "created_at": text_of(delivery.created),
    }


def _statuses(delivery: TrueDeployment) -> list[Any]:
    return [
        {"id": 100 * delivery.number + n, "state": state, "created_at": text_of(at)}
        for n, (at, state) in enumerate(delivery.statuses)
    ]


def csv_lines(rows: Sequence[Row]) -> list[str]:
    """Rows as lines of CSV under a header."""
    if not rows:
        return []
    names = list(rows[0])
    return [",".join(names), *(",".join(_cell(row[name]) for name in names) for row in rows)]


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return text_of(value)
    return "" if value is None else str(value)
