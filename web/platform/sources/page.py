"""Pages of the sources: the list with its counts, the connecting of one, and each with its log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from flask import Blueprint, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import Engine

from aggregators.vocabulary import formats
from ingest.pulling import parts, runner, runs, store
from ingest.pulling.ahead.preview import DAYS, SourcePreview
from ingest.pulling.catalogue import kind_of, kinds
from ingest.pulling.choice import settling
from ingest.pulling.choice.counts import CAUTION, NAMES, is_automatic
from ingest.pulling.problems import SourceProblem
from ingest.pulling.shape import Source
from ingest.pulling.store import StoredSource
from settings import Settings
from storage.database import Database
from web.operation import Json, Operation, Outcome, add_routes
from web.platform.sources import forms
from web.platform.sources.ahead import look_ahead
from web.platform.sources.forms import SourceAction, SourceForm
from web.platform.sources.rights import SourceRights
from web.platform.sources.views import ViewsOfSources
from web.problem import Problem

PATH = "/platform/sources"
SHOWN, PARTS = 20, 30
"""Runs that the page of a source lists; parts that a look ahead lists."""
ID: Mapping[str, Json] = {"source_id": {"type": "integer", "minimum": 0}}
DONE = {302: Outcome("Done, or what is wrong is said on the page", headers=("Location",))}
HTML = {200: Outcome("The page", "text/html")}
LIST = Operation("sourcesPage", "Page of the sources that the reader sees", HTML, problems=(403,))
NEW = Operation("newSourcePage", "Page on which a source is connected", HTML, problems=(403,))
CREATE = Operation(
    "createSource",
    "Test a source, look ahead at what it would bring, or connect it",
    {**DONE, **HTML},
    form=SourceForm,
    problems=(403,),
)
SHOW = Operation("sourcePage", "Page of a source", HTML, path=ID, problems=(403, 404))
ACT = Operation(
    "actOnSource",
    "Sync, pause, map, change or remove a source",
    DONE,
    form=SourceAction,
    path=ID,
    problems=(403, 404),
)


def blueprint(
    engine: Callable[[], Engine],
    database: Callable[[], Database],
    settings: Settings,
    wake: Callable[[str], None],
) -> Blueprint:
    """The pages. ``wake`` has a task of the clock begun at once."""
    made = Blueprint("sources", __name__)
    pages = SourcePages(engine, database, settings, wake)
    routes = (
        (PATH, "page", LIST, "GET"),
        (f"{PATH}/new", "new", NEW, "GET"),
        (f"{PATH}/new", "create", CREATE, "POST"),
        (f"{PATH}/<int:source_id>", "one", SHOW, "GET"),
        (f"{PATH}/<int:source_id>", "act", ACT, "POST"),
    )
    add_routes(made, pages, routes)
    return made


class SourcePages(ViewsOfSources):
    """Views of the pages."""

    def page(self) -> ResponseReturnValue:
        """The list."""
        rights, jobs = self._rights(), self._database().job
        sources = rights.sources(jobs)
        with jobs.connect() as connection:
            totals = runs.totals(connection, [s.id for s in sources])
        names = {m.workspace_id: m.name for m in rights.seen}
        return render_template(
            "sources.html",
            sources=sources,
            totals=totals,
            names=names,
            kinds=kinds(),
            may_connect=bool(rights.managed),
            zone=self._settings.zone,
            lasting=formats.duration,
            outcome=session.pop("sources_outcome", None),
        )

    def new(self) -> ResponseReturnValue:
        """The form of a kind, or the choice of one."""
        rights = self._rights()
        if not rights.managed:
            raise Problem(403, "Sources are connected by admins, owners and platform admins.")
        kind = kinds().get(request.args.get("kind", ""))
        if kind is None:
            return render_template("source_kinds.html", kinds=kinds())
        fields = {"workspace": request.args.get("workspace", "")}
        return self._form(rights, kind.kind, fields)

    def _form(
        self,
        rights: SourceRights,
        kind: str,
        values: Mapping[str, str],
        problem: SourceProblem | None = None,
        tested: list[str] | None = None,
        ahead: SourcePreview | None = None,
    ) -> str:
        """The form of a new source, with what was typed, tested and found wrong."""
        return render_template(
            "source_new.html",
            kind=kind_of(kind),
            told=values,
            prefix=forms.SETTING,
            workspaces=rights.managed,
            is_everywhere=rights.is_everywhere,
            refusal=_refusal(problem, kind_of(kind), {}) if problem else {},
            tested=tested,
            ahead=ahead,
            shown_parts=PARTS,
            choice_names=NAMES,
            days=DAYS,
            zone=self._settings.zone,
            lasting=formats.duration,
        )

    def create(self) -> ResponseReturnValue:
        """Tests what the form says, and connects it where that is wanted."""
        rights, fields = self._rights(), request.form
        if not rights.managed:
            raise Problem(403, "Sources are connected by admins, owners and platform admins.")
        kind = kinds().get(fields.get("kind", ""))
        if kind is None:
            return render_template("source_kinds.html", kinds=kinds()), 422
        try:
            return self._create(rights, kind, fields)
        except SourceProblem as problem:
            return self._form(rights, kind.kind, fields, problem), 422

    def _create(
        self, rights: SourceRights, kind: Source, values: Mapping[str, str]
    ) -> ResponseReturnValue:
        """The page that follows. Raises SourceProblem."""
        context = self._context()
        new = forms.new_source(values, kind, rights)
        rules = [] if new.home_workspace else forms.rules_in(values.get("rules", ""), rights)
        choices = forms.choices_in(values, kind)
        if values.get("action") == "preview":
            ahead = look_ahead(context, rights, new, rules, choices)
            return self._form(rights, kind.kind, values, tested=list(ahead.tested), ahead=ahead)
        sentences, scopes = runner.try_source(
            runner.draft(context, kind.kind, new.config, new.secret), kind.kind
        )
        if values.get("action") == "test":
            named = [f"Such as {scope.name}." for scope in scopes[:5]]
            return self._form(rights, kind.kind, values, tested=[*sentences, *named])
        id = store.create(
            context.database.job, context.box, new, (current_user.id, current_user.email)
        )
        parts.begin(context.database.job, id, scopes, choices, current_user.email)
        if rules:
            store.set_rules(context.database.job, id, rules, current_user.email)
        self._wake("sources")
        session["sources_outcome"] = ("ok", "Connected. The first sync begins now.")
        return redirect(f"{PATH}/{id}")

    def one(self, source_id: int) -> ResponseReturnValue:
        """A source with its parts and its log."""
        rights, jobs = self._rights(), self._database().job
        id = source_id
        source = rights.source(jobs, id)
        with jobs.connect() as connection:
            scopes = store.every_scope(connection, id)
            rules = store.rules_of(connection, id)
            log = runs.newest(connection, id, SHOWN)
            total = runs.totals(connection, [id]).get(id)
            gained = parts.gains_by_workspace(connection, id)
            choices = [c for c in settling.of_parts(connection, source) if c.is_mapped]
        slugs = {m.workspace_id: m.slug for m in rights.seen}
        draft = session.pop("sources_draft", None)
        refusal = session.pop("sources_refusal", {})
        typed = refusal.get("typed", {})
        return render_template(
            "source.html",
            source=source,
            kind=kind_of(source.kind),
            scopes=scopes,
            refusal=refusal,
            typed=typed,
            rules=draft["rules"] if draft else typed.get("rules", _rules_text(rules, slugs)),
            draft=draft,
            choices=choices,
            choice_names=NAMES,
            is_own_choice=is_automatic(kind_of(source.kind).choices, source.config),
            caution=CAUTION,
            gained=[each for each in gained if each["slug"] in slugs.values()],
            runs=log,
            waits=any(run.state == "running" for run in log) or source.state == "new",
            total=total,
            fed=_fed_slugs(source, scopes, slugs),
            workspaces=rights.managed,
            is_mine=rights.may_manage(source),
            zone=self._settings.zone,
            outcome=session.pop("sources_outcome", None),
        )

    def act(self, source_id: int) -> ResponseReturnValue:
        """Carries an action out; what came of it is said on the page."""
        rights = self._rights()
        source = rights.managed_source(self._database().job, source_id)
        try:
            sentence = self._carry_out(rights, source, SourceAction())
            session["sources_outcome"] = ("ok", sentence)
        except SourceProblem as problem:
            session["sources_refusal"] = _refusal(problem, kind_of(source.kind), request.form)
        self._wake("sources")
        is_gone = request.form.get("action") == "remove"
        return redirect(PATH if is_gone else f"{PATH}/{source_id}")

    def _carry_out(self, rights: SourceRights, source: StoredSource, form: SourceAction) -> str:
        if not form.validate():
            raise SourceProblem("setting", str(next(iter(form.errors.values()))[0]))
        jobs, by, id = self._database().job, current_user.email, source.id
        match form.action.data:
            case "sync":
                store.ask(jobs, id, by)
                return "Asked for; it begins at once."
            case "again":
                store.ask(jobs, id, by, _day(form.from_day.data or ""))
                return f"Everything from {form.from_day.data} on is read once more."
            case "pause" | "resume" as action:
                store.change(jobs, id, by, enabled=action == "resume")
                return "It runs again." if action == "resume" else "Paused."
            case "secret":
                store.replace_secret(jobs, self._context().box, id, form.secret.data or "", by)
                return "The new secret is kept; the one before is gone."
            case "rules":
                store.set_rules(jobs, id, forms.rules_in(form.rules.data or "", rights), by)
                return "Mapped."
            case "preview":
                rules = form.rules.data or ""
                session["sources_draft"] = _draft(jobs, source, rights, rules)
                return "Nothing is saved yet: this is what these patterns would do."
            case "map":
                slug = form.workspace.data or ""
                target = rights.managed_id(slug) if slug else None
                store.map_scope(jobs, id, form.scope.data or "", target, by)
                return "Mapped." if slug else "Left out."
            case "choose":
                settling.choose(jobs, id, form.scope.data or "", form.choice.data or "", by)
                return "Chosen; the next sync withdraws what counted until now."
            case "save":
                config = forms.settings_in(request.form, kind_of(source.kind))
                kept = store.change(jobs, id, by, config=config)
                return "Saved." if kept else f"Saved. {store.ELSEWHERE}"
            case "remove":
                store.delete(jobs, id, by)
                return "Removed; what it wrote stays."
        raise SourceProblem("setting", "Choose what to do.")


def _refusal(problem: SourceProblem, kind: Source, form: Mapping[str, str]) -> dict[str, Any]:
    """Sentence on what is wrong, the field that it stands beside, and what was typed but for the secret."""
    typed = {name: value for name, value in form.items() if name != "secret"}
    return {"field": forms.field_of(problem, kind), "text": str(problem), "typed": typed}


def _rules_text(rules: Sequence[tuple[str, int]], slugs: Mapping[int, str]) -> str:
    """Rules as they are typed, a line each."""
    return "\n".join(f"{pattern} = {slugs.get(target, target)}" for pattern, target in rules)


def _draft(jobs: Engine, source: StoredSource, rights: SourceRights, typed: str) -> dict[str, Any]:
    """Rules as they were typed, and how many parts each workspace would get by them. Raises
    SourceProblem."""
    with jobs.connect() as connection:
        scopes = parts.preview(connection, source, forms.rules_in(typed, rights))
    names = {m.workspace_id: m.name for m in rights.managed}
    counts = Counter(names.get(target or 0, "no workspace: in no figure") for _, target in scopes)
    first = {names.get(t or 0, "no workspace: in no figure"): n for n, t in reversed(scopes)}
    return {"rules": typed, "counts": [(n, c, first[n]) for n, c in counts.most_common()]}


def _day(typed: str) -> date:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise SourceProblem(
            "setting", "Choose the day from which it is read again.", "from_day"
        ) from None


def _fed_slugs(
    source: StoredSource, scopes: list[dict[str, Any]], slugs: Mapping[int, str]
) -> list[str]:
    """Slugs of the workspaces that it feeds and the reader sees."""
    home = [slug for id, slug in slugs.items() if id == source.home_workspace]
    mapped = {s["slug"] for s in scopes if s["slug"] in slugs.values()}
    return sorted({*home, *mapped})
