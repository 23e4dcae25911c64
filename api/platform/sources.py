"""Sources over the API: listed, connected, read now, mapped, changed and removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime

from flask import Blueprint, g, jsonify
from flask.typing import ResponseReturnValue
from flask_login import current_user
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Engine

from api.platform.source_ahead import DeploymentChoice, SourceAhead
from ingest.pulling import parts, runner, runs, store
from ingest.pulling.catalogue import kind_of, kinds
from ingest.pulling.choice import settling
from ingest.pulling.choice.counts import CAUTION, check_choice
from ingest.pulling.problems import SourceProblem
from ingest.pulling.store import NewSource, StoredSource
from settings import Settings
from storage.database import Database
from storage.sources.tables import HISTORY_DAYS
from web.operation import Json, Operation, Outcome, add_routes
from web.platform.sources.ahead import look_ahead
from web.platform.sources.broken import BrokenSources
from web.platform.sources.rights import WHOLE, SourceRights
from web.platform.sources.views import ViewsOfSources
from web.problem import Problem, invalid

PATH = "/api/v1/platform/sources/"
SHOWN = 20
ID: dict[str, Json] = {"source_id": {"type": "integer", "minimum": 0}}


class SourceState(BaseModel):
    """A source as it stands; its secret is never given."""

    id: int
    kind: str
    name: str
    workspace: str | None = Field(description="null: the organisation's")
    settings: dict[str, str]
    state: str = Field(description="new, healthy, waiting, failing or paused")
    error_code: str
    message: str
    minutes: int
    next_at: datetime
    last_success_at: datetime | None


class SyncRun(BaseModel):
    """A sync: read = written + unchanged + refused."""

    started_at: datetime
    finished_at: datetime | None
    state: str
    requests: int
    read: int
    written: int
    unchanged: int
    refused: int
    in_no_figure: dict[str, int]
    error_code: str
    message: str


class ScopeState(BaseModel):
    """A part of a source, and the workspace that it feeds."""

    id: str
    name: str
    state: str
    workspace: str | None
    deployments: DeploymentChoice | None = Field(description="null: the kind leaves no choice")


class SourceDetail(SourceState):
    """A source with its parts and its newest syncs."""

    scopes: list[ScopeState]
    runs: list[SyncRun]


class SourceList(BaseModel):
    """Sources that the caller sees."""

    sources: list[SourceState]


class ScopeRule(BaseModel):
    """A pattern, and the workspace that what it matches feeds."""

    model_config = ConfigDict(extra="forbid")
    pattern: str = Field(min_length=1, max_length=store.LONGEST_PATTERN)
    workspace: str = Field(max_length=40)


class LateSourceState(BaseModel):
    """A source without a good sync for three of its turns: the figures of its domains may be behind."""

    name: str
    domains: list[str]
    seconds: float | None = Field(description="since the last good sync; null: there was none")


class LateSources(BaseModel):
    """Sources that are late, of those that the caller looks after."""

    sources: list[LateSourceState]


class SourceRequest(BaseModel):
    """A source to be connected; it is tested first."""

    model_config = ConfigDict(extra="forbid")
    kind: str = Field(max_length=40, description=", ".join(kinds()))
    name: str = Field("", max_length=store.LONGEST_NAME)
    workspace: str | None = Field(None, max_length=40, description="null: the organisation's")
    settings: dict[str, str] = Field(default_factory=dict)
    secret: str = Field("", max_length=store.LONGEST_SECRET)
    minutes: int | None = Field(None, ge=store.MINUTES[0], le=store.MINUTES[1])
    days: int = Field(HISTORY_DAYS, ge=store.HISTORY[0], le=store.HISTORY[1])
    rules: list[ScopeRule] = Field(
        default_factory=list, max_length=store.MOST_RULES, description="of an organisation's source"
    )
    choices: dict[str, str] = Field(
        default_factory=dict, max_length=500, description="what the deployments of parts are, by id"
    )


class SyncRequest(BaseModel):
    """A sync to be begun now."""

    model_config = ConfigDict(extra="forbid")
    again_from: date | None = Field(None, description="Reads everything from the day on once more")


class SourceChange(BaseModel):
    """Changes of a source: what is absent stays."""

    model_config = ConfigDict(extra="forbid")
    enabled: bool | None = None
    secret: str | None = Field(None, min_length=1, max_length=store.LONGEST_SECRET)
    settings: dict[str, str] | None = None
    rules: list[ScopeRule] | None = Field(None, max_length=store.MOST_RULES)
    choices: dict[str, str] | None = Field(
        None, max_length=500, description=f"what the deployments of parts are, by id. {CAUTION}"
    )


LIST = Operation(
    "sources",
    "Sources that the caller sees",
    {200: Outcome("Their states", "application/json", SourceList)},
    problems=(403,),
)
LATE = Operation(
    "lateSources",
    "Sources that are late, with the domains whose figures may be behind",
    {200: Outcome("Those that the caller looks after", "application/json", LateSources)},
)
CONNECT = Operation(
    "connectSource",
    "Test a source and connect it",
    {201: Outcome("It is connected", "application/json", SourceState)},
    body=SourceRequest,
    problems=(403, 422),
)
PREVIEW = Operation(
    "previewSource",
    "Look ahead at what a source would bring and what its history takes; nothing is kept",
    {200: Outcome("What was seen", "application/json", SourceAhead)},
    body=SourceRequest,
    problems=(403, 422),
)
SHOW = Operation(
    "source",
    "A source with its parts and its newest syncs",
    {200: Outcome("The source", "application/json", SourceDetail)},
    path=ID,
    problems=(403, 404),
)
SYNC = Operation(
    "syncSource",
    "Sync a source now",
    {202: Outcome("Asked for", "application/json", SourceState)},
    body=SyncRequest,
    path=ID,
    problems=(403, 404, 422),
)
CHANGE = Operation(
    "changeSource",
    "Pause, change, map a source, or replace its secret",
    {200: Outcome("As it stands", "application/json", SourceState)},
    body=SourceChange,
    path=ID,
    problems=(403, 404, 422),
)
REMOVE = Operation(
    "removeSource",
    "Remove a source; what it wrote stays",
    {204: Outcome("It is gone")},
    path=ID,
    problems=(403, 404),
)


def blueprint(
    engine: Callable[[], Engine],
    database: Callable[[], Database],
    settings: Settings,
    wake: Callable[[str], None],
) -> Blueprint:
    """The routes. ``wake`` has a task of the clock begun at once."""
    made = Blueprint("sources_api", __name__)
    views = SourceViews(engine, database, settings, wake)
    one = f"{PATH}<int:source_id>/"
    routes = (
        (PATH, "every", LIST, "GET"),
        (PATH, "connect", CONNECT, "POST"),
        (f"{PATH}late", "late", LATE, "GET"),
        (f"{PATH}preview", "preview", PREVIEW, "POST"),
        (one, "one", SHOW, "GET"),
        (one, "change", CHANGE, "PATCH"),
        (one, "remove", REMOVE, "DELETE"),
        (f"{one}sync", "sync", SYNC, "POST"),
    )
    add_routes(made, views, routes)
    return made


@contextmanager
def _invalid_where_refused(field: str) -> Iterator[None]:
    """Makes a problem of a source one of the request. Raises Problem 422."""
    try:
        yield
    except SourceProblem as problem:
        raise invalid(field, f"can not be: {problem}") from problem


class SourceViews(ViewsOfSources):
    """Views of the routes."""

    def every(self) -> ResponseReturnValue:
        """The list."""
        rights = self._rights()
        states = [state(s, rights) for s in rights.sources(self._database().job)]
        return jsonify(SourceList(sources=states).model_dump(mode="json"))

    def late(self) -> ResponseReturnValue:
        """Lists those that are late."""
        behind = BrokenSources(self._engine, self._database).late(g.account.viewer)
        late_sources = [
            LateSourceState(name=s.name, domains=list(s.domains), seconds=s.age) for s in behind
        ]
        return jsonify(LateSources(sources=late_sources).model_dump(mode="json"))

    def connect(self, body: SourceRequest) -> ResponseReturnValue:
        """Tests and connects."""
        rights, context, jobs = self._rights(), self._context(), self._database().job
        new, rules = _requested_source(rights, body)
        with _invalid_where_refused("settings"):
            pull = runner.draft(context, body.kind, new.config, body.secret)
            _, scopes = runner.try_source(pull, body.kind)
            for choice in body.choices.values():
                check_choice(kind_of(body.kind).choices, choice)
            id = store.create(jobs, context.box, new, (current_user.id, current_user.email))
        with _invalid_where_refused("choices"):
            parts.begin(jobs, id, scopes, body.choices, current_user.email)
        if rules:
            with _invalid_where_refused("rules"):
                store.set_rules(jobs, id, rules, current_user.email)
        self._wake("sources")
        return jsonify(self._state(id, rights)), 201

    def preview(self, body: SourceRequest) -> ResponseReturnValue:
        """Looks ahead."""
        rights = self._rights()
        new, rules = _requested_source(rights, body)
        with _invalid_where_refused("settings"):
            ahead = look_ahead(self._context(), rights, new, rules, body.choices)
        return jsonify(SourceAhead.of(ahead).model_dump(mode="json"))

    def _state(self, id: int, rights: SourceRights) -> Json:
        return state(store.find_source(self._database().job, id), rights).model_dump(mode="json")

    def one(self, source_id: int) -> ResponseReturnValue:
        """A source with its log."""
        rights, jobs = self._rights(), self._database().job
        source = rights.source(jobs, source_id)
        with jobs.connect() as connection:
            scopes = store.every_scope(connection, source_id)
            log = runs.newest(connection, source_id, SHOWN)
            choices = {c.external_id: c for c in settling.of_parts(connection, source)}
        detail = SourceDetail(
            **state(source, rights).model_dump(),
            scopes=[
                ScopeState(
                    id=s["external_id"],
                    name=s["name"],
                    state=s["state"],
                    workspace=s["slug"],
                    deployments=DeploymentChoice.of(choices.get(s["external_id"])),
                )
                for s in scopes
            ],
            runs=[
                SyncRun.model_validate(
                    {n: getattr(r, n, None) for n in SyncRun.model_fields}
                    | {"in_no_figure": dict(r.uncounted)}
                )
                for r in log
            ],
        )
        return jsonify(detail.model_dump(mode="json"))

    def sync(self, source_id: int, body: SyncRequest) -> ResponseReturnValue:
        """Has it run now."""
        rights, jobs = self._rights(), self._database().job
        rights.managed_source(jobs, source_id)
        store.ask(jobs, source_id, current_user.email, body.again_from)
        self._wake("sources")
        return jsonify(self._state(source_id, rights)), 202

    def change(self, source_id: int, body: SourceChange) -> ResponseReturnValue:
        """Changes what is told."""
        rights, jobs, by = self._rights(), self._database().job, current_user.email
        rights.managed_source(jobs, source_id)
        if body.settings is not None:
            with _invalid_where_refused("settings"):
                store.change(jobs, source_id, by, config=body.settings)
        if body.rules is not None:
            rules = [(r.pattern, rights.managed_id(r.workspace)) for r in body.rules]
            with _invalid_where_refused("rules"):
                store.set_rules(jobs, source_id, rules, by)
        for id, choice in (body.choices or {}).items():
            with _invalid_where_refused("choices"):
                settling.choose(jobs, source_id, id, choice, by)
        if body.secret is not None:
            box = self._context().box
            with _invalid_where_refused("secret"):
                store.replace_secret(jobs, box, source_id, body.secret, by)
        if body.enabled is not None:
            store.change(jobs, source_id, by, enabled=body.enabled)
        self._wake("sources")
        return jsonify(self._state(source_id, rights))

    def remove(self, source_id: int) -> ResponseReturnValue:
        """Removes it."""
        jobs = self._database().job
        self._rights().managed_source(jobs, source_id)
        store.delete(jobs, source_id, current_user.email)
        return "", 204


def _requested_source(
    rights: SourceRights, body: SourceRequest
) -> tuple[NewSource, list[tuple[str, int]]]:
    """The source that is asked for, and its patterns with the ids of their workspaces. Raises Problem
    403, 422."""
    if body.workspace is None and not rights.is_everywhere:
        raise Problem(403, WHOLE)
    home = rights.managed_id(body.workspace) if body.workspace else None
    with _invalid_where_refused("kind"):
        title = kind_of(body.kind).title
    rules = [] if home else [(r.pattern, rights.managed_id(r.workspace)) for r in body.rules]
    new = NewSource(
        body.kind, body.name or title, body.settings, body.secret, home, body.minutes, body.days
    )
    return new, rules


def state(source: StoredSource, rights: SourceRights) -> SourceState:
    """A source as it is told."""
    slugs = {m.workspace_id: m.slug for m in rights.seen}
    return SourceState(
        id=source.id,
        kind=source.kind,
        name=source.name,
        workspace=slugs.get(source.home_workspace or 0),
        settings=dict(source.config),
        state=source.state if source.enabled else "paused",
        error_code=source.error_code,
        message=source.message,
        minutes=source.schedule_minutes,
        next_at=source.next_at,
        last_success_at=source.last_success_at,
    )
