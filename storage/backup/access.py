"""Addresses for backups: who reads past row-level security, and who writes into an empty database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from settings import Settings
from storage import embedded
from storage.database import EMBEDDED_ROLES, connect, driver_url
from storage.roles import Roles


class LacksAddress(RuntimeError):
    """An address that the work needs is not set; the message names the variable."""


@dataclass(frozen=True, slots=True)
class BackupAccess:
    """``reader`` is bound by no policy, ``writer`` may fill the database: the owner, or the embedded
    server's superuser, who is both. People are served from ``serves``, where that may be another address.
    ``key`` is the file of the secret key, where the program made it."""

    reader: URL
    writer: URL | None
    roles: Roles
    folder: Path
    key: Path | None
    serves: URL | None = None


def access(settings: Settings) -> BackupAccess:
    """Addresses of the configured database; starts the embedded one. Raises LacksAddress, OSError."""
    folder = settings.backup_dir or settings.data_dir / "backups"
    if settings.database_url is None:
        connect(settings).close()  # makes the database and its owner, where there is none
        superuser = embedded.start(settings.data_dir).set(database=embedded.DATABASE)
        key = None if settings.secret_key else settings.data_dir / "secret-key"
        return BackupAccess(superuser, superuser, EMBEDDED_ROLES, folder, key)
    if settings.backup_database_url is None:
        raise LacksAddress(
            "VIGILO_BACKUP_DATABASE_URL: needed for backups; takes the address of a role with BYPASSRLS"
            " that may read everything and write nothing, as docs/operation.md makes it."
        )
    database = connect(settings)
    database.close()
    owner = settings.owner_database_url
    return BackupAccess(
        reader=driver_url(settings.backup_database_url),
        writer=driver_url(owner) if owner else None,
        roles=database.roles,
        folder=folder,
        key=None,
        serves=driver_url(settings.database_url),
    )
