"""GitHub ``deployment_status`` webhooks: a deployment ends with its last status.

success becomes successful, failure and error become failed; a status on the way there (queued, pending,
in_progress, waiting, inactive) and the ``deployment`` event alone end nothing and are left out. The key
is the deployment's id, so that a later status of the same deployment overwrites an earlier one.
"""

from __future__ import annotations

from collections.abc import Iterator

from storage.records.documents import at, broken, json_items, raw
from storage.records.formats.form import Format, Signed
from storage.records.reader import Raw, Reading

OUTCOMES = {"success": "successful", "failure": "failed", "error": "failed"}
UNDERWAY = ("queued", "pending", "in_progress", "waiting", "inactive")
COLUMNS = {
    "key": "deployment.id",
    "created_at": "deployment.created_at",
    "completed_at": "deployment_status.created_at",
    "environment": "deployment.environment",
    "service": "repository.name",
}


def read(reading: Reading) -> Iterator[Raw]:
    """A deployment for each payload that ends one."""
    for place, payload in json_items(reading):
        state = at(payload, "deployment_status.state")
        if state in UNDERWAY or at(payload, "deployment_status") is None:
            reading.warn(f"left out an event that ends no deployment {place}".strip())
        elif state not in OUTCOMES:
            yield broken(reading, f"deployment_status.state is unknown: {str(state)[:40]!r}", place)
        else:
            yield raw(reading, payload, COLUMNS, place, outcome=OUTCOMES[state])


FORMAT = Format(
    "github",
    {"deployments": read},
    "GitHub deployment_status webhooks",
    sniff=lambda head: b'"deployment_status"' in head and b'"deployment"' in head,
    ingest=True,
    signed=Signed("X-Hub-Signature-256", "sha256="),
)
