"""POST /api/v1/ws/{slug}/ingest/{format}: an event of a sender, as it sends it."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, Field
from sqlalchemy import Engine

from auth.accounts import Account
from auth.secret_key import Keys
from ingest.door import senders
from ingest.door.deliveries import accept
from ingest.formats import FORMATS, INGESTED
from ingest.formats.form import Format
from ingest.importer import workspace_id
from storage.database import Database
from web.members import WORKSPACE
from web.operation import Operation, Outcome
from web.problem import Problem


class AcceptedDelivery(BaseModel):
    """A delivery that was kept."""

    delivery: str = Field(description="Its id")
    state: str = Field(description="waiting: it is read next")
    href: str = Field(description="Where to ask what became of it")


TAKE = Operation(
    "ingest",
    "Keep an event of a sender; it is read next, and the figures follow with the next snapshot",
    {202: Outcome("Kept", "application/json", AcceptedDelivery)},
    raw="application/json",
    path={**WORKSPACE, "format": {"type": "string", "enum": list(INGESTED)}},
    problems=(400, 401, 404, 413),
    security=("token", "signature"),
)
PATH = "/api/v1/ws/<slug>/ingest/<format>"


def blueprint(
    database: Callable[[], Database],
    keys: Keys,
    wake: Callable[[], None],
) -> Blueprint:
    """The door. 202: kept; it is read next, and the figures follow with the
    snapshot. Whoever holds the door's key gets nothing else refused than what is too large."""
    made = Blueprint("ingest", __name__)

    @made.post(PATH, endpoint="take")
    @TAKE
    def receive(slug: str, format: str) -> ResponseReturnValue:
        if format not in INGESTED:
            known = ", ".join(INGESTED)
            raise Problem(404, f"There is no format {format[:40]!r}; there are {known}.")
        body = request.get_data()
        sender = _sender(database().job, FORMATS[format], body, slug, keys)
        if sender is None:
            raise Problem(401, "Neither a token for this workspace nor a valid signature.")
        if not _is_signed(FORMATS[format]) and not _is_document(body):
            raise Problem(400, "The body is no JSON, no XML and no form.")
        workspace = workspace_id(database(), slug)
        kind = request.headers.get("Content-Type", "")
        delivery = accept(
            database(), workspace, format, body, content_type=kind, source=sender.viewer.email
        )
        wake()
        href = f"/api/v1/ws/{slug}/deliveries/{delivery}"
        return jsonify(delivery=str(delivery), state="waiting", href=href), 202

    return made


def _is_signed(form: Format) -> bool:
    return form.signed is not None and form.signed.header in request.headers


def _is_document(body: bytes) -> bool:
    """Whether a body may be a document by its beginning: what a person who tries the door out should hear
    at once. A sender that signs is never refused for it."""
    return body.lstrip()[:1] in (b"{", b"[", b"<") or request.mimetype == FORM


FORM = "application/x-www-form-urlencoded"


def _sender(jobs: Engine, form: Format, body: bytes, slug: str, keys: Keys) -> Account | None:
    """A signature, where the sender signs and sent one, must be right; else the token decides."""
    if form.signed and (given := request.headers.get(form.signed.header)):
        return senders.by_signature(jobs, form.signed, given[:2000], body, slug, keys)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return senders.by_token(jobs, token.strip(), slug) if scheme.lower() == "bearer" else None
