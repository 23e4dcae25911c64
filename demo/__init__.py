"""A believable organisation: records first, then snapshots through the same job.

Deterministic in its seed and in the last complete day. It tells the stories of ``stories.py``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta

from aggregators.records.demo import Row, Team, Window
from auth.passwords import hash_password
from demo import people, write
from demo.generate import records
from demo.stories import teams
from settings import Settings
from storage.database import Database
from storage.snapshot import job
from storage.snapshot.staging import DayRange

Progress = Callable[[int, int, str], None]
"""Called with the steps done, the steps in all and what the last one was about."""


class NotEmpty(RuntimeError):
    """The database holds workspaces already: nothing was loaded and nothing lost."""


class Interrupted(RuntimeError):
    """The records are there, some of their snapshots are not; the message says how to go on."""


@dataclass(frozen=True, slots=True)
class DemoAccounts:
    """Accounts that can sign in, all with one password."""

    emails: tuple[str, ...]
    password: str


def is_empty(database: Database) -> bool:
    """Whether there is no workspace yet."""
    with database.job.connect() as connection:
        return write.is_empty(connection)


def load(
    database: Database,
    settings: Settings,
    workspaces: int = 12,
    days: int = 400,
    seed: int = 1,
    progress: Progress | None = None,
) -> DemoAccounts:
    """Loads the organisation of ``days`` days up to yesterday, snapshots included.

    Accounts and records come in one transaction: interrupted there, the database is as empty as
    before. Raises NotEmpty, ValueError on impossible numbers, Interrupted on any failure later.
    """
    if days < 1:
        raise ValueError("The demo organisation has at least one day.")
    last = settings.now().date() - timedelta(days=1)
    window = Window(last - timedelta(days=days - 1), last, settings.zone)
    organisation = teams(workspaces, seed)
    steps = _Steps(len(organisation) + sum(team.is_active for team in organisation), progress)
    password = people.password(settings.demo_password, settings.data_dir)
    _write(database, organisation, window, seed, hash_password(password), steps)
    try:
        _snapshots(database, settings, organisation, window, steps)
    except BaseException as error:
        raise Interrupted(
            "The organisation is loaded, but its snapshots are not complete. Make them with\n"
            f"  flask --app app snapshot backfill --from {window.first} --to {window.last}"
        ) from error
    return DemoAccounts(people.EMAILS, password)


SAMPLE_TEAMS, SAMPLE_DAYS = 6, 180


def load_sample(database: Database, settings: Settings, user_id: int) -> int:
    """Loads sample data into an installation without a workspace: a few workspaces whose names say so, with
    the account as platform admin of each; how many. Raises NotEmpty, Interrupted."""
    last = settings.now().date() - timedelta(days=1)
    window = Window(last - timedelta(days=SAMPLE_DAYS - 1), last, settings.zone)
    samples = [
        replace(team, slug=f"sample-{team.slug}", name=f"{team.name} (sample)")
        for team in teams(SAMPLE_TEAMS, 1)
    ]
    with database.job.begin() as connection:
        write.wait_for_turn(connection)
        if not write.is_empty(connection):
            raise NotEmpty("There are workspaces already: sample data is for the first look alone.")
        ids = write.workspaces(connection, samples, is_sample=True)
        for team, made in _teams_with_records(samples, window, 1):
            role = {"user_id": user_id, "role": "platform_admin"}
            own = write.encode_rows({"membership": [role]})
            write.records(connection, ids[team.slug], own | made)
    _snapshots(database, settings, samples, window, _Steps(0, None))
    return len(samples)


class _Steps:
    """Counts what is done and tells it."""

    def __init__(self, total: int, tell: Progress | None) -> None:
        self.done, self.total, self.tell = 0, total, tell

    def __call__(self, what: str) -> None:
        self.done += 1
        if self.tell:
            self.tell(self.done, self.total, what)


def _write(
    database: Database,
    organisation: Sequence[Team],
    window: Window,
    seed: int,
    password_hash: str,
    steps: _Steps,
) -> None:
    """Workspaces, accounts, memberships and records, all or nothing."""
    with database.job.begin() as connection:
        write.wait_for_turn(connection)
        if not write.is_empty(connection):
            raise NotEmpty(
                "The database holds workspaces already; nothing was changed. The demo organisation"
                " needs an empty database: set VIGILO_DATA_DIR to a new folder, or"
                " VIGILO_DATABASE_URL to another database."
            )
        ids = write.workspaces(connection, organisation)
        accounts = write.people(connection, people.accounts(password_hash))
        members: dict[int, list[Row]] = defaultdict(list)
        for workspace_id, row in people.memberships(organisation, ids, accounts):
            members[workspace_id].append(row)
        for team, made in _teams_with_records(organisation, window, seed):
            own = ids[team.slug]
            write.records(connection, own, write.encode_rows({"membership": members[own]}) | made)
            steps(f"records of {team.name}")


def _teams_with_records(
    organisation: Sequence[Team], window: Window, seed: int
) -> Iterator[tuple[Team, write.Encoded]]:
    """Each team with its records, made one team ahead: while PostgreSQL writes one, Python makes the
    next."""
    with ThreadPoolExecutor(1) as ahead:

        def submit(team: Team) -> Future[write.Encoded]:
            return ahead.submit(lambda: write.encode_rows(records(team, window, seed)))

        coming = submit(organisation[0])
        for team, following in zip(organisation, (*organisation[1:], None), strict=True):
            made = coming.result()
            if following is not None:
                coming = submit(following)
            yield team, made


def _snapshots(
    database: Database,
    settings: Settings,
    organisation: Sequence[Team],
    window: Window,
    steps: _Steps,
) -> None:
    """History through the same job as every night's, the days that a team's story lacks left out."""
    names = {team.slug: team.name for team in organisation}
    ranges = {
        team.slug: [DayRange(first, last) for first, last in _stretches(team, window)]
        for team in organisation
        if team.is_active
    }
    outcome = job.histories(
        database, ranges, window.last, settings, lambda slug: steps(f"snapshots of {names[slug]}")
    )
    if outcome.failed:
        raise RuntimeError(f"snapshots failed: {outcome.failed}")


def _stretches(team: Team, window: Window) -> Iterator[tuple[date, date]]:
    """First and last day of each run of days without a gap."""
    start = window.first
    for gap in (window.ago(n) for n in sorted(team.missing_days, reverse=True)):
        if start < gap:
            yield start, gap - timedelta(days=1)
        start = max(start, gap + timedelta(days=1))
    yield start, window.last
