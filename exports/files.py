"""The files of finished exports, in one folder: whole or not there at all, and gone when their time is."""

from __future__ import annotations

import os
import time
from pathlib import Path

from sqlalchemy import Engine, text

MEDIA_TYPES = {
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
"""Media type of each format of an export."""
ORPHAN_SECONDS = 3600
"""A file that no job knows is an orphan when it is older; a younger one may be about to be known."""


def store(folder: Path, key: str, data: bytes) -> None:
    """A temporary file, flushed to the disk, then renamed. Raises OSError and leaves nothing behind."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = folder / f"{key}.part"
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.rename(folder / key)
    finally:
        part.unlink(missing_ok=True)


def clean(engine: Engine, folder: Path, orphan_seconds: float = ORPHAN_SECONDS) -> int:
    """The janitor: expires what is out of time, then removes every file that no job keeps; how many."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "update export_job set state = 'expired' where state = 'ready' and expires_at <= now()"
            )
        )
        kept = set(
            connection.execute(
                text("select file_key from export_job where state = 'ready'")
            ).scalars()
        )
        ended = set(
            connection.execute(
                text(
                    "select file_key from export_job where state = 'expired' and file_key is not null"
                )
            ).scalars()
        )
    removed, before = 0, time.time() - orphan_seconds
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in kept and (path.name in ended or path.stat().st_mtime < before):
            path.unlink(missing_ok=True)
            removed += 1
    return removed
