"""PostgreSQL clusters of their own: fresh ones of any version that is installed, reached over TCP with
passwords, as an operator's are."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from sqlalchemy import URL, create_engine, text

from settings import Settings, load
from tests.exports.work.test_killed_workers import free_port
from tests.served import ROOT

PASSWORD = "p@ss/word#1"
ADMINISTRATOR = """
create role vigilo_owner login createrole password :password;
create role vigilo_web login password :password;
create role vigilo_job login password :password;
grant vigilo_job to vigilo_owner;
create role vigilo_backup login bypassrls password :password;
grant pg_read_all_data to vigilo_backup;
"""
"""Roles as docs/operation.md has an administrator make them."""


def administrators_script() -> list[str]:
    """Statements of deploy/roles.sql, without its comments and psql's own lines."""
    lines = (ROOT / "deploy/roles.sql").read_text().splitlines()
    script = "\n".join(line for line in lines if not line.startswith(("--", "\\")))
    blocks = re.findall(r"do \$\$.*?\$\$;", script, re.DOTALL)
    plain = re.sub(r"do \$\$.*?\$\$;", "", script, flags=re.DOTALL)
    return [*(each.strip() for each in plain.split(";") if each.strip()), *blocks]


@dataclass(frozen=True)
class Cluster:
    """A running server, its folder and who runs it."""

    programs: Path
    folder: Path
    port: int
    user: str | None

    def url(self, role: str, database: str = "vigilo") -> URL:
        return URL.create("postgresql+psycopg2", role, PASSWORD, "127.0.0.1", self.port, database)

    def sql(self, statements: str, database: str = "postgres") -> None:
        engine = create_engine(self.url("postgres", database), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in filter(str.strip, statements.split(";")):
                values = {"password": PASSWORD} if ":password" in statement else {}
                connection.execute(text(statement), values)
        engine.dispose()

    def run(self, program: str, *options: str) -> None:
        """Run a program of this version as the cluster's user."""
        subprocess.run(
            [self.programs / program, *options],
            user=self.user,
            cwd=self.folder.parent,
            check=True,
            capture_output=True,
            env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]},
        )

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """The server with all its processes stopped by SIGSTOP, thawed at the end."""
        told = (self.folder / "postmaster.pid").read_text(encoding="utf-8")
        postmaster = psutil.Process(int(told.split()[0]))
        postmaster.suspend()  # first, so that no more children come
        everyone = [postmaster, *postmaster.children()]
        try:
            for each in everyone:
                each.suspend()
            yield
        finally:
            for each in everyone:
                with suppress(psutil.NoSuchProcess):
                    each.resume()

    def addresses(self) -> dict[str, str]:
        """Settings of an installation there."""
        return {
            f"{name}database_url": self.url(role).render_as_string(hide_password=False)
            for name, role in {
                "": "vigilo_web",
                "owner_": "vigilo_owner",
                "job_": "vigilo_job",
                "backup_": "vigilo_backup",
            }.items()
        }

    def settings(self, data_dir: Path, given: Settings) -> Settings:
        """Settings like the given ones, of an installation there."""
        return load(
            data_dir=data_dir,
            today=given.today,
            org_name=given.org_name,
            secret_key="x" * 40,
            debug=True,
            **self.addresses(),
        )


@contextmanager
def cluster(
    programs: Path, user: str | None, config: Mapping[str, str] = {}, *, prepared: bool = True
) -> Iterator[Cluster]:
    """A fresh cluster, with an empty database and the roles that an administrator makes if ``prepared``."""
    folder = Path(tempfile.mkdtemp(prefix="vigilo-cluster-"))
    made = Cluster(programs, folder / "data", free_port(), user if os.geteuid() == 0 else None)
    if made.user:
        shutil.chown(folder, made.user)
    (folder / "password").write_text(PASSWORD)
    (folder / "password").chmod(0o644)
    try:
        made.run(
            "initdb", f"--pgdata={made.folder}", "--username=postgres", "--auth=scram-sha-256",
            f"--pwfile={folder / 'password'}", "--encoding=UTF8", "--no-sync",
        )  # fmt: skip
        options = {
            "port": str(made.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            **config,
        }
        with (made.folder / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in options.items())
        made.run("pg_ctl", "-w", "start", f"--pgdata={made.folder}", f"--log={folder / 'log'}")
        if prepared:
            made.sql(ADMINISTRATOR)
            made.sql("create database vigilo owner vigilo_owner")
        yield made
    finally:
        subprocess.run(
            [programs / "pg_ctl", "-m", "immediate", "stop", f"--pgdata={made.folder}"],
            user=made.user,
            capture_output=True,
            check=False,
        )
        shutil.rmtree(folder, ignore_errors=True)
