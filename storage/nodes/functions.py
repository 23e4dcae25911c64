"""Things made for the nodes of a cluster: a place in each shard, and functions that work beside the rows.

Everything stands in a schema of its own, made by ``make`` after the tables are distributed, and made again
where the shards, the functions that it copies or the program have changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, text

from storage.distributed import FIRST, IN_SEQUENCE
from storage.nodes.shards import Shard, shards
from storage.nodes.visits import BESIDE, SCHEMA, VISITS, Visit
from storage.nodes.written import KEEP_WATCHED, WATCHED_KINDS, WRITTEN
from storage.roles import Roles
from storage.schema import quote_name

DEFINED = text("""
select pg_get_function_arguments(p.oid) as arguments, pg_get_function_result(p.oid) as result,
       p.prosrc as body
from pg_proc p where p.pronamespace = cast('vigilo' as regnamespace) and p.proname = :name
""")
VIEW = text("select pg_get_viewdef(cast('vigilo.group_snapshots' as regclass))")
AS_MADE = text(
    "select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = :schema"
)
SHARED = f"""
create or replace function {SCHEMA}.enter(level text, workspace_id bigint) returns void
language sql as $$
    select set_config('vigilo.level', coalesce(level, ''), true),
           set_config('vigilo.workspace_id', coalesce(workspace_id::text, ''), true)
$$;
create or replace function {SCHEMA}.visited()
returns table (workspace_id bigint, version bigint, left_out text)
language sql stable as $$
    select w.id, w.version, null::text
    from unnest(string_to_array(vigilo.setting('{SCHEMA}.visited'), ',')::bigint[],
                string_to_array(vigilo.setting('{SCHEMA}.versions'), ',')::bigint[]) as w(id, version)
$$
"""
"""Context of a node, and the workspaces that it was told of with their versions: the scope there."""
OF_FIRST = f"get_shard_id_for_distribution_column('{FIRST}', $1)"
"""Shard of the workspace that a function is told first."""
PLACES = f"""
create table if not exists {SCHEMA}.place (
    place bigint primary key, shard bigint not null, low int not null, high int not null
)
"""
"""A row for each shard, which lies there: a query of all of them is one on each node. They are nobody's."""
PLACED = f"""
insert into {SCHEMA}.place (place, shard, low, high)
select distinct on (s.shardid) n, s.shardid, cast(s.shardminvalue as int), cast(s.shardmaxvalue as int)
from generate_series(1, 100000) n
join pg_dist_shard s on s.logicalrelid = '{FIRST}'::regclass
 and worker_hash(cast(n as bigint)) between cast(s.shardminvalue as int) and cast(s.shardmaxvalue as int)
order by s.shardid, n
"""


def make(connection: Connection, roles: Roles) -> None:
    """Makes everything, where it is not as it would be made now."""
    every = [*_statements(connection, roles)]
    shard_ids = " ".join(str(shard.id) for shard in shards(connection))
    made_of = f"{hashlib.sha256(repr(every).encode()).hexdigest()} {shard_ids}"
    if connection.execute(AS_MADE, {"schema": SCHEMA}).scalar() == made_of:
        return
    connection.exec_driver_sql(IN_SEQUENCE)
    for statement in every:
        connection.exec_driver_sql(statement.replace("%", "%%"))
    connection.exec_driver_sql(f"comment on schema {SCHEMA} is '{made_of}'")


def _statements(connection: Connection, roles: Roles) -> Iterator[str]:
    both = f"{quote_name(roles.web)}, {quote_name(roles.job)}"
    yield f"drop schema if exists {SCHEMA} cascade"
    yield f"create schema {SCHEMA}"
    yield f"grant usage on schema {SCHEMA} to {both}"
    yield PLACES
    yield (
        f"select create_distributed_table('{SCHEMA}.place', 'place', colocate_with => '{FIRST}')"
    )
    yield PLACED
    yield f"grant select on {SCHEMA}.place to {both}"
    yield SHARED
    view = str(connection.execute(VIEW).scalar_one()).strip().rstrip(";")
    every = shards(connection)
    for visit in VISITS:
        arguments, result, body = connection.execute(DEFINED, {"name": visit.function}).one()
        body = body.replace("vigilo.group_snapshots", f"({view})")
        body = body.replace(f" {visit.function}.", f" {BESIDE}{visit.function}.")
        head = f"{BESIDE}{visit.function}(shard bigint, {arguments}) returns {result}"
        yield _on_each(every, head, "shard", body)
        yield _dispatch(visit)
    for own in WRITTEN:
        yield _on_each(
            every, f"{own.signature} returns {own.results} {own.how}", OF_FIRST, own.body
        )
        yield _delegate_calls(own.signature)
    arguments, result, body = connection.execute(DEFINED, {"name": KEEP_WATCHED}).one()
    yield _on_each(every, f"{KEEP_WATCHED}(bigint, {arguments}) returns {result}", OF_FIRST, body)
    yield _delegate_calls(f"{KEEP_WATCHED}({', '.join(('bigint', *WATCHED_KINDS))})")


def _delegate_calls(signature: str) -> str:
    """The statement that has Citus send calls to the node of the workspace that they begin with."""
    return (
        f"select create_distributed_function('{SCHEMA}.{signature}', '$1',"
        f" colocate_with => '{FIRST}', force_delegation => true)"
    )


def _on_each(every: Sequence[Shard], head: str, selector: str, body: str) -> str:
    """The statement that makes a function which works on one shard, with a branch for each: a branch is
    planned when it is first run, and its plans are kept. Context and scope are the node's."""
    body = body.replace("vigilo.enter(", f"{SCHEMA}.enter(")
    body = body.replace("vigilo.executive_scope()", f"{SCHEMA}.visited()").strip().rstrip(";")
    branches = "".join(
        f"when {shard.id} then\n{shard.sql(body).replace(':shard', str(shard.id))};\n"
        for shard in every
    )
    return f"""
create or replace function {SCHEMA}.{head} language plpgsql as $function$
begin
case {selector}
{branches}
end case;
end $function$
"""


def _dispatch(visit: Visit) -> str:
    """The function that a query of all places calls: it takes those of the workspaces that lie there."""
    named = "".join(f", a{n} {kind}" for n, kind in enumerate(visit.kinds))
    function = f"{SCHEMA}.{BESIDE}{visit.function}"
    values = (f"a{n}" for n, _ in enumerate(visit.kinds))
    query = visit.select(function, f"{SCHEMA}.visited()", values)
    query = query.replace(f"{function}(", f"{function}(shard, ", 1)
    return f"""
create or replace function {SCHEMA}.{visit.function}(
    shard bigint, low int, high int, workspaces bigint[], versions bigint[]{named}
) returns setof bytea language plpgsql as $function$
declare
    mine text;
    theirs text;
begin
    select string_agg(w.id::text, ','), string_agg(w.version::text, ',') into mine, theirs
    from unnest(workspaces, versions) as w(id, version) where worker_hash(w.id) between low and high;
    if mine is null then
        return;
    end if;
    perform set_config('{SCHEMA}.visited', mine, true), set_config('{SCHEMA}.versions', theirs, true);
    return query select record_send(r) from ({query}) r;
end $function$
"""
