"""A believable organisation: records first, then snapshots through the same job.

Deterministic in its seed and in the last complete day. It tells the stories of ``stories.py``.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date, timedelta

from sqlalchemy import text

from settings import Settings
from storage import snapshots
from storage.database import Database
from storage.demo import people, write
from storage.demo.generate import records
from storage.demo.stories import Team, teams

Progress = Callable[[str], None]


class NotEmpty(RuntimeError):
    """The database holds workspaces already: nothing was loaded and nothing lost."""


def is_empty(database: Database) -> bool:
    """Whether there is no workspace yet."""
    with database.job.connect() as connection:
        return not connection.execute(text("select exists (select 1 from workspace)")).scalar_one()


def load(
    database: Database,
    settings: Settings,
    workspaces: int = 12,
    days: int = 400,
    seed: int = 1,
    progress: Progress | None = None,
) -> str:
    """Loads the organisation, snapshots included; returns the accounts' password.

    Raises NotEmpty. Interrupted, it leaves a part: drop the data directory (or the database) and
    start over.
    """
    if not is_empty(database):
        raise NotEmpty("The database holds workspaces already; the demo needs an empty one.")
    last = settings.now().date() - timedelta(days=1)
    organisation = teams(workspaces, seed)
    ids = write.workspaces(database.job, organisation)
    for team in organisation:
        made = records(team, last - timedelta(days=days - 1), last, seed)
        write.records(database.job, ids[team.slug], made)
        if progress:
            progress(team.slug)
    password = demo_password(settings)
    people.create(database.job, organisation, password)
    for team in organisation:
        _snapshots(database, settings, team, last - timedelta(days=days - 1), last)
        if progress:
            progress(team.slug)
    return password


def _snapshots(database: Database, settings: Settings, team: Team, first: date, last: date) -> None:
    """History through the same job as every night's; a team's missing days are left out."""
    if not team.is_active:
        return
    start = first
    for ago in sorted(team.missing_days, reverse=True):
        gap = last - timedelta(days=ago)
        if start < gap:
            _backfill(database, settings, team, start, gap - timedelta(days=1))
        start = gap + timedelta(days=1)
    _backfill(database, settings, team, start, last)


def _backfill(database: Database, settings: Settings, team: Team, first: date, last: date) -> None:
    outcome = snapshots.backfill(database, first, last, settings, team.slug)
    if outcome.failed:
        raise RuntimeError(f"snapshots of {team.slug}: {outcome.failed[team.slug]}")


def demo_password(settings: Settings) -> str:
    """VIGILO_DEMO_PASSWORD, or a random one kept in the data directory."""
    if settings.demo_password:
        return settings.demo_password
    path = settings.data_dir / "demo-password"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(9), encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()


def how_to_sign_in(database: Database, settings: Settings) -> list[str]:
    """What ``make run`` prints about the accounts; nothing when the demo is not loaded."""
    if not people.exist(database.job):
        return ["Create an account with flask --app app user create EMAIL."]
    password = demo_password(settings)
    return [
        f"Sign in as {people.ALICE} with the password {password}",
        f"(or {people.BOB}, {people.CAROL}, {people.DAVE}: what they may see differs).",
    ]
