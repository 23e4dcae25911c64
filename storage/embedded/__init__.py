"""The embedded PostgreSQL: the one folder that knows which package brings it.

The package keeps a list of the processes that use a data directory: a second program joins the
running server, the last one to leave stops it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import psutil
from sqlalchemy import URL, create_engine

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
    _forget_the_dead(folder)
    try:
        server = server_in(folder)
        _tuned(server)
    except Exception as error:
        raise OSError(f"The embedded PostgreSQL in {folder} did not start: {error}") from error
    return _url(server)


def _url(server: PrivateServer) -> URL:
    info = server.get_postmaster_info()
    host = str(info.socket_dir) if info.socket_dir else info.hostname
    return URL.create(
        "postgresql+psycopg2",
        "postgres",
        database="postgres",
        query={"host": host, "port": str(info.port)},
    )


def _tuned(server: PrivateServer) -> None:
    """PostgreSQL's own 128 MB of buffers hold the snapshots of a hundred workspaces: a year of a thousand
    would come from the disk, page by page. The server takes what it uses only, so it may take more; this
    needs one restart in the life of a data directory, while nobody else can be there yet."""
    mark = Path(server.pgdata) / "vigilo.tuned"
    if mark.exists():
        return
    engine = create_engine(_url(server), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for name, value in {"shared_buffers": f"{_buffers_mb()}MB", "max_wal_size": "4GB"}.items():
            connection.exec_driver_sql(f"alter system set {name} = '{value}'")
        others = connection.exec_driver_sql(
            "select count(*) from pg_stat_activity"
            " where backend_type = 'client backend' and pid <> pg_backend_pid()"
        ).scalar_one()
    engine.dispose()
    if not others:
        server.restart()
        mark.touch()


def _buffers_mb() -> int:
    """An eighth of the machine's memory, at least what PostgreSQL takes by itself, at most 2 GB."""
    return min(2048, max(128, int(psutil.virtual_memory().total) // 2**20 // 8))


def programs() -> Path:
    """The folder of the server's own programs, pg_dump and pg_restore among them."""
    return PROGRAMS


def stop(data_dir: Path) -> None:
    """Leaves the server; it stops when nobody else uses it."""
    server = PrivateServer._instances.get(data_dir.resolve() / "postgres")
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
