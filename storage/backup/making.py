"""Making a backup: dump and inventory are taken in one snapshot of the database, so that they agree while
people work."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import URL, Connection, text

import instants
from storage.backup import archive, identity, inventory, programs, sessions
from storage.backup.archive import DUMP, KEY, Manifest
from storage.backup.identity import address_words
from storage.roles import Roles
from storage.schema import revision_of

YOUNG_SECONDS = 60
"""Age up to which an unfinished backup is left alone: it may be just made, and not claimed yet."""


class NoSchema(RuntimeError):
    """The database holds nothing of this program: its backup would be empty, and count as one."""


class BoundByPolicies(RuntimeError):
    """The role would see a part of the rows or none, and the dump would lack the rest in silence."""


def create(
    reader: URL, roles: Roles, folder: Path, key: Path | None = None, serves: URL | None = None
) -> Path:
    """Makes a backup in ``folder`` by a role that no policy binds; its own folder. ``key`` is the file of
    the secret key, where the program made it itself, ``serves`` the address that people are served from.
    Raises BoundByPolicies, AnotherDatabase, NoSchema, NoProgram, ProgramFailed, OSError, sqlalchemy errors;
    nothing is left behind."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _remove_abandoned(folder)
    path, part = _target_and_work_folder(folder)
    claim = os.open(part, os.O_RDONLY)
    fcntl.flock(claim, fcntl.LOCK_EX)
    try:
        with one_snapshot(reader) as connection:
            _refuse_wrong(connection, reader, serves)
            _dump(connection, reader, part / DUMP)
            manifest = _manifest(connection, roles, part / DUMP)
        if key is not None and key.exists():
            shutil.copyfile(key, part / KEY)
            (part / KEY).chmod(0o600)
        archive.write(part, manifest)
        part.rename(path)
        archive.sync(folder)
    except BaseException:
        shutil.rmtree(part)
        raise
    finally:
        os.close(claim)
    return path


def _refuse_wrong(connection: Connection, reader: URL, serves: URL | None) -> None:
    """Raises NoSchema, AnotherDatabase where a backup would be of nothing, or of somebody else's."""
    if revision_of(connection) is None:
        raise NoSchema(
            f"{address_words(reader)} holds nothing of this program: its backup would be empty. Set"
            " VIGILO_BACKUP_DATABASE_URL to the database of VIGILO_DATABASE_URL, or run db upgrade first."
        )
    others = {"VIGILO_DATABASE_URL": serves}
    identity.refuse_another(connection, "VIGILO_BACKUP_DATABASE_URL", reader, others)


def _remove_abandoned(folder: Path) -> None:
    """Removes unfinished backups of processes that were killed: they can be as large as the database. Who
    makes one claims its folder, and the system gives the claim up with the process."""
    for part in folder.glob(f"{archive.PREFIX}*{archive.PART}"):
        with suppress(OSError):  # it is claimed, or another removes it
            claim = os.open(part, os.O_RDONLY)
            try:
                fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if time.time() - part.stat().st_mtime > YOUNG_SECONDS:
                    shutil.rmtree(part)
            finally:
                os.close(claim)


def _target_and_work_folder(folder: Path) -> tuple[Path, Path]:
    """Where a backup goes, and the folder that it is made in, which is this run's alone. A backup is named
    by its second, or by the next one after the newest: those that begin in one second are two, and a clock
    that was set back makes none that would count as an old one."""
    while True:
        moment = datetime.now(UTC)
        if (newest := archive.newest(folder)) is not None:
            moment = max(moment, newest + timedelta(seconds=1))
        path = folder / archive.name_of(moment)
        part = path.with_suffix(archive.PART)
        with suppress(FileExistsError):
            part.mkdir(mode=0o700)
            if not path.exists():
                return path, part
            part.rmdir()


@contextmanager
def one_snapshot(reader: URL) -> Iterator[Connection]:
    """A transaction that sees the database as it is now, and writes nothing. Raises BoundByPolicies."""
    engine = sessions.engine_of(reader).execution_options(isolation_level="REPEATABLE READ")
    with engine.connect() as connection:
        connection.execute(text("set transaction read only"))
        if inventory.is_bound(connection):
            raise BoundByPolicies(
                f"the role {reader.username} is bound by row-level security: it would dump no row of any"
                " workspace, and exit 0. It takes a role with BYPASSRLS that may read, as docs/operation.md"
                " makes it."
            )
        yield connection


def _dump(connection: Connection, reader: URL, file: Path) -> None:
    """The dump, of the connection's own snapshot. What is computed anew by the next run stays out."""
    program = programs.find("pg_dump", _major(connection))
    snapshot = connection.execute(text("select pg_export_snapshot()")).scalar_one()
    options = ["--format=custom", "--no-unlogged-table-data", f"--snapshot={snapshot}"]
    programs.run(program, [*options, f"--file={file}"], reader)
    file.chmod(0o600)


def _manifest(connection: Connection, roles: Roles, dump: Path) -> Manifest:
    return Manifest(
        made_at=instants.to_the_second(datetime.now(UTC)),
        schema=str(revision_of(connection)),
        server=_major(connection),
        owner=roles.owner,
        web=roles.web,
        job=roles.job,
        sha256=archive.sha256(dump),
        size=dump.stat().st_size,
        inventory=inventory.take_inventory(connection, snapshot_tables()),
    )


def snapshot_tables() -> tuple[str, ...]:
    """Names of the tables whose rows are compared workspace by workspace."""
    from storage.snapshot.tables import SNAPSHOT_TABLES  # of every domain that is declared

    return tuple(table.name for table in SNAPSHOT_TABLES)


def _major(connection: Connection) -> int:
    return int(connection.execute(text("show server_version_num")).scalar_one()) // 10000


def forget(folder: Path, keep: int) -> list[Path]:
    """Removes all but the newest ``keep`` backups; which."""
    whole = [
        path for path, manifest in archive.list_backups(folder) if isinstance(manifest, Manifest)
    ]
    old = whole[:-keep] if keep else []
    for path in old:
        shutil.rmtree(path)
    return old
