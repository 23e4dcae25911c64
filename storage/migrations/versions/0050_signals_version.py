"""Version of what people made of signals, in a scope's fingerprint; packed presets without the function
that packed them, as the program compresses them now."""

from __future__ import annotations

from importlib import import_module

from alembic import context, op

revision = "0050"
down_revision = "0049"

FINGERPRINT = """
-- Fingerprint of the viewer's scope, ``lasting`` without what a snapshot changes; the last day of any
-- workspace that counts and of all of them; the last that a run over all has published, and how many
-- seconds ago; the last night of the watch; how many changes of settings there were, and of what people
-- made of signals. No row of a snapshot is read.
create function vigilo.scope_fingerprint(
    out fingerprint text, out workspaces bigint, out last_day date, out common_day date, out whole_day date,
    out lasting text, out age float8, out watched_to date, out settings_version bigint,
    out signals_version bigint
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
    select i.settings_version, i.signals_version into settings_version, signals_version
    from public.installation i;
    lasting := encode(sha256(convert_to(names, 'UTF8')), 'hex');
    fingerprint := encode(sha256(convert_to(names || chr(10) || snapshots, 'UTF8')), 'hex');
end $$;
"""


def upgrade() -> None:
    """The column, the functions; presets are packed again by the next night."""
    run, job = op.get_bind().exec_driver_sql, context.config.attributes["job"]
    run("alter table installation add column signals_version bigint not null default 0")
    run(f"grant update (signals_version) on installation to {job}")
    run("drop function vigilo.scope_fingerprint()")
    run(FINGERPRINT)
    run("drop function vigilo.pack_preset(bigint, int, text, date[], date, int, int)")
    run("truncate preset_rows")
    if not context.config.attributes.get("distributed", False):  # Citus refuses it
        run("alter table preset_rows alter column data set storage main")


def downgrade() -> None:
    """As they were; presets are packed again by the next night."""
    run = op.get_bind().exec_driver_sql
    before = import_module("storage.migrations.versions.0036_presets")
    run("drop function vigilo.scope_fingerprint()")
    run(before.FINGERPRINT)
    run(before.KEEP)
    run("alter table installation drop column signals_version")
    run("truncate preset_rows")
    if not context.config.attributes.get("distributed", False):
        run("alter table preset_rows alter column data set storage external")
