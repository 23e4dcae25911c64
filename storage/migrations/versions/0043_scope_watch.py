"""The watch over whole scopes, and rows of the watch alone for its night.

A scope's sums belong to no workspace: they are a person's, of the workspaces on which that person is
platform admin. The web role has no right to the table; a function tells each person their own, and nothing
once their workspaces are others than those of the row.
"""

from __future__ import annotations

from alembic import context, op

from storage.roles import DEFINER

revision = "0043"
down_revision = "0042"

TABLE = """
create table scope_watch (
    user_id bigint primary key references app_user (id) on delete cascade,
    workspaces bigint[] not null,
    series text[] not null,
    held_on date not null,
    data bytea not null,
    night date not null,
    signals jsonb not null
)
"""
SCOPES = """
-- Each person for whom vigilo.executive_scope has more than one workspace, and those that count: for the
-- night, which asks as nobody.
create function vigilo.whole_scopes() returns table (user_id bigint, workspaces bigint[])
language plpgsql stable security definer set search_path = pg_catalog, public, vigilo, pg_temp as $$
begin
    return query
    select m.user_id, array_agg(m.workspace_id order by m.workspace_id)
    from public.membership m
    join public.app_user u on u.id = m.user_id
    join public.workspace w on w.id = m.workspace_id
    cross join public.installation i
    where m.revoked_at is null and m.role = 'platform_admin' and u.is_active and w.is_active
      and (not i.strict_residency or w.region = u.home_region)
    group by m.user_id having count(*) > 1
    order by m.user_id;
end $$
"""
OWN = """
-- Last night and signals of the watch over the asker's whole scope; nulls where none was watched, or where
-- their scope is another one by now.
create function vigilo.own_scope_watch(out night date, out signals jsonb)
language plpgsql stable security definer set search_path = pg_catalog, public, vigilo, pg_temp as $$
declare
    asker bigint := vigilo.viewer();
    mine bigint[];
begin
    select array_agg(s.workspace_id order by s.workspace_id) into mine
    from vigilo.executive_scope() s where s.left_out is null;
    select w.night, w.signals into night, signals
    from public.scope_watch w where w.user_id = asker and w.workspaces = mine;
end $$
"""


def upgrade() -> None:
    """Table and function."""
    web, job = context.config.attributes["web"], context.config.attributes["job"]
    run = op.get_bind().exec_driver_sql
    run(TABLE)
    run(f"grant select, insert, update, delete on scope_watch to {job}")
    run(f"grant select on scope_watch to {DEFINER}")
    run(f"grant create on schema vigilo to {DEFINER}")
    run(f"set role {DEFINER}")
    run(OWN)
    run(SCOPES)
    run("revoke all on function vigilo.own_scope_watch(), vigilo.whole_scopes() from public")
    run(f"grant execute on function vigilo.own_scope_watch() to {web}, {job}")
    run(f"grant execute on function vigilo.whole_scopes() to {job}")
    run(f"reset role; revoke create on schema vigilo from {DEFINER}")


def downgrade() -> None:
    """Takes them away; the next night learns anew."""
    run = op.get_bind().exec_driver_sql
    run("drop function vigilo.own_scope_watch()")
    run("drop function vigilo.whole_scopes()")
    run("drop table scope_watch")
