"""Files that were imported, noted as deliveries are in each workspace that they told something, with what
became of them; and in the audit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Engine, insert

from ingest.door.deliveries import FOLDED, NOTES, DeliveryOutcome
from ingest.report import ImportOutcome, RejectedRow
from storage import audit
from storage.context import job_in
from storage.statement_tables import deliveries


def note_imports(
    engine: Engine, by: str, kind: str, workspace: str | None, outcomes: Sequence[ImportOutcome]
) -> None:
    """Notes who imported which files, and what became of each in each workspace. Without a workspace the
    rows name theirs."""
    with engine.begin() as connection:
        for outcome in outcomes:
            details = {
                "kind": kind,
                "file": outcome.file.name[:200],
                "written": outcome.written,
                "rejected": outcome.rejected,
            }
            audit.record(connection, by, "import.file", workspace or "*", details)
    for outcome in outcomes:
        if outcome.delivery is not None:
            _note_delivery(engine, by, kind, outcome)


def _note_delivery(engine: Engine, by: str, kind: str, outcome: ImportOutcome) -> None:
    """Notes a file as a delivery of each workspace that it has rows of."""
    now = datetime.now(UTC)
    for workspace_id, part in sorted(outcome.parts.items()):
        row = {
            "workspace_id": workspace_id,
            "id": outcome.delivery,
            "format": outcome.format or "file",
            "source": f"{outcome.file.name[:200]}, {kind}, by {by}",
            "state": FOLDED,
            "outcome": orjson.loads(orjson.dumps(_outcome_document(part, outcome.problem))),
            "received_at": outcome.received_at or now,
            "folded_at": now,
        }
        with job_in(engine, workspace_id) as connection:
            connection.execute(insert(deliveries).values(row))


def _outcome_document(part: ImportOutcome, problem: str | None) -> dict[str, Any]:
    """Outcome of a file's rows of one workspace, in the words of a delivery's."""
    made = DeliveryOutcome()
    made.add(part)
    made.quarantined += bool(problem)
    made.notes = [*([f"The file {problem}."] if problem else []), *made.notes][:NOTES]
    return asdict(made) | {"refused": [_rejection_document(row) for row in part.rejects]}


def _rejection_document(row: RejectedRow) -> dict[str, str]:
    """A rejected row as JSON."""
    return {
        "pointer": row.at or (f"line {row.line}" if row.line else ""),
        "field": row.column,
        "reason": row.reason,
        "record": row.record,
    }
