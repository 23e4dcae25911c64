"""Time zone that people have chosen: it holds in every process, and over what is configured."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from aggregators.chosen.known import find_setting
from app import create_app
from ingest.desk.choosing import Choice, choose
from settings import load
from storage.database import connect
from tests.conftest import TODAY, empty
from tests.webworld import API, DAY, PASSWORD, WebWorld, make
from web.server.installation import Installation


@pytest.fixture
def berlin(database, settings) -> WebWorld:
    """The small world after somebody chose another zone."""
    web = make(database, settings)
    choice = Choice(find_setting("time_zone"), "Europe/Berlin", DAY, "alice@x.example")
    choose(database, choice, settings.time_zone)
    return WebWorld(create_app(settings, database), web.world, web.people)


def test_the_program_goes_by_it(berlin):
    assert berlin.app.installation.settings.now().tzinfo.key == "Europe/Berlin"
    client = berlin.sign_in("alice", PASSWORD)
    assert client.get(f"{API}?period=7").json["time_zone"] == "Europe/Berlin"
    assert "Instants in Europe/Berlin" in client.get("/platform/audit").text


def test_migrating_keeps_it(berlin, settings):
    berlin.world.database.upgrade(settings)
    with berlin.world.database.owner.connect() as connection:
        query = text("select time_zone from installation")
        assert connection.execute(query).scalar_one() == "Europe/Berlin"


def test_taken_back_the_configured_one_holds(berlin, settings):
    choice = Choice(find_setting("time_zone"), None, DAY, "alice@x.example")
    choose(berlin.world.database, choice, settings.time_zone)
    assert Installation(settings, berlin.world.database).settings.zone.key == "UTC"


def test_without_a_database_the_configured_one_holds(tmp_path):
    away = load(
        data_dir=tmp_path,
        database_url="postgresql://nobody@127.0.0.1:1/none",
        time_zone="Asia/Tokyo",
        today=TODAY,
        secret_key="x" * 32,
    )
    installation = Installation(away)
    assert installation.settings.zone.key == "Asia/Tokyo"
    assert installation.settings.now().date() == TODAY
    installation.database.close()


def test_before_the_first_migration_the_configured_one_holds(server, settings):
    """A database without the table."""
    empty(server)
    bare = connect(settings)
    with bare.owner.connect() as connection:
        connection.execute(text("alter table organisation_setting rename to set_aside"))
        connection.commit()
        try:
            assert Installation(settings, bare).settings.zone.key == settings.time_zone
        finally:
            connection.execute(text("alter table set_aside rename to organisation_setting"))
            connection.commit()
    bare.close()
