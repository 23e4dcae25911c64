"""A backup on the disk: a folder with the dump and a manifest of what it holds. A folder without a manifest
is no backup: the manifest is written last, and the folder gets its name once both are on the disk."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from storage.backup.inventory import Inventory
from storage.roles import Roles

DUMP, MANIFEST, KEY = "database.dump", "manifest.json", "secret-key"
FORMAT = 1
PREFIX, SECOND, PART = "vigilo-", "%Y%m%dT%H%M%SZ", ".part"


class BadBackup(ValueError):
    """The folder is no backup, or not as it was written."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Description of a backup: when it was made, of what, and everything to compare a restored one with."""

    made_at: str
    schema: str
    server: int
    owner: str
    web: str
    job: str
    sha256: str
    size: int
    inventory: Inventory
    format: int = FORMAT

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(map(int, self.inventory["rows"].values()))


def name_of(made_at: datetime) -> str:
    """Name of the folder of a backup."""
    return f"{PREFIX}{made_at:{SECOND}}"


def newest(folder: Path) -> datetime | None:
    """The last second that a backup is named by, or one that is being made."""
    moments = []
    for path in folder.glob(f"{PREFIX}*"):
        with suppress(ValueError):
            name = path.name.removeprefix(PREFIX).removesuffix(PART)
            moments.append(datetime.strptime(name, SECOND).replace(tzinfo=UTC))
    return max(moments, default=None)


def read(folder: Path) -> Manifest:
    """The manifest of a backup. Raises BadBackup."""
    try:
        given = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        manifest = Manifest(**given)
        sum(map(int, manifest.inventory["rows"].values()))
    except FileNotFoundError:
        raise BadBackup(
            f"{folder} is no backup: it has no {MANIFEST}. A file of pg_dump alone lacks the roles, and a"
            " dump by a role that row-level security binds is empty."
        ) from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadBackup(f"{folder / MANIFEST} can not be read: {error}") from error
    if manifest.format != FORMAT:
        raise BadBackup(f"{folder} was written by another release (format {manifest.format})")
    return manifest


def roles_of(folder: Path) -> Roles:
    """Roles of the database that a backup is of. Raises BadBackup."""
    manifest = read(folder)
    return Roles(manifest.owner, manifest.web, manifest.job)


def check_bytes(folder: Path) -> Manifest:
    """The manifest, once the dump is what it says. Raises BadBackup."""
    manifest, dump = read(folder), folder / DUMP
    try:
        size, digest = dump.stat().st_size, sha256(dump)
    except OSError as error:
        raise BadBackup(f"{dump} can not be read: {error.strerror}") from error
    if size != manifest.size:
        raise BadBackup(f"{dump} has {size:,} bytes, not the {manifest.size:,} that were written")
    if digest != manifest.sha256:
        raise BadBackup(f"{dump} has changed since it was written: its SHA-256 is another")
    return manifest


def sha256(file: Path) -> str:
    """Hexadecimal digest of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write(folder: Path, manifest: Manifest) -> None:
    """Writes the manifest, and puts it and the dump beside it on the disk. Raises OSError."""
    text = json.dumps(asdict(manifest), indent=1, sort_keys=True)
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    for name in (DUMP, MANIFEST):
        sync(folder / name)
    sync(folder)


def sync(path: Path) -> None:
    """Puts a file or the names in a folder on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def list_backups(folder: Path) -> Iterator[tuple[Path, Manifest | BadBackup]]:
    """Backups in a folder, the oldest first, each with its manifest or why it has none."""
    for path in sorted(folder.glob(f"{PREFIX}*")) if folder.is_dir() else ():
        if not path.is_dir() or path.suffix == PART:
            continue
        try:
            yield path, read(path)
        except BadBackup as error:
            yield path, error
