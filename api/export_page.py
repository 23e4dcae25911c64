"""Page of a person's exports and of the packs that come by themselves, and its forms."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, g, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from wtforms import EmailField, SelectField, StringField, TextAreaField
from wtforms.widgets import DateInput

from aggregators.vocabulary import formats
from aggregators.vocabulary.period import DEFAULT_PRESET, PRESETS, InvalidPeriod, Span
from api.export_desk import Desk
from api.queries import ExportRequest
from auth.accounts import LONGEST_EMAIL
from exports import queue, schedule
from exports.files import MEDIA_TYPES
from exports.queue import Job
from reading.dashboard import scope
from storage.chosen import commentary
from storage.tables import CADENCES
from storage.viewer import Viewer
from web.errors import problem_of
from web.forms import PageForm
from web.operation import Operation, Outcome, validate
from web.problem import Problem

FORMATS = [(name, name.upper()) for name in MEDIA_TYPES]
BACK = Outcome("Done, or what is wrong is said on the page of exports", headers=("Location",))
PAGE = Operation(
    "exportsPage", "Page of the exports", {200: Outcome("The page", "text/html")}, problems=()
)


class ExportForm(PageForm):
    """Period and format of an export."""

    period = SelectField(
        "Period",
        choices=[(str(days), f"Last {days} days") for days in PRESETS],
        default=str(DEFAULT_PRESET),
        validate_choice=False,
    )
    start = StringField("or from", widget=DateInput())
    end = StringField("to", widget=DateInput())
    format = SelectField("Format", choices=FORMATS, default="pdf", validate_choice=False)

    @property
    def filled_fields(self) -> dict[str, str]:
        """Fields that are filled in; dates go before the list of periods, which always has a choice."""
        filled = {name: text for name, text in self.data.items() if text}
        if filled.keys() & {"start", "end"}:
            filled.pop("period", None)
        return filled


class ScheduleForm(PageForm):
    """Recipient, rhythm and format of a pack that comes by itself."""

    email = EmailField("Recipient", render_kw={"required": True, "maxlength": LONGEST_EMAIL})
    cadence = SelectField(
        "How often",
        choices=[(name, name.capitalize()) for name in CADENCES],
        validate_choice=False,
    )
    format = SelectField("As", choices=FORMATS, default="pdf", validate_choice=False)


class CommentaryForm(PageForm):
    """Commentary on a page of the packs that a person exports, or of one that they scheduled."""

    pack = SelectField("In", choices=[("0", "What I export myself")], validate_choice=False)
    page = SelectField("Page", choices=list(commentary.PAGES.items()), validate_choice=False)
    text = TextAreaField(
        "Comment", render_kw={"rows": 3, "maxlength": commentary.LONGEST, "class": "inp"}
    )


COMMENT = Operation(
    "commentOnPack",
    "Write commentary on a page of the pack, or take it away with an empty text",
    {303: BACK},
    form=CommentaryForm,
)
SCHEDULE = Operation(
    "schedulePack",
    "Schedule a pack for a recipient, with what they may see then",
    {303: BACK},
    form=ScheduleForm,
)
UNSCHEDULE = Operation("removeScheduledPack", "End a scheduled pack", {303: BACK}, problems=(404,))


def add(made: Blueprint, desk: Desk) -> None:
    """Adds the page and the schedule to the blueprint."""

    @made.get("/exports")
    @PAGE
    def page() -> ResponseReturnValue:
        return _page(desk, g.account.viewer)

    @made.post("/exports/schedule")
    @SCHEDULE
    def subscribe() -> ResponseReturnValue:
        viewer, form = g.account.viewer, ScheduleForm()
        scope(desk.database(), viewer)  # raises where they are platform admin of nothing
        typed = {name: text or "" for name, text in form.data.items()}
        try:
            schedule.subscribe(desk.engine, viewer, **typed, now=desk.settings.now())
        except (schedule.InvalidSubscription, queue.TooManyExports) as error:
            _tell("schedule", str(error), typed, getattr(error, "field", ""))
        return redirect("/exports", 303)

    @made.post("/exports/commentary")
    @COMMENT
    def comment() -> ResponseReturnValue:
        _comment(desk, g.account.viewer, CommentaryForm())
        return redirect("/exports#commentary", 303)

    @made.post("/exports/schedule/<int:number>/remove")
    @UNSCHEDULE
    def unsubscribe(number: int) -> ResponseReturnValue:
        if not schedule.unsubscribe(desk.engine, g.account.viewer, number):
            raise Problem(404)
        return redirect("/exports", 303)


def _comment(desk: Desk, viewer: Viewer, form: CommentaryForm) -> None:
    """Carries the form out; what is wrong is told on the page."""
    scope(desk.database(), viewer)  # raises where they are platform admin of nothing
    typed = {name: text or "" for name, text in form.data.items()}
    try:
        number = int(typed["pack"] or "0") if (typed["pack"] or "0").isdecimal() else -1
        commentary.write(desk.engine, viewer, number, typed["page"], typed["text"])
    except commentary.RefusedCommentary as error:
        _tell("commentary", str(error), typed, error.field)


def ask(desk: Desk, viewer: Viewer) -> ResponseReturnValue:
    """Asks for what the page's form says, and goes back to the page."""
    wanted = ExportForm().filled_fields
    try:
        desk.ask(viewer, validate(ExportRequest, wanted))
    except (Problem, InvalidPeriod, queue.TooManyExports) as error:
        problem = problem_of(error)
        field = problem.more.get("field", "")
        _tell("export", f"The {problem.detail}." if field else problem.detail, wanted, field)
    return redirect("/exports", 303)


def _page(desk: Desk, viewer: Viewer) -> ResponseReturnValue:
    """The page of the viewer's exports."""
    jobs, refusal = queue.own_jobs(desk.engine, viewer), session.pop("exports_refusal", {})
    typed = {refusal["form"]: refusal["typed"]} if refusal else {}
    packs = schedule.subscriptions_of(desk.engine, viewer)
    in_packs = [("0", "What I export myself")] + [
        (str(pack.id), f"The {pack.cadence} {pack.format.upper()} for {pack.email}")
        for pack in packs
    ]
    form = CommentaryForm(formdata=None, data=typed.get("commentary") or request.args)
    form.pack.choices = in_packs
    return render_template(
        "exports.html",
        jobs=jobs,
        commentary=form,
        written=commentary.written_by(desk.engine, viewer),
        in_packs=dict(in_packs),
        pages=commentary.PAGES,
        waits=any(job.is_open for job in jobs),
        packs=packs,
        refusal=refusal,
        export=ExportForm(formdata=None, data=typed.get("export")),
        schedule=ScheduleForm(formdata=None, data=typed.get("schedule", {"email": viewer.email})),
        span=_span,
        zone=desk.settings.zone,
    )


def _tell(form: str, text: str, typed: dict[str, str], field: str) -> None:
    """Keeps the reason why a form was refused, and the field it lies in where it lies in one, until the
    page is shown again with what was typed."""
    session["exports_refusal"] = {
        "form": form,
        "field": field,
        "text": f"{text[:1].upper()}{text[1:]}",
        "typed": typed,
    }


def _span(job: Job) -> str:
    """Period in words."""
    days = (date.fromisoformat(job.params[name]) for name in ("start", "end"))
    return formats.span(Span(*days))
