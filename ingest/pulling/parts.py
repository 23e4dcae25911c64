"""Parts of a source, and the workspaces that they feed or would feed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

from aggregators.name_order import by_name
from ingest.pulling.store import StoredSource, every_scope, match

NAMED = 5
GAINED = text("""
select w.slug, w.name, count(*) as parts,
       array_agg(c.name) as names,
       sum(coalesce((select count(*) from source_stream t, jsonb_object_keys(t.cursor -> 'keys')
                     where t.source_id = c.source_id and t.scope = c.external_id
                       and t.stream = 'listed'), 0)) as recent
from source_scope c join workspace w on w.id = c.into_workspace
where c.source_id = :id and c.state = 'mapped' group by w.slug, w.name order by w.slug
""")


def gained(connection: Connection, id: int) -> list[dict[str, Any]]:
    """Get what each workspace has of a source: how many parts and the first of them by name, and how many
    deployments of the last weeks those list."""
    rows = connection.execute(GAINED, {"id": id}).mappings()
    told = [dict(row) | {"names": by_name(row["names"], str)[:NAMED]} for row in rows]
    return by_name(told, lambda row: str(row["name"]))


def preview(
    connection: Connection, source: StoredSource, rules: Sequence[tuple[str, int]]
) -> list[tuple[str, int | None]]:
    """Parts of a source with the workspaces that rules would have them feed; nothing is changed."""
    return [
        (str(scope["name"]), match(source, str(scope["name"]), rules)[0])
        for scope in every_scope(connection, source.id)
        if scope["state"] != "gone"
    ]
