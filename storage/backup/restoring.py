"""Restoring a backup into an empty database of any cluster, roles and owners included, and proof of it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, text

from storage.backup import archive, identity, inventory, programs, sessions
from storage.backup.archive import DUMP, Manifest
from storage.backup.identity import address_words
from storage.backup.inventory import identifier
from storage.backup.making import one_snapshot, snapshot_tables
from storage.roles import DEFINER, Roles
from storage.schema import LOCK, head, is_known, other_encoding, revision_of

PROVED_ELSEWHERE = ("policies", "functions", "rights")
"""Kinds whose text another major version of PostgreSQL may write in another way."""


PLAIN = {"PGOPTIONS": "-c quote_all_identifiers=off"}
"""Environment of pg_restore: a server that quotes everything would have it keep a function's settings in
other words than they were."""
LIVE = """
select count(*) from pg_stat_activity
where datname = current_database() and application_name like 'vigilo%' and pid <> pg_backend_pid()
"""


class NotRestorable(RuntimeError):
    """Why this backup can not come into that database; nothing was changed there."""


def restore(
    folder: Path, writer: URL, roles: Roles, others: Mapping[str, URL | None] = {}
) -> Manifest:
    """Fills the empty database at ``writer``, the address of its owner or of a superuser, all or nothing.
    ``others`` are the installation's other addresses, by the variables that name them. Raises BadBackup,
    NotRestorable, AnotherDatabase, NoProgram, ProgramFailed, sqlalchemy errors."""
    manifest = archive.check_bytes(folder)
    engine = sessions.engine_of(writer)
    with engine.connect() as claim:
        if not claim.execute(text("select pg_try_advisory_lock(:lock)"), {"lock": LOCK}).scalar():
            raise NotRestorable("another restore into this database, or its upgrade, is at work.")
        identity.refuse_another(claim, "VIGILO_OWNER_DATABASE_URL", writer, others)
        claim.commit()  # the lock is the session's
        return _restore_alone(folder, engine, roles, manifest)


def _restore_alone(folder: Path, engine: Engine, roles: Roles, manifest: Manifest) -> Manifest:
    writer = engine.url
    with engine.connect() as connection:
        server = int(connection.execute(text("show server_version_num")).scalar_one()) // 10000
        _refuse(connection, manifest, roles, server)
    program = programs.find("pg_restore", max(server, _oldest_reader(folder, server)))
    with engine.begin() as connection:
        _make_roles(connection, manifest)
        schemas = _make_schemas(connection, manifest)
    try:
        _fill(program, folder / DUMP, writer, schemas)
    except BaseException:
        with engine.begin() as connection:
            for schema in schemas:
                connection.exec_driver_sql(f"drop schema {identifier(schema)}")
        raise
    with engine.begin() as connection:
        for schema in schemas:
            connection.exec_driver_sql(
                f"revoke create on schema {identifier(schema)} from {identifier(DEFINER)}"
            )
        connection.exec_driver_sql("truncate web_session")
        database = identifier(engine.url.database or "")
        connection.exec_driver_sql(  # a right of the database, which no dump holds
            f"revoke temporary on database {database} from public"
        )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("analyze")
    return manifest


def problems(manifest: Manifest, reader: URL) -> list[str]:
    """Everything in the database that is not as the backup has it, a sentence each; sessions are ended by a
    restore. Raises BoundByPolicies, sqlalchemy errors."""
    with one_snapshot(reader) as connection:
        server = int(connection.execute(text("show server_version_num")).scalar_one()) // 10000
        present = inventory.take_inventory(
            connection, tuple({*snapshot_tables(), *_compared_tables(manifest)})
        )
    before: dict[str, Mapping[str, str]] = dict(manifest.inventory)
    if server != manifest.server:
        for kind in PROVED_ELSEWHERE:
            present[kind] = dict.fromkeys(present[kind], "there")
            before[kind] = dict.fromkeys(before[kind], "there")
    before["rows"] = {**before["rows"], "public.web_session": "0"}
    return inventory.differences(before, present)


def _compared_tables(manifest: Manifest) -> set[str]:
    """Names of the tables whose rows the backup's own release compared workspace by workspace."""
    return {name.rpartition(".")[2].strip('"') for name in manifest.inventory["snapshots"]}


