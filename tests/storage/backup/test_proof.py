"""Refusals of a backup, and everything that a restore notices."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from storage import schema
from storage.backup import archive, inventory, making, restoring
from storage.backup.access import access
from storage.backup.archive import BadBackup
from storage.backup.identity import AnotherDatabase
from storage.backup.making import BoundByPolicies, NoSchema
from storage.backup.programs import ProgramFailed
from storage.backup.restoring import NotRestorable
from storage.roles import Roles
from tests.conftest import superuser
from tests.deep import all_but, every
from tests.webworld import make

FORMER = "0040"
"""A migration of an earlier release."""
CHANGES = {
    "rows of public.incident": "delete from incident where ctid = (select min(ctid) from incident)",
    "snapshots of workspace 1 in public.workspace_usage_snapshot": (
        "update workspace_usage_snapshot set changed_at = now() where workspace_id = 1"
        " and snapshot_date = (select max(snapshot_date) from workspace_usage_snapshot)"
    ),
    "policies of incident.web_read": "drop policy web_read on incident",
    "row-level security of incident": "alter table incident no force row level security",
    "owners of function vigilo.my_workspaces()": (
        "alter function vigilo.my_workspaces() owner to vigilo_owner"
    ),
    "functions of vigilo.my_workspaces()": (
        "alter function vigilo.my_workspaces() security invoker"
    ),
    "rights of relation public.audit_event": "grant delete on audit_event to vigilo_web",
    "roles of vigilo_web": "alter role vigilo_web bypassrls",
    "memberships of vigilo_web in vigilo_job": "grant vigilo_job to vigilo_web",
}
"""Harm that nobody sees until it is too late."""


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_is_not_as_it_was_is_told(database, settings, what):
    make(database, settings)
    with superuser(database).connect() as connection:
        before = inventory.take_inventory(connection, making.snapshot_tables())
        assert inventory.differences(before, before) == []
        connection.execute(text(CHANGES[what]))
        sentences = inventory.differences(
            before, inventory.take_inventory(connection, making.snapshot_tables())
        )
        connection.rollback()
    assert any(sentence.startswith(f"{what}: ") for sentence in sentences), sentences


@pytest.mark.parametrize("role", ["web", "job", "owner"])
def test_a_role_that_policies_bind_makes_no_backup(database, tmp_path, role):
    with pytest.raises(BoundByPolicies, match="exit 0"):
        making.create(getattr(database, role).url, database.roles, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def backup(database, settings, tmp_path) -> Path:
    there = access(settings)
    return making.create(there.reader, there.roles, tmp_path, there.key)


def test_a_backup_is_closed_to_others(backup):
    assert backup.stat().st_mode & 0o777 == 0o700
    assert (backup / archive.DUMP).stat().st_mode & 0o777 == 0o600


def test_a_dump_that_changed_is_bad(backup):
    with (backup / archive.DUMP).open("r+b") as file:
        file.seek(2000)
        file.write(b"?")
    with pytest.raises(BadBackup, match="SHA-256"):
        archive.check_bytes(backup)


def test_a_dump_that_was_cut_off_is_bad(backup):
    with (backup / archive.DUMP).open("r+b") as file:
        file.truncate(2000)
    with pytest.raises(BadBackup, match="2,000 bytes"):
        archive.check_bytes(backup)


def test_a_dump_that_was_cut_before_it_was_noted_is_bad_and_leaves_nothing(backup, settings, empty):
    whole, dump, manifest = (
        (backup / archive.DUMP).read_bytes(), backup / archive.DUMP, archive.read(backup),
    )  # fmt: skip
    dump.write_bytes(whole[: len(whole) * 9 // 10])
    noted = replace(manifest, sha256=archive.sha256(dump), size=dump.stat().st_size)
    archive.write(backup, noted)
    assert archive.check_bytes(backup) == noted
    with pytest.raises(ProgramFailed, match="end of file"):
        restoring.read_through(backup)
    with pytest.raises(ProgramFailed, match="end of file"):
        restoring.restore(backup, empty, access(settings).roles)
    dump.write_bytes(whole)
    archive.write(backup, manifest)
    restoring.read_through(backup)
    assert restoring.problems(restoring.restore(backup, empty, access(settings).roles), empty) == []


def test_a_folder_without_a_manifest_is_no_backup(backup):
    (backup / archive.MANIFEST).unlink()
    with pytest.raises(BadBackup, match="lacks the roles"):
        archive.check_bytes(backup)


def test_a_database_that_is_not_empty_is_left_alone(backup, settings):
    there = access(settings)
    told = (
        r"the database vigilo at .* holds an installation .* sessions of it now\) and is not empty"
    )
    with pytest.raises(NotRestorable, match=told):
        restoring.restore(backup, there.writer, there.roles)


def test_a_backup_is_of_the_database_that_people_are_served_from(
    database, settings, empty, tmp_path
):
    there = access(settings)
    with pytest.raises(AnotherDatabase) as refused:
        making.create(there.reader, there.roles, tmp_path, serves=empty)
    assert "VIGILO_BACKUP_DATABASE_URL leads to the database vigilo at " in str(refused.value)
    assert "VIGILO_DATABASE_URL to the database empty_one at " in str(refused.value)
    assert list(tmp_path.iterdir()) == []
    nobody = empty.set(username="nobody")  # who can not be asked is no other
    assert making.create(there.reader, there.roles, tmp_path, serves=nobody).is_dir()
    assert making.create(there.reader, there.roles, tmp_path, serves=database.web.url).is_dir()


@pytest.mark.parametrize(
    "variable", every(2, ["VIGILO_BACKUP_DATABASE_URL", "VIGILO_DATABASE_URL"])
)
def test_a_restore_that_other_addresses_do_not_lead_to_is_refused(
    backup, settings, empty, variable
):
    there = access(settings)
    others = {variable: there.reader}
    with pytest.raises(
        AnotherDatabase, match=f"OWNER_DATABASE_URL .*empty_one.*{variable} to .*vigilo "
    ):
        restoring.restore(backup, empty, there.roles, others)
    manifest = restoring.restore(backup, empty, there.roles, {variable: empty})
    assert restoring.problems(manifest, empty) == []


def test_a_backup_of_a_newer_release_is_refused(backup, settings, empty):
    archive.write(backup, replace(archive.read(backup), schema="9999"))
    with pytest.raises(NotRestorable, match="schema 9999, which a newer release has made"):
        restoring.restore(backup, empty, access(settings).roles)


def test_a_backup_of_an_older_release_is_restored_and_then_upgraded(
    database, settings, empty, tmp_path
):
    there = access(settings)
    admin = create_engine(empty, isolation_level="AUTOCOMMIT")
    owner = create_engine(empty.set(username="vigilo_owner"))
    with admin.connect() as connection:
        connection.exec_driver_sql("alter database empty_one owner to vigilo_owner")
    with owner.begin() as connection:
        schema.migrate(connection, there.roles, target=FORMER)
    with admin.connect() as connection:
        connection.exec_driver_sql("insert into workspace (slug, name) values ('team', 'Team')")
    old = making.create(empty, there.roles, tmp_path)
    assert archive.read(old).schema == FORMER
    for engine in (admin, owner):
        engine.dispose()
    with (
        superuser(database).connect().execution_options(isolation_level="AUTOCOMMIT") as everywhere
    ):
        everywhere.execute(text("drop database empty_one"))
        everywhere.execute(text("create database empty_one owner vigilo_owner"))
    manifest = restoring.restore(old, empty, there.roles)
    assert restoring.problems(manifest, empty) == []
    with owner.begin() as connection:
        schema.upgrade(connection, there.roles, strict_residency=False, time_zone="UTC")
        assert schema.is_current(connection)
    with admin.connect() as connection:
        assert connection.exec_driver_sql("select name from workspace").scalar_one() == "Team"
    admin.dispose()
    owner.dispose()


def test_other_names_of_roles_are_told_before_anything_is_changed(backup, settings, database):
    there = access(settings)
    with superuser(database).connect().execution_options(isolation_level="AUTOCOMMIT") as admin:
        admin.execute(text("create database empty_one"))
        try:
            empty = there.reader.set(database="empty_one")
            with pytest.raises(NotRestorable, match="alter role vigilo_web rename to acme_web"):
                restoring.restore(backup, empty, Roles(web="acme_web"))
        finally:
            admin.execute(text("drop database empty_one"))


@pytest.fixture
def empty(database, settings):
    """Address of an empty database beside."""
    with superuser(database).connect().execution_options(isolation_level="AUTOCOMMIT") as admin:
        admin.execute(text("create database empty_one"))
        yield access(settings).writer.set(database="empty_one")
        admin.execute(text("drop database empty_one with (force)"))


@pytest.mark.parametrize("encoding", all_but(["SQL_ASCII"], ["LATIN1", "SQL_ASCII"]))
def test_a_database_that_lacks_letters_is_refused_before_anything_is_made(
    backup, settings, empty, database, encoding
):
    there = access(settings)
    with superuser(database).connect().execution_options(isolation_level="AUTOCOMMIT") as admin:
        admin.execute(text("drop database empty_one"))
        made = f"create database empty_one encoding '{encoding}' locale 'C' template template0"
        admin.execute(text(made))
    with pytest.raises(NotRestorable, match=f"in {encoding}.*template0"):
        restoring.restore(backup, empty, there.roles)
    engine = create_engine(empty)
    with engine.begin() as connection, pytest.raises(schema.NotUnicode, match=encoding):
        schema.upgrade(connection, there.roles, strict_residency=False, time_zone="UTC")
    engine.dispose()


def test_what_a_killed_restore_left_is_in_nobodys_way(backup, settings, empty):
    there = access(settings)
    engine = create_engine(empty)
    with engine.begin() as connection:
        connection.execute(text("create schema vigilo"))
    engine.dispose()
    manifest = restoring.restore(backup, empty, there.roles)
    assert restoring.problems(manifest, empty) == []


def test_of_two_restores_at_once_one_is_told(backup, settings, empty):
    engine = create_engine(empty)
    with engine.connect() as other:
        other.execute(text("select pg_advisory_lock(:lock)"), {"lock": schema.LOCK})
        with pytest.raises(NotRestorable, match="another restore"):
            restoring.restore(backup, empty, access(settings).roles)
    engine.dispose()


def test_an_empty_database_makes_no_backup(database, empty, tmp_path):
    with pytest.raises(NoSchema, match="VIGILO_BACKUP_DATABASE_URL"):
        making.create(empty, database.roles, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_settings_of_the_database_cut_nothing_off_and_change_no_text(backup, settings, empty):
    there = access(settings)
    engine = create_engine(there.writer, isolation_level="AUTOCOMMIT")
    with engine.connect() as admin:
        for setting in (
            "idle_in_transaction_session_timeout = '50ms'", "statement_timeout = '100ms'",
            "search_path = nowhere", "extra_float_digits = -10", "quote_all_identifiers = on",
            "standard_conforming_strings = off", "intervalstyle = iso_8601",
        ):  # fmt: skip
            admin.execute(text(f"alter database empty_one set {setting}"))
    engine.dispose()
    manifest = restoring.restore(backup, empty, there.roles)
    assert restoring.problems(manifest, empty) == []
    again = making.create(empty, there.roles, backup.parent / "again")
    now, before = archive.read(again).inventory, dict(manifest.inventory)
    before["rows"] = {**before["rows"], "public.web_session": "0"}
    assert inventory.differences(before, now) == []


@pytest.mark.parametrize("inventory", [[], {}, {"rows": []}, {"rows": {"a": "many"}}])
def test_a_manifest_of_another_shape_is_no_backup(backup, inventory):
    given = json.loads((backup / archive.MANIFEST).read_text())
    (backup / archive.MANIFEST).write_text(json.dumps(given | {"inventory": inventory}))
    with pytest.raises(BadBackup, match="can not be read"):
        archive.read(backup)


def test_old_backups_are_removed_and_half_ones_are_not_counted(backup):
    folder = backup.parent
    for name in ("vigilo-20260101T000000Z", "vigilo-20260102T000000Z"):
        shutil.copytree(backup, folder / name)
    (folder / "vigilo-20260103T000000Z.part").mkdir()
    removed = making.forget(folder, keep=2)
    assert [path.name for path in removed] == ["vigilo-20260101T000000Z"]
    assert len(list(archive.list_backups(folder))) == 2
