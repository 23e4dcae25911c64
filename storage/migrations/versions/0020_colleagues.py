"""Recipients of scheduled packs are colleagues: whether any other address has an account is not told."""

from __future__ import annotations

from alembic import context, op

from storage.roles import DEFINER

revision = "0020"
down_revision = "0019"

FUNCTION = """
-- Account with an address that shares a workspace with a person who is platform admin there; their own too.
create function vigilo.colleague(person bigint, address text) returns bigint
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select u.id from public.app_user u
    where u.email = address and u.is_active and (u.id = person or exists (
        select from public.membership mine
        join public.membership theirs on theirs.workspace_id = mine.workspace_id
        where mine.user_id = person and mine.role = 'platform_admin' and mine.revoked_at is null
          and theirs.user_id = u.id and theirs.revoked_at is null))
$$;
revoke all on function vigilo.colleague(bigint, text) from public;
"""


def upgrade() -> None:
    """The function, for the job role."""
    job = context.config.attributes["job"]
    run = op.get_bind().exec_driver_sql
    run(FUNCTION)
    run(f"grant create on schema vigilo to {DEFINER}")
    run(f"alter function vigilo.colleague(bigint, text) owner to {DEFINER}")
    run(f"grant execute on function vigilo.colleague(bigint, text) to {job}")
    run(f"revoke create on schema vigilo from {DEFINER}")


def downgrade() -> None:
    """Takes the function away."""
    op.get_bind().exec_driver_sql("drop function vigilo.colleague(bigint, text)")
