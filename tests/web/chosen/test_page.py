"""Settings page: what it shows, who may change what, and what is wrong with a value."""

from __future__ import annotations

import html
import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from tests.conftest import TODAY
from tests.webworld import DAY, HASH, WebWorld, csrf, make

PATH = "/admin/settings"
RATE = "dora.change_failure_rate"


def send(client: FlaskClient, name: str, value: str, **more: str):
    """Sends the form of a setting."""
    form = {"name": name, "value": value, "since": DAY.isoformat(), "action": "set", **more}
    return client.post(PATH, data=form, headers=csrf(client))


def row(page: str, title: str) -> str:
    """Text of a setting's line."""
    found = re.search(rf'<th scope="row">{re.escape(title)}</th>(.*?)</tr>', page, re.DOTALL)
    assert found, title
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", found[1])).split())


def audited(web: WebWorld) -> list[tuple[str, str, dict]]:
    with web.world.database.job.connect() as connection:
        query = "select actor, subject, details from audit_event where action = 'setting.change'"
        return [tuple(each) for each in connection.execute(text(f"{query} order by id"))]


def marked(web: WebWorld) -> int:
    with web.world.database.owner.connect() as connection:
        connection.execute(text("set local role vigilo_job"))
        query = text("select count(*) from vigilo.workspaces_with_snapshots_due()")
        return int(connection.execute(query).scalar_one())


def test_a_target_is_set_told_and_taken_back(web):
    alice = web.sign_in("alice")
    assert "under 15.0 % watched from 10.0 % Nobody: the default the same" in row(
        alice.get(PATH).text, "Change failure rate"
    )
    assert send(alice, RATE, "12.5", watch="8 %").status_code == 302
    told = row(alice.get(PATH).text, "Change failure rate")
    assert told.startswith("at most 12.5 % watched beyond 8.0 % Set here alice@x.example")
    assert "holds from 22 Nov 2026" in told
    assert "under 15.0 % watched from 10.0 %" in told
    assert send(alice, RATE, "", action="unset").status_code == 302
    assert "Nobody: the default" in row(alice.get(PATH).text, "Change failure rate")
    details = {"to": "at most 12.5 %, watched beyond 8.0 %", "since": "2026-11-22"}
    assert audited(web)[0] == ("alice@x.example", RATE, details)
    history = alice.get(f"{PATH}?edit={RATE}").text
    assert len(re.findall(r"alice@x\.example, \d", history)) >= 2


def test_the_environment_stands_over_the_declaration(database, settings):
    given = {"asset_days": 30, "thresholds": {"dora.change_failure_rate": (0.2, 0.4)}}
    page = make(database, settings.model_copy(update=given)).sign_in("alice").get(PATH).text
    told = row(page, "Change failure rate")
    assert told.startswith("under 40.0 % watched from 20.0 % From the environment under 15.0 %")
    assert row(page, "Days until an asset has left").startswith("30 days From the env")
    assert "environment 90 days" in row(page, "Days until an asset has left")
    assert row(page, "Sprint length").startswith("14 days Nobody: the default the same")


def test_a_line_never_leaves_a_column_empty(web):
    page = web.sign_in("alice").get(f"{PATH}?workspace=beta").text
    cells = re.findall(r'<td data-l="The organisation gives" class="m">(.*?)</td>', page)
    assert len(cells) > 15
    assert all(cells)


def test_a_workspace_goes_before_the_organisation(web):
    alice = web.sign_in("alice")
    send(alice, RATE, "12")
    bob = web.sign_in("bob")
    assert "at most 12.0 % From the organisation" in row(
        bob.get(f"{PATH}?workspace=alpha").text, "Change failure rate"
    )
    assert send(bob, RATE, "30", workspace="alpha").status_code == 302
    told = row(bob.get(f"{PATH}?workspace=alpha").text, "Change failure rate")
    assert told.startswith("at most 30.0 % Set here bob@x.example")
    assert told.endswith("at most 12.0 % Change Change failure rate")
    assert audited(web)[-1][2]["workspace"] == "alpha"
    other = row(alice.get(f"{PATH}?workspace=beta").text, "Change failure rate")
    assert "From the organisation" in other


