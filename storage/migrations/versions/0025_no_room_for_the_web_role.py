"""Two things that anybody in the database could do: hold up the audit's chain, whose lock any role could
take, and fill the disk with temporary tables."""

from __future__ import annotations

from alembic import context, op

from storage.roles import DEFINER

revision = "0025"
down_revision = "0024"

LINK = """
create or replace function vigilo.link_audit() returns bigint
language plpgsql security definer set search_path = pg_catalog, public, vigilo, pg_temp as $$
declare
    e record;
    place bigint;
    former bytea;
    linked bigint := 0;
begin
    perform from public.installation for no key update skip locked;
    if not found then return 0; end if;
    select l.position, l.hash into place, former
    from public.audit_link l order by l.position desc limit 1;
    for e in select a.id, a.hash from public.audit_unlinked u
             join public.audit_event a on a.id = u.event_id order by a.id loop
        place := coalesce(place, 0) + 1;
        former := sha256(coalesce(former, ''::bytea) || int8send(place) || int8send(e.id) || e.hash);
        insert into public.audit_link values (place, e.id, former);
        delete from public.audit_unlinked where event_id = e.id;
        linked := linked + 1;
    end loop;
    return linked;
end $$;
"""
TEMPORARY = """
do $$ begin
    execute format('revoke temporary on database %I from public', current_database());
    execute format('grant temporary on database %I to {job}', current_database());
end $$
"""


def upgrade() -> None:
    """The lock is a row that only the functions' owner may lock; temporary tables are the job role's."""
    job = context.config.attributes["job"]
    run(
        f"grant update (single) on installation to {DEFINER}; grant create on schema vigilo to {DEFINER}"
    )
    run(f"set role {DEFINER}")
    run(LINK)
    run(f"reset role; revoke create on schema vigilo from {DEFINER}")
    run(TEMPORARY.replace("{job}", job))


def run(statements: str) -> None:
    """Runs statements as they are."""
    op.get_bind().exec_driver_sql(statements.replace("%", "%%"))


def downgrade() -> None:
    """Leaves it: nothing needs the rights back."""