def _refuse(connection: Connection, manifest: Manifest, roles: Roles, server: int) -> None:
    """Raises NotRestorable where the database is not empty, older, or of other roles."""
    _refuse_full(connection)
    if not is_known(manifest.schema):
        raise NotRestorable(
            f"the backup is of schema {manifest.schema}, which a newer release has made; this one knows"
            f" {head()}. Restore it with that release."
        )
    if (other := other_encoding(connection)) is not None:
        raise NotRestorable(
            f"the database is in {other}, which lacks letters of names and texts: make it as"
            " deploy/roles.sql does, with encoding 'UTF8' template template0."
        )
    if server < manifest.server:
        raise NotRestorable(
            f"the backup is of PostgreSQL {manifest.server}, the server is {server}: it takes"
            f" {manifest.server} or newer."
        )
    named = {"owner": roles.owner, "web": roles.web, "job": roles.job}
    for what, name in named.items():
        former = getattr(manifest, what)
        if name and former and name != former:
            raise NotRestorable(
                f"the {what} role of the backup is {former}, here it is {name}: policies and rights name"
                f" {former}. Restore with addresses of that role; alter role {former} rename to {name}"
                " afterwards."
            )


def _refuse_full(connection: Connection) -> None:
    """Raises NotRestorable where the database holds an installation, or anything else."""
    tables = inventory.tables_of_roles(connection)
    if tables and (schema := revision_of(connection)) is not None:
        sessions_there = connection.execute(text(LIVE)).scalar_one()
        raise NotRestorable(
            f"{address_words(connection.engine.url)} holds an installation of this program (schema"
            f" {schema}, {sessions_there or 'no'} sessions of it now) and is not empty. A restore"
            " takes an empty database: create database NAME as deploy/roles.sql does, and name that one in"
            " all addresses."
        )
    if tables:
        raise NotRestorable(
            f"the database is not empty: it has {len(tables)} tables. A restore takes an empty one."
        )


def read_through(folder: Path) -> None:
    """Reads the whole dump, as a restore does. Raises ProgramFailed where it was cut before its bytes were
    noted, NoProgram."""
    manifest = archive.read(folder)
    program = programs.find("pg_restore", _oldest_reader(folder, manifest.server))
    programs.run(program, ["--file=/dev/null", str(folder / DUMP)])


def _make_roles(connection: Connection, manifest: Manifest) -> None:
    """Makes the roles that the cluster lacks, without passwords, and their memberships."""
    for name, attributes in manifest.inventory["roles"].items():
        if not inventory.role_exists(connection, name):
            connection.exec_driver_sql(f"create role {identifier(name)} {attributes} noinherit")
            if attributes.startswith("login"):
                database = identifier(connection.engine.url.database or "")
                connection.exec_driver_sql(
                    f"grant connect on database {database} to {identifier(name)}"
                )
    for words in manifest.inventory["memberships"]:
        member, _, role = words.partition(" in ")
        if not inventory.becomes(connection, member.strip('"'), role.strip('"')):
            connection.exec_driver_sql(f"grant {role} to {member}")


def _make_schemas(connection: Connection, manifest: Manifest) -> list[str]:
    """Makes the schemas of functions, where their owner may come to own something; which. A restore that
    was killed has left them, empty."""
    owners = {
        name.removeprefix("schema "): owner
        for name, owner in manifest.inventory["owners"].items()
        if name.startswith("schema ")
    }
    for schema, owner in owners.items():
        connection.exec_driver_sql(f"drop schema if exists {identifier(schema)}")
        connection.exec_driver_sql(
            f"create schema {identifier(schema)} authorization {identifier(owner)}"
        )
        connection.exec_driver_sql(
            f"grant create on schema {identifier(schema)} to {identifier(DEFINER)}"
        )
    return list(owners)


def _fill(program: Path, dump: Path, writer: URL, schemas: list[str]) -> None:
    """Run pg_restore in one transaction over everything but the schemas, which are there, and the rights in
    PostgreSQL's own functions, which are the new server's."""
    lines = programs.run(program, ["--list", str(dump)]).splitlines()
    left_out = [*(f" SCHEMA - {name} " for name in schemas), " ACL pg_catalog "]
    wanted = [line for line in lines if not any(words in line for words in left_out)]
    with tempfile.NamedTemporaryFile("w", suffix=".list", encoding="utf-8") as listing:
        listing.write("\n".join(wanted) + "\n")
        listing.flush()
        options = ["--exit-on-error", "--single-transaction", f"--use-list={listing.name}"]
        programs.run(program, [*options, str(dump)], writer, PLAIN)


def _oldest_reader(folder: Path, server: int) -> int:
    """The oldest version of pg_restore that reads the dump: it may have been made by a newer pg_dump."""
    for major in range(server, server + 10):
        try:
            programs.run(programs.find("pg_restore", major), ["--list", str(folder / DUMP)])
        except programs.ProgramFailed as error:
            if "unsupported version" not in str(error):
                raise
            continue
        return major
    return server
