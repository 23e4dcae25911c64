"""The desk over the API: quarantine, meanings of words, corrections. For a workspace's keepers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from flask_login import current_user
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import Engine

from aggregators.records.statements import as_in_a_file
from aggregators.vocabulary.fields import NAME
from api.deliveries import DeliveryState, Page, QuarantinedPart
from ingest.desk import corrections, meanings, seen_words
from ingest.desk.corrections import LONGEST_KEY, KnownRecord
from ingest.door import deliveries, quarantine
from ingest.kinds import KINDS
from storage.context import job_in
from storage.database import Database
from storage.executive.memberships import Membership
from web.desk.rights import keeper
from web.members import WORKSPACE
from web.operation import Json, Operation, Outcome

ABOUT = tuple(seen_words.choices())


class QuarantineList(BaseModel):
    """Parts in quarantine, newest first."""

    total: int
    parts: list[QuarantinedPart]


class Dropped(BaseModel):
    """A part that was taken out of quarantine for good."""

    dropped: str


class WordInUse(BaseModel):
    """A word of senders: its meaning, and where it fell."""

    about: str
    word: str
    meaning: str | None
    origin: str = Field(description="workspace, organisation, default or unknown")
    records: int = Field(description="Records that hold it")
    counted: int = Field(description="Of those, how many are in figures")
    in_no_figure: dict[str, int]


class MeaningList(BaseModel):
    """Words that were seen, and the meanings that may be chosen."""

    words: list[WordInUse]
    choices: dict[str, list[str]]


class MeaningChange(BaseModel):
    """Meaning of a word from now on."""

    model_config = ConfigDict(extra="forbid")
    about: str = Field(max_length=40, description=", ".join(ABOUT))
    word: str = Field(max_length=200)
    meaning: str | None = Field(
        max_length=NAME, description="null takes the meaning back; of a framework any name"
    )


class MeaningChanged(BaseModel):
    """How many records hold the word, and are folded anew."""

    records: int


class CorrectionRequest(BaseModel):
    """Exactly one correction of a record."""

    model_config = ConfigDict(extra="forbid")
    correct: dict[str, str] | None = Field(
        None, description="Fields as a file has them; an empty one takes back what is known"
    )
    withdraw: bool | None = Field(None, description="false takes the record back in")
    merge_into: str | None = Field(
        None,
        max_length=LONGEST_KEY,
        description="Key of another incident or deployment; an empty one lets the record stand alone again",
    )

    @model_validator(mode="after")
    def _exactly_one_change(self) -> CorrectionRequest:
        if sum(value is not None for value in (self.correct, self.withdraw, self.merge_into)) != 1:
            raise ValueError("must have exactly one of correct, withdraw and merge_into")
        return self


class RecordState(BaseModel):
    """A record as it stands."""

    kind: str
    key: str
    record: dict[str, str | None] | None = Field(
        description="null where it was withdrawn, or nothing makes it yet"
    )


PART: Mapping[str, Json] = {**WORKSPACE, "part": {"type": "string", "format": "uuid"}}
RECORD: Mapping[str, Json] = {
    **WORKSPACE,
    "kind": {"type": "string", "enum": [n for n, k in KINDS.items() if k.tenant]},
}
QUARANTINE = Operation(
    "quarantine",
    "Parts of deliveries that could not be read, newest first",
    {200: Outcome("Some of them, and how many there are", "application/json", QuarantineList)},
    query=Page,
    path=WORKSPACE,
    problems=(403, 404),
)
REPLAY = Operation(
    "replayQuarantined",
    "Read the delivery of a part in quarantine again",
    {200: Outcome("What became of the delivery", "application/json", DeliveryState)},
    path=PART,
    problems=(403, 404, 410),
)
DROP = Operation(
    "dropQuarantined",
    "Take a part out of quarantine for good",
    {200: Outcome("Dropped", "application/json", Dropped)},
    path=PART,
    problems=(403, 404),
)
MEANINGS = Operation(
    "mapping",
    "Words of senders, their meanings, and where they fell",
    {200: Outcome("The words", "application/json", MeaningList)},
    path=WORKSPACE,
    problems=(403, 404),
)
MAP = Operation(
    "map",
    "Say what a word means; what holds it is folded anew, and its snapshots are made again",
    {200: Outcome("Done", "application/json", MeaningChanged)},
    body=MeaningChange,
    path=WORKSPACE,
    problems=(403, 404, 422),
)
STATE = Operation(
    "record",
    "A record as it stands",
    {200: Outcome("The record", "application/json", RecordState)},
    path=RECORD,
    problems=(403, 404),
)
CORRECT = Operation(
    "correctRecord",
    "Correct, merge, withdraw or restore a record by hand",
    {200: Outcome("The record as it stands then", "application/json", RecordState)},
    body=CorrectionRequest,
    path=RECORD,
    problems=(403, 404, 422),
)
BASE = "/api/v1/ws/<slug>/"
RECORD_PATH = BASE + "records/<kind>/<path:key>"
"""A part of a key may be empty, so that slashes stand side by side."""


def blueprint(
    engine: Callable[[], Engine], database: Callable[[], Database], wake: Callable[[], None]
) -> Blueprint:
    """Quarantine, mapping and corrections. ``wake`` has the snapshots made again that a change touches."""
    made = Blueprint("desk", __name__)

    def keeper_membership(slug: str) -> Membership:
        return keeper(engine(), current_user, slug)

    _quarantine_routes(made, database, keeper_membership)
    _mapping_routes(made, database, keeper_membership, wake)
    _record_routes(made, database, keeper_membership, wake)
    return made


Mine = Callable[[str], Membership]


def _quarantine_routes(made: Blueprint, database: Callable[[], Database], mine: Mine) -> None:
    """Adds the routes that list, replay and drop what lies in quarantine."""

    @made.get(BASE + "quarantine/", endpoint="quarantine")
    @QUARANTINE
    def list_quarantine(slug: str, query: Page) -> ResponseReturnValue:
        workspace_id = mine(slug).workspace_id
        total, parts = quarantine.list_quarantine(
            database(), workspace_id, query.limit, query.offset
        )
        return jsonify(total=total, parts=parts)

    @made.post(BASE + "quarantine/<uuid:part>/replay", endpoint="replay")
    @REPLAY
    def replay(slug: str, part: UUID) -> ResponseReturnValue:
        workspace_id = mine(slug).workspace_id
        delivery = quarantine.replay(database(), (workspace_id, slug), part, current_user.email)
        return jsonify(deliveries.find_delivery(database(), workspace_id, delivery))

    @made.post(BASE + "quarantine/<uuid:part>/drop", endpoint="drop")
    @DROP
    def drop(slug: str, part: UUID) -> ResponseReturnValue:
        quarantine.drop(database(), (mine(slug).workspace_id, slug), part, current_user.email)
        return jsonify(dropped=str(part))


def _mapping_routes(
    made: Blueprint, database: Callable[[], Database], mine: Mine, wake: Callable[[], None]
) -> None:
    """Adds the routes of senders' words and their meanings."""

    @made.get(BASE + "mapping/", endpoint="mapping")
    @MEANINGS
    def words(slug: str) -> ResponseReturnValue:
        workspace_id = mine(slug).workspace_id
        with job_in(database().job, workspace_id) as connection:
            seen = seen_words.seen_words(connection, workspace_id)
        listed = [asdict(word) | {"counted": word.counted} for word in seen]
        return jsonify(words=listed, choices=seen_words.choices())

    @made.put(BASE + "mapping/", endpoint="map")
    @MAP
    def change(slug: str, body: MeaningChange) -> ResponseReturnValue:
        workspace = (mine(slug).workspace_id, slug)
        wanted = (body.about, body.word, body.meaning)
        records = meanings.change(database(), workspace, *wanted, current_user.email)
        wake()
        return jsonify(records=records)


