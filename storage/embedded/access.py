"""Rules of who reaches the embedded server: files of PostgreSQL that name them, and folders on the way.

Peers alone: the operating system says who opens the socket, and that one user may be any of our roles. The
socket lies where nobody else can go, whatever the length of the data directory's path.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

LONGEST_SOCKET = 107
"""Bytes that an address of a local socket may have (sockaddr_un, less its end)."""
SOCKET = ".s.PGSQL.5432"
HBA = """\
# Written by Vigilo at each start.
local all all peer map=vigilo
local replication all peer map=vigilo
"""
IDENT = "vigilo {user} all\n"
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class OpenFolder(OSError):
    """A folder that others can enter where only the server's user may, or the other way round."""


def write_rules(data: Path, users: tuple[str, ...]) -> bool:
    """Lets these users of the machine in and nobody else; whether that is news. The server reads the files
    at its start and when it is told to."""
    rules = {"pg_hba.conf": HBA, "pg_ident.conf": "".join(IDENT.format(user=u) for u in users)}
    changed = False
    for name, text in rules.items():
        file = data / name
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            changed = True
    return changed


def socket_folder(data: Path, owner: tuple[int, int]) -> Path:
    """Where the socket goes: the server's own folder, or where the path is too long for a socket a new one
    of a name that nobody can know beforehand. Raises OpenFolder where that is too long as well."""
    if len(os.fsencode(data / SOCKET)) <= LONGEST_SOCKET:
        return data
    folder = Path(tempfile.mkdtemp(prefix="vigilo-"))
    os.chown(folder, *owner)
    if len(os.fsencode(folder / SOCKET)) > LONGEST_SOCKET:
        folder.rmdir()
        raise OpenFolder(f"both {data} and {folder.parent} have paths too long for a socket")
    return folder


def require_private(folder: Path, uid: int) -> None:
    """Raises OpenFolder unless the folder is a real one, of that user, and closed to all others."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != uid or status.st_mode & OTHERS:
        raise OpenFolder(
            f"the folder of its socket, {folder}, is not the server's alone (mode"
            f" {stat.S_IMODE(status.st_mode):o}, owner {status.st_uid}): stop the server that runs there"
        )


def require_reachable(path: Path, uid: int, gid: int, user: str) -> None:
    """Raises OpenFolder where a folder above the path keeps the server's user out. It is not opened:
    whoever closed it had a reason."""
    for folder in reversed(path.parents):
        status = folder.stat()
        own, group = status.st_uid == uid, status.st_gid == gid
        needed = stat.S_IXUSR if own else stat.S_IXGRP if group else stat.S_IXOTH
        if not status.st_mode & needed:
            raise OpenFolder(
                f"root can not run PostgreSQL, so {user} does, who can not enter {folder}: set"
                " VIGILO_DATA_DIR to a folder below open ones (/srv/vigilo), or run the program as an"
                " ordinary user"
            )
