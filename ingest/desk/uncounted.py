"""Records that are in no figure, by reason: what the kinds and their links say of the records as they
stand."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from aggregators.records.kinds import RecordKind
from ingest.kinds import KINDS


@dataclass(frozen=True, slots=True)
class KindCount:
    """How many records of a kind a workspace has, and how many of them are in no figure, by reason."""

    kind: str
    records: int
    in_no_figure: dict[str, int]


def counts(connection: Connection, workspace_id: int) -> list[KindCount]:
    """Every kind of which the workspace has records, in the job context of the connection."""
    each = [_count_kind(connection, k, workspace_id) for k in KINDS.values() if k.tenant]
    return [count for count in each if count.records]


def _count_kind(connection: Connection, kind: RecordKind, workspace_id: int) -> KindCount:
    """How many records of a kind there are, and how many are in no figure, by reason."""
    values = {"w": workspace_id}
    reasons: dict[str, int] = {}
    records = 0
    for row in connection.execute(text(_count_by_reason(kind)), values).mappings():
        records += row["records"]
        reason = kind.fold.uncounted(dict(row)) if kind.fold.uncounted else None
        if reason:
            reasons[reason] = reasons.get(reason, 0) + row["records"]
    for reason, condition in (*kind.idle, *_unlinked_conditions(kind)):
        query = f"select count(*) from {kind.table.name} r where workspace_id = :w and {condition}"
        if count := connection.execute(text(query), values).scalar_one():
            reasons[reason] = reasons.get(reason, 0) + count
    return KindCount(kind.name, records, dict(sorted(reasons.items())))


def _count_by_reason(kind: RecordKind) -> str:
    """Query of how many records there are for each combination of the columns that decide."""
    columns = ", ".join(kind.fold.uncounted_by)
    group = f" group by {columns}" if columns else ""
    names = f"{columns}, " if columns else ""
    return (
        f"select {names}count(*) as records from {kind.table.name} where workspace_id = :w{group}"
    )


def _unlinked_conditions(kind: RecordKind) -> list[tuple[str, str]]:
    """For each link of a kind, the reason and the SQL of records that go with what is not known."""
    return [
        (
            f"the {link.called} is not known",
            f"r.{link.ours} is not null and not exists (select from {link.table} p"
            f" where p.workspace_id = r.workspace_id and p.{link.theirs} = r.{link.ours})",
        )
        for link in kind.links
    ]
