"""Workspaces from the repositories of an organisation at GitHub, each fed by its repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from ingest.pulling import runner, store
from ingest.pulling.parts import keep_scopes
from ingest.pulling.problems import SourceProblem
from ingest.pulling.runner import SourceContext
from ingest.pulling.store import NewSource, NoSuchSource
from storage.database import Database
from storage.viewer import Viewer
from web.first_run import steps
from web.first_run.steps import WrongStep

KIND = "github"


@dataclass(frozen=True, slots=True)
class Repositories:
    """Repositories of a source that feed no workspace yet: the whole name, and the name of a workspace."""

    source: int
    names: tuple[tuple[str, str], ...]


def connect(context: SourceContext, viewer: Viewer, config: Mapping[str, str], secret: str) -> int:
    """Tests and connects GitHub as the organisation's source, and notes its repositories; its id. Raises
    SourceProblem."""
    _, scopes = runner.tried(runner.draft(context, KIND, dict(config), secret), KIND)
    by = (viewer.user_id, viewer.email)
    new = NewSource(KIND, "GitHub", dict(config), secret)
    jobs = context.database.job
    id = store.create(jobs, context.box, new, by)
    with store.mapping(jobs) as connection:
        keep_scopes(connection, store.one(jobs, id), scopes)
    return id


def repositories(database: Database, viewer: Viewer, id: int) -> Repositories | None:
    """Repositories of a source of this person that feed nothing yet; None where it is none of theirs."""
    try:
        source = store.one(database.job, id)
    except NoSuchSource:
        return None
    if source.made_by != viewer.user_id or source.kind != KIND:
        return None
    with database.job.connect() as connection:
        scopes = store.every_scope(connection, id)
    fresh = [str(s["name"]) for s in scopes if s["state"] == "new"]
    return Repositories(id, tuple((name, name.rpartition("/")[2]) for name in fresh))


def adopt(database: Database, viewer: Viewer, id: int, names: Sequence[str]) -> int:
    """Makes a workspace of each of these repositories, or feeds the one of its name where there is one; how
    many are made. Raises WrongStep, SourceProblem."""
    known = repositories(database, viewer, id)
    chosen = [(whole, name) for whole, name in known.names if whole in names] if known else []
    if not chosen:
        raise WrongStep("Choose at least one repository.")
    with database.job.connect() as connection:
        there = {r.slug: r.id for r in connection.execute(text("select slug, id from workspace"))}
    fresh = [name for _, name in chosen if steps.slug_of(name) not in there]
    count = steps.add_workspaces(database, viewer, "\n".join(fresh)) if fresh else 0
    with database.job.connect() as connection:
        ids = {r.slug: r.id for r in connection.execute(text("select slug, id from workspace"))}
        rules = store.rules_of(connection, id)
    rules += [(whole, ids[steps.slug_of(name)]) for whole, name in chosen]
    try:
        store.set_rules(database.job, id, rules, viewer.email)
    except SourceProblem as problem:
        raise WrongStep(str(problem)) from problem
    return count
