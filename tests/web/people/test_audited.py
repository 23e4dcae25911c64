"""Everything that the audit tells, walked: who does it, how, and the event that must stand there after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from storage.audit.bounded import A_SOURCE
from tests.conftest import superuser
from tests.webworld import PASSWORD, WebWorld, csrf, settled

CSV_OF_INCIDENTS = b"key,opened_at,severity\nINC-7,2026-11-20T10:00:00Z,p2\n"


@dataclass(frozen=True)
class AuditedDeed:
    """Something done, and its event: action, actor, subject."""

    deed: Callable[[WebWorld], object]
    action: str
    actor: str
    subject: str


def refuse(web: WebWorld) -> None:
    web.attempt(web.browser(), "bob@x.example", "wrong")


def sends(who: str, method: str, path: str, **sent: object) -> Callable[[WebWorld], object]:
    def deed(web: WebWorld) -> None:
        browser = web.sign_in(who)
        answer = browser.open(path, method=method, headers=csrf(browser), **sent)
        assert answer.status_code in (200, 202, 302, 303, 403, 404), answer.text

    return deed


def exported(web: WebWorld) -> None:
    alice = web.sign_in("alice")
    made = alice.post("/exports", json={"period": "7", "format": "csv"}, headers=csrf(alice))
    assert alice.get(settled(alice, made).json["href"]).status_code == 200


def set_zone(web: WebWorld) -> None:
    web.world.database.upgrade(web.world.settings.model_copy(update={"time_zone": "Europe/Berlin"}))


def typed(*words: str) -> Callable[[WebWorld], object]:
    def deed(web: WebWorld) -> None:
        with web.app.app_context():
            done = web.app.test_cli_runner().invoke(args=words)
        assert done.exit_code == 0, done.output

    return deed


MEANING = {"about": "environment", "word": "kiosk", "meaning": "production"}
API = "/api/v1/ws/alpha"
DEEDS = {
    "sign-in": AuditedDeed(lambda web: web.sign_in("bob"), "session.begin", "bob", "bob@x.example"),
    "failed sign-in": AuditedDeed(refuse, "session.refuse", "bob", "bob@x.example"),
    "denial": AuditedDeed(
        sends("bob", "GET", "/platform/nights"), "access.deny", "bob", "/platform/nights"
    ),
    "denial of a workspace": AuditedDeed(
        sends("dave", "GET", "/ws/alpha/analytics"), "access.deny", "dave", "/ws/alpha/analytics"
    ),
    "export": AuditedDeed(exported, "export.request", "alice", ""),
    "download": AuditedDeed(exported, "export.download", "alice", ""),
    "download of records": AuditedDeed(
        sends("viewer", "GET", "/ws/alpha/records/dora.csv?period=7"),
        "records.download", "viewer", "alpha",
    ),
    "download of the audit": AuditedDeed(
        sends("alice", "GET", "/platform/audit.csv"), "audit.download", "alice", "*"
    ),
    "membership": AuditedDeed(
        sends("bob", "POST", "/ws/alpha/admin/members",
              data={"action": "change", "email": "viewer@x.example", "role": "engineer"}),
        "member.change", "bob", "alpha",
    ),
    "invitation": AuditedDeed(
        sends("bob", "POST", "/ws/alpha/admin/members",
              data={"action": "add", "email": "new@x.example", "role": "viewer"}),
        "invitation.send", "bob", "alpha",
    ),
    "framework": AuditedDeed(
        sends("bob", "POST", "/ws/alpha/admin/frameworks", data={"framework": "SOC2"}),
        "framework.seed", "bob", "alpha",
    ),
    "framework by command": AuditedDeed(
        typed("framework", "seed", "alpha", "HIPAA"), "framework.seed", "operator", "alpha"
    ),
    "token": AuditedDeed(
        sends("alice", "POST", "/account/tokens", data={"name": "Slides", "days": "30"}),
        "token.create", "alice", "alice@x.example",
    ),
    "import": AuditedDeed(
        sends("alice", "POST", "/first-run/files?workspace=alpha&name=incidents.csv",
              data=CSV_OF_INCIDENTS, content_type="application/octet-stream"),
        "import.file", "alice", "alpha",
    ),
    "mapping": AuditedDeed(
        sends("engineer", "PUT", f"{API}/mapping/", json=MEANING), "mapping.set", "engineer", "alpha"
    ),
    "correction": AuditedDeed(
        sends("engineer", "POST", f"{API}/records/incidents/INC-0001",
              json={"correct": {"severity": "p2"}}),
        "record.correct", "engineer", "alpha/incidents",
    ),
    "snapshot": AuditedDeed(
        sends("alice", "POST", "/platform/nights"), "snapshot.request", "alice", ""
    ),
    "setting": AuditedDeed(set_zone, "setting.change", "operator", "time_zone"),
}  # fmt: skip


def events(web: WebWorld) -> list[tuple[str, str, str]]:
    with superuser(web.world.database).connect() as connection:
        return [
            (row.action, row.actor, row.subject)
            for row in connection.execute(text("select * from audit_event order by id"))
        ]


@pytest.mark.parametrize("name", DEEDS)
def test_what_people_do_stands_in_the_audit(shared_web, name):
    told = DEEDS[name]
    before = len(events(shared_web))
    told.deed(shared_web)
    actor = told.actor if told.actor == "operator" else f"{told.actor}@x.example"
    assert any(
        action == told.action and who == actor and told.subject in (subject, "")
        for action, who, subject in events(shared_web)[before:]
    ), events(shared_web)[before:]


def test_refusals_are_bounded_and_the_last_one_says_so(web):
    """Somebody at one address tries a new account each time, so that no account's throttle closes."""
    with superuser(web.world.database).begin() as connection:
        connection.execute(
            text(
                "insert into audit_event (actor, action, subject, details, hash) select 'x',"
                " 'session.refuse', 'x', '{\"address\": \"127.0.0.1\"}', '' from generate_series(1, :n)"
            ),
            {"n": A_SOURCE - 1},
        )
    for who in ("one", "two", "three"):
        web.attempt(web.browser(), f"{who}@x.example", PASSWORD + "!")
    with superuser(web.world.database).connect() as connection:
        told = connection.execute(
            text(
                "select actor, details ->> 'others_follow' from audit_event"
                " where action = 'session.refuse' and actor <> 'x'"
            )
        ).all()
    assert [tuple(row) for row in told] == [("one@x.example", "true")]
