"""Pages of sources: who sees and manages which, connecting with a test, mapping, the log."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from ingest.pulling import runner
from ingest.pulling.runner import SourceContext
from tests.ingest.pulling.senders.fake import served
from tests.ingest.pulling.senders.github import FakeGitHub
from tests.webworld import csrf, make
from web.platform.sources.broken import BrokenSources

PATH = "/platform/sources"


@pytest.fixture
def web(database, settings):
    """The small world; sources may ask this machine."""
    return make(database, settings.model_copy(update={"source_allow": ("127.0.0.0/8",)}))


@pytest.fixture
def github():
    with served(FakeGitHub()) as fake:
        fake.repository(1, "acme/payments")
        told = datetime.now(UTC) - timedelta(days=2)
        at = f"{told:%Y-%m-%dT%H:%M:%SZ}"
        fake.deployments["acme/payments"] = [
            {
                "databaseId": 77,
                "createdAt": at,
                "updatedAt": at,
                "environment": "production",
                "commitOid": "a" * 40,
                "statuses": {"nodes": [{"state": "SUCCESS", "createdAt": at}]},
            }
        ]
        yield fake


def post(client, path, **form):
    page = client.get(path if path != f"{PATH}/new" else f"{PATH}/new?kind=github").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    form |= {"csrf_token": token[1] if token else ""}
    return client.post(path, data=form, follow_redirects=True)


def connect(client, github, workspace="", **more):
    form = {
        "kind": "github",
        "name": "Our GitHub",
        "workspace": workspace,
        "secret": github.token,
        "setting-owner": "acme",
        "setting-address": github.base,
        "setting-counts": "deployments",
        "setting-changes": "no",
        "action": "connect",
    }
    return post(client, f"{PATH}/new", **form | more)


def run(web):
    return runner.run_due(SourceContext(web.world.database, web.world.settings.model_copy(
        update={"source_allow": ("127.0.0.0/8",)})))  # fmt: skip


def test_an_organisations_source_is_tested_connected_mapped_and_read(web, github):
    alice = web.sign_in("alice")
    tested = connect(alice, github, action="test")
    assert "It works." in tested.text
    assert "Such as acme/payments." in tested.text
    assert github.token not in tested.text
    page = connect(alice, github)
    assert page.request.path == f"{PATH}/1", page.text
    run(web)
    assert "not mapped" in alice.get(f"{PATH}/1").text
    assert "Nothing of it is mapped to a workspace yet." in alice.get(PATH).text
    page = post(alice, f"{PATH}/1", action="rules", rules="acme/pay* = alpha")
    assert "Mapped." in page.text
    run(web)
    page = alice.get(f"{PATH}/1").text
    assert 'href="/ws/alpha/records"' in page
    assert "Healthy" in page
    assert github.token not in page


def test_a_preview_says_what_would_count_and_keeps_nothing(web, github):
    github.repository(2, "acme/docs")
    node = github.deployments["acme/payments"][0]
    github.deployments["acme/payments"].append(
        {**node, "databaseId": 76, "environment": "staging<b>"}
    )
    alice = web.sign_in("alice")
    page = connect(alice, github, action="preview", rules="acme/pay* = alpha", days="300")
    assert page.status_code == 200
    stats = re.search(r'<div class="stats">.*?</section>', page.text, re.DOTALL)[0]
    assert re.findall(r"<b>([^<]*)</b>", stats) == ["2", "1", "1", "0", "0"]
    assert "environment &#39;staging&lt;b&gt;&#39; is not production" in stats
    meant = r'<th scope="row">([^<]*)<br><span class="m">(\w+)</span></th><td[^>]*><span>([^<]*)<'
    assert re.findall(meant, stats) == [
        ("production", "environment", "production"),
        ("staging&lt;b&gt;", "environment", "not known"),
    ]
    cells = re.findall(r'<th scope="row">([^<]*)</th><td[^>]*>([^<]*)</td><td[^>]*>([^<]*)<', stats)
    assert cells[:2] == [
        ("acme/docs", "no workspace", "not looked at"),
        ("acme/payments", "alpha", "2"),
    ]
    assert "300 days (as chosen below)" in stats
    assert "acme/pay* = alpha</textarea>" in page.text
    assert github.token not in page.text
    assert "Nothing is connected yet." in alice.get(PATH).text
    page = connect(alice, github, action="preview")
    assert "Nothing is mapped yet: this is how alpha would read all of it." in page.text
    refused = connect(alice, github, action="preview", rules="acme/* = nowhere")
    assert "Line 1: you manage no workspace nowhere." in refused.text
    bob = web.sign_in("bob")
    assert "Choose the workspace that it feeds." in connect(bob, github, action="preview").text
    assert connect(bob, github, "beta", action="preview").status_code == 403
    assert "Would count" in connect(bob, github, "alpha", action="preview").text
    asked = len(github.asked)
    assert connect(web.sign_in("engineer"), github, "alpha", action="preview").status_code == 403
    assert len(github.asked) == asked


def test_patterns_that_are_given_at_once_hold_from_the_first_sync(web, github):
    alice = web.sign_in("alice")
    connect(alice, github, rules="acme/pay* = alpha")
    run(web)
    page = alice.get(f"{PATH}/1").text
    assert "Healthy" in page
    assert "acme/pay* = alpha</textarea>" in page


def test_a_workspaces_owner_connects_for_it_and_for_no_other(web, github):
    bob = web.sign_in("bob")
    assert "Choose the workspace that it feeds." in connect(bob, github).text
    assert connect(bob, github, "beta").status_code == 403
    assert connect(bob, github, "alpha").request.path == f"{PATH}/1"
    engineer, dave = web.sign_in("engineer"), web.sign_in("dave")
    page = engineer.get(f"{PATH}/1")
    assert page.status_code == 200
    assert "Sync now" not in page.text
    assert dave.get(f"{PATH}/1").status_code == 403
    assert web.sign_in("viewer").get(PATH).status_code == 403


def test_what_is_wrong_is_said_on_the_form(web, github):
    alice = web.sign_in("alice")
    answer = connect(alice, github, "alpha", **{"setting-owner": ""})
    assert (answer.status_code, "Organisation is required." in answer.text) == (422, True)
    answer = connect(alice, github, "alpha", secret="wrong-wrong-wrong")
    assert "The sender does not take the secret: give it a new one." in answer.text
    answer = connect(alice, github, "alpha", **{"setting-address": "http://169.254.169.254"})
    assert "is link-local" in answer.text
    answer = connect(alice, github, "alpha", days="4000")
    assert "History reaches back" in answer.text


def test_a_line_of_the_mapping_that_is_none_is_named(web, github):
    alice = web.sign_in("alice")
    connect(alice, github)
    page = post(alice, f"{PATH}/1", action="rules", rules="acme/* = alpha\nnonsense")
    assert "Line 2 is not PATTERN = WORKSPACE." in page.text
    page = post(alice, f"{PATH}/1", action="rules", rules="acme/* = nowhere")
    assert "Line 1: you manage no workspace nowhere." in page.text


def test_it_is_paused_read_again_and_removed(web, github):
    alice = web.sign_in("alice")
    connect(alice, github, "alpha")
    run(web)
    assert "Paused" in post(alice, f"{PATH}/1", action="pause").text
    assert run(web) == 0
    post(alice, f"{PATH}/1", action="resume")
    assert "Choose the day" in post(alice, f"{PATH}/1", action="again").text
    day = (datetime.now(UTC) - timedelta(days=10)).date().isoformat()
    assert "is read once more" in post(alice, f"{PATH}/1", action="again", from_day=day).text
    assert run(web) == 1
    assert "Removed; what it wrote stays." in post(alice, f"{PATH}/1", action="remove").text
    assert alice.get(f"{PATH}/1").status_code == 404


def test_the_api_connects_maps_syncs_and_removes(web, github):
    alice = web.sign_in("alice")
    body = {
        "kind": "github",
        "settings": {"owner": "acme", "address": github.base, "changes": "no"},
        "secret": github.token,
    }
    made = alice.post("/api/v1/platform/sources/", json=body, headers=csrf(alice))
    assert made.status_code == 201, made.text
    assert github.token not in made.text
    path = f"/api/v1/platform/sources/{made.json['id']}/"
    rules = {"rules": [{"pattern": "*", "workspace": "alpha"}]}
    assert alice.patch(path, json=rules, headers=csrf(alice)).status_code == 200
    assert alice.post(f"{path}sync", json={}, headers=csrf(alice)).status_code == 202
    run(web)
    told = alice.get(path).json
    assert (told["state"], told["runs"][0]["written"] > 0) == ("healthy", True)
    (part,) = told["scopes"]
    chosen = part.pop("deployments")
    assert part == {"id": "1", "name": "acme/payments", "state": "mapped", "workspace": "alpha"}
    assert (chosen["choice"], chosen["by"], chosen["records"]) == ("deployments", "seen", 1)
    assert [c["number"] for c in chosen["counted"]] == [1, 0, 0, 0, 0]
    change = {"choices": {"1": "releases"}}
    assert alice.patch(path, json=change, headers=csrf(alice)).status_code == 200
    for wrong in ({"1": "pigeons"}, {"9": "tags"}, {"1": "workflow runs"}):
        told = alice.patch(path, json={"choices": wrong}, headers=csrf(alice))
        assert told.status_code == 422, wrong
    run(web)
    chosen = alice.get(path).json["scopes"][0]["deployments"]
    assert (chosen["choice"], chosen["by"], chosen["records"]) == ("releases", "hand", 0)
    wrong = alice.post(
        "/api/v1/platform/sources/", json=body | {"secret": "no"}, headers=csrf(alice)
    )
    assert (wrong.status_code, "does not take the secret" in wrong.text) == (422, True)
    bob = web.sign_in("bob")
    assert bob.get(path).status_code == 404
    assert bob.post("/api/v1/platform/sources/", json=body, headers=csrf(bob)).status_code == 403
    assert alice.delete(path, headers=csrf(alice)).status_code == 204
    assert alice.get("/api/v1/platform/sources/").json == {"sources": []}


def test_the_api_looks_ahead_and_takes_patterns(web, github):
    alice = web.sign_in("alice")
    body = {
        "kind": "github",
        "settings": {"owner": "acme", "address": github.base, "changes": "no"},
        "secret": github.token,
        "rules": [{"pattern": "*", "workspace": "alpha"}],
    }
    path = "/api/v1/platform/sources/"
    told = alice.post(f"{path}preview", json=body, headers=csrf(alice))
    assert told.status_code == 200, told.text
    assert (told.json["read"], told.json["counting"], told.json["in_no_figure"]) == (1, 1, {})
    (part,) = told.json["parts"]
    assert (part["id"], part["name"], part["workspace"]) == ("1", "acme/payments", "alpha")
    assert (part["recent"], part["deployments"]) == (1, "production deployments")
    assert [(c["choice"], c["number"]) for c in part["counted"]][:2] == [
        ("deployments", 1), ("workflow runs", 0),
    ]  # fmt: skip
    merges = alice.post(
        f"{path}preview", json=body | {"choices": {"1": "merges"}}, headers=csrf(alice)
    )
    assert (merges.json["read"], merges.json["parts"][0]["deployments"]) == (0, "merges")
    assert told.json["words"] == [
        {"about": "environment", "word": "production", "meaning": "production", "origin": "default",
         "records": 1, "counting": 1, "in_no_figure": {}}
    ]  # fmt: skip
    assert [each["days"] for each in told.json["histories"]] == [28, 90, 400]
    assert github.token not in told.text
    assert alice.get(path).json == {"sources": []}
    for wrong, field in (({"kind": "nothing"}, "kind"), ({"secret": "no"}, "settings")):
        answer = alice.post(f"{path}preview", json=body | wrong, headers=csrf(alice))
        assert (answer.status_code, field in answer.text) == (422, True)
    bob = web.sign_in("bob")
    assert bob.post(f"{path}preview", json=body, headers=csrf(bob)).status_code == 403
    made = alice.post(path, json=body, headers=csrf(alice))
    run(web)
    assert alice.get(f"{path}{made.json['id']}/").json["scopes"][0]["workspace"] == "alpha"


def test_patterns_are_previewed_and_each_workspace_has_its_line(web, github):
    github.repository(2, "acme/docs")
    alice = web.sign_in("alice")
    connect(alice, github)
    run(web)
    page = post(alice, f"{PATH}/1", action="preview", rules="acme/pay* = alpha")
    assert "Nothing is saved yet" in page.text
    assert "no workspace: in no figure" in page.text
    assert "acme/pay* = alpha</textarea>" in page.text, "what was typed stays"
    assert "What each workspace gets" not in page.text
    post(alice, f"{PATH}/1", action="rules", rules="acme/pay* = alpha")
    run(web)
    page = alice.get(f"{PATH}/1").text
    line = re.search(r"What each workspace gets.*?</table>", page, re.DOTALL)[0]
    assert re.findall(r'data-l="[^"]+"[^>]*>([^<]*)<', line) == ["1", "acme/payments", "1"]


def test_broken_sources_are_counted_beside_the_pages_name_for_who_sees_them(
    web, github, monkeypatch
):
    monkeypatch.setattr("web.platform.sources.broken.SECONDS", -1.0)
    alice = web.sign_in("alice")
    connect(alice, github)
    connect(alice, github, "beta")
    database = web.world.database

    def counted(who):
        told = BrokenSources(lambda: database.web, lambda: database)(web.people[who])
        return told and (told.number, told.words)

    assert counted("alice") is None
    for state in ("state = 'failing'", "made_at = now() - interval '9 days'"):
        web.world.sql("update source set state = 'new', made_at = now()")
        web.world.sql(f"update source set {state}")
        assert counted("alice") == (2, "do not sync")
        assert [counted(who) for who in ("bob", "viewer", "dave")] == [None, None, None]
    assert "do not sync" in alice.get("/account").text
    assert "Silent for three turns" in alice.get(PATH).text


class Listening(FakeGitHub):
    """A sender of somebody else's: it takes down what it is told as a secret."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def authorised(self, headers):
        self.told.append(headers.get("Authorization", ""))
        return True


