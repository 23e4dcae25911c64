"""Annotations: written on the page, over the API and by command; told with the figures of their days."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from aggregators.chosen.annotations import WrittenNote
from aggregators.chosen.known import WrongSettingValue
from tests.webworld import API, DAY, HASH, WebWorld, csrf

PATH, LIST = "/platform/annotations", "/api/v1/platform/annotations/"
NOTE = {"text": "Release freeze", "first_day": DAY.isoformat()}


def send(client: FlaskClient, **form: str):
    """Sends the page's form."""
    return client.post(PATH, data={"action": "add", **NOTE, **form}, headers=csrf(client))


def told(client: FlaskClient, query: str = "period=7") -> list[tuple[str | None, str]]:
    """Workspace and text of the annotations that the dashboard tells."""
    answer = client.get(f"{API}?{query}")
    assert answer.status_code == 200, answer.text
    return [(each["workspace"], each["text"]) for each in answer.json["annotations"]]


def audited(web: WebWorld) -> list[tuple[str, str | None]]:
    with web.world.database.job.connect() as connection:
        query = "select action, details ->> 'workspace' from audit_event where action like 'annot%'"
        return [tuple(each) for each in connection.execute(text(f"{query} order by id"))]


def test_one_is_made_told_edited_and_withdrawn(web):
    alice = web.sign_in("alice")
    assert send(alice).status_code == 302
    assert send(alice, workspace="beta", text="Migration", about="dora").status_code == 302
    assert set(told(alice)) == {(None, "Release freeze"), ("beta", "Migration")}
    ids = {each["text"]: each["id"] for each in alice.get(LIST).json["annotations"]}
    form = alice.get(f"{PATH}?id={ids['Migration']}").text
    assert 'value="Migration"' in form
    edited = send(alice, action="edit", id=ids["Migration"], workspace="beta", text="Moved")
    assert edited.status_code == 302
    assert set(told(alice)) == {(None, "Release freeze"), ("beta", "Moved")}
    send(alice, action="withdraw", id=ids["Release freeze"])
    assert told(alice) == [("beta", "Moved")]
    assert audited(web) == [
        ("annotation.add", None),
        ("annotation.add", "beta"),
        ("annotation.edit", "beta"),
        ("annotation.withdraw", None),
    ]


def test_they_are_told_with_their_days_alone(web):
    alice = web.sign_in("alice")
    first, last = DAY - timedelta(days=20), DAY - timedelta(days=10)
    send(alice, first_day=first.isoformat(), last_day=last.isoformat())
    assert told(alice) == []
    assert told(alice, "period=28") == [(None, "Release freeze")]
    within = first + timedelta(days=3)
    assert told(alice, f"start={within}&end={within}") == [(None, "Release freeze")]


def test_who_keeps_records_notes_things_of_their_workspace_and_no_other(web):
    engineer = web.sign_in("engineer")
    assert send(engineer, workspace="alpha").status_code == 302
    assert send(engineer, workspace="beta").status_code == 404
    assert send(engineer).status_code == 403
    assert web.sign_in("viewer").get(PATH).status_code == 403
    web.people["elsewhere"] = web.world.person("elsewhere@x.example", password_hash=HASH)
    web.world.member(web.people["elsewhere"], web.world.beta, "platform_admin")
    elsewhere = web.sign_in("elsewhere")
    assert told(elsewhere) == []
    assert elsewhere.get(LIST).json["annotations"] == []
    (own,) = engineer.get(LIST).json["annotations"]
    refused = send(elsewhere, action="withdraw", id=own["id"], workspace="alpha")
    assert refused.status_code == 404
    foreign = send(elsewhere, action="withdraw", id=own["id"], workspace="beta")
    assert foreign.status_code == 404
    assert told(web.sign_in("alice")) == [("alpha", "Release freeze")]


