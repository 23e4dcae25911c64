"""Sample data: workspaces that are marked as such, beside which there is no real one, and which alone can
be deleted."""

from __future__ import annotations

from alembic import context, op

revision = "0034"
down_revision = "0033"

MARK = "alter table workspace add column is_sample boolean not null default false"
GUARD = """
create function vigilo.keep_samples_apart() returns trigger language plpgsql
set search_path = pg_catalog, public as $$
begin
    if tg_op = 'DELETE' then
        if not old.is_sample then
            raise exception 'a workspace of real records is not deleted' using errcode = '42501';
        end if;
        return old;
    end if;
    if tg_op = 'UPDATE' and new.is_sample is distinct from old.is_sample then
        raise exception 'a workspace stays what it is, sample or real' using errcode = '42501';
    end if;
    if tg_op = 'INSERT' and exists (select from workspace w where w.is_sample <> new.is_sample) then
        raise exception 'sample data stands beside no real records: remove it first'
            using errcode = '42501';
    end if;
    return new;
end $$;
create function vigilo.keep_settings() returns trigger language plpgsql
set search_path = pg_catalog, public as $$
begin
    if not exists (select from workspace w where w.id = old.workspace_id and w.is_sample) then
        raise exception 'settings of real records are not deleted' using errcode = '42501';
    end if;
    return old;
end $$;
create trigger keep_settings before delete on workspace_setting
    for each row execute function vigilo.keep_settings();
create trigger keep_samples_apart before insert or update or delete on workspace
    for each row execute function vigilo.keep_samples_apart();
"""


def upgrade() -> None:
    """The mark, its guard, and the right to delete what is marked. Citus takes no trigger on this table:
    there the program's own checks stand alone."""
    run(MARK)
    job = context.config.attributes["job"]
    if not context.config.attributes.get("distributed", False):
        run(GUARD)
        run(f"grant delete on workspace_setting to {job}")
    run(f"grant delete on workspace to {job}")


def run(statements: str) -> None:
    """Runs statements as they are."""
    op.get_bind().exec_driver_sql(statements.replace("%", "%%"))


def downgrade() -> None:
    """Takes the mark away; samples that are there become ordinary workspaces."""
    run(f"revoke delete on workspace_setting from {context.config.attributes['job']}")
    run("drop trigger if exists keep_settings on workspace_setting")
    run("drop function if exists vigilo.keep_settings()")
    run(f"revoke delete on workspace from {context.config.attributes['job']}")
    run("drop trigger if exists keep_samples_apart on workspace")
    run("drop function if exists vigilo.keep_samples_apart()")
    run("alter table workspace drop column is_sample")