def test_a_secret_goes_to_no_address_that_it_was_not_given_for(web, github):
    alice, bob = web.sign_in("alice"), web.sign_in("bob")
    connect(alice, github, "alpha")
    form = {"setting-owner": "acme", "setting-counts": "deployments", "setting-changes": "no"}
    with served(Listening()) as evil:
        evil.repository(1, "acme/payments")
        page = post(
            bob, f"{PATH}/1", action="save", **form | {"setting-address": github.base + "/"}
        )
        assert "Saved." in page.text
        assert "secret is gone" not in page.text, "the same place"
        page = post(bob, f"{PATH}/1", action="save", **form | {"setting-address": evil.base})
        assert "secret is gone" in page.text
        run(web)
        assert evil.asked
        assert not any(github.token in told for told in evil.told)
        post(bob, f"{PATH}/1", action="secret", secret="another-secret-for-them")
        run(web)
        assert any("another-secret-for-them" in told for told in evil.told)


def test_the_organisations_sources_are_changed_by_who_administers_every_workspace(web, github):
    web.world.member(web.people["dave"], web.world.beta, "platform_admin")
    alice, dave = web.sign_in("alice"), web.sign_in("dave")
    connect(alice, github)
    assert "Our GitHub" in dave.get(PATH).text
    page = dave.get(f"{PATH}/1")
    assert page.status_code == 200
    assert "Sync now" not in page.text
    for action in ("sync", "pause", "secret", "rules", "map", "save", "remove"):
        assert post(dave, f"{PATH}/1", action=action, secret="x").status_code == 403, action
    api = f"/api/v1{PATH}/"
    asked = ({"enabled": False}, {"secret": "x"}, {"settings": {}}, {"rules": []})
    for body in asked:
        assert dave.patch(f"{api}1/", json=body, headers=csrf(dave)).status_code == 403
    assert dave.delete(f"{api}1/", headers=csrf(dave)).status_code == 403
    new = {"kind": "github", "workspace": None, "settings": {"owner": "acme"}}
    assert dave.post(api, json=new, headers=csrf(dave)).status_code == 403
    assert "Choose the workspace that it feeds." in connect(dave, github).text
    assert connect(dave, github, "beta").request.path == f"{PATH}/2"


