"""PostgreSQL's own programs: where they are, called without a password on the command line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import URL

from storage import embedded

VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
DEBIAN = "/usr/lib/postgresql/{major}/bin"
"""Where Debian keeps the programs of a version."""


class NoProgram(RuntimeError):
    """No program of PostgreSQL on this machine fits the server."""


class ProgramFailed(RuntimeError):
    """The program ended with an error; the message is its last line."""


def find(name: str, major: int) -> Path:
    """The program of the server's own version, else the oldest newer one. Raises NoProgram."""
    folders = [Path(DEBIAN.format(major=version)) for version in range(major, major + 10)]
    candidates = [folder / name for folder in (*folders, embedded.programs())]
    if (on_path := shutil.which(name)) is not None:
        candidates.append(Path(on_path))
    versions = {path: version_of(path) for path in candidates if os.access(path, os.X_OK)}
    fitting = [path for path, version in versions.items() if version >= major]
    if not fitting:
        raise NoProgram(
            f"{name} of PostgreSQL {major} or newer is needed here (Debian: apt-get install"
            f" postgresql-client-{major})."
        )
    return min(fitting, key=lambda path: versions[path])


def version_of(program: Path) -> int:
    """The major version; 0 for what does not tell one."""
    run = subprocess.run(  # noqa: S603 (a program that was looked up, without input)
        [program, "--version"], capture_output=True, text=True, check=False
    )
    match = VERSION.search(run.stdout)
    return int(match[1]) if match else 0


def run(
    program: Path, options: Sequence[str], url: URL | None = None, more: Mapping[str, str] = {}
) -> str:
    """Output of the program, connected to the address, with ``more`` in its environment. Raises
    ProgramFailed."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "VIGILO_"))}
    environment.update(more)
    target = []
    if url is not None:
        target = [f"--dbname={conninfo(url)}", "--no-password"]
        environment |= {"PGPASSWORD": url.password} if url.password else {}
    done = subprocess.run(  # noqa: S603 (our own options, no shell)
        [program, *options, *target], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        lines = [line for line in done.stderr.strip().splitlines() if "error:" in line]
        last = (lines or done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise ProgramFailed(f"{program.name} failed: {last.removeprefix(f'{program.name}: ')}")
    return done.stdout


def conninfo(url: URL) -> str:
    """The address in libpq's own words, without the password."""
    words = {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "dbname": url.database,
        **url.query,
    }
    quoted = {
        name: str(value).replace("\\", "\\\\").replace("'", "\\'")
        for name, value in words.items()
        if value is not None
    }
    return " ".join(f"{name}='{value}'" for name, value in quoted.items())
