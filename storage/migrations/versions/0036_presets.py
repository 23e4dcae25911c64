"""Rows of the presets, packed by the night in one value a workspace, and the fingerprint of a scope as a
function, which the server plans once a connection."""

from __future__ import annotations

from alembic import context, op

from storage.migrations.policies import ROLLUP, tenancy

revision = "0036"
down_revision = "0035"

TABLE = """
create table preset_rows (
    workspace_id bigint not null references workspace (id),
    preset integer not null,
    asked text not null,
    version bigint not null,
    data bytea not null,
    primary key (workspace_id, preset)
);
alter table preset_rows alter column data set storage external
"""

READ = """
-- Packed rows of a preset, read in the workspace's own context at ``level``; the caller's is written back.
-- Null where none are packed, or not of what is ``wanted``, or of another version of its snapshots than the
-- ``current`` one, or where they can not be read: then they are read as they stand.
create function vigilo.preset_in_context(
    level text, workspace bigint, days int, wanted text, current bigint, out packed bytea
)
language plpgsql as $$
declare
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
begin
    perform vigilo.enter(level, workspace);
    select p.data into packed from public.preset_rows p
    where p.workspace_id = workspace and p.preset = days and p.asked = wanted and p.version = current;
    perform vigilo.enter(level_before, workspace_before);
exception
when others then
    if left(sqlstate, 2) in ('40', '53', '57', '58') then
        raise;
    end if;
end $$;
"""

KEEP = """
-- Packs the rows of a preset as ``rows_in_context`` gives them now, where they are not packed yet. The
-- version is looked at first: where the snapshots change meanwhile, what is packed is of no version that
-- anybody asks for.
create function vigilo.pack_preset(
    workspace bigint, preset_days int, asked_for text,
    days date[], named_on date, first_block int, last_block int
)
returns void language plpgsql as $$
declare
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
    current bigint;
    made record;
begin
    perform vigilo.enter('job', workspace);
    select w.snapshot_version into current from public.workspace w where w.id = workspace;
    perform from public.preset_rows p
    where p.workspace_id = workspace and p.preset = preset_days and p.asked = asked_for
      and p.version = current;
    if found then
        perform vigilo.enter(level_before, workspace_before);
        return;
    end if;
    select r.* into made
    from vigilo.rows_in_context('job', workspace, days, named_on, first_block, last_block) r;
    if made.failed is null then
        insert into public.preset_rows as p (workspace_id, preset, asked, version, data)
        values (workspace, preset_days, asked_for, current, record_send(made))
        on conflict (workspace_id, preset) do update
        set asked = excluded.asked, version = excluded.version, data = excluded.data;
    end if;
    perform vigilo.enter(level_before, workspace_before);
end $$;
"""

FINGERPRINT = """
-- Fingerprint of the viewer's scope, ``lasting`` without what a snapshot changes; the last day of any
-- workspace that counts and of all of them; the last that a run over all has published, and how many
-- seconds ago; the last night of the watch; how many changes of settings there were. No row of a snapshot
-- is read.
create function vigilo.scope_fingerprint(
    out fingerprint text, out workspaces bigint, out last_day date, out common_day date, out whole_day date,
    out lasting text, out age float8, out watched_to date, out settings_version bigint
)
language plpgsql stable as $$
declare
    names text;
    snapshots text;
begin
    select coalesce(string_agg(row(s.workspace_id, s.slug, s.name, s.region, s.accent, s.left_out)::text,
                               chr(10) order by s.workspace_id), ''),
           coalesce(string_agg(row(s.last_day, s.computed_at, s.version)::text,
                               chr(10) order by s.workspace_id), ''),
           count(*), max(s.last_day) filter (where s.left_out is null),
           min(s.last_day) filter (where s.left_out is null)
    into names, snapshots, workspaces, last_day, common_day
    from vigilo.executive_scope() s;
    select max(r.day), extract(epoch from clock_timestamp() - max(r.finished_at))::float8
    into whole_day, age
    from public.snapshot_run r where r.finished_at is not null;
    select max(d.day) into watched_to from public.watch_day d;
    select i.settings_version into settings_version from public.installation i;
    lasting := encode(sha256(convert_to(names, 'UTF8')), 'hex');
    fingerprint := encode(sha256(convert_to(names || chr(10) || snapshots, 'UTF8')), 'hex');
end $$;
"""


def upgrade() -> None:
    """Table, policies and functions."""
    web, job = context.config.attributes["web"], context.config.attributes["job"]
    distributed = context.config.attributes.get("distributed", False)
    run = op.get_bind().exec_driver_sql
    run(TABLE)
    run(";".join(tenancy("preset_rows", ROLLUP, web, job, distributed=distributed)))
    for function in (READ, KEEP, FINGERPRINT):
        run(function)


def downgrade() -> None:
    """Takes them away; the rows are packed again by the next night."""
    run = op.get_bind().exec_driver_sql
    run("drop function vigilo.scope_fingerprint()")
    run("drop function vigilo.pack_preset(bigint, int, text, date[], date, int, int)")
    run("drop function vigilo.preset_in_context(text, bigint, int, text, bigint)")
    run("drop table preset_rows")
