"""Page of the audit: whose events it shows, how it is narrowed, its pages and its file."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime

import pytest
from sqlalchemy.exc import ProgrammingError

from storage import audit
from storage.audit.seen import AuditQuestion
from storage.audit.seen import events as seen_events
from storage.context import as_viewer
from tests.conftest import superuser
from tests.webworld import HASH, WebWorld
from web.platform.audit import SHOWN

PATH = "/platform/audit"
WRITTEN = (
    ("bob@x.example", "member.grant", "alpha", {"user": "n@x.example"}),
    ("bob@x.example", "record.correct", "beta/incident", {"key": "INC-1"}),
    ("carol@x.example", "mapping.set", "*", {"word": "kiosk"}),
    ("beta", "session.refuse", "beta", {"address": "192.0.2.1"}),
    ("bob@x.example", "signal.change", "mttr", {"workspace": "beta"}),
    ("elsewhere@x.example", "token.create", "elsewhere@x.example", {}),
)


@pytest.fixture
def told(web) -> WebWorld:
    """The small world with events of both workspaces, and a platform admin of beta alone."""
    web.people["elsewhere"] = web.world.person("elsewhere@x.example", password_hash=HASH)
    web.world.member(web.people["elsewhere"], web.world.beta, "platform_admin")
    with web.world.database.job.begin() as connection:
        for event in WRITTEN:
            audit.record(connection, *event)
    return web


def rows(client, query: str = "") -> list[dict[str, str]]:
    answer = client.get(f"{PATH}.csv?{query}")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))


def test_one_of_every_workspace_sees_all_of_it_the_newest_first(told):
    listed = rows(told.sign_in("alice"))
    written = [(r["actor"], r["action"], r["subject"]) for r in listed]
    assert [w for w in written if w in [e[:3] for e in WRITTEN]] == [e[:3] for e in WRITTEN[::-1]]
    instants = [datetime.fromisoformat(row["at"]) for row in listed]
    assert instants == sorted(instants, reverse=True)
    assert all(row["at"].endswith("Z") for row in listed)


def test_one_of_a_workspace_sees_its_events_and_their_own(told):
    """Whoever calls themselves by a workspace's name at the sign-in is no event of it."""
    listed = rows(told.sign_in("elsewhere"))
    assert {(r["actor"], r["action"]) for r in listed} == {
        ("bob@x.example", "record.correct"),
        ("bob@x.example", "signal.change"),
        ("elsewhere@x.example", "token.create"),
        ("elsewhere@x.example", "session.begin"),
        ("elsewhere@x.example", "audit.download"),
    }
    page = told.sign_in("elsewhere").get(PATH).text
    assert "Record corrected" in page
    assert "Member added" not in page


def test_the_database_itself_refuses_whoever_is_no_platform_admin(told):
    told.sign_in("bob")
    viewing = as_viewer(told.world.database.web, told.people["bob"])
    with pytest.raises(ProgrammingError, match="for platform admins"), viewing as connection:
        seen_events(connection, AuditQuestion(28), 10)


@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ("person=CAROL", {"mapping.set"}),
        ("kind=signal", {"signal.change"}),
        ("workspace=beta", {"record.correct", "signal.change"}),
        ("workspace=beta&kind=record&person=bob", {"record.correct"}),
        ("person=nobody-at-all", set()),
    ],
)
def test_it_is_narrowed_by_person_kind_and_workspace(told, query, actions):
    alice = told.sign_in("alice")
    assert {row["action"] for row in rows(alice, query)} == actions
    assert alice.get(f"{PATH}?{query}").text.count('<th scope="row">') == len(actions)


def test_days_bound_it(told):
    with superuser(told.world.database).begin() as connection:
        connection.exec_driver_sql(
            "update audit_event set at = now() - interval '3 days' where action = 'mapping.set'"
        )
    alice = told.sign_in("alice")
    assert not rows(alice, "kind=mapping&days=1")
    assert rows(alice, "kind=mapping&days=7")


def test_pages_follow_one_another_without_a_gap(told):
    with told.world.database.job.begin() as connection:
        for number in range(SHOWN + 3):
            audit.record(connection, "many@x.example", "source.run", str(number), {})
    alice, path, subjects = told.sign_in("alice"), f"{PATH}?person=many", []
    while path:
        page = alice.get(path).text
        subjects += re.findall(r'data-l="Of what"[^>]*>source (\d+)<', page)
        older = re.search(r'href="([^"]+)" rel="next"', page)
        path = older[1].replace("&amp;", "&") if older else ""
    assert subjects == [str(n) for n in reversed(range(SHOWN + 3))]


def test_the_page_names_the_zone_of_its_instants(told):
    assert f"Instants in {told.world.settings.time_zone}" in told.sign_in("alice").get(PATH).text


@pytest.mark.parametrize(
    "query", ["days=3", "kind=nothing", "before=x", "person=" + "x" * 300, "who=bob"]
)
def test_a_wrong_filter_is_told_by_its_name(told, query):
    answer = told.sign_in("alice").get(f"{PATH}?{query}")
    assert answer.status_code == 422
    assert query.split("=")[0] in answer.text


def test_it_stands_in_the_navigation_of_platform_admins_alone(told):
    assert f'href="{PATH}"' in told.sign_in("alice").get("/exports").text
    assert f'href="{PATH}"' not in told.sign_in("bob").get("/exports").text
