"""Records that a whole list of their source lacks, and their withdrawal."""

from __future__ import annotations

from sqlalchemy import Connection, text

from aggregators.records.kinds import RecordKind
from aggregators.records.statements import Words
from ingest.folding import TellOutcome
from ingest.kept.stored import statements_of
from ingest.kept.upkeep import lock_workspace
from ingest.lists.whole_lists import WholeList, has_several, is_decided_by_hand, keep_list
from ingest.statements import refold

CANDIDATES = """
select distinct s.identity from statement s
join {table} r on r.workspace_id = s.workspace_id and r.key = s.identity
where s.workspace_id = :w and s.kind = :kind and {standing} and {span}
  and (s.source = :source or s.manner = 9 and exists (
      select from jsonb_array_elements(case when s.manner = 9 then s.assertions -> 'of' else '[]' end) e
      where e ->> 0 = :source))
  and not exists (
      select from statement t where t.workspace_id = :w and t.kind = :kind and t.identity = s.identity
        and t.source = :source and t.received_at >= :received and t.manner in (0, 1)
        and t.assertions ->> 'withdrawn' is distinct from 'true')
order by s.identity
"""
"""Records that stand, that the source told before the list was received and not in it or since."""


def lacked_identities(
    connection: Connection, kind: RecordKind, workspace_id: int, whole_list: WholeList
) -> list[str]:
    """Identities of the records that stand and that the list lacks, in the workspace's job context of the
    connection."""
    standing, span = "true", "true"
    if "left_out" in kind.table.c:
        standing = "r.left_out is distinct from 'withdrawn'"
    if kind.happened:
        began = f"r.{kind.happened[0]}"
        span = f"({began} > :since or cast(:since as timestamptz) is null{_lent_to(kind)})"
        span += f" and ({began} <= :until or cast(:until as timestamptz) is null)"
    values = {
        "w": workspace_id,
        "kind": kind.name,
        "source": whole_list.source,
        "received": whole_list.received_at,
        "since": whole_list.since,
        "until": whole_list.until,
    }
    query = CANDIDATES.format(table=kind.table.name, standing=standing, span=span)
    identities = connection.execute(text(query), values).scalars().all()
    statements = statements_of(connection, kind, workspace_id, identities, {})
    return [
        identity
        for identity in identities
        if not has_several(kind, identity)
        and not is_decided_by_hand(statements[identity])
        and whole_list.lacks(kind, statements[identity])
    ]


def _lent_to(kind: RecordKind) -> str:
    """SQL of records that stand earlier than they began: others, merged into them, lent them theirs."""
    if "merged_into" not in kind.table.c:
        return ""
    return (
        f" or r.key in (select c.merged_into from {kind.table.name} c"
        " where c.workspace_id = :w and c.merged_into is not null)"
    )


def retire(
    connection: Connection, kind: RecordKind, workspace_id: int, whole_list: WholeList, words: Words
) -> tuple[list[str], TellOutcome]:
    """Keeps a list, and withdraws what it lacks, in the workspace's job context of the connection. Returns
    what that is, and what became of it."""
    lock_workspace(connection, workspace_id)
    outcome = TellOutcome()
    identities = lacked_identities(connection, kind, workspace_id, whole_list)
    keep_list(connection, kind, workspace_id, whole_list)
    refold(connection, kind, workspace_id, identities, words, outcome)
    return identities, outcome
