"""``backup``: makes backups, lists them, proves them, and restores one into an empty database."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from commands.installation import DatabaseCommand, installation
from settings import load
from storage import embedded, schema
from storage.backup import archive, making, restoring
from storage.backup.access import BackupAccess, LacksAddress, access
from storage.backup.archive import KEY, BadBackup, Manifest
from storage.backup.identity import AnotherDatabase
from storage.backup.making import BoundByPolicies, NoSchema
from storage.backup.programs import NoProgram, ProgramFailed
from storage.backup.restoring import NotRestorable

WHY_NOT = (
    "Row-level security would leave out every row that the role may not see, all without a workspace:"
    " the dump would be empty, and pg_dump would exit 0. Backups are made by a role with BYPASSRLS."
)
MOST_TOLD = 20


@contextmanager
def _errors_as_sentences() -> Iterator[None]:
    """Errors as sentences."""
    try:
        yield
    except (
        LacksAddress,
        BoundByPolicies,
        AnotherDatabase,
        NoSchema,
        NoProgram,
        ProgramFailed,
        NotRestorable,
        BadBackup,
    ) as error:
        raise click.ClickException(f"{str(error)[:1].upper()}{str(error)[1:]}") from error
    except OSError as error:
        raise click.ClickException(f"The backup can not be written or read: {error}") from error


def _folder() -> Path:
    settings = installation().settings
    return settings.backup_dir or settings.data_dir / "backups"


def _find_backup(name: str) -> Path:
    """The backup of that name or path; the newest for ``latest``. Raises BadParameter."""
    if name == "latest":
        whole = [path for path, manifest in archive.list_backups(_folder()) if _is_whole(manifest)]
        if not whole:
            raise click.BadParameter(f"there is no backup in {_folder()}", param_hint="BACKUP")
        return whole[-1]
    path = Path(name) if Path(name).is_dir() else _folder() / name
    if not path.is_dir():
        raise click.BadParameter(f"there is no {path}; see backup list", param_hint="BACKUP")
    return path


def _is_whole(manifest: Manifest | BadBackup) -> bool:
    return isinstance(manifest, Manifest)


@click.command("create", cls=DatabaseCommand)
@click.option(
    "--keep", type=click.IntRange(1), help="Remove all but the newest so many, this one too."
)
@click.option("--enable-row-security", "filtered", is_flag=True, hidden=True)
def create(keep: int | None, filtered: bool) -> None:
    """Makes a backup with what is needed to restore it anywhere: rows, roles, policies, owners."""
    if filtered:
        raise click.UsageError(WHY_NOT)
    if installation().settings.distributed:
        raise click.ClickException(
            "A database distributed by Citus is backed up node by node: see docs/operation.md."
        )
    with _errors_as_sentences():
        there = access(installation().settings)
        path = making.create(there.reader, there.roles, there.folder, there.key, there.serves)
        click.echo(_line(path, archive.read(path)))
        _refuse_harm(path)
        for old in making.forget(there.folder, keep) if keep else ():
            click.echo(f"{old.name} is removed.")


def _refuse_harm(path: Path) -> None:
    """Raises ClickException where the structure is not as it should be: a restore would bring that back.
    Older backups may be without it, and stay."""
    from web.health import structure

    database = installation().database
    with database.web.connect() as connection:
        problems = list(structure.findings(connection, database.roles))
    harm = [str(problem) for problem in problems if problem.must_not_serve]
    if harm:
        raise click.ClickException(
            f"{path.name} holds harm, which its restore would bring back; none is removed:\n"
            + "\n".join(harm)
        )


@click.command("list")
def list_() -> None:
    """Lists the backups, the oldest first."""
    backups = list(archive.list_backups(_folder()))
    for path, manifest in backups:
        click.echo(_line(path, manifest))
    click.echo(f"{len(backups)} in {_folder()}.")


def _line(path: Path, manifest: Manifest | BadBackup) -> str:
    if isinstance(manifest, BadBackup):
        return f"{path.name}  {manifest}"
    return (
        f"{path.name}  schema {manifest.schema}, PostgreSQL {manifest.server}, {manifest.rows:,} rows,"
        f" {manifest.size:,} bytes"
    )


@click.command("verify", cls=DatabaseCommand)
@click.argument("backup", default="latest")
@click.option(
    "--full", is_flag=True, help="Restore it into a server of its own for the moment, and compare."
)
def verify(backup: str, full: bool) -> None:
    """Proves that a BACKUP is as it was written; by default the latest. Exit code 1 where it is not."""
    path = _find_backup(backup)
    with _errors_as_sentences():
        manifest = archive.check_bytes(path)
        restoring.read_through(path)
        if full:
            _require_alike(manifest, _problems_when_restored(path))
    whole = "its bytes are those that were written, and can be read to their end"
    proof = "restored and compared" if full else whole
    click.echo(f"{path.name} is good: {proof}.")


def _problems_when_restored(path: Path) -> list[str]:
    """Problems of the backup in an embedded server of its own, which is removed. Raises NotRestorable."""
    folder = Path(tempfile.mkdtemp(prefix="vigilo-rehearsal-"))
    folder.chmod(0o711)  # run by root, the embedded server belongs to another user
    settings = load(
        data_dir=folder,
        database_url=None,
        owner_database_url=None,
        job_database_url=None,
        read_database_url=None,
        backup_database_url=None,
        distributed=None,
    )
    try:
        there = access(settings)
        manifest = restoring.restore(path, there.reader, archive.roles_of(path))
        return restoring.problems(manifest, there.reader)
    finally:
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


@click.command("restore", cls=DatabaseCommand)
@click.argument("backup")
def restore(backup: str) -> None:
    """Restores a BACKUP (its name, its path, or latest) into the configured database, which is empty; then
    compares every count, policy, owner and snapshot with what was noted. Exit code 1 where one differs."""
    path = _find_backup(backup)
    with _errors_as_sentences():
        there = access(installation().settings)
        if there.writer is None:
            raise click.ClickException(
                "VIGILO_OWNER_DATABASE_URL: needed to restore; takes the owner's address."
            )
        others = {
            "VIGILO_BACKUP_DATABASE_URL": there.reader,
            "VIGILO_DATABASE_URL": there.serves,
        }
        manifest = restoring.restore(path, there.writer, there.roles, others)
        _require_alike(manifest, restoring.problems(manifest, there.reader))
        _restore_key(there, path)
    click.echo(
        f"{path.name} of {manifest.made_at} is restored: {manifest.rows:,} rows, all as noted."
    )
    if manifest.schema != schema.head():
        click.echo(f"It is of schema {manifest.schema}; now: vigilo db upgrade")
    click.echo(
        "Every session has ended. Whatever was withdrawn since then (tokens, roles) is back: withdraw it."
    )
    click.echo("Roles that were made have no password: alter role NAME password '...' sets one.")


def _require_alike(manifest: Manifest, problems: list[str]) -> None:
    """Raises ClickException where something is not as it was."""
    for problem in problems[:MOST_TOLD]:
        click.echo(f"  {problem}", err=True)
    if problems:
        raise click.ClickException(
            f"{len(problems)} things are not as they were on {manifest.made_at}: do not serve from it."
        )


def _restore_key(there: BackupAccess, path: Path) -> None:
    """The key that the program made itself opens what senders' secrets are sealed with."""
    if there.key is None or not (path / KEY).exists():
        return
    shutil.copyfile(path / KEY, there.key)
    there.key.chmod(0o600)
