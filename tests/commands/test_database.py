"""``db``: a migration that fails says what it missed, and leaves the schema as it was."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from sqlalchemy import URL, create_engine, text

from storage import schema
from tests.conftest import superuser
from tests.served import ROOT
from tests.webworld import make


@pytest.fixture
def behind(server) -> Iterator[URL]:
    """A database before its last migrations, without a table that they write to."""
    url = server.owner.url.set(username="postgres", database="postgres")
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("create database behind owner vigilo_owner"))
    owner = create_engine(server.owner.url.set(database="behind"))
    with owner.begin() as connection:
        schema.migrate(connection, server.roles, target="0029")
        connection.execute(text("drop table snapshot_due cascade"))
    yield owner.url
    owner.dispose()
    with admin.connect() as connection:
        connection.execute(text("drop database behind with (force)"))
    admin.dispose()


def test_a_migration_that_fails_says_what_it_missed(server, behind, settings):
    plain = {"drivername": "postgresql"}
    addresses = {
        "VIGILO_DATABASE_URL": behind.set(username=server.web.url.username, **plain),
        "VIGILO_OWNER_DATABASE_URL": behind.set(**plain),
        "VIGILO_DATA_DIR": settings.data_dir,
    }
    told = {name: getattr(v, "render_as_string", v.__str__)() for name, v in addresses.items()}
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", "db", "upgrade"],
        cwd=ROOT, env=os.environ | told, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "could not be brought up to date, and is as it was" in done.stderr
    assert '"snapshot_due" does not exist' in done.stderr
    assert "Traceback" not in done.stderr


def test_what_somebody_changed_is_told_and_made_again(database, settings):
    web = make(database, settings)
    with superuser(database).begin() as connection:
        connection.execute(text("alter policy web_read on incident using (true)"))
        connection.execute(text("alter table membership disable trigger all"))
    with web.app.app_context():
        runner = web.app.test_cli_runner()
        mended = runner.invoke(args=["db", "mend"])
        left = runner.invoke(args=["doctor", "--no-address"])
        with superuser(database).begin() as connection:
            connection.execute(text("alter table membership enable trigger all"))
        well = runner.invoke(args=["db", "mend"])
    assert mended.exit_code == 1
    assert "Mended: policy web_read on incident is not as it was made\n" in mended.output
    assert "Left: constraint membership_user_id_fkey on membership is disabled" in mended.output
    assert "alter table public.membership enable trigger all;   (as a superuser)" in left.output
    assert (well.exit_code, well.output) == (0, "Everything is as the migrations made it.\n")


def test_rows_that_are_in_the_way_are_said_and_nothing_is_half_mended(database, settings):
    web = make(database, settings)
    with superuser(database).begin() as connection:
        connection.execute(text("alter policy web_read on incident using (true)"))
        connection.execute(text("alter table app_user drop constraint app_user_email_key"))
        for _ in range(2):
            connection.execute(
                text("insert into app_user (email, name) values ('twice@x.example', 'T')")
            )
    try:
        with web.app.app_context():
            told = web.app.test_cli_runner().invoke(args=["db", "mend"])
            ill = web.app.test_cli_runner().invoke(args=["doctor", "--no-address"])
    finally:
        with superuser(database).begin() as connection:
            connection.execute(text("delete from app_user where email = 'twice@x.example'"))
        database.mend()
    assert told.exit_code == 1
    assert (
        "Nothing is mended, something is in the way: could not create unique index" in told.output
    )
    assert "policy web_read on incident is not as it was made" in ill.output
