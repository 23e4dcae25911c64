"""Page that leads through the first day: account, workspaces, records, first figures, dashboard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from flask import Blueprint, jsonify, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import StringField
from wtforms.validators import Length

import counting_settings
from auth import accounts, first_account
from auth.accounts import LONGEST_EMAIL, LONGEST_NAME, AccountError
from auth.first_account import TooLate
from auth.passwords import MAX_LENGTH, WeakPassword
from auth.secret_key import Keys
from demo.removal import remove_sample, samples_of
from ingest.pulling.catalogue import kinds
from ingest.pulling.choice.counts import NAMES
from ingest.pulling.problems import SourceProblem
from ingest.pulling.runner import SourceContext
from ingest.pulling.store import LONGEST_SECRET
from settings import Settings
from storage.database import Database
from storage.executive.memberships import Membership
from storage.scheduled import runs
from storage.scheduled.runs import SNAPSHOT
from web.chosen.rights import is_everywhere
from web.first_run import github, sample, steps
from web.first_run.steps import WrongStep
from web.forms import PageForm
from web.operation import Operation, Outcome, add_routes
from web.people import entry
from web.platform.rights import administered_workspaces
from web.platform.sources import forms
from web.problem import Problem, needs_platform_admin
from web.server.installed import look_again

PATH, ACCOUNT, FILES = "/first-run", "/first-run/account", "/first-run/files"
OWN = ("figures",)
"""Steps that a platform admin takes for their own workspaces; the others change the organisation."""
WHOLE = (
    "Workspaces, samples, the name and the time zone are for a platform admin of every workspace."
)


class FirstAccountForm(PageForm):
    """The first account."""

    token = StringField("Token of the link", [Length(max=80)])
    email = StringField("E-mail", [Length(max=LONGEST_EMAIL)])
    name = StringField("Name", [Length(max=LONGEST_NAME)])
    password = StringField("Password", [Length(max=MAX_LENGTH)])


class FirstStepForm(PageForm):
    """A step of the first run: workspaces to be made, sample data, or the first figures."""

    action = StringField(
        "What to do: organisation, workspaces, github, adopt, sample, unsample or figures",
        [Length(max=20)],
    )
    name = StringField("Name of the organisation", [Length(max=counting_settings.LONGEST_NAME)])
    zone = StringField("Time zone in which days end", [Length(max=60)])
    workspaces = StringField("Workspaces, one a line, or CSV", [Length(max=9000)])
    owner = StringField("Organisation at GitHub", [Length(max=120)])
    address = StringField("Address of GitHub's API", [Length(max=300)])
    secret = StringField("Token of GitHub", [Length(max=LONGEST_SECRET)])
    source = StringField("Number of the source whose repositories are taken", [Length(max=20)])


HTML = {200: Outcome("The page", "text/html")}
DONE = {302: Outcome("Done, or what is wrong is said on the page", headers=("Location",))}
PAGE = Operation("firstRunPage", "Page that leads through the first day", HTML, problems=(403,))
ACT = Operation("firstRunStep", "Make workspaces, or the first figures", DONE, form=FirstStepForm)
JOIN = Operation("firstAccountPage", "Page of the first account", HTML, problems=(404,))
CREATE = Operation(
    "createFirstAccount", "Make the first account", DONE, form=FirstAccountForm, problems=(404,)
)
LOAD = Operation(
    "firstRunFile",
    "Import a file into a workspace",
    {200: Outcome("What became of it", "application/json", {"type": "object"})},
    raw="application/octet-stream",
    problems=(403,),
)


def blueprint(
    database: Callable[[], Database], settings: Settings, keys: Keys, wake: Callable[[str], None]
) -> Blueprint:
    """The pages. ``wake`` has a task of the clock begun at once."""
    made = Blueprint("first_run", __name__)
    pages = FirstRunPages(database, settings, keys, wake)
    routes = (
        (PATH, "page", PAGE, "GET"),
        (PATH, "act", ACT, "POST"),
        (ACCOUNT, "join", JOIN, "GET"),
        (ACCOUNT, "create", CREATE, "POST"),
        (FILES, "load", LOAD, "POST"),
    )
    add_routes(made, pages, routes)
    return made


class FirstRunPages:
    """Views of the first run."""

    def __init__(
        self,
        database: Callable[[], Database],
        settings: Settings,
        keys: Keys,
        wake: Callable[[str], None],
    ) -> None:
        self._database, self._settings, self._keys, self._wake = database, settings, keys, wake

    def _administered_or_403(self) -> list[Membership]:
        """The reader's workspaces as platform admin; none where there is no workspace at all. Raises
        Problem 403 for everybody else."""
        mine = administered_workspaces(self._database().web, current_user._get_current_object())
        with self._database().job.connect() as connection:
            is_any = connection.exec_driver_sql("select exists (select from workspace)").scalar()
        if is_any and not mine:
            raise needs_platform_admin()
        return mine

    def join(self) -> ResponseReturnValue:
        """The form of the first account."""
        if not first_account.is_open(self._database().job):
            raise Problem(404)
        fields = {"token": request.args.get("token", "")}
        return render_template("first_account.html", told=fields, problem="")

    def create(self) -> ResponseReturnValue:
        """Makes the account and signs it in."""
        form, jobs = FirstAccountForm(), self._database().job
        fields = {field.name: field.data or "" for field in form}
        try:
            id = first_account.create(
                jobs,
                self._keys,
                fields["token"],
                fields["email"],
                fields["password"],
                fields["name"],
            )
        except TooLate as error:
            raise Problem(404, str(error)) from error
        except (AccountError, WeakPassword) as error:
            page = render_template("first_account.html", told=fields, problem=str(error))
            return page, 422
        account = accounts.by_id(jobs, id)
        assert account is not None
        entry.enter(jobs, account, "first account")
        return redirect(PATH)

    def page(self) -> ResponseReturnValue:
        """The steps, and where the reader stands."""
        mine, database = self._administered_or_403(), self._database()
        ids = [m.workspace_id for m in mine]
        with database.job.connect() as connection:
            newest = runs.newest(connection, SNAPSHOT)
        run = newest[0] if newest else None
        return render_template(
            "first_run.html",
            workspaces=mine,
            records=steps.records_of(database, ids),
            run=run,
            made=steps.has_figures(database),
            waits=run is not None and run.is_open,
            kinds=kinds(),
            choice_names=NAMES,
            settings=self._settings,
            is_sample=bool(samples_of(database)),
            repositories=self._repositories(),
            outcome=session.pop("first_outcome", None),
        )

    def _repositories(self) -> github.Repositories | None:
        """The repositories of the source that the address names, where it is the reader's."""
        id = _number(request.args.get("source"))
        return github.repositories(self._database(), current_user.viewer, id) if id else None

    def act(self) -> ResponseReturnValue:
        """Carries a step out."""
        mine, form = self._administered_or_403(), FirstStepForm()
        if mine and form.action.data not in OWN and not is_everywhere(mine, self._database()):
            raise Problem(403, WHOLE, "platform_admin_required")
        target = PATH
        try:
            if form.action.data == "github":
                target = f"{PATH}?source={self._connect(form)}#repositories"
            else:
                session["first_outcome"] = ("ok", self._carry_out(mine, form))
        except (WrongStep, SourceProblem) as error:
            session["first_outcome"] = ("error", str(error))
        return redirect(target)

    def _carry_out(self, mine: list[Membership], form: FirstStepForm) -> str:
        """Carries a step's form out; what came of it."""
        database, viewer = self._database(), current_user.viewer
        match form.action.data:
            case "figures":
                steps.begin_figures(database, [m.workspace_id for m in mine], viewer.email)
                self._wake("requests")
                return "The first figures are being made."
            case "organisation":
                name, zone = form.name.data or "", (form.zone.data or "").strip()
                steps.choose_organisation(database, self._settings, name, zone, viewer.email)
                look_again(self._settings)
                return f"{name.strip()}; days end by the time of {zone}."
            case "sample":
                count = sample.load(database, self._settings, viewer)
                return f"{count} workspaces of sample data are there, with half a year of figures."
            case "unsample":
                count = remove_sample(database, viewer.email)
                return f"{count} workspaces of sample data are removed; nothing of them is left."
            case "adopt":
                names = request.form.getlist("repository")
                choices = forms.choices_in(request.form, kinds()[github.KIND])
                count = github.adopt(database, viewer, _number(form.source.data), names, choices)
                self._wake("sources")
                return f"{count} workspaces are made; each is fed by its repository from now on."
        count = steps.add_workspaces(database, viewer, form.workspaces.data or "")
        return f"{count} workspaces are made."

    def _connect(self, form: FirstStepForm) -> int:
        """Connects GitHub, for its repositories to become workspaces; the source's id."""
        context = SourceContext(self._database(), self._settings)
        config = {"owner": form.owner.data or ""}
        if form.address.data:
            config["address"] = form.address.data
        return github.connect(context, current_user.viewer, config, form.secret.data or "")

    def load(self) -> ResponseReturnValue:
        """Imports a dropped file."""
        slug = request.args.get("workspace", "")
        if slug not in {m.slug for m in self._administered_or_403()}:
            raise Problem(403, "You are not platform admin of that workspace.")
        name = request.args.get("name", "file")[:200]
        content, kind = request.get_data(), request.args.get("kind", "")
        outcome = steps.load_file(self._database(), slug, name, content, kind, current_user.email)
        return jsonify(asdict(outcome))


def _number(typed: str | None) -> int:
    """A source's number, 0 for what is none."""
    return int(typed) if typed and typed.isascii() and typed.isdecimal() and len(typed) < 10 else 0
