"""Records of a workspace, for those who look after them: deliveries, quarantine, meanings of words, why
records are in no figure; and each record with what was said of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID

from flask import Blueprint, redirect, render_template, session
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import Engine

from aggregators.records.statements import Manner, as_in_a_file
from ingest.desk import corrections, meanings, seen_words, uncounted
from ingest.desk.corrections import NoSuchRecord, RefusedCorrection
from ingest.desk.meanings import NoSuchMeaning
from ingest.door import deliveries, quarantine
from ingest.door.deliveries import NoSuchDelivery
from ingest.door.quarantine import BodyIsGone, NoSuchPart
from ingest.kinds import KINDS
from settings import Settings
from storage.context import job_in
from storage.database import Database
from storage.executive.memberships import Membership
from web.desk.forms import DeskForm, RecordForm, meaning_form, record_form
from web.desk.rights import keeper
from web.desk.shown import fields
from web.members import WORKSPACE
from web.operation import Json, Operation, Outcome

PATH = "/ws/<slug>/records"
RECORD_PATH = "/ws/<slug>/records/<kind>/<path:key>"
SHOWN = 50
"""Deliveries, and parts in quarantine, that the page lists."""
Reply = tuple[str, str]
"""``ok`` or ``error``, and the sentence."""
REFUSALS = (RefusedCorrection, NoSuchMeaning, NoSuchPart, NoSuchDelivery, BodyIsGone, NoSuchRecord)
KIND: Mapping[str, Json] = {
    "kind": {"type": "string", "enum": [n for n, k in KINDS.items() if k.tenant]}
}
DONE = {302: Outcome("Done, or what is wrong is said on the page", headers=("Location",))}
PAGE = Operation(
    "recordsPage",
    "Page of what came into a workspace, for those who look after its records",
    {200: Outcome("The page", "text/html")},
    path=WORKSPACE,
    problems=(403, 404),
)
ACT = Operation(
    "recordsAction",
    "Replay or drop a part in quarantine, give a word a meaning or take it back",
    DONE,
    form=DeskForm,
    path=WORKSPACE,
    problems=(404,),
)
RECORD = Operation(
    "recordPage",
    "Page of a record, with what was said of it",
    {200: Outcome("The page", "text/html")},
    path={**WORKSPACE, **KIND},
    problems=(403, 404),
)
CHANGE = Operation(
    "recordAction",
    "Correct, merge, part, withdraw or restore a record",
    DONE,
    form=RecordForm,
    path={**WORKSPACE, **KIND},
    problems=(404,),
)


def blueprint(
    engine: Callable[[], Engine],
    database: Callable[[], Database],
    settings: Settings,
    wake: Callable[[], None],
) -> Blueprint:
    """Both pages and what is done on them. ``wake`` has the snapshots made again that a change touches."""
    made = Blueprint("desk_page", __name__)

    @made.get(PATH, endpoint="page")
    @PAGE
    def page(slug: str) -> ResponseReturnValue:
        mine = keeper(engine(), current_user, slug)
        return render_template("records.html", **_desk(database(), mine), **_shell(settings, mine))

    @made.post(PATH, endpoint="act")
    @ACT
    def act(slug: str) -> ResponseReturnValue:
        mine = keeper(engine(), current_user, slug)
        session["desk_outcome"] = _carry_out(database(), mine, DeskForm())
        wake()
        return redirect(f"/ws/{slug}/records")

    @made.get(RECORD_PATH, endpoint="record", merge_slashes=False)
    @RECORD
    def record(slug: str, kind: str, key: str) -> ResponseReturnValue:
        mine = keeper(engine(), current_user, slug)
        return _page_of(database(), settings, mine, kind, key)

    @made.post(RECORD_PATH, endpoint="change", merge_slashes=False)
    @CHANGE
    def change(slug: str, kind: str, key: str) -> ResponseReturnValue:
        mine = keeper(engine(), current_user, slug)
        _change(database(), mine, kind, key, RecordForm())
        wake()
        return redirect(record_href(slug, kind, key))

    return made


def _page_of(
    database: Database, settings: Settings, mine: Membership, kind: str, key: str
) -> ResponseReturnValue:
    """Page of a record, or of several whose key begins so. Raises NoSuchRecord."""
    try:
        shown = _record(database, settings, mine, kind, key)
    except NoSuchRecord:
        return _several(database, settings, mine, kind, key)
    return render_template("record.html", **shown, **_shell(settings, mine))


def _several(
    database: Database, settings: Settings, mine: Membership, kind_name: str, key: str
) -> ResponseReturnValue:
    """Page of the records whose key begins so; of none, the page of one of another kind that has this key.
    Raises NoSuchRecord."""
    kind = corrections.kind_of(kind_name)
    with job_in(database.job, mine.workspace_id) as connection:
        try:
            rows = corrections.rows_beneath(connection, kind, mine.workspace_id, key)
        except NoSuchRecord:
            others = [k for k in KINDS.values() if k.key == kind.key[: len(k.key)] and k != kind]
            for other in others:
                known = corrections.find_record(connection, other, mine.workspace_id, key)
                return redirect(record_href(mine.slug, other.name, known.name))
            raise
    written = [(corrections.written_key(kind, row), row) for row in rows]
    names = [f.name for f in kind.fields if f.name not in kind.key][:2]
    shell = _shell(settings, mine)
    return render_template(
        "records_of.html",
        kind=kind,
        key=key,
        written=written,
        names=names,
        href=record_href,
        **shell,
    )


def record_href(slug: str, kind: str, key: str) -> str:
    """Address of a record's page."""
    return f"/ws/{slug}/records/{quote(kind, safe='')}/{quote(key)}"


