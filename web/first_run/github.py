"""Workspaces from the repositories of an organisation at GitHub, each fed by its repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from aggregators.name_order import by_name
from ingest.pulling import runner, store
from ingest.pulling.ahead import choosing
from ingest.pulling.catalogue import kind_of
from ingest.pulling.choice import settling
from ingest.pulling.choice.settling import PartChoice
from ingest.pulling.parts import keep_scopes
from ingest.pulling.problems import SourceProblem
from ingest.pulling.runner import SourceContext
from ingest.pulling.shape import FoundScope, PullScope
from ingest.pulling.store import NewSource, NoSuchSource
from ingest.pulling.wire.allowance import Allowance
from storage.database import Database
from storage.viewer import Viewer
from web.first_run import steps
from web.first_run.steps import WrongStep

KIND = "github"
REQUESTS, SECONDS, COUNTED = 300, 45.0, 100
"""Requests and seconds of the test, the list and the count of the first repositories, while somebody
waits."""


@dataclass(frozen=True, slots=True)
class Repositories:
    """Repositories of a source that feed no workspace yet, each with what its deployments would be."""

    source: int
    parts: tuple[PartChoice, ...]


def connect(context: SourceContext, viewer: Viewer, config: Mapping[str, str], secret: str) -> int:
    """Tests and connects GitHub as the organisation's source, and notes its repositories, with what they
    have of each thing that may be a deployment; its id. Raises SourceProblem."""
    pull = runner.draft(context, KIND, dict(config), secret, Allowance(REQUESTS, SECONDS))
    _, scopes = runner.try_source(pull, KIND)
    each = [PullScope(scope.external_id, scope.name, "") for scope in by_name(scopes, _name)]
    pull.keep_time()
    counts, _ = choosing.count_choices(pull, kind_of(KIND), each, COUNTED)
    by = (viewer.user_id, viewer.email)
    new = NewSource(KIND, "GitHub", dict(config), secret)
    jobs = context.database.job
    id = store.create(jobs, context.box, new, by)
    with store.change_mapping(jobs) as connection:
        keep_scopes(connection, store.find_source(jobs, id), scopes)
        for external_id, seen in counts.items():
            settling.keep(connection, id, external_id, seen, pull.now)
    return id


def _name(scope: FoundScope) -> str:
    return scope.name


def repositories(database: Database, viewer: Viewer, id: int) -> Repositories | None:
    """Repositories of a source of this person that feed nothing yet; None where it is none of theirs."""
    try:
        source = store.find_source(database.job, id)
    except NoSuchSource:
        return None
    if source.made_by != viewer.user_id or source.kind != KIND:
        return None
    with database.job.connect() as connection:
        fresh = {s["external_id"] for s in store.every_scope(connection, id) if s["state"] == "new"}
        parts = settling.of_parts(connection, source)
    return Repositories(id, tuple(part for part in parts if part.external_id in fresh))


def adopt(
    database: Database, viewer: Viewer, id: int, names: Sequence[str], choices: Mapping[str, str]
) -> int:
    """Makes a workspace of each of these repositories, or feeds the one of its name where there is one; how
    many are made. Deployments are what ``choices`` say, by the repository's id. Raises WrongStep,
    SourceProblem."""
    known = repositories(database, viewer, id)
    parts = [part for part in known.parts if part.name in names] if known else []
    chosen = [(part.name, part.short) for part in parts]
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
    for part in parts:
        choice = choices.get(part.external_id, "")
        if choice and not (part.by and part.choice == choice):
            settling.choose(database.job, id, part.external_id, choice, viewer.email)
    try:
        store.set_rules(database.job, id, rules, viewer.email)
    except SourceProblem as problem:
        raise WrongStep(str(problem)) from problem
    return count
