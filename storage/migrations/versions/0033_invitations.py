"""Whoever manages a workspace adds people of others that they manage at once; its invitations stand
among its events of the audit."""

from __future__ import annotations

from alembic import op

from storage.roles import DEFINER

revision = "0033"
down_revision = "0032"

COLLEAGUE = """
create or replace function vigilo.colleague(person bigint, address text) returns bigint
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select u.id from public.app_user u
    where u.email = address and u.is_active and (u.id = person or exists (
        select from public.membership mine
        join public.membership theirs on theirs.workspace_id = mine.workspace_id
        where mine.user_id = person and mine.role in ({roles}) and mine.revoked_at is null
          and theirs.user_id = u.id and theirs.revoked_at is null))
$$;
"""
WORKSPACE = """
create or replace function vigilo.audit_workspace(action text, subject text, details jsonb) returns text
language sql immutable as $$
    select case
        when split_part(action, '.', 1) in ({nouns}) then nullif(split_part(subject, '/', 1), '*')
        when split_part(action, '.', 1) in ({by_detail}) then details ->> 'workspace'
    end
$$;
"""
NOUNS = """
'member', 'mapping', 'record', 'records', 'delivery', 'quarantine', 'framework', 'evidence', 'import'
"""
BY_DETAIL = "'signal', 'access', 'setting', 'annotation'"


def upgrade() -> None:
    """Both functions anew."""
    _replace(
        "'admin', 'owner', 'platform_admin'",
        f"{NOUNS}, 'invitation'",
        BY_DETAIL,
    )


def downgrade() -> None:
    """As they were."""
    _replace("'platform_admin'", NOUNS, BY_DETAIL)


def _replace(roles: str, nouns: str, by_detail: str) -> None:
    run = op.get_bind().exec_driver_sql
    run(f"grant create on schema vigilo to {DEFINER}")
    run(f"set role {DEFINER}")
    run(COLLEAGUE.format(roles=roles))
    run(f"reset role; revoke create on schema vigilo from {DEFINER}")
    run(WORKSPACE.format(nouns=nouns, by_detail=by_detail))