def _shell(settings: Settings, mine: Membership) -> Mapping[str, Any]:
    return {
        "workspace": mine,
        "zone": settings.zone,
        "outcome": session.pop("desk_outcome", None),
        "plain": as_in_a_file,
    }


def _desk(database: Database, mine: Membership) -> Mapping[str, Any]:
    """Everything that the desk's page shows."""
    with job_in(database.job, mine.workspace_id) as connection:
        words = seen_words.seen_words(connection, mine.workspace_id)
        counts = uncounted.counts(connection, mine.workspace_id)
    total, recent = deliveries.list_deliveries(database, mine.workspace_id, SHOWN)
    in_quarantine, parts = quarantine.list_quarantine(database, mine.workspace_id, SHOWN)
    return {
        "words": words,
        "form_for": meaning_form,
        "counts": counts,
        "total": total,
        "deliveries": recent,
        "in_quarantine": in_quarantine,
        "parts": parts,
    }


def _carry_out(database: Database, mine: Membership, form: DeskForm) -> Reply:
    """Carries a form of the desk out; what came of it."""
    if not form.validate():
        return "error", str(next(iter(form.errors.values()))[0])
    workspace, by = (mine.workspace_id, mine.slug), current_user.email
    try:
        if form.action.data in ("map", "unset"):
            meaning = (form.meaning.data or "") if form.action.data == "map" else None
            about, word = form.about.data or "", form.word.data or ""
            records = meanings.change(database, workspace, about, word, meaning, by)
            return "ok", f"{records:,} records hold {word!r}; figures follow in a moment."
        part = UUID(form.part.data or "")
        if form.action.data == "drop":
            quarantine.drop(database, workspace, part, by)
            return "ok", "Dropped."
        delivery = quarantine.replay(database, workspace, part, by)
    except REFUSALS as error:
        return "error", _sentence(error)
    except ValueError:
        return "error", "Choose a part in quarantine."
    state = deliveries.find_delivery(database, mine.workspace_id, delivery)
    left = len(state["quarantine"])
    return "ok" if not left else "error", (
        f"Read again: {state['written']} written, {state['unchanged']} unchanged, {left} still in"
        " quarantine."
    )


def _sentence(error: Exception | str) -> str:
    text = str(error).rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."


def _record(
    database: Database, settings: Settings, mine: Membership, kind_name: str, key: str
) -> Mapping[str, Any]:
    """Everything that a record's page shows. Raises NoSuchRecord."""
    kind = corrections.kind_of(kind_name)
    with job_in(database.job, mine.workspace_id) as connection:
        record = corrections.find_record(connection, kind, mine.workspace_id, key)
        statements = corrections.statements_of(connection, mine.workspace_id, record)
    row = record.row or {}
    return {
        "kind": kind,
        "record": record,
        "fields": list(fields(row, settings.zone)),
        "left_out": row.get("left_out"),
        "statements": [_with_manner_in_words(statement) for statement in statements],
        "is_withdrawn": record.row is None or row.get("left_out") == "withdrawn",
        "is_mergeable": "merged_into" in kind.table.c,
        "whole": row.get("merged_into"),
        "href": record_href,
        "refusal": (refusal := session.pop("desk_refusal", {})),
        "form": record_form(kind, refusal.get("typed", {})),
    }


def _with_manner_in_words(statement: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**statement, "manner": WAYS[Manner(statement["manner"])]}


WAYS = {Manner.EVENT: "event", Manner.ROW: "row", Manner.BY_HAND: "by hand"}


def _change(database: Database, mine: Membership, kind: str, key: str, form: RecordForm) -> None:
    """Carries a correction out and keeps what came of it for the page. Raises NoSuchRecord."""
    if refused := _refusal(database, mine, kind, key, form):
        session["desk_refusal"] = {**refused, "typed": form.data}
    else:
        session["desk_outcome"] = ("ok", "Done; figures follow in a moment.")


def _refusal(
    database: Database, mine: Membership, kind: str, key: str, form: RecordForm
) -> Mapping[str, str] | None:
    """Sentence on what is wrong with a correction, and the field that it stands beside; None once it is
    carried out. Raises NoSuchRecord."""
    if not form.validate():
        field, reasons = next(iter(form.errors.items()))
        return {"field": "" if field == "action" else field, "text": str(reasons[0])}
    action = form.action.data
    try:
        _correct_record(database, mine, kind, key, form)
    except RefusedCorrection as error:
        return {"field": _field_of(action, error), "text": _sentence(error.reason)}
    except NoSuchRecord as error:
        if action != "merge":
            raise
        return {"field": "into", "text": _sentence(error)}
    return None


def _field_of(action: str, error: RefusedCorrection) -> str:
    """Field of the form that a refused correction is about; empty where its button alone is."""
    if action == "merge":
        return "into"
    return ("value" if error.is_value else "field") if action == "correct" else ""


def _correct_record(
    database: Database, mine: Membership, kind: str, key: str, form: RecordForm
) -> None:
    """Has the record be as the form says. Raises NoSuchRecord, RefusedCorrection."""
    workspace, by, action = (mine.workspace_id, mine.slug), current_user.email, form.action.data
    if action == "correct":
        values = {form.field.data or "": form.value.data or ""}
        corrections.correct(database, workspace, kind, key, values, by)
    elif action == "merge":
        corrections.merge(database, workspace, kind, key, form.into.data or "", by)
    elif action == "part":
        corrections.part(database, workspace, kind, key, by)
    else:
        is_back = action == "restore"
        corrections.withdraw(database, workspace, kind, key, by, is_back=is_back)
