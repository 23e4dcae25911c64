"""Databases that earlier states of this repository have made, with their own code, upgraded by today's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from settings import load
from storage.database import connect
from tests.conftest import superuser
from tests.deep import DEEP, bound
from tests.served import ROOT

VERSIONS = "storage/migrations/versions/"
FIRST = "0006"
"""Migrations of before are of heads that load no demonstration with these options."""
GONE = "dash-svg==0.0.12"
"""A package that heads before 0010 need and today's program does not."""
WITH_GONE = "0009"
"""The migration from whose head on nobody needs it."""
REMADE = {"0006": {"lead_time_for_changes", "lead_time_p90"}}
"""Measures of a head whose days are made again from their records, and whose definition has changed since
(a change has one lead time, with the first success that brings it)."""

UNFINISHED = {"0007"}
"""Heads whose own program makes no snapshot of what it was told: a commit in the middle of a change."""
NOT_COMPLETE = "The organisation is loaded, but its snapshots are not complete."


def heads() -> dict[str, str]:
    """The last commit of each migration before the next one came, and the one that brought the newest, as
    the repository's history has them: whoever rewrites it takes no head away. A commit with two migrations
    of one number is none: its own program refuses to upgrade."""
    if not DEEP or not (ROOT / ".git").exists():
        return {}
    words = ["log", "--reverse", "--diff-filter=AR", "--name-only", "--format=commit %H", "--"]
    told = git(*words, f"{VERSIONS}[0-9]*.py")
    commits: dict[str, str] = {}
    newest = ""
    for brought in told.split("commit ")[1:]:
        commit, *_ = brought.split()
        if newest:
            commits[newest] = f"{commit}^"
        names = git("ls-tree", "--name-only", commit, VERSIONS).split()
        numbers = [Path(name).name[:4] for name in names if Path(name).name[:4].isdigit()]
        newest = max(numbers) if len({*numbers}) == len(numbers) else ""
        if newest:
            commits[newest] = commit
    return {migration: commit for migration, commit in commits.items() if migration >= FIRST}


def git(*words: str) -> str:
    """Output of a command of git."""
    return subprocess.run(
        ["git", *words], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout


HEADS = heads()
"""Commit by the last migration that it has."""
pytestmark = pytest.mark.skipif(
    not DEEP or not (ROOT / ".git").exists(), reason="deep, and needs the repository's history"
)


@pytest.fixture
def folders() -> Iterator[Path]:
    """A folder for old code and its data; not below pytest's, which is closed to the embedded server."""
    folder = Path(tempfile.mkdtemp(prefix="vigilo-heads-"))
    folder.chmod(0o755)
    yield folder
    git("worktree", "prune")
    shutil.rmtree(folder, ignore_errors=True)


def fetched(folder: Path) -> None:
    """Put the package that is gone into a folder of its own."""
    words = ["-m", "pip", "install", "-q", "--no-deps", "--target", str(folder), GONE]
    subprocess.run([sys.executable, *words], check=True, capture_output=True)


def typed(code: Path, data: Path, *words: str, fails_with: str = "") -> str:
    """Output of a command of that code over that data, which succeeds, or ends with a sentence."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("VIGILO_")}
    kept["PYTHONPATH"] = str(code.parent / "packages") if code != ROOT else ""
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", *words],
        cwd=code,
        env=kept | {"VIGILO_DATA_DIR": str(data), "VIGILO_TODAY": "2026-11-23"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert (done.returncode != 0) == bool(fails_with), done.stdout + done.stderr[-3000:]
    assert fails_with in done.stderr
    return done.stdout


def figures(code: Path, data: Path) -> dict[tuple[str, str, str], object]:
    """Figures of the organisation and of each workspace, as the program of ``code`` tells them."""
    out = data / "figures.json"
    out.unlink(missing_ok=True)
    words = ("--as", "alice@demo.example", "--period", "28", "--format", "json", "--out", str(out))
    typed(code, data, "export", "pdf", *words)
    told = {}
    for domain in json.loads(out.read_text(encoding="utf-8"))["domains"]:
        for scope in (domain, *domain["workspaces"]):
            for name, figure in scope["measures"].items():
                told[domain["key"], scope.get("slug", ""), name] = figure["value"]
    assert any(value is not None for value in told.values())
    return told


def rows(data: Path) -> dict[str, int]:
    """Number of rows of each table but those of snapshots and of what the program keeps for itself."""
    settings = load(data_dir=data)
    database = connect(settings)
    with superuser(database).connect() as connection:
        names = connection.execute(text("select relname from pg_class where relkind = 'r' and relnamespace"
                                        " = 'public'\\:\\:regnamespace")).scalars().all()  # fmt: skip
        told = {
            name: connection.execute(text(f"select count(*) from {name}")).scalar_one()
            for name in names
            if not name.endswith(("_snapshot", "_history", "_version", "_event", "_block"))
        }
    database.close()
    return {name: number for name, number in told.items() if number}


@pytest.mark.parametrize("migration", sorted(UNFINISHED & HEADS.keys()))
def test_records_of_a_head_that_makes_no_snapshots_are_all_there(folders, migration):
    old, data = folders / "code", folders / "data"
    git("worktree", "add", "--detach", str(old), HEADS[migration])
    data.mkdir()
    data.chmod(0o755)
    fetched(folders / "packages")
    try:
        typed(old, data, "db", "upgrade")
        loaded = ("demo", "load", "--workspaces", "3", "--days", "60")
        typed(old, data, *loaded, fails_with=NOT_COMPLETE)
    finally:
        git("worktree", "remove", "--force", str(old))
    before = rows(data)
    typed(ROOT, data, "db", "upgrade")
    after = rows(data)
    assert sum(before.values()) > 1000
    assert {name: after[name] for name in before if name in after} == {
        name: number for name, number in before.items() if name in after
    }
    assert before.keys() - after.keys() <= set(), "tables that are no more"
    typed(ROOT, data, "snapshot", "backfill", "--from", "2026-09-24", "--to", "2026-11-22")
    assert figures(ROOT, data)
    assert "All is well." in typed(ROOT, data, "doctor")


@pytest.mark.parametrize("migration", sorted(HEADS.keys() - UNFINISHED))
def test_its_figures_are_the_same_without_a_further_command(folders, migration):
    old, data = folders / "code", folders / "data"
    git("worktree", "add", "--detach", str(old), HEADS[migration])
    data.mkdir()
    data.chmod(0o755)
    if migration < WITH_GONE:
        fetched(folders / "packages")
    try:
        typed(old, data, "db", "upgrade")
        typed(old, data, "demo", "load", "--workspaces", "3", "--days", "60")
        before = figures(old, data)
    finally:
        git("worktree", "remove", "--force", str(old))
    typed(ROOT, data, "db", "upgrade")
    after = figures(ROOT, data)
    changed = REMADE.get(migration, set())
    equal = {key for key in before if key[2] not in changed}
    assert {key: after[key] for key in equal} == {key: before[key] for key in equal}
    assert {key for key in before if after[key] is None} == {
        key for key in before if before[key] is None
    }
    assert "All is well." in typed(ROOT, data, "doctor")


def test_at_least_four_earlier_heads_are_tried():
    assert len(HEADS) >= 4


def test_an_upgrade_that_changes_nothing_is_quick(settings, server):
    typed(ROOT, settings.data_dir, "db", "upgrade")
    begun = os.times()
    typed(ROOT, settings.data_dir, "db", "upgrade")
    ended = os.times()
    worked = (
        ended.children_user + ended.children_system - begun.children_user - begun.children_system
    )
    assert worked < bound(2), "seconds of a processor, however busy the machine is"
