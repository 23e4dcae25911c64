"""Setting a framework up in a workspace: its controls stand as not assessed until a result is told.

The identifiers are those of the AICPA's trust services criteria (2017), of ISO/IEC 27001:2022 Annex A and
of the HIPAA Security Rule (45 CFR 164.308 to 316); the titles are own words. Set up again, nothing changes.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path

from sqlalchemy import text

from aggregators.compliance.words import FRAMEWORK
from aggregators.records.statements import resolved_meaning
from ingest import words
from ingest.importer import load
from ingest.kinds import KINDS
from storage import audit
from storage.context import job_in
from storage.database import Database

HERE = Path(__file__).parent
KIND = "framework-controls"
FRAMEWORKS = ("SOC2", "ISO27001", "HIPAA")


@dataclass(frozen=True, slots=True)
class SetUpFramework:
    """A framework of a workspace: how many controls were set up, and of how many something was told. It
    ``counts_as`` another where the workspace gave its name another meaning."""

    framework: str
    set_up: int
    told: int
    counts_as: str = ""


@cache
def controls(framework: str) -> Mapping[str, str]:
    """Titles of a framework's controls by identifier. Raises KeyError for one that is not known."""
    if framework not in FRAMEWORKS:
        raise KeyError(framework)
    with (HERE / f"{framework}.csv").open(encoding="utf-8", newline="") as lines:
        return {row["control"]: row["title"] for row in csv.DictReader(lines)}


def seed(
    database: Database, workspace: tuple[int, str], framework: str, now: datetime, actor: str
) -> int:
    """Sets the controls up that are not, in the name of ``actor``; how many. Results stay as they are.
    Raises KeyError as ``controls``."""
    workspace_id, slug = workspace
    wanted = controls(framework)
    with job_in(database.job, workspace_id) as connection:
        query = text("select control from framework_control where framework = :f")
        name = resolved_meaning(words.as_they_stand(connection, workspace_id), FRAMEWORK, framework)
        present = set(connection.execute(query, {"f": name}).scalars())
    missing = [control for control in wanted if control not in present]
    if missing:
        _import(database, slug, framework, {each: wanted[each] for each in missing}, now)
        with database.job.begin() as connection:
            details = {"framework": framework, "controls": len(missing)}
            audit.record(connection, actor, "framework.seed", slug, details)
    return len(missing)


def _import(
    database: Database, slug: str, framework: str, titles: Mapping[str, str], now: datetime
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{framework}.csv"
        with path.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.writer(lines)
            writer.writerow(("framework", "control", "title", "set_up_at"))
            writer.writerows((framework, c, title, now.isoformat()) for c, title in titles.items())
        load(database, KINDS[KIND], [path], workspace=slug, strict=True)


def frameworks(database: Database, workspace_id: int) -> list[SetUpFramework]:
    """Frameworks of a workspace, by name; those that can be set up by the name that it is known by, too."""
    query = text("""
        with told as (select distinct framework, control from control_result)
        select framework, count(s.control), count(t.control)
        from framework_control s full join told t using (framework, control)
        group by framework order by framework
    """)
    with job_in(database.job, workspace_id) as connection:
        counted = {row[0]: SetUpFramework(*row) for row in connection.execute(query)}
        meanings = words.as_they_stand(connection, workspace_id)
        names = {name: resolved_meaning(meanings, FRAMEWORK, name) for name in FRAMEWORKS}
    renamed = [
        replace(counted.get(other, SetUpFramework(other, 0, 0)), framework=name, counts_as=other)
        for name, other in names.items()
        if other != name
    ]
    return sorted([*counted.values(), *renamed], key=lambda each: each.framework)
