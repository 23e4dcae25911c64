"""Random bodies of every format of events: of few objects, at few instants, so that they contradict each
other, in every shape that a format reads."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

Body = dict[str, Any] | list[Any]
Draw = Callable[[Random], Body]

CLOCKS = [f"2026-11-10T0{hour}:{half}0:00Z" for hour in (7, 8, 9) for half in (0, 3)]
PLACES = ("production", "prod", "Live", "qa")


class EventFormat(NamedTuple):
    """The kinds of record that a format's bodies tell of; ``events``, which happened, in any order of
    receipt; ``views``, how the sender sees its objects, of which the newest receipt counts."""

    kinds: tuple[str, ...]
    events: tuple[Draw, ...] = ()
    views: tuple[Draw, ...] = ()

    def body(self, random: Random) -> Body:
        """A body of any shape."""
        return random.choice([*self.events, *self.views])(random)


def clock(random: Random) -> str:
    """An instant."""
    return random.choice(CLOCKS)


def maybe(random: Random, **fields: Any) -> dict[str, Any]:
    """Some of the fields."""
    return {name: value for name, value in fields.items() if random.random() < 0.5}


def milliseconds(random: Random) -> int:
    """An instant as Opsgenie has it."""
    return 1_762_750_000_000 + 1_800_000 * random.randrange(6)


def pd_incident(random: Random) -> dict[str, Any]:
    """An incident of PagerDuty, which may have been merged into another."""
    into = {"type": "merge_resolve_reason", "incident": {"id": random.choice("ABC")}}
    return {
        "id": random.choice("ABC"),
        "title": random.choice(["Slow", "Down"]),
        "urgency": random.choice(["high", "low"]),
        "status": random.choice(["resolved", "triggered", "acknowledged"]),
        "created_at": clock(random),
        **maybe(
            random,
            priority=random.choice([{"summary": "P1"}, {"summary": "odd"}, None]),
            resolve_reason=random.choice([into, None, None]),
            last_status_change_at=clock(random),
            acknowledgements=[{"at": clock(random)} for _ in range(random.randrange(3))],
        ),
    }


VERBS = (
    "triggered", "acknowledged", "unacknowledged", "resolved", "reopened", "priority_updated", "delegated",
)  # fmt: skip
OLD_VERBS = ("trigger", "acknowledge", "unacknowledge", "resolve", "reopen", "delegate")


def pd_hook(random: Random) -> Body:
    """A webhook of today."""
    kind = f"incident.{random.choice(VERBS)}"
    data = pd_incident(random)
    return {"event": {"event_type": kind, "occurred_at": clock(random), "data": data}}


def pd_message(random: Random) -> Body:
    """A message of version 2."""
    kind = f"incident.{random.choice(OLD_VERBS)}"
    return {"event": kind, "created_on": clock(random), "incident": pd_incident(random)}


def pd_entry(random: Random) -> dict[str, Any]:
    """An entry of an incident's log."""
    kind = random.choice(OLD_VERBS)
    return {"type": f"{kind}_log_entry", "created_at": clock(random)}


def pd_log(random: Random) -> Body:
    """A list of log entries."""
    return {
        "log_entries": [pd_entry(random) | {"incident": {"id": random.choice("ABC")}} for _ in "12"]
    }


def pd_list(random: Random) -> Body:
    """A list of incidents, with their log in some."""
    each = [pd_incident(random) for _ in range(random.randint(1, 2))]
    return {"incidents": [i | maybe(random, log_entries=[pd_entry(random)]) for i in each]}


STATES = ("success", "failure", "error", "inactive", "in_progress")


def gh_deployment(random: Random) -> dict[str, Any]:
    """A deployment of GitHub."""
    return {
        "id": random.randint(1, 2),
        "environment": random.choice(PLACES),
        "created_at": clock(random),
        "url": f"https://api.github.com/repos/acme/{random.choice(['ledger', 'till'])}/deployments/1",
        **maybe(random, production_environment=random.random() < 0.5),
    }


def gh_status(random: Random) -> dict[str, Any]:
    """A status of a deployment."""
    state = random.choice(STATES)
    return {"id": random.randint(1, 4), "state": state, "created_at": clock(random)}


def gh_hook(random: Random) -> Body:
    """A webhook of a deployment, or of a status of it."""
    status = {"deployment_status": gh_status(random)} if random.random() < 0.8 else {}
    return {"deployment": gh_deployment(random), "repository": {"name": "ledger"}, **status}


def gh_list(random: Random) -> Body:
    """A list of deployments, with their statuses in some."""
    statuses = [gh_status(random) for _ in range(random.randrange(3))]
    return [gh_deployment(random) | maybe(random, statuses=statuses)]


def gh_statuses(random: Random) -> Body:
    """A list of a deployment's statuses."""
    address = f"https://api.github.com/repos/acme/ledger/deployments/{random.randint(1, 2)}"
    return [gh_status(random) | {"deployment_url": address}]


def gh_releases(random: Random) -> Body:
    """A list of releases."""
    return [
        {
            "tag_name": random.choice(["v1", "v2"]),
            "url": "https://api.github.com/repos/acme/ledger/releases/7",
            "published_at": clock(random),
            "draft": random.random() < 0.2,
            "prerelease": random.random() < 0.3,
        }
    ]


