"""Records of a workspace on the page and over the API: who may, what is shown, what is done."""

from __future__ import annotations

import json
import re
from uuid import UUID

import pytest
from sqlalchemy import text

from ingest.door.deliveries import accept, drain
from storage.context import job_in
from tests.web.told.beside import told_beside
from tests.webworld import csrf

PAGE = "/ws/alpha/records"
API = "/api/v1/ws/alpha/"
DEPLOYMENT = {
    "deployment": {"id": 71, "environment": "kiosk", "created_at": "2026-11-02T09:00:00Z"},
    "deployment_status": {"state": "success", "created_at": "2026-11-02T09:05:00Z"},
    "repository": {"name": "api"},
}
KEEPERS = ("alice", "bob", "admin", "engineer")


@pytest.fixture
def delivery(web) -> str:
    """A delivery of which one part lies in quarantine."""
    bad = {**DEPLOYMENT, "deployment": {"environment": "kiosk"}}
    body = json.dumps([DEPLOYMENT, bad]).encode()
    made = accept(web.world.database, web.world.alpha, "github", body, source="engineer@x.example")
    drain(web.world.database)
    return str(made)


def post(browser, path=PAGE, **form):
    page = browser.get(path)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    return browser.post(path, data={"csrf_token": token[1], **form}, follow_redirects=True)


def parts(browser) -> list[dict]:
    return browser.get(API + "quarantine/").json["parts"]


READS = ("deliveries/", "quarantine/", "mapping/", "records/incidents/INC-0001")


@pytest.mark.parametrize("who", ["viewer", "approver", "dave", "revoked"])
def test_others_see_and_change_nothing(web, delivery, who):
    browser = web.sign_in(who)
    status = 403 if who in ("viewer", "approver") else 404
    headers = csrf(browser)
    assert browser.get(PAGE).status_code == status
    assert browser.get(PAGE + "/incidents/INC-0001").status_code == status
    for path in (*READS, f"deliveries/{delivery}", f"deliveries/{delivery}/content"):
        assert browser.get(API + path).status_code == status, path
    (part,) = parts(web.sign_in("engineer"))
    for path in (f"quarantine/{part['id']}/drop", f"quarantine/{part['id']}/replay"):
        assert browser.post(API + path, headers=headers).status_code == status
    change = {"about": "environment", "word": "kiosk", "meaning": "production"}
    assert browser.put(API + "mapping/", json=change, headers=headers).status_code == status
    correction = {"withdraw": True}
    path = API + "records/incidents/INC-0001"
    assert browser.post(path, json=correction, headers=headers).status_code == status
    assert len(parts(web.sign_in("engineer"))) == 1


@pytest.mark.parametrize("who", KEEPERS)
def test_keepers_see_it(web, delivery, who):
    browser = web.sign_in(who)
    page = browser.get(PAGE).text
    assert "kiosk" in page
    assert "environment &#39;kiosk&#39; is not production" in page
    for path in READS:
        assert browser.get(API + path).status_code == 200
    listed = browser.get(API + "deliveries/").json
    assert (listed["total"], listed["deliveries"][0]["delivery"]) == (1, delivery)
    content = browser.get(API + f"deliveries/{delivery}/content")
    assert json.loads(content.data)[0] == DEPLOYMENT
    assert content.headers["Content-Disposition"].startswith("attachment")


def test_a_change_needs_the_token_of_the_session(web, delivery):
    browser = web.sign_in("engineer")
    for answer in (
        browser.put(API + "mapping/", json={"about": "environment", "word": "a", "meaning": None}),
        browser.post(API + "records/incidents/INC-0001", json={"withdraw": True}),
        browser.post(API + f"deliveries/{delivery}/replay"),
        browser.post(PAGE, data={"action": "drop"}),
    ):
        assert answer.status_code == 403


def test_a_part_is_dropped_on_the_page(web, delivery):
    browser = web.sign_in("engineer")
    (part,) = parts(browser)
    assert "Dropped." in post(browser, action="drop", part=part["id"]).text
    assert parts(browser) == []
    assert browser.get(API + f"deliveries/{delivery}").json["state"] == "dropped"
    assert "lies in quarantine" in post(browser, action="drop", part=part["id"]).text


def test_a_replay_reads_again_and_counts_nothing_twice(web, delivery):
    browser = web.sign_in("engineer")
    (part,) = parts(browser)
    assert "1 still in quarantine" in post(browser, action="replay", part=part["id"]).text
    again = browser.post(API + f"deliveries/{delivery}/replay", headers=csrf(browser)).json
    assert (again["written"], again["unchanged"], again["state"]) == (0, 1, "quarantined")