def _record_routes(
    made: Blueprint, database: Callable[[], Database], mine: Mine, wake: Callable[[], None]
) -> None:
    """Adds the routes that show and correct a record."""

    @made.get(RECORD_PATH, endpoint="record", merge_slashes=False)
    @STATE
    def state(slug: str, kind: str, key: str) -> ResponseReturnValue:
        return jsonify(_record_document(database(), mine(slug).workspace_id, kind, key))

    @made.post(RECORD_PATH, endpoint="correct", merge_slashes=False)
    @CORRECT
    def correct(slug: str, kind: str, key: str, body: CorrectionRequest) -> ResponseReturnValue:
        workspace = (mine(slug).workspace_id, slug)
        by = current_user.email
        if body.correct is not None:
            corrections.correct(database(), workspace, kind, key, body.correct, by)
        elif body.merge_into == "":
            corrections.part(database(), workspace, kind, key, by)
        elif body.merge_into is not None:
            corrections.merge(database(), workspace, kind, key, body.merge_into, by)
        else:
            is_back = not body.withdraw
            corrections.withdraw(database(), workspace, kind, key, by, is_back=is_back)
        wake()
        return jsonify(_record_document(database(), workspace[0], kind, key))


def _record_document(
    database: Database, workspace_id: int, kind_name: str, key: str
) -> Mapping[str, Any]:
    """JSON of a record as it stands. Raises NoSuchRecord."""
    kind = corrections.kind_of(kind_name)
    with job_in(database.job, workspace_id) as connection:
        record = corrections.find_record(connection, kind, workspace_id, key)
    return {"kind": kind.name, "key": record.name, "record": _row(record)}


def _row(record: KnownRecord) -> dict[str, str | None] | None:
    if record.row is None:
        return None
    hidden = ("workspace_id", "identity")
    return {
        name: None if value is None else as_in_a_file(value)
        for name, value in record.row.items()
        if name not in hidden
    }
