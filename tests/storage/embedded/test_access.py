"""The embedded server is closed to other users of the machine, whatever its path and whoever runs it."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from storage import embedded
from storage.embedded import access

STRANGER = "nobody"
ORDINARY = "games"
"""Users of every machine: one who runs the program, one who tries to get in."""
LONG = 113
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as other users")


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder below open ones, for a data directory."""
    folder = Path(tempfile.mkdtemp(prefix="vigilo-home-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def long_path(home: Path) -> Path:
    """A data directory of so many characters, of which no socket's address has room."""
    return home / ("d" * (LONG - len(str(home)) - 1))


@contextmanager
def acting_as(name: str, work: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """Words of a fork of this process that has become the user and stays within its work for as long as
    the block lasts; the words of its error otherwise."""
    user, (told, tell), (wait, end) = pwd.getpwnam(name), os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(end)
        try:
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
            with work() as words:
                os.write(tell, words.encode())
                os.read(wait, 1)
        except OSError as error:
            os.write(tell, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(wait)
    try:
        yield os.read(told, 4096).decode()
    finally:
        os.close(end)
        os.waitpid(pid, 0)
        os.close(told)
        os.close(tell)


def tries(folder: Path, name: str) -> str:
    """Error of psql for a user of the machine who knows where the socket is."""
    done = subprocess.run(
        [embedded.programs() / "psql", "-h", folder, "-U", "postgres", "-c", "select 1"],
        user=name,
        group=pwd.getpwnam(name).pw_gid,
        extra_groups=[],
        capture_output=True,
        text=True,
        cwd="/",
    )
    assert done.returncode, done.stdout
    return done.stderr


@contextmanager
def started(folder: Path) -> Iterator:
    """The address of the superuser, while the server runs."""
    url = embedded.start(folder)
    try:
        yield url
    finally:
        embedded.stop(folder)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@as_root
@pytest.mark.parametrize("place", [lambda home: home / "data", long_path])
def test_root_s_server_lets_no_other_user_in(home, place):
    data = place(home)
    with started(data) as url:
        socket = Path(url.query["host"])
        assert mode(socket) == 0o700
        assert "Permission denied" in tries(socket, STRANGER)
        engine = create_engine(url)
        with engine.connect() as connection:
            assert connection.execute(text("select current_user")).scalar() == "postgres"
        engine.dispose()
    assert data == socket.parent or not socket.exists()


@as_root
@pytest.mark.parametrize("place", [lambda home: home / "data", long_path])
def test_an_ordinary_user_s_server_lets_no_other_user_in(home, place):
    data = place(home)
    shutil.chown(home, ORDINARY)

    @contextmanager
    def serve() -> Iterator[str]:
        with started(data) as url:
            yield url.query["host"]

    with acting_as(ORDINARY, serve) as host:
        socket = Path(host)
        assert (mode(socket), socket.owner()) == (0o700, ORDINARY)
        assert "Permission denied" in tries(socket, STRANGER)
        socket.chmod(0o711)
        if socket == data / "postgres":
            data.chmod(0o711)
        next(socket.glob(".s.PGSQL.????")).chmod(0o777)
        assert "Peer authentication failed" in tries(socket, STRANGER)
        socket.chmod(0o700)


@as_root
def test_even_at_the_socket_a_stranger_is_asked_who_they_are(home):
    """Were the folder open, the server itself would refuse."""
    with started(home / "data") as url:
        folder = Path(url.query["host"])
        for path, opened in ((home / "data", 0o755), (folder, 0o755)):
            path.chmod(opened)
        next(folder.glob(".s.PGSQL.????")).chmod(0o777)
        assert "Peer authentication failed" in tries(folder, STRANGER)
        folder.chmod(0o700)


@as_root
def test_no_other_user_can_take_the_lock_of_the_start(home):
    """Whoever may read a file may lock it, and a start would wait for them without end."""
    data = home / "data"
    data.mkdir(mode=0o755)
    (data / "postgres.lock").touch(mode=0o644)  # as former releases made it
    with started(data):
        for path in data.iterdir():
            assert not stat.S_ISREG(path.stat().st_mode) or not mode(path) & 0o077, path
        opened = lambda: nullcontext(str((data / "postgres.lock").open().fileno()))  # noqa: E731
        with acting_as(STRANGER, opened) as words:
            assert "PermissionError" in words


@as_root
def test_folders_above_stay_as_they_are(home):
    """A 0700 folder above the data stays closed: the start is refused with what to do."""
    home.chmod(0o700)
    with pytest.raises(OSError, match=f"can not enter {home}: set VIGILO_DATA_DIR"):
        embedded.start(home / "below" / "data")
    assert mode(home) == 0o700


@as_root
def test_a_data_directory_of_root_s_is_passed_through_and_not_opened(home):
    data = home / "data"
    data.mkdir(mode=0o700)
    before = {path: mode(path) for path in (home, Path("/"), embedded.programs(), sys_folder())}
    with started(data):
        assert mode(data) == 0o710
        with acting_as(STRANGER, lambda: nullcontext(str(os.listdir(data)))) as words:
            assert "Permission denied" in words
    assert {path: mode(path) for path in before} == before


def sys_folder() -> Path:
    return Path(sys.prefix)


def test_a_server_that_others_could_reach_is_not_used(home):
    with pytest.raises(OSError, match="not the server's alone"):
        access.require_private(home, os.geteuid())


def test_nobody_can_take_the_folder_s_name_beforehand(home):
    data = long_path(home)
    names = {access.socket_folder(data, (os.geteuid(), os.getegid())) for _ in range(2)}
    assert len(names) == 2
    for folder in names:
        access.require_private(folder, os.geteuid())
        folder.rmdir()
