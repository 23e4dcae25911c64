"""``backup`` as an operator types it."""

from __future__ import annotations

import fcntl
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from click.testing import Result

from app import create_app
from settings import load
from tests.conftest import superuser
from tests.webworld import make


@pytest.fixture
def typed(database, settings, tmp_path):
    """Runs a command of the tests' installation, with backups in a folder of their own."""
    app = create_app(settings.model_copy(update={"backup_dir": tmp_path}), database)

    def run(*words: str) -> Result:
        with app.app_context():
            return app.test_cli_runner().invoke(args=["backup", *words])

    return run


def test_one_is_made_listed_and_proved_in_a_server_of_its_own(typed, database, settings):
    make(database, settings)
    made = typed("create")
    assert made.exit_code == 0, made.output
    name = made.output.split()[0]
    assert name in typed("list").output
    proved = typed("verify", "--full")
    assert proved.output == f"{name} is good: restored and compared.\n"


def test_a_backup_of_a_harmed_database_says_so_and_removes_no_older_one(typed, database):
    assert typed("create").exit_code == 0
    with superuser(database).begin() as connection:
        connection.exec_driver_sql("alter table incident no force row level security")
    try:
        made = typed("create", "--keep", "1")
    finally:
        with superuser(database).begin() as connection:
            connection.exec_driver_sql("alter table incident force row level security")
    assert made.exit_code == 1
    assert "holds harm" in made.output
    assert "security of incident is not enabled and forced" in made.output
    assert "2 in " in typed("list").output


def test_two_that_begin_in_one_second_are_two(typed):
    with ThreadPoolExecutor() as both:
        made = list(both.map(lambda _: typed("create"), range(2)))
    assert [each.exit_code for each in made] == [0, 0], [each.output for each in made]
    assert "2 in " in typed("list").output


def test_a_clock_that_was_set_back_makes_no_backup_that_counts_as_an_old_one(typed, tmp_path):
    assert typed("create").exit_code == 0
    (before,) = tmp_path.iterdir()
    before = before.rename(tmp_path / "vigilo-20991231T235959Z")  # made while the clock was ahead
    made = typed("create", "--keep", "1")
    name = made.output.split()[0]
    assert name == "vigilo-21000101T000000Z"
    assert f"{before.name} is removed." in made.output
    assert typed("verify").output.startswith(f"{name} is good"), "the latest is the one made last"


def test_what_a_killed_backup_left_is_removed_by_the_next(typed, tmp_path):
    killed, young, claimed = (tmp_path / f"vigilo-2026010{n}T000000Z.part" for n in (1, 2, 3))
    for part in (killed, young, claimed):
        part.mkdir()
        (part / "database.dump").write_bytes(b"half")
    for part in (killed, claimed):
        os.utime(part, (0, 0))
    claim = os.open(claimed, os.O_RDONLY)
    fcntl.flock(claim, fcntl.LOCK_EX)
    try:
        assert typed("create").exit_code == 0
    finally:
        os.close(claim)
    assert [part.exists() for part in (killed, young, claimed)] == [False, True, True]


def test_row_security_is_refused_with_the_reason(typed):
    refused = typed("create", "--enable-row-security")
    assert refused.exit_code == 2
    assert "the dump would be empty, and pg_dump would exit 0" in refused.output


def test_a_restore_over_what_is_there_is_refused(typed):
    assert typed("create").exit_code == 0
    refused = typed("restore", "latest")
    assert refused.exit_code == 1
    assert "holds an installation of this program" in refused.output
    assert "is not empty. A restore takes an empty database" in refused.output


def test_a_backup_that_is_not_there_is_named(typed):
    refused = typed("verify")
    assert refused.exit_code == 2
    assert "there is no backup in" in refused.output


def test_an_external_database_needs_the_role_for_backups(tmp_path):
    away = load(data_dir=tmp_path, database_url="postgresql://w@127.0.0.1:1/x", secret_key="x" * 40)
    app = create_app(away)
    with app.app_context():
        refused = app.test_cli_runner().invoke(args=["backup", "create"])
    assert "VIGILO_BACKUP_DATABASE_URL: needed for backups" in refused.output


def test_a_database_that_is_away_is_told(tmp_path):
    away = load(
        data_dir=tmp_path,
        database_url="postgresql://w@127.0.0.1:1/x",
        backup_database_url="postgresql://b@127.0.0.1:1/x",
        secret_key="x" * 40,
    )
    app = create_app(away)
    with app.app_context():
        refused = app.test_cli_runner().invoke(args=["backup", "create"])
    assert "The database does not answer" in refused.output