def test_a_body_whose_time_is_over_is_not_read_again(web, delivery):
    with job_in(web.world.database.job, web.world.alpha) as connection:
        connection.execute(text("update delivery set content = null"))
    browser = web.sign_in("engineer")
    answer = browser.post(API + f"deliveries/{delivery}/replay", headers=csrf(browser))
    assert (answer.status_code, answer.json["code"]) == (410, "gone")
    assert browser.get(API + f"deliveries/{delivery}/content").status_code == 404


def test_a_meaning_is_set_on_the_page_and_taken_back_over_the_api(web, delivery):
    browser = web.sign_in("engineer")
    page = post(browser, action="map", about="environment", word="Kiosk", meaning="production")
    assert "1 records hold" in page.text
    (word,) = [w for w in browser.get(API + "mapping/").json["words"] if w["word"] == "kiosk"]
    assert (word["origin"], word["counted"]) == ("workspace", 1)
    back = {"about": "environment", "word": "kiosk", "meaning": None}
    done = browser.put(API + "mapping/", json=back, headers=csrf(browser))
    assert (done.status_code, done.json["records"]) == (200, 1)


def test_a_framework_is_given_another_name_on_the_page_and_over_the_api(web):
    name = "xccdf_profile_cis"
    row = {
        "framework": name,
        "control": "1.1",
        "result": "partial",
        "assessed_at": "2026-11-02T09:00:00Z",
    }
    web.world.add(web.world.alpha, "control_result", [row])
    browser = web.sign_in("engineer")
    assert "counts under its own name" in browser.get(PAGE).text
    page = post(browser, action="map", about="framework", word=name, meaning="Board's <own>")
    assert 'value="Board&#39;s &lt;own&gt;"' in page.text
    back = {"about": "framework", "word": name, "meaning": None}
    done = browser.put(API + "mapping/", json=back, headers=csrf(browser))
    assert (done.status_code, done.json["records"] > 0) == (200, True)
    page = post(browser, action="map", about="framework", word=name, meaning=" ")
    assert "Meaning is empty." in page.text


def test_a_delivery_leads_to_what_it_wrote_and_to_what_could_not_be_read(web, delivery):
    browser = web.sign_in("engineer")
    assert f'href="/ws/alpha/deliveries/{delivery}"' in browser.get(PAGE).text
    page = browser.get(f"/ws/alpha/deliveries/{delivery}").text
    (record,) = re.findall(r'href="(/ws/alpha/records/deployments/[^"]+)"', page)
    assert f'href="/ws/alpha/deliveries/{delivery}"' in browser.get(record).text
    assert "In no figure: environment &#39;kiosk&#39; is not production" in page
    (part,) = parts(browser)
    assert f'name="part" value="{part["id"]}"' in page
    assert f'<span class="m">{part["pointer"]}</span>' in page
    assert browser.get(f"/ws/alpha/deliveries/{UUID(int=0)}").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"about": "weather", "word": "a", "meaning": "p1"}, "about"),
        ({"about": "severity", "word": " ", "meaning": "p1"}, "word"),
        ({"about": "severity", "word": "a", "meaning": "grave"}, "meaning"),
        ({"about": "severity", "word": "a\0", "meaning": "p1"}, "word"),
        ({"about": "severity", "word": "a"}, "meaning"),
    ],
)
def test_a_wrong_meaning_is_refused_by_field(web, body, field):
    browser = web.sign_in("engineer")
    answer = browser.put(API + "mapping/", json=body, headers=csrf(browser))
    assert (answer.status_code, answer.json["field"]) == (422, field)


def test_a_record_is_corrected_and_withdrawn_and_says_who_said_what(web):
    browser, path = web.sign_in("engineer"), PAGE + "/incidents/INC-0001"
    page = post(browser, path, action="correct", field="severity", value="P2").text
    assert "Done" in page
    assert "engineer@x.example" in page
    assert "&lt;b&gt;" in page
    answer = browser.get(API + "records/incidents/INC-0001").json
    assert answer["record"]["severity"] == "p2"
    assert "withdrawn" in post(browser, path, action="withdraw").text
    assert "Take it out" in post(browser, path, action="restore").text
    refused = post(browser, path, action="correct", field="resolved_at", value="yesterday")
    assert "Takes an instant" in refused.text


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"correct": {"severity": "wobbly"}}, 422, "severity"),
        ({"correct": {"colour": "red"}}, 422, "colour"),
        ({"merge_into": "INC-0001"}, 422, "merged_into"),
        ({"merge_into": "nothing"}, 404, None),
        ({}, 422, "body"),
        ({"withdraw": True, "merge_into": "x"}, 422, "body"),
    ],
)
def test_a_wrong_correction_is_refused_by_field(web, body, status, field):
    browser = web.sign_in("engineer")
    path = API + "records/incidents/INC-0001"
    answer = browser.post(path, json=body, headers=csrf(browser))
    assert (answer.status_code, answer.json.get("field")) == (status, field)


