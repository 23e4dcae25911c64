"""Events that the web role may note: what its pages do, of workspaces that are the person's.

Any action and subject could be written under one's own name, in the audit page of any workspace; and three
thousand refusals within an hour, after which those of nobody else are noted.
"""

from __future__ import annotations

from alembic import op

from storage.roles import DEFINER

revision = "0041"
down_revision = "0040"

NOTE_OWN = """
create or replace function vigilo.note_own(action text, subject text, details jsonb) returns bigint
language plpgsql security definer set search_path = pg_catalog, public, vigilo, pg_temp as $$
declare
    asker bigint := vigilo.viewer();
    actor text;
begin
    select u.email into actor from public.app_user u where u.id = asker;
    if actor is null then
        raise exception 'nobody has proved who they are' using errcode = 'insufficient_privilege';
    end if;
    if length(subject) > 254 or length(details::text) > 8000 or not exists (
        select from public.membership m join public.workspace w on w.id = m.workspace_id and w.is_active
        where m.user_id = asker and m.revoked_at is null
          and (action = 'records.download' and w.slug = split_part(subject, '/', 1)
               or action = 'audit.download' and m.role = 'platform_admin')
    ) then
        raise exception 'this is no event of theirs' using errcode = 'insufficient_privilege';
    end if;
    return vigilo.note(actor, action, subject, details);
end $$
"""
FORMERLY = """
create or replace function vigilo.note_own(action text, subject text, details jsonb) returns bigint
language plpgsql security definer set search_path = pg_catalog, public, vigilo, pg_temp as $$
declare actor text;
begin
    select u.email into actor from public.app_user u where u.id = vigilo.viewer();
    if actor is null then
        raise exception 'nobody has proved who they are' using errcode = 'insufficient_privilege';
    end if;
    return vigilo.note(actor, action, subject, details);
end $$
"""


def upgrade() -> None:
    """The function anew."""
    _replace(NOTE_OWN)


def downgrade() -> None:
    """Puts the former function back."""
    _replace(FORMERLY)


def _replace(function: str) -> None:
    run = op.get_bind().exec_driver_sql
    run(f"grant create on schema vigilo to {DEFINER}")
    run(f"set role {DEFINER}")
    run(function)
    run(f"reset role; revoke create on schema vigilo from {DEFINER}")
