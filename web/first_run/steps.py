"""Steps of the first run, carried out: workspaces, files, the first figures."""

from __future__ import annotations

import csv
import io
import re
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from aggregators.chosen.known import WrongSettingValue, find_setting
from aggregators.chosen.names import ORGANISATION_NAME, TIME_ZONE
from aggregators.vocabulary.fields import LONGEST_SLUG, SHORTEST_SLUG
from auth import accounts
from auth.membership import PLATFORM_ADMIN
from demo.removal import samples_of
from ingest.desk import choosing
from ingest.door.imports import note_imports
from ingest.due.marks import mark
from ingest.importer import load
from ingest.kinds import KINDS
from ingest.report import ImportOutcome
from ingest.sources.files import kind_in
from settings import Settings
from storage.context import job_in
from storage.database import Database
from storage.scheduled import runs
from storage.scheduled.runs import SNAPSHOT
from storage.viewer import Viewer

MOST = 500
"""Workspaces that are made at once."""
LONGEST_NAME = 120
"""Bytes of a file's name that are kept, of its end."""
FARTHEST = timedelta(days=400)
FIRST = text("select min(at) from statement where workspace_id = :w and at > :floor")
COUNTS = text(
    "select kind, count(distinct identity) from statement"
    " where workspace_id = :w and not starts_with(kind, 'list:') group by 1"
)
SPACE = re.compile(r"[^a-z0-9]+")


class WrongStep(ValueError):
    """A step can not be carried out; the message says why, and where."""


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """Outcome of a file that was dropped: its kind, its counts, and what of it was refused."""

    name: str
    kind: str
    read: int
    written: int
    refused: int
    problems: list[str]


def slug_of(name: str) -> str:
    """A workspace's short name, made of its name."""
    slug = SPACE.sub("-", name.lower()).strip("-")[:LONGEST_SLUG].strip("-")
    return slug if len(slug) >= SHORTEST_SLUG else f"ws-{slug}".strip("-")


def workspaces_in(typed: str) -> list[tuple[str, str, str]]:
    """Slug, name and region of each line: names alone, or CSV with a header ``slug,name`` (and ``region``).
    Raises WrongStep naming the line."""
    lines = [line for line in typed.splitlines() if line.strip()]
    if not lines:
        raise WrongStep("Type at least one workspace, one a line.")
    if len(lines) > MOST:
        raise WrongStep(f"At most {MOST} at once.")
    header = [cell.strip().lower() for cell in lines[0].split(",")]
    if "name" in header or "slug" in header:
        rows = list(csv.DictReader(io.StringIO("\n".join([",".join(header), *lines[1:]]))))
        entries = [(r.get("slug") or "", r.get("name") or "", r.get("region") or "") for r in rows]
    else:
        entries = [("", line, "") for line in lines]
    made = []
    for number, (slug, name, region) in enumerate(entries, 1):
        name = (name or slug).strip()
        if not name:
            raise WrongStep(f"Line {number} has no name.")
        made.append((slug.strip() or slug_of(name), name[:120], region.strip()))
    slugs = [slug for slug, _, _ in made]
    if twice := next((slug for slug in slugs if slugs.count(slug) > 1), None):
        raise WrongStep(f"Two workspaces would be called {twice}: give their slugs as well.")
    return made


def add_workspaces(database: Database, viewer: Viewer, typed: str) -> int:
    """Makes the workspaces, with the person as platform admin of each; how many. Raises WrongStep."""
    entries = workspaces_in(typed)
    if samples_of(database):
        raise WrongStep("Remove the sample data first: it stands beside no real workspace.")
    with database.job.connect() as connection:
        known = set(connection.execute(text("select slug from workspace")).scalars())
    if taken := sorted({slug for slug, _, _ in entries} & known):
        raise WrongStep(f"There is a workspace {taken[0]} already.")
    with tempfile.TemporaryDirectory(prefix="vigilo-first-") as folder:
        path = Path(folder) / "workspaces.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("slug", "name", "region"))
            writer.writerows(entries)
        (outcome,) = load(database, KINDS["workspaces"], [path], strict=True)
    if outcome.failed:
        first = outcome.rejects[0] if outcome.rejects else outcome.problem
        reason = getattr(first, "reason", first)
        raise WrongStep(f"Line {getattr(first, 'line', 1) - 1}: {reason}.")
    for slug, _, _ in entries:
        accounts.grant(database.job, viewer.email, slug, PLATFORM_ADMIN)
    return len(entries)


