"""First steps: sample data that stands beside nothing real and leaves nothing; GitHub's repositories."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from app import create_app
from demo.removal import samples_of
from ingest.importer import load
from ingest.kinds import KINDS
from ingest.pulling import runner
from ingest.pulling.runner import SourceContext
from storage.context import job_in
from storage.tables import metadata
from tests.ingest.pulling.senders.fake import served
from tests.ingest.pulling.senders.github import FakeGitHub
from tests.ingest.pulling.test_github import NOW, deployment, stamp, timedelta
from tests.webworld import COMPILED, HASH, WebWorld
from tests.world import World
from web.server.application import DRAINER

PATH = "/first-run"


@pytest.fixture
def fresh(database, settings):
    """An installation without a workspace, and Ada, the first account."""
    settings = settings.model_copy(update={"source_allow": ("127.0.0.0/8",)})
    world = World(database, settings)
    ada = world.person("ada@x.example", password_hash=HASH)
    app = create_app(settings, database)
    app.jinja_env.bytecode_cache = COMPILED
    app.mount()
    app.extensions[DRAINER].stop()
    return WebWorld(app, world, {"ada": ada})


def post(client, path=PATH, **form):
    page = client.get(path).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    return client.post(PATH, data={**form, "csrf_token": token}, follow_redirects=True)


def counts(fresh, ids) -> dict[str, int]:
    """Rows of every table of these tenants, where there are any."""
    tables = [t.name for t in metadata.sorted_tables if "workspace_id" in t.c]
    told: dict[str, int] = {}
    for workspace_id in ids:
        with job_in(fresh.world.database.job, workspace_id) as connection:
            for name in tables:
                number = connection.execute(text(f"select count(*) from {name}")).scalar()
                told[name] = told.get(name, 0) + number
    return {name: number for name, number in told.items() if number}


def test_sample_data_stands_beside_nothing_real_and_leaves_nothing(fresh, tmp_path):
    ada = fresh.sign_in("ada")
    page = post(ada, action="sample")
    assert "6 workspaces of sample data are there" in page.text
    assert "These are sample figures." in page.text
    assert "Make the first figures" not in page.text
    shown = ada.get("/api/v1/platform/executive-dashboard/?period=90&domain=dora").json
    assert shown["scope"]["workspaces"] >= 5
    assert "(sample)" in str(shown)
    refused = post(ada, action="workspaces", workspaces="Payments")
    assert "Remove the sample data first" in refused.text
    path = tmp_path / "workspaces.csv"
    path.write_text("slug,name\npayments,Payments\n")
    (outcome,) = load(fresh.world.database, KINDS["workspaces"], [path])
    assert "sample data is there" in outcome.problem
    with pytest.raises(Exception, match="beside no real records"):
        fresh.world.sql("insert into workspace (slug, name) values ('payments', 'Payments')")
    ids = samples_of(fresh.world.database)
    assert counts(fresh, ids)["workspace_usage_snapshot"] > 500
    page = post(ada, action="unsample")
    assert "6 workspaces of sample data are removed" in page.text
    assert counts(fresh, ids) == {}
    assert "1 workspaces are made." in post(ada, action="workspaces", workspaces="Payments").text
    assert "There are workspaces already" in post(ada, action="sample").text
    assert "0 workspaces of sample data are removed" in post(ada, action="unsample").text
    with pytest.raises(Exception, match="real records is not deleted"):
        fresh.world.sql("delete from workspace")


@pytest.fixture
def github():
    with served(FakeGitHub()) as fake:
        for number, name in enumerate(("payments", "search", "docs"), 1):
            fake.repository(number, f"acme/{name}")
            fake.deployments[f"acme/{name}"] = [deployment(number, NOW - timedelta(days=1))]
        yield fake


def connect(ada, fake, **more):
    form = {"owner": "acme", "secret": fake.token, "address": fake.base} | more
    return post(ada, action="github", **form)


def test_githubs_repositories_become_workspaces_that_they_feed(fresh, github):
    ada = fresh.sign_in("ada")
    page = connect(ada, github)
    assert github.token not in page.text
    source = re.search(r'name="source" value="(\d+)"', page.text)[1]
    assert re.findall(r'name="repository" value="([^"]+)"', page.text) == [
        "acme/docs", "acme/payments", "acme/search",
    ]  # fmt: skip
    assert "Choose at least one repository." in post(ada, action="adopt", source=source).text
    chosen = ["acme/payments", "acme/search", "acme/of-somebody-else"]
    page = post(ada, action="adopt", source=source, repository=chosen)
    assert "2 workspaces are made" in page.text
    context = SourceContext(fresh.world.database, fresh.world.settings.model_copy(
        update={"source_allow": ("127.0.0.0/8",)}))  # fmt: skip
    assert runner.run_due(context) == 1
    page = ada.get(f"/platform/sources/{source}").text
    assert "acme/docs" in page
    assert "2 deployments" in ada.get(PATH).text


def test_what_a_deployment_is_differs_by_repository_and_is_chosen_there(fresh, github):
    github.deployments["acme/docs"] = []
    github.pulls["acme/docs"] = [{"number": 3, "merged": stamp(NOW), "authored": stamp(NOW)}]
    github.releases["acme/search"] = [{"tag_name": "v1.0", "published_at": stamp(NOW)}]
    ada = fresh.sign_in("ada")
    page = connect(ada, github).text
    chosen = re.findall(r'name="choice-\d"[^>]*>.*?<option value="([^"]*)" selected>([^<]*)<', page)
    assert chosen == [
        ("merges", "merges: 1"), ("deployments", "production deployments: 1"),
        ("deployments", "production deployments: 1"),
    ]  # fmt: skip
    source = re.search(r'name="source" value="(\d+)"', page)[1]
    wrong = {"choice-2": "pigeons", "repository": "acme/search", "source": source}
    assert "is one of deployments" in post(ada, action="adopt", **wrong).text
    form = {
        "choice-1": "deployments", "choice-2": "releases", "choice-3": "merges", "source": source,
        "repository": ["acme/docs", "acme/payments", "acme/search"],
    }  # fmt: skip
    assert "3 workspaces are made" in post(ada, action="adopt", **form).text
    context = SourceContext(fresh.world.database, fresh.world.settings.model_copy(
        update={"source_allow": ("127.0.0.0/8",)}))  # fmt: skip
    assert runner.run_due(context) == 1
    page = ada.get(f"/platform/sources/{source}").text
    by = re.findall(r'class="sub2">((?:the first|chosen)[^<]*)<', page)
    assert by == ["the first that there is", "the first that there is", "chosen by hand"]
    assert "3 deployments" in ada.get(PATH).text


def test_what_github_refuses_is_said_and_nothing_is_kept(fresh, github):
    ada = fresh.sign_in("ada")
    page = connect(ada, github, secret="wrong-wrong-wrong")
    assert "The sender does not take the secret" in page.text
    assert "is link-local" in connect(ada, github, address="http://169.254.169.254").text
    assert "Organisation is required" in connect(ada, github, owner="").text
    with fresh.world.database.owner.connect() as connection:
        assert connection.execute(text("select count(*) from source")).scalar() == 0


def test_nobody_takes_the_repositories_of_anothers_source(fresh, github):
    ada = fresh.sign_in("ada")
    page = connect(ada, github)
    source = re.search(r'name="source" value="(\d+)"', page.text)[1]
    fresh.people["eve"] = fresh.world.person("eve@x.example", password_hash=HASH)
    eve = fresh.sign_in("eve")
    assert 'name="repository"' not in eve.get(f"{PATH}?source={source}").text
    told = post(eve, action="adopt", source=source, repository="acme/payments").text
    assert "Choose at least one repository." in told
    for odd in ("0", "-1", "x", "9" * 30, "1e3", ""):
        assert eve.get(f"{PATH}?source={odd}").status_code == 200
        assert post(eve, action="adopt", source=odd, repository="acme/payments").status_code == 200


def test_name_and_time_zone_are_chosen_before_there_are_figures(fresh):
    ada, named = fresh.sign_in("ada"), {"action": "organisation", "name": "Northwind"}
    told = post(ada, **named, zone="Europe/Vienna").text
    assert "Northwind; days end by the time of Europe/Vienna." in told
    assert "Northwind · Europe/Vienna" in ada.get(PATH).text
    for wrong in ("", "Mars/Olympus", "../etc", "x" * 61):
        assert "days end by" not in post(ada, **named, zone=wrong).text, wrong
    for wrong in ("", " ", "x" * 121):
        told = post(ada, action="organisation", name=wrong, zone="Asia/Tokyo").text
        assert "It takes" in told, wrong
    assert fresh.app.installation.settings.zone.key == "Europe/Vienna", "neither without the other"
    post(ada, action="sample")
    told = post(ada, **named, zone="Asia/Tokyo").text
    assert "There are figures already" in told


def test_the_organisation_is_changed_by_who_administers_every_workspace(fresh, github):
    """Whoever could make a workspace alone would take the organisation's settings from all the others."""
    ada, world = fresh.sign_in("ada"), fresh.world
    post(ada, action="workspaces", workspaces="Payments\nSearch")
    fresh.people["eve"] = world.person("eve@x.example", password_hash=HASH)
    with world.database.job.connect() as connection:
        query = text("select id from workspace where slug = 'search'")
        world.member(fresh.people["eve"], connection.execute(query).scalar_one(), "platform_admin")
    eve = fresh.sign_in("eve")
    for action in ("workspaces", "organisation", "sample", "unsample", "adopt", "", "github"):
        told = {"workspaces": "Mine", "zone": "Asia/Tokyo", "owner": "acme"}
        assert post(eve, action=action, **told).status_code == 403, action
    assert "are being made" in post(eve, action="figures").text
    assert "1 workspaces are made." in post(ada, action="workspaces", workspaces="Identity").text