def test_the_organisation_is_for_who_is_platform_admin_of_every_workspace(web):
    web.people["elsewhere"] = web.world.person("elsewhere@x.example", password_hash=HASH)
    web.world.member(web.people["elsewhere"], web.world.beta, "platform_admin")
    for who in ("bob", "elsewhere"):
        client = web.sign_in(who)
        page = client.get(PATH)
        assert "changed by a platform admin of every workspace" in html.unescape(page.text)
        assert "edit=" not in page.text
        assert send(client, RATE, "12").status_code == 403
    assert send(web.sign_in("elsewhere"), RATE, "12", workspace="alpha").status_code == 404
    assert send(web.sign_in("bob"), RATE, "12", workspace="beta").status_code == 404
    assert web.sign_in("engineer").get(PATH).status_code == 403
    assert audited(web) == []


def test_one_framework_has_a_target_of_its_own(web):
    alice = web.sign_in("alice")
    send(alice, "compliance.pass_rate", "95", group="SOC2")
    page = alice.get(PATH).text
    assert row(page, "Control pass rate, SOC2").startswith("at least 95.0 % Set here")
    assert row(page, "Control pass rate").startswith("over 90.0 % Nobody: the default")


@pytest.mark.parametrize(
    ("name", "value", "more", "field"),
    [
        (RATE, "150", {}, "value"),
        (RATE, "12", {"watch": "20"}, "watch"),
        (RATE, "12", {"since": "yesterday"}, "since"),
        (RATE, "12", {"since": "1999-01-01"}, "since"),
        ("compliance.pass_rate", "90", {"group": "x" * 201}, "group"),
        ("sprint_days", "0", {}, "value"),
    ],
)
def test_a_wrong_value_is_told_at_its_field_and_what_was_typed_stays(web, name, value, more, field):
    answer = send(web.sign_in("alice"), name, value, **more)
    assert answer.status_code == 422
    wrong = re.search(r'<input[^>]*aria-invalid="true"[^>]*>', answer.text)
    assert wrong, answer.text
    assert f'name="{field}"' in wrong[0]
    assert 'id="set-wrong" role="alert"' in answer.text
    assert f'value="{value}"' in answer.text
    assert audited(web) == []


@pytest.mark.parametrize(
    ("name", "more"),
    [("nothing.here", {}), (RATE, {"action": "explode"}), (RATE, {"workspace": "nowhere"}),
     ("sprint_days", {"workspace": "alpha"}), ("", {})],
)  # fmt: skip
def test_what_no_form_sends_is_refused(web, name, more):
    answer = send(web.sign_in("alice"), name, "7", **more)
    assert answer.status_code in (404, 422)
    assert audited(web) == []


def test_what_is_so_already_is_not_changed_again(web):
    alice = web.sign_in("alice")
    send(alice, "sprint_days", "7")
    again = send(alice, "sprint_days", "7")
    assert again.status_code == 422
    assert "is so already" in again.text
    assert len(audited(web)) == 1
    assert send(alice, RATE, "", action="unset").status_code == 422


def test_what_counts_days_anew_says_so_before_it_is_done(web):
    alice = web.sign_in("alice")
    asked = send(alice, "review_days", "180, 365, 730, 730", since="2026-11-01")
    assert asked.status_code == 422
    assert "Every day from 2026-11-01 to 2026-11-22 is counted anew in 2 workspaces" in asked.text
    assert audited(web) == []
    assert marked(web) == 0
    confirmed = send(
        alice, "review_days", "180, 365, 730, 730", since="2026-11-01", confirmed="yes"
    )
    assert confirmed.status_code == 302
    assert marked(web) == 2
    assert audited(web)[0][2]["counted_anew"] == 2


def test_a_change_of_days_to_come_counts_nothing_anew(web):
    alice = web.sign_in("alice")
    assert send(alice, "postmortem_days", "5", since=TODAY.isoformat()).status_code == 302
    assert marked(web) == 0
    told = row(alice.get(PATH).text, "Days for a postmortem")
    assert told.startswith("7 days 5 days from 23 Nov 2026")


@pytest.mark.parametrize("whose", ["", "?workspace=alpha"])
def test_a_phone_names_each_cell_as_the_head_of_its_column_does(web, whose):
    page = web.sign_in("alice").get(PATH + whose).text
    tables = re.findall(r"<table.*?</table>", page, re.DOTALL)
    assert len(tables) > 5
    for table in tables:
        heads = re.findall(r'<th scope="col">([^<]+)</th>', table)
        rows = re.findall(r'<th scope="row">.*?</tr>', table, re.DOTALL)
        assert rows
        for told in rows:
            assert re.findall(r'data-l="([^"]+)"', told) == heads[1:], table[:200]
