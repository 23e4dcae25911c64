"""Parts of a source, and the workspaces that they feed or would feed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, text

from aggregators.name_order import by_name
from ingest.pulling.catalogue import kind_of
from ingest.pulling.choice.settling import choose, with_choices
from ingest.pulling.shape import FoundScope, PullScope
from ingest.pulling.store import (
    StoredSource,
    change_mapping,
    every_scope,
    find_source,
    forget,
    match,
    rules_of,
)

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


def gains_by_workspace(connection: Connection, id: int) -> list[dict[str, Any]]:
    """Get what each workspace has of a source: how many parts and the first of them by name, and how many
    deployments of the last weeks those list."""
    rows = connection.execute(GAINED, {"id": id}).mappings()
    gains = [dict(row) | {"names": by_name(row["names"], str)[:NAMED]} for row in rows]
    return by_name(gains, lambda row: str(row["name"]))


def preview(
    connection: Connection, source: StoredSource, rules: Sequence[tuple[str, int]]
) -> list[tuple[str, int | None]]:
    """Parts of a source with the workspaces that rules would have them feed; nothing is changed."""
    return [
        (str(scope["name"]), match(source, str(scope["name"]), rules)[0])
        for scope in every_scope(connection, source.id)
        if scope["state"] != "gone"
    ]


MAPPED = text("""
select c.external_id, c.name, w.slug from source_scope c join workspace w on w.id = c.into_workspace
where c.source_id = :id and c.state = 'mapped' and w.is_active order by c.name
""")


def scopes_of(connection: Connection, source: StoredSource) -> list[PullScope]:
    """Parts of a source that are mapped, in order of their names, each with what its deployments are; a
    source without parts is one."""
    if kind_of(source.kind).scopes is None:
        slug = connection.execute(
            text("select slug from workspace where id = :id"), {"id": source.home_workspace}
        ).scalar_one()
        return [PullScope("", source.name, slug)]
    rows = connection.execute(MAPPED, {"id": source.id})
    return with_choices(connection, source, [PullScope(*row) for row in rows])


def begin(
    engine: Engine, id: int, scopes: Sequence[FoundScope], choices: Mapping[str, str], by: str
) -> None:
    """Notes the parts that a new source has, and what the deployments of some are, as somebody chose
    before it was connected. Raises SourceProblem."""
    if not choices:
        return  # the first sync finds the parts
    with change_mapping(engine) as connection:
        keep_scopes(connection, find_source(engine, id), scopes)
    for scope in scopes:
        if scope.external_id in choices:
            choose(engine, id, scope.external_id, choices[scope.external_id], by)


FED = """
select external_id, into_workspace from source_scope where source_id = :id and matched_by <> 'hand'
"""
KEEP = """
insert into source_scope as c (source_id, external_id, name, into_workspace, state, matched_by)
values (:id, :external, :name, :target, :state, :by)
on conflict (source_id, external_id) do update set name = excluded.name, seen_at = now(),
    into_workspace = case when c.matched_by = 'hand' then c.into_workspace else excluded.into_workspace end,
    matched_by = case when c.matched_by = 'hand' then 'hand' else excluded.matched_by end,
    state = case
        when c.matched_by = 'hand' and c.state <> 'gone' then c.state
        when c.matched_by = 'hand' then case when c.into_workspace is null then 'ignored' else 'mapped' end
        else excluded.state end
"""
GONE = """
update source_scope set state = 'gone'
where source_id = :id and state <> 'gone' and external_id <> all(:known)
"""


def keep_scopes(connection: Connection, source: StoredSource, scopes: Sequence[FoundScope]) -> None:
    """Notes the parts that a source has now: new ones are mapped by the source's workspace or by the first
    rule that matches, those that are gone are kept as gone, a renamed one keeps what it feeds."""
    rules = rules_of(connection, source.id)
    fed = connection.execute(text(FED), {"id": source.id}).all()
    before = {row.external_id: row.into_workspace for row in fed}
    for scope in scopes:
        target, by = match(source, scope.name, rules)
        if target is not None and before.get(scope.external_id, target) != target:
            forget(connection, source.id, scope.external_id, target)
        connection.execute(
            text(KEEP),
            {
                "id": source.id,
                "external": scope.external_id,
                "name": scope.name[:300],
                "target": target,
                "state": "new" if target is None else "mapped",
                "by": by,
            },
        )
    known = [scope.external_id for scope in scopes]
    connection.execute(text(GONE), {"id": source.id, "known": known})
