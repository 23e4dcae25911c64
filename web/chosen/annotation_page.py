"""Platform, Annotations: what people noted on days, for whoever reads the figures of those days."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import Engine

from aggregators.chosen.annotations import ABOUT, LONGEST, Annotation, WrittenNote
from aggregators.chosen.known import WrongSettingValue
from ingest.desk import annotating, choosing
from ingest.desk.annotating import NoSuchAnnotation
from settings import Settings
from storage.database import Database
from web.chosen.annotation_forms import AnnotationForm
from web.chosen.annotation_rights import AnnotationRights
from web.operation import Operation, Outcome
from web.problem import Problem

PATH = "/platform/annotations"
DONE = {"add": "Noted.", "edit": "Changed.", "withdraw": "Withdrawn."}
PAGE = Operation(
    "annotationsPage",
    "Page of the annotations of your workspaces, for those who look after their records",
    {200: Outcome("The page", "text/html")},
    problems=(403, 404),
)
WRITE = Operation(
    "annotationsAction",
    "Make an annotation, change or withdraw it",
    {302: Outcome("Done; 422 shows on the page what is wrong", headers=("Location",))},
    form=AnnotationForm,
    problems=(403, 404),
)
FIELDS = ("id", "workspace", "about", "first_day", "last_day", "text")


def blueprint(
    engine: Callable[[], Engine], database: Callable[[], Database], settings: Settings
) -> Blueprint:
    """The page and its form."""
    made = Blueprint("annotations", __name__)

    @made.get(PATH, endpoint="page")
    @PAGE
    def page() -> ResponseReturnValue:
        mine = AnnotationRights.of(engine(), database(), current_user)
        day = choosing.newest_day(database()) or settings.now().date()
        given = {name: request.args.get(name, "")[:300] for name in FIELDS}
        typed: Mapping[str, str] = {**given, "first_day": given["first_day"] or day.isoformat()}
        listed = mine.annotations(engine(), current_user)
        if given["id"]:
            typed = _fields_of_annotation(listed, given["id"])
        return _page(mine, listed, typed, settings)

    @made.post(PATH, endpoint="write")
    @WRITE
    def write() -> ResponseReturnValue:
        mine, form = AnnotationRights.of(engine(), database(), current_user), AnnotationForm()
        typed = {name: form[name].data or "" for name in FIELDS}
        try:
            action = _carry_out(database(), mine, form)
        except WrongSettingValue as error:
            listed = mine.annotations(engine(), current_user)
            return make_response(_page(mine, listed, typed, settings, error), 422)
        session["annotations_outcome"] = ("ok", DONE[action])
        return redirect(PATH)

    return made


def _fields_of_annotation(listed: list[Annotation], id: str) -> Mapping[str, str]:
    """Fields of one that is about to be changed. Raises Problem 404."""
    for note in listed:
        if str(note.id) == id:
            days = {"first_day": note.first_day.isoformat(), "last_day": note.last_day.isoformat()}
            fields = {"workspace": note.workspace or "", "about": note.about, "text": note.text}
            return {"id": id, **days, **fields}
    raise Problem(404)


def _carry_out(database: Database, mine: AnnotationRights, form: AnnotationForm) -> str:
    """Carries the form out; what was done. Raises WrongSettingValue, Problem."""
    if not form.validate():
        field, reasons = next(iter(form.errors.items()))
        raise WrongSettingValue(str(field), str(reasons[0]))
    action, by = form.action.data or "", current_user.email
    if action not in DONE:
        raise WrongSettingValue("action", "takes add, edit or withdraw")
    workspace = mine.workspace_to_write(form.workspace.data)
    try:
        if action == "withdraw":
            annotating.withdraw(database, workspace, _id(form), by)
            return action
        note = WrittenNote.of(
            form.text.data or "",
            form.first_day.data or "",
            form.last_day.data or "",
            form.about.data or "",
        )
        if action == "edit":
            annotating.edit(database, workspace, _id(form), note, by)
        else:
            annotating.add(database, workspace, note, by)
    except NoSuchAnnotation as error:
        raise Problem(404, str(error)) from error
    return action


def _id(form: AnnotationForm) -> UUID:
    """Annotation that the form names. Raises Problem 404."""
    try:
        return UUID(form.id.data or "")
    except ValueError:
        raise Problem(404) from None


def _page(
    mine: AnnotationRights,
    listed: list[Annotation],
    typed: Mapping[str, str],
    settings: Settings,
    error: WrongSettingValue | None = None,
) -> str:
    """The page of annotations, with what was typed where it is wrong."""
    writes = {m.slug for m in mine.kept} | ({None} if mine.is_everywhere else set())
    return render_template(
        "annotations.html",
        annotations=listed,
        typed=typed,
        kept=mine.kept,
        is_everywhere=mine.is_everywhere,
        names={m.slug: m.name for m in mine.kept},
        writes=writes,
        about=ABOUT,
        longest=LONGEST,
        wrong=error.field if error else "",
        reason=f"{error.field.replace('_', ' ').capitalize()} {error.reason}." if error else "",
        zone=settings.zone,
        outcome=session.pop("annotations_outcome", None),
    )