def test_a_key_with_an_empty_part_has_its_page(web):
    row = {"framework": "ISO/27001", "control": "A/5", "asset": "", "result": "partial",
           "assessed_at": "2026-11-01T00:00:00Z"}  # fmt: skip
    web.world.add(web.world.alpha, "control_result", [row])
    path = PAGE + "/control-results/ISO/27001/A/5//2026-11-01T00:00:00Z"
    answer = web.sign_in("engineer").get(path)
    assert answer.status_code == 200
    assert "partial" in answer.text


WRONG = (
    ({"action": "correct", "field": "severity", "value": "wobbly"}, "value", "wobbly"),
    ({"action": "correct", "field": "opened_at", "value": ""}, "value", "Is required"),
    ({"action": "correct", "field": "key", "value": "X"}, "field", "Is part of the key"),
    ({"action": "correct", "field": "severity", "value": "x" * 4001}, "value", "4000"),
    ({"action": "merge", "into": "INC-9999"}, "into", "There is no record 'INC-9999'"),
    ({"action": "merge", "into": "INC-0001"}, "into", "Can not be INC-0001: that is part of it."),
)


@pytest.mark.parametrize(("told", "field", "words"), WRONG)
def test_what_is_wrong_with_a_correction_is_told_beside_its_field(web, told, field, words):
    browser = web.sign_in("bob")
    path = "/ws/alpha/records/incidents/INC-0001"
    page = post(browser, path, **told).text
    assert words in told_beside(page, field)
    if told["action"] == "merge":
        assert f'value="{told["into"]}"' in page
    elif field == "value":
        assert f'<option selected value="{told["field"]}">' in page
    assert "autofocus" not in browser.get(path).text


def test_a_button_that_does_nothing_is_told_at_the_top(web):
    page = post(web.sign_in("bob"), "/ws/alpha/records/incidents/INC-0001", action="part").text
    assert '<p class="note x" role="alert">INC-0001 is part of no other.</p>' in page


def test_a_record_of_another_workspace_is_none_here(web):
    assert web.sign_in("alice").get("/ws/beta/records/deployments/alpha-1").status_code == 404


@pytest.mark.parametrize(
    ("kind", "row", "key"),
    [
        (
            "control_result",
            {"framework": "SOC2", "control": "a/b", "asset": "h", "result": "partial"},
            "control-results/SOC2/a/b",
        ),
        (
            "certificate",
            {"fingerprint": "ab" * 32, "host": "h.example"},
            f"certificates/{'ab' * 32}",
        ),
    ],
)
def test_what_a_row_of_a_grid_sums_up_leads_to_each_record(web, kind, row, key):
    instants = {"control_result": ("assessed_at",), "certificate": ("not_before", "not_after")}
    told = {**row, **dict.fromkeys(instants[kind], "2026-11-02T09:00:00Z")}
    web.world.add(web.world.alpha, kind, [told])
    browser = web.sign_in("engineer")
    page = browser.get(f"{PAGE}/{key}")
    assert page.status_code == 200
    (href,) = set(re.findall(rf'href="({PAGE}/{re.escape(key)}/[^"]+)"', page.text))
    assert "Withdraw" in browser.get(href).text
    assert browser.get(f"{PAGE}/{key}x").status_code == 404
    assert web.sign_in("viewer").get(f"{PAGE}/{key}").status_code == 403


def test_a_control_that_is_only_set_up_leads_to_that(web):
    set_up = {
        "framework": "HIPAA",
        "control": "1",
        "title": "Keys",
        "set_up_at": "2026-11-02T09:00:00Z",
    }
    web.world.add(web.world.alpha, "framework_control", [set_up])
    page = web.sign_in("engineer").get(f"{PAGE}/control-results/HIPAA/1", follow_redirects=True)
    assert (page.status_code, "Keys" in page.text) == (200, True)


def test_a_record_is_told_in_words_and_in_the_reporting_zone(web):
    page = web.sign_in("engineer").get(PAGE + "/incidents/INC-0001").text
    told = dict(re.findall(r'<th scope="row" title="(\w+)">([^<]+)</th>', page))
    assert told["opened_at"] == "Opened"
    assert not {"left_out", "merged_into", "is_over", "workspace_id"} & set(told)
    assert re.search(r"\d{4} \d\d:\d\d:\d\d UTC", page)
    assert not re.search(r"\d\d:\d\d:\d\dZ", page)