def test_what_a_deployment_is_stands_on_the_pages_and_is_changed_there(web, github):
    """Before it is connected, on the source's page, and beside the figure."""
    alice, own = web.sign_in("alice"), {"setting-counts": "each repository's own"}
    github.repository(2, "acme/web")
    github.pulls["acme/web"] = [
        {"number": 4, "merged": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
         "authored": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    ]  # fmt: skip
    rules = {"rules": "acme/* = alpha"}
    page = connect(alice, github, **own, **rules, action="preview").text
    part = r'name="choice-(\d)" form="connect"[^>]*><option value="">([^<]*)</option>'
    assert re.findall(part, page) == [
        ("1", "production deployments: 1, the first that there is"),
        ("2", "merges: 1, the first that there is"),
    ]
    wrong = connect(alice, github, **own, **rules, **{"choice-2": "pigeons"})
    assert "is one of deployments" in wrong.text
    page = connect(alice, github, **own, **rules, **{"choice-2": "releases"}, action="preview").text
    assert '<option value="releases" selected>releases: 0</option>' in page
    connect(alice, github, **own, **rules, **{"choice-2": "releases"})
    run(web)
    page = alice.get(f"{PATH}/1").text
    assert "counts instead of the former one, not beside it" in page
    assert re.findall(r'class="sub2">((?:the first|chosen|by the)[^<]*)<', page) == [
        "the first that there is", "chosen by hand",
    ]  # fmt: skip
    told = post(alice, f"{PATH}/1", action="choose", scope="1", choice="merges")
    assert "the next sync withdraws what counted until now" in told.text
    run(web)
    page = alice.get(f"{PATH}/1").text
    assert "1 production deployments count no more" in page
    told = post(alice, f"{PATH}/1", action="choose", scope="1", choice="workflow runs")
    assert "No workflow of it says that it deploys" in told.text
    bob = web.sign_in("bob")
    refused = post(bob, f"{PATH}/1", action="choose", scope="1", choice="tags")
    assert refused.status_code in (403, 404)
