"""Choice of PostgreSQL: the embedded one, shared and stopped; any other, with its roles."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from settings import load
from storage import embedded, schema
from storage.database import UnsafeRole, connect, refuse_unsafe
from storage.snapshot.job import run
from tests.conftest import TODAY
from tests.deep import all_but, every, long
from web.server.installation import Installation
from web.server.startup import prepare

PROGRAM = """
import sys, time
from pathlib import Path
from storage import embedded
embedded.start(Path(sys.argv[1]))
print((Path(sys.argv[1]) / "postgres" / "postmaster.pid").read_text().split()[0], flush=True)
sys.stdin.readline()
"""


def program(folder: Path) -> subprocess.Popen:
    """A program that uses the embedded server until it is told to end."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent.parent,
    )


def lives(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def ends(pid: int) -> bool:
    """Whether it is gone within a few seconds: who adopts it may reap it late."""
    for _ in range(100):
        if not lives(pid):
            return True
        time.sleep(0.1)
    return False


def test_a_second_program_joins_the_server_and_the_last_one_stops_it():
    folder = Path(tempfile.mkdtemp(prefix="vigilo-shared-"))
    first = program(folder)
    pid = int(first.stdout.readline())
    second = program(folder)
    assert int(second.stdout.readline()) == pid
    first.communicate("\n", timeout=30)
    assert lives(pid)
    second.communicate("\n", timeout=30)
    assert ends(pid)


def test_a_killed_program_does_not_keep_the_server_for_ever():
    folder = Path(tempfile.mkdtemp(prefix="vigilo-killed-"))
    killed = program(folder)
    pid = int(killed.stdout.readline())
    killed.kill()
    killed.wait(10)
    after = program(folder)
    assert int(after.stdout.readline()) == pid
    after.communicate("\n", timeout=30)
    assert ends(pid)


@pytest.fixture
def external(server):
    """Another database on the same server, reached by addresses as an operator gives them."""
    admin = create_engine(
        server.owner.url.set(username="postgres", database="postgres"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.execute(text("create database elsewhere owner vigilo_owner"))
    where = server.owner.url.set(database="elsewhere")
    yield lambda role: where.set(username=role).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text("drop database elsewhere with (force)"))
    admin.dispose()


def test_any_postgresql_by_its_addresses(external, tmp_path):
    settings = load(
        data_dir=tmp_path,
        today=TODAY,
        database_url=external("vigilo_web"),
        owner_database_url=external("vigilo_owner"),
        secret_key="x" * 40,
    )
    database = connect(settings)
    database.upgrade(settings)
    with database.web.connect() as connection:
        refuse_unsafe(connection)
        assert schema.is_current(connection)
    with database.job.begin() as connection:
        assert connection.execute(text("select current_user")).scalar_one() == "vigilo_job"
        connection.execute(text("insert into workspace (slug, name) values ('team', 'Team')"))
    assert run(database, TODAY - timedelta(days=1), settings).done == 1
    database.close()


@pytest.mark.parametrize(
    ("role", "why"), [("postgres", "superuser"), ("vigilo_owner", "owns tables")]
)
def test_a_role_that_security_does_not_bind_is_refused(external, tmp_path, role, why):
    keys = {
        "data_dir": tmp_path,
        "secret_key": "x" * 40,
        "owner_database_url": external("vigilo_owner"),
    }
    database = connect(load(database_url=external("vigilo_web"), **keys))
    database.upgrade(load(database_url=external("vigilo_web"), **keys))
    database.close()
    unsafe = connect(load(database_url=external(role), **keys))
    with unsafe.web.connect() as connection, pytest.raises(UnsafeRole, match=why):
        refuse_unsafe(connection)
    unsafe.close()


def wsgi(tmp_path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start as a WSGI server does; without the clock, whose work may meet the end of the process."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("VIGILO_")}
    kept["VIGILO_SCHEDULER"] = "false"
    return subprocess.run(
        [sys.executable, "-c", "import app; app.wsgi(); print('serving')"],
        cwd=Path(__file__).parent.parent.parent,
        env=kept | {"VIGILO_DATA_DIR": str(tmp_path), "VIGILO_SECRET_KEY": "x" * 40} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_wsgi_server_starts_as_the_web_role_and_as_no_other(external, tmp_path):
    migrated(external, tmp_path)
    addresses = {
        "VIGILO_DATABASE_URL": external("vigilo_web"),
        "VIGILO_JOB_DATABASE_URL": external("vigilo_job"),
    }
    assert wsgi(tmp_path, **addresses).stdout.strip() == "serving"
    refused = wsgi(tmp_path, **addresses | {"VIGILO_DATABASE_URL": external("vigilo_owner")})
    assert refused.returncode != 0
    assert "VIGILO_DATABASE_URL: the role vigilo_owner owns tables" in refused.stderr


@long("tests/storage/test_databases.py::test_a_wsgi_server_starts_as_the_web_role_and_as_no_other")
def test_a_wsgi_server_refuses_the_owner_as_its_job_role(external, tmp_path):
    migrated(external, tmp_path)
    web, owner = external("vigilo_web"), external("vigilo_owner")
    refused = wsgi(tmp_path, VIGILO_DATABASE_URL=web, VIGILO_JOB_DATABASE_URL=owner)
    assert refused.returncode != 0
    assert "VIGILO_JOB_DATABASE_URL: the role vigilo_owner owns tables" in refused.stderr


def migrated(external, tmp_path) -> None:
    """The schema, as an operator makes it with the owner's address."""
    settings = load(
        data_dir=tmp_path,
        database_url=external("vigilo_web"),
        owner_database_url=external("vigilo_owner"),
        secret_key="x" * 40,
    )
    database = connect(settings)
    database.upgrade(settings)
    database.close()


@pytest.mark.parametrize(
    ("more", "says"),
    every(
        2,
        [
            ({}, "VIGILO_JOB_DATABASE_URL: needed with VIGILO_DATABASE_URL; takes the job role's"),
            (
                {
                    "VIGILO_OWNER_DATABASE_URL": "vigilo_owner",
                    "VIGILO_JOB_DATABASE_URL": "vigilo_job",
                },
                "VIGILO_OWNER_DATABASE_URL: a process that serves must not hold",
            ),
        ],
        several=True,
    ),
)
def test_a_process_that_serves_has_the_job_role_s_address_and_not_the_owner_s(
    external, tmp_path, more, says
):
    addresses = {name: external(role) for name, role in more.items()}
    refused = wsgi(tmp_path, VIGILO_DATABASE_URL=external("vigilo_web"), **addresses)
    assert refused.returncode != 0
    assert says in refused.stderr


def test_a_role_that_may_become_the_owner_is_refused(external, server, tmp_path):
    migrated(external, tmp_path)
    admin = create_engine(server.owner.url.set(username="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("create role sly login in role vigilo_owner"))
    unsafe = create_engine(external("sly"))
    with unsafe.connect() as connection, pytest.raises(UnsafeRole, match="may become one that is"):
        refuse_unsafe(connection)
    unsafe.dispose()
    with admin.connect() as connection:
        connection.execute(text("drop role sly"))
    admin.dispose()


def test_a_program_that_serves_its_own_server_gives_the_owner_up(tmp_path_factory):
    folder = Path(tempfile.mkdtemp(prefix="vigilo-own-"))
    installation = Installation(load(data_dir=folder, today=TODAY))
    prepare(installation)
    assert installation.database.owner is None
    with installation.database.job.connect() as connection:
        assert connection.execute(text("select session_user")).scalar() == "vigilo_job"
    installation.database.close()
    embedded.stop(folder)


def test_migrating_needs_the_owner(tmp_path):
    settings = load(
        data_dir=tmp_path, database_url="postgresql://web@127.0.0.1:1/x", secret_key="x" * 40
    )
    with pytest.raises(SystemExit, match="VIGILO_JOB_DATABASE_URL"):
        connect(settings).job.connect()
    with pytest.raises(SystemExit, match="VIGILO_OWNER_DATABASE_URL"):
        connect(settings).upgrade(settings)


WRONG = [
    ({"VIGILO_TIME_ZONE": "Mars"}, "VIGILO_TIME_ZONE"),
    ({"VIGILO_DATABASE_URL": "postgresql://w@127.0.0.1:1/x"}, "VIGILO_SECRET_KEY"),
    ({"VIGILO_DATA_DIR": "/proc/nowhere"}, "VIGILO_DATA_DIR: /proc/nowhere can not be made"),
    ({"VIGILO_DATA_DIR": "/proc"}, "VIGILO_DATA_DIR: /proc can not be made or written"),
    ({"VIGILO_THRESHOLDS": "{bad", "VIGILO_TYPO": ""}, "VIGILO_TYPO is no setting"),
]


@pytest.mark.parametrize(("more", "says"), all_but([WRONG[1], WRONG[3]], WRONG, several=True))
def test_a_start_that_can_not_be_says_which_variable(tmp_path, more, says):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("VIGILO_")}
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", "serve"],
        cwd=Path(__file__).parent.parent.parent,
        env=kept | {"VIGILO_DATA_DIR": str(tmp_path)} | more,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr
