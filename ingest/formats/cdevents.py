"""CDEvents: services deployed, upgraded or rolled back, incidents detected, reported and resolved.

A deployment is an event, so its key is the event's ``source`` and ``id`` (SOURCE#ID); an incident is a
subject, so its key is the subject's ``source``, else the event's, and ``id``. ``service.deployed`` and
``service.upgraded`` are successful deployments at the event's time. ``service.rolledback`` is no
deployment: it is a roll-back, which undoes the newest one of that service and environment that was
complete before it. An environment without a name is production.

``incident.detected`` and ``incident.reported`` are signs of one incident, which began with the first of
them; ``incident.resolved`` ends it, in whatever order they arrive. CloudEvents in structured mode, one
or a batch, are unwrapped; in binary mode the body is the event. A file may hold one event a line.

A rule of the workspace may link by ``cdevents subject.content.NAME``, ``cdevents customData.NAME``,
``cdevents context.links.NAME`` and ``cdevents context.chainId``: to a deployment of GitHub by its id or
its address, say.

Left out: events about any other subject, and services that were published or removed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from aggregators.records.mentions import flat, pack_mentions
from ingest.documents import LeftOut, cell_text, event, json_items, qualified_key, record, value_at
from ingest.formats.form import Format
from ingest.reader import FormatInput, RawRecord

DEPLOYED, UNDONE = ("deployed", "upgraded"), "rolledback"
SIGNS, RESOLVED = ("detected", "reported"), "resolved"
KNOWN = {"service": (*DEPLOYED, UNDONE), "incident": (*SIGNS, RESOLVED)}
WHERE = {"environment": "subject.content.environment.id", "service": "subject.id"}
DEPLOYMENT = {"completed_at": "context.timestamp", **WHERE}
ROLL_BACK = {"rolled_back_at": "context.timestamp", **WHERE}
OPENED = {"title": "subject.content.description", "opened_at": "context.timestamp"}
ENDED = {"resolved_at": "context.timestamp"}


class Event(NamedTuple):
    """An event with its place, subject and predicate, from ``dev.cdevents.SUBJECT.PREDICATE.VERSION``."""

    pointer: str
    document: Any
    subject: str
    predicate: str

    @property
    def key(self) -> str:
        """Identity of the event; empty where it has no id."""
        name = cell_text(value_at(self.document, "context.id"))
        return (
            qualified_key(cell_text(value_at(self.document, "context.source")), name)
            if name
            else ""
        )

    @property
    def subject_key(self) -> str:
        """Identity of what it is about; empty where that has no id."""
        name = cell_text(value_at(self.document, "subject.id"))
        own = cell_text(value_at(self.document, "subject.source"))
        source = own or cell_text(value_at(self.document, "context.source"))
        return qualified_key(source, name) if name else ""

    @property
    def mentions(self) -> str:
        """Mentions of other things: its subject's content, its chain, links and custom data."""
        named = {"context.chainId": value_at(self.document, "context.chainId")}
        for path in ("subject.content", "context.links", "customData"):
            named |= flat(value_at(self.document, path), path)
        return pack_mentions("cdevents", named)

    def told_record(self, reading: FormatInput, columns: dict[str, str], **cells: str) -> RawRecord:
        """The record that it tells of."""
        known = {
            ours: path
            for ours, path in columns.items()
            if value_at(self.document, path) is not None
        }
        if mentions := self.mentions:
            cells["mentions"] = mentions
        row = record(reading, self.document, known, self.pointer, cells)
        return event(row, cell_text(value_at(self.document, "context.timestamp")))


def deployments(reading: FormatInput) -> Iterator[RawRecord]:
    """A deployment for each event of a service that is deployed or upgraded."""
    for each in _events(reading, "service", DEPLOYED):
        yield each.told_record(reading, DEPLOYMENT, key=each.key, outcome="successful")


def roll_backs(reading: FormatInput) -> Iterator[RawRecord]:
    """A roll-back for each event of a service that is rolled back."""
    for each in _events(reading, "service", (UNDONE,)):
        yield each.told_record(reading, ROLL_BACK, key=each.key)


def incidents(reading: FormatInput) -> Iterator[RawRecord]:
    """A statement for each event of an incident."""
    for each in _events(reading, "incident", KNOWN["incident"]):
        columns = ENDED if each.predicate == RESOLVED else OPENED
        yield each.told_record(reading, columns, key=each.subject_key)


def _events(reading: FormatInput, subject: str, predicates: tuple[str, ...]) -> Iterator[Event]:
    """The events of that subject and those predicates. Others are told: of a file all of them, of a
    delivery, which every kind reads, those that no kind takes."""
    left_out = LeftOut(reading)
    for pointer, document in json_items(reading):
        message = _event_within(document)
        parts = cell_text(value_at(message, "context.type")).split(".")
        about, predicate = parts[2:4] if len(parts) > 3 and parts[1] == "cdevents" else ("", "")
        if about == subject and predicate in predicates:
            yield Event(pointer, message, about, predicate)
        elif predicate not in KNOWN.get(about, ()):
            left_out.add(f"an event of type {'.'.join(parts)[:80]!r}")
        elif reading.content is None:
            left_out.add(f"an event that is none of the {reading.kind.name}: {about}.{predicate}")
    left_out.tell()


def _event_within(document: Any) -> Any:
    """The event within a CloudEvent, or the document itself."""
    if value_at(document, "data.context"):
        return value_at(document, "data")
    packed = value_at(document, "data_base64")
    if isinstance(packed, str):
        try:
            return json.loads(base64.b64decode(packed, validate=True))
        except (ValueError, RecursionError):
            return document
    return document


FORMAT = Format(
    "cdevents",
    {"deployments": deployments, "roll-backs": roll_backs, "incidents": incidents},
    "CDEvents of services and incidents",
    sniff=lambda head: b"dev.cdevents." in head,
    ingest=True,
)
