"""CDEvents: services deployed, upgraded or rolled back, incidents detected, reported and resolved.

A deployment is an event, so its key is the event's ``context.id``; an incident keeps the key of its
subject. ``service.deployed`` and ``service.upgraded`` are successful, ``service.rolledback`` is
rolled_back, at the event's time. ``incident.resolved`` closes the incident of the same subject that is
known already; other events say nothing about these records and are left out. CloudEvents in structured
mode are unwrapped.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from storage.records.documents import at, json_items, raw
from storage.records.formats.form import Format
from storage.records.reader import Raw, Reading

SERVICES = {"deployed": "successful", "upgraded": "successful", "rolledback": "rolled_back"}
DEPLOYMENT = {
    "key": "context.id",
    "completed_at": "context.timestamp",
    "environment": "subject.content.environment.id",
    "service": "subject.id",
}
OPENED = {
    "key": "subject.id",
    "title": "subject.content.description",
    "opened_at": "context.timestamp",
}
RESOLVED = {"key": "subject.id", "resolved_at": "context.timestamp"}


def deployments(reading: Reading) -> Iterator[Raw]:
    """A deployment for each event of a service."""
    for place, event, subject, predicate in _events(reading):
        if subject == "service" and predicate in SERVICES:
            yield raw(reading, event, DEPLOYMENT, place, outcome=SERVICES[predicate])


def incidents(reading: Reading) -> Iterator[Raw]:
    """An incident for each event of one."""
    for place, event, subject, predicate in _events(reading):
        if subject == "incident" and predicate in ("detected", "reported"):
            yield raw(reading, event, OPENED, place)
        elif subject == "incident" and predicate == "resolved":
            yield raw(reading, event, RESOLVED, place, waived=("opened_at",))


def _events(reading: Reading) -> Iterator[tuple[str, Any, str, str]]:
    """Each event with its place, subject and predicate, from ``dev.cdevents.SUBJECT.PREDICATE.VERSION``."""
    for place, found in json_items(reading):
        event = at(found, "data") if at(found, "data.context") else found
        parts = str(at(event, "context.type") or "").split(".")
        subject, predicate = parts[2:4] if len(parts) > 3 and parts[1] == "cdevents" else ("", "")
        if subject not in ("service", "incident"):
            reading.warn(f"left out an event of type {'.'.join(parts)[:80]!r}")
        yield place, event, subject, predicate


FORMAT = Format(
    "cdevents",
    {"deployments": deployments, "incidents": incidents},
    "CDEvents of services and incidents",
    sniff=lambda head: b"dev.cdevents." in head,
    ingest=True,
)