def test_a_page_of_the_workspace_marks_it_on_the_chart_and_tells_it(web):
    alice = web.sign_in("alice")
    send(alice, workspace="alpha", text="<b>Freeze</b> & more", about="dora.change_failure_rate")
    view = {"view": {"path": "/ws/alpha/analytics", "period": "28"}}
    body = {
        "output": "..page.children...live.children..",
        "outputs": [{"id": i, "property": "children"} for i in ("page", "live")],
        "inputs": [{"id": "view", "property": "data", "value": view["view"]}],
        "changedPropIds": ["view.data"],
    }
    answer = alice.post("/_dash-update-component", json=body, headers=csrf(alice))
    assert answer.status_code == 200, answer.text
    drawn = json.dumps(json.loads(answer.text))
    assert "&lt;b&gt;Freeze&lt;/b&gt; &amp; more" in drawn
    assert '"shapes"' in drawn
    assert "about=dora.change_failure_rate" in drawn


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"text": " "}, "text"),
        ({"text": "x" * 281}, "text"),
        ({"text": "a\u202eb"}, "text"),
        ({"first_day": "soon"}, "first_day"),
        ({"first_day": "1999-12-31"}, "first_day"),
        ({"last_day": "2026-11-01"}, "last_day"),
        ({"last_day": "2028-01-01"}, "last_day"),
        ({"about": "dora.nothing"}, "about"),
    ],
)
def test_a_wrong_field_is_told_beside_it_and_the_text_stays(web, form, field):
    answer = send(web.sign_in("alice"), **form)
    assert answer.status_code == 422
    wrong = re.search(r"<(?:input|select)[^>]*aria-invalid[^>]*>", answer.text)
    assert wrong, answer.text
    assert f'name="{field}"' in wrong[0]
    assert audited(web) == []


def test_over_the_api(web):
    bob = web.sign_in("bob")
    headers = csrf(bob)
    made = bob.post(LIST, json=NOTE | {"workspace": "alpha"}, headers=headers)
    assert made.status_code == 201
    one = f"{LIST}{made.json['id']}"
    changed = NOTE | {"workspace": "alpha", "text": "Thaw", "about": "incidents"}
    assert bob.put(one, json=changed, headers=headers).status_code == 204
    (listed,) = bob.get(LIST).json["annotations"]
    assert (listed["text"], listed["about"], listed["by"]) == ("Thaw", "incidents", "bob@x.example")
    for wrong in ({"text": ""}, {"first_day": "x"}, {"about": "x"}, {"more": 1}):
        refused = bob.post(LIST, json=NOTE | {"workspace": "alpha"} | wrong, headers=headers)
        assert refused.status_code == 422
        assert refused.json["field"] in wrong
    assert bob.post(LIST, json=NOTE, headers=headers).status_code == 403
    assert bob.delete(one, json={"workspace": "alpha"}, headers=headers).status_code == 204
    assert bob.delete(one, json={"workspace": "alpha"}, headers=headers).status_code == 404
    assert bob.get(LIST).json["annotations"] == []


def test_by_command(web):
    def run(args: list[str]):
        with web.app.app_context():
            return web.app.test_cli_runner().invoke(args=args)

    added = run(args=["annotation", "add", str(DAY), "Reorganisation", "--workspace", "alpha"])
    assert added.exit_code == 0, added.output
    id = added.output.split()[-1]
    assert "Reorganisation  operator" in run(args=["annotation", "list"]).output
    edit = ["annotation", "edit", id, str(DAY), "Reorganised", "--workspace", "alpha"]
    assert run(args=edit).exit_code == 0
    wrong = run(args=[*edit[:4], "", "--workspace", "alpha"])
    assert "text takes a sentence" in wrong.output
    assert run(args=["annotation", "withdraw", id, "--workspace", "alpha"]).exit_code == 0
    assert run(args=["annotation", "withdraw", id, "--workspace", "alpha"]).exit_code == 1
    assert told(web.sign_in("alice")) == []


def test_a_note_of_one_day_ends_with_it():
    note = WrittenNote.of("  A\n  freeze ", "2026-11-01")
    assert (note.text, note.last_day) == ("A freeze", note.first_day)
    with pytest.raises(WrongSettingValue):
        WrittenNote.of("x", "2026-11-02", "2026-11-01")