def plain_name(name: str) -> str:
    """Name of a file as any file system takes it: without folders, and not too long; the end stays."""
    last = Path(name).name.encode()[-LONGEST_NAME:].decode(errors="ignore")
    return last if last.strip(".") else "file"


def has_figures(database: Database) -> bool:
    """Whether any workspace has a day of figures."""
    return choosing.newest_day(database) is not None


def choose_organisation(
    database: Database, settings: Settings, name: str, zone: str, by: str
) -> None:
    """Chooses the organisation's name, and the time zone in which days end, before there is a day; what is
    as it was is left. Raises WrongStep."""
    if has_figures(database):
        raise WrongStep("There are figures already: both are changed on the page Settings.")
    chosen = (
        (ORGANISATION_NAME, name, settings.organisation),
        (TIME_ZONE, zone, settings.zone.key),
    )
    try:
        changes = [
            (find_setting(key), find_setting(key).check(value), before)
            for key, value, before in chosen
        ]
        for setting, value, before in changes:
            if value != before:
                choice = choosing.Choice(setting, value, settings.now().date(), by)
                choosing.choose(database, choice, settings.time_zone)
    except WrongSettingValue as error:
        raise WrongStep(f"It {error.reason}.") from error


def load_file(
    database: Database, slug: str, name: str, content: bytes, kind: str, by: str
) -> LoadedFile:
    """Imports a file into a workspace and notes who did; good rows are kept. The kind is told, or stands in
    the name."""
    chosen = kind_in(Path(name).name, kind)
    if chosen not in KINDS or not KINDS[chosen].tenant:
        kinds = ", ".join(k for k, each in KINDS.items() if each.tenant)
        problem = f"Its name tells no kind of records: begin it with one of {kinds}."
        return LoadedFile(name, "", 0, 0, 0, [problem])
    with tempfile.TemporaryDirectory(prefix="vigilo-first-") as folder:
        path = Path(folder) / plain_name(name)
        path.write_bytes(content)
        (outcome,) = load(database, KINDS[chosen], [path], workspace=slug, as_deliveries=True)
    note_imports(database.job, by, chosen, slug, [outcome])
    return LoadedFile(
        name, chosen, outcome.read, outcome.written, outcome.rejected, _problems(outcome, folder)
    )


def _problems(outcome: ImportOutcome, folder: str) -> list[str]:
    problems = [str(reject).replace(f"{folder}/", "") for reject in outcome.rejects[:5]]
    return [*([outcome.problem] if outcome.problem else []), *problems]


def begin_figures(database: Database, ids: list[int], asked_by: str) -> int:
    """Has the first figures made, back to the first record of each workspace; the run's id."""
    floor = datetime.now(UTC) - FARTHEST
    for workspace_id in ids:
        with job_in(database.job, workspace_id) as connection:
            first = connection.execute(FIRST, {"w": workspace_id, "floor": floor}).scalar()
            mark(connection, workspace_id, first, reach=True)
    return runs.request(database.job, SNAPSHOT, asked_by)


def records_of(database: Database, ids: list[int]) -> dict[str, int]:
    """How many records of each kind the workspaces have."""
    counts: dict[str, int] = {}
    for workspace_id in ids:
        with job_in(database.job, workspace_id) as connection:
            for kind, number in connection.execute(COUNTS, {"w": workspace_id}):
                counts[kind] = counts.get(kind, 0) + int(number)
    return counts