def gl_hook(random: Random) -> Body:
    """A webhook of a deployment of GitLab."""
    return {
        "object_kind": "deployment",
        "status": random.choice(["success", "failed", "canceled", "running"]),
        "status_changed_at": clock(random),
        "deployment_id": random.randint(1, 2),
        "environment": random.choice(PLACES),
        **maybe(random, environment_tier=random.choice(["production", "other", "staging"])),
    }


def gl_list(random: Random) -> Body:
    """A list of deployments of GitLab."""
    return [
        {
            "id": random.randint(1, 2),
            "iid": 1,
            "status": random.choice(["success", "failed", "canceled", "running"]),
            "environment": {"name": random.choice(PLACES)},
            "created_at": clock(random),
            "updated_at": clock(random),
            **maybe(random, finished_at=clock(random)),
        }
    ]


CD_EVENTS = (
    "service.deployed", "service.upgraded", "service.rolledback", "service.rolledback",
    "incident.detected", "incident.reported", "incident.resolved",
)  # fmt: skip


def cd_event(random: Random) -> Body:
    """An event of a service or of an incident, of two sources."""
    kind = random.choice(CD_EVENTS)
    context = {
        "id": random.choice("123"),
        "source": random.choice(["/a", "/b"]),
        "type": f"dev.cdevents.{kind}.0.2.0",
        "timestamp": clock(random),
    }
    where = maybe(random, environment={"id": random.choice(PLACES)})
    subject = {"id": random.choice("xy"), "content": where, **maybe(random, source="/c")}
    told = {"context": context, "subject": subject}
    return {"specversion": "1.0", "data": told} if random.random() < 0.3 else told


def am_alert(random: Random) -> dict[str, Any]:
    """An alert, of one set of labels but for how grave it is."""
    return {
        "status": random.choice(["firing", "resolved"]),
        "labels": {
            "alertname": random.choice(["A", "A", "Watchdog"]),
            **maybe(random, severity=random.choice(["warning", "critical", "none", "odd"])),
        },
        "startsAt": clock(random),
        "endsAt": random.choice([clock(random), "0001-01-01T00:00:00Z"]),
    }


def am_group(random: Random) -> Body:
    """A group of alerts by one of two senders."""
    senders = ["http://a.example", "http://b.example"]
    alerts = [am_alert(random) for _ in range(random.randint(1, 2))]
    return {"externalURL": random.choice(senders), "alerts": alerts}


def am_list(random: Random) -> Body:
    """A list of the alerts that fire."""
    return [am_alert(random) | {"status": {"state": "active"}} for _ in range(random.randint(1, 2))]


ACTIONS = (
    "Create", "Acknowledge", "Close", "UnAcknowledge", "UpdatePriority", "Delete", "Snooze", "AddNote",
)  # fmt: skip


def og_action(random: Random) -> Body:
    """An action on an alert of Opsgenie."""
    alert = {
        "alertId": random.choice("AB"),
        "createdAt": milliseconds(random),
        "updatedAt": milliseconds(random),
        **maybe(random, priority=random.choice(["P1", "P5", "odd"])),
    }
    return {"action": random.choice(ACTIONS), "alert": alert}


def og_list(random: Random) -> Body:
    """A list of alerts of Opsgenie."""
    report = maybe(random, ackTime=1_800_000, closeTime=random.choice([900_000, 3_600_000]))
    alert = {
        "id": random.choice("AB"),
        "status": random.choice(["open", "closed"]),
        "createdAt": milliseconds(random),
        "message": random.choice(["Slow", "Down"]),
        **maybe(random, updatedAt=milliseconds(random), priority="P2", report=report),
    }
    return {"data": [alert]}


def sp_list(random: Random) -> Body:
    """A list of a status page."""
    incidents = [
        {
            "id": name,
            "name": random.choice(["Slow", "Down"]),
            "status": random.choice(["resolved", "investigating", "postmortem"]),
            "impact": random.choice(["major", "none", "odd"]),
            "created_at": clock(random),
            **maybe(
                random,
                started_at=clock(random),
                resolved_at=clock(random),
                updated_at=clock(random),
                incident_updates=[{"status": "resolved", "created_at": clock(random)}],
            ),
        }
        for name in random.sample("AB", random.randint(1, 2))
    ]
    return {"incidents": incidents}


EVENT_BODIES: dict[str, EventFormat] = {
    "pagerduty": EventFormat(("incidents",), (pd_hook, pd_message, pd_log), (pd_list,)),
    "github": EventFormat(("deployments",), (gh_hook, gh_list, gh_statuses), (gh_releases,)),
    "gitlab": EventFormat(("deployments",), (gl_hook, gl_list)),
    "cdevents": EventFormat(("deployments", "roll-backs", "incidents"), (cd_event,)),
    "alertmanager": EventFormat(("incidents",), (), (am_group, am_list)),
    "grafana": EventFormat(("incidents",), (), (am_group,)),
    "opsgenie": EventFormat(("incidents",), (og_action,), (og_list,)),
    "statuspage": EventFormat(("incidents",), (), (sp_list,)),
}
"""Alerts are told anew while they fire: which start a sender tells last says something, so they are
views."""
