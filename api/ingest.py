"""POST /api/v1/ws/{slug}/ingest/{format}: an event of a sender, as it sends it."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Engine

from api.problem import Problem
from auth import ingest
from auth.accounts import Account
from storage.database import Database
from storage.records.formats import FORMATS, INGESTED
from storage.records.formats.form import Format
from storage.records.importer import NoSuchWorkspace, take
from storage.records.report import Outcome

PATH = "/api/v1/ws/<slug>/ingest/<form>"


def blueprint(
    engine: Callable[[], Engine], database: Callable[[], Database], secret_key: str
) -> Blueprint:
    """The one route. 202: taken; the figures follow with the next snapshot."""
    made = Blueprint("ingest", __name__)

    @made.post(PATH, endpoint="take")
    def receive(slug: str, form: str) -> ResponseReturnValue:
        if form not in INGESTED:
            known = ", ".join(INGESTED)
            raise Problem(404, f"There is no format {form[:40]!r}; there are {known}.")
        body = request.get_data()
        if _sender(engine(), FORMATS[form], body, slug, secret_key) is None:
            raise Problem(401, "Neither a token for this workspace nor a valid signature.")
        try:
            outcomes = take(database(), body, form, slug)
        except NoSuchWorkspace as error:
            raise Problem(404) from error
        if errors := [error for outcome in outcomes for error in _errors(outcome)]:
            raise Problem(422, str(errors[0]["detail"]), "invalid_record", errors=errors)
        return jsonify(_counts(outcomes)), 202

    return made


def _sender(
    engine: Engine, form: Format, body: bytes, slug: str, secret_key: str
) -> Account | None:
    """A signature, where the sender signs and sent one, must be right; else the token decides."""
    if form.signed and (given := request.headers.get(form.signed.header)):
        return ingest.by_signature(engine, form.signed, given[:2000], body, slug, secret_key)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return ingest.by_token(engine, token.strip(), slug) if scheme.lower() == "bearer" else None


def _errors(outcome: Outcome) -> list[dict[str, object]]:
    """What is wrong, row by row."""
    found: list[dict[str, object]] = []
    if outcome.problem:
        found.append({"detail": outcome.problem})
    for reject in outcome.rejects:
        place = {"pointer": reject.at} if reject.at else {}
        line = {"line": reject.line} if reject.line else {}
        field = {"field": reject.column} if reject.column else {}
        detail = f"{reject.column}: {reject.reason}" if reject.column else reject.reason
        found.append({"detail": detail, "record": reject.record, **place, **line, **field})
    return found


def _counts(outcomes: list[Outcome]) -> dict[str, object]:
    total = {
        name: sum(getattr(outcome, name) for outcome in outcomes)
        for name in ("read", "written", "unchanged")
    }
    return {**total, "notes": [note for outcome in outcomes for note in outcome.warnings][:20]}
