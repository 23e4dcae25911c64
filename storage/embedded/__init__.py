"""The embedded PostgreSQL: the one folder that knows which package brings it.

The package keeps a list of the processes that use a data directory: a second program joins the
running server, the last one to leave stops it.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL

from storage.embedded.server import PROGRAMS, PrivateServer, server_in

DATABASE = "vigilo"


def start(data_dir: Path) -> URL:
    """Starts (or joins) the server in ``data_dir/postgres``; returns its superuser's address.

    The server stops with the last program that uses it. Works as root (an ordinary user then runs the
    server) and as anyone else; no other user of the machine reaches it. Raises OSError when it can not
    start, or not so.
    """
    folder = data_dir.resolve() / "postgres"
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        server = server_in(folder)
    except Exception as error:
        raise OSError(f"The embedded PostgreSQL in {folder} did not start: {error}") from error
    return server.address


def programs() -> Path:
    """The folder of the server's own programs, pg_dump and pg_restore among them."""
    return PROGRAMS


def stop(data_dir: Path) -> None:
    """Leaves the server; it stops when nobody else uses it."""
    server = PrivateServer._instances.get(data_dir.resolve() / "postgres")
    if server is not None:
        server._cleanup()
