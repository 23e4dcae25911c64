"""Whatever is given can be withdrawn: names of tokens, devices of sessions, second factors, accounts of
identity providers, invitations; and a trigger by which a credential ends with what it rested on."""

from __future__ import annotations

from alembic import context, op

from storage.migrations.policies import WORKSPACE, tenancy

revision = "0018"
down_revision = "0017"

TABLES = """
alter table api_token add column name text not null default '', add column hint text not null default '';
alter table web_session
    add column agent text not null default '',
    add column address text not null default '';
alter table app_user
    add column totp_secret bytea,
    add column totp_confirmed_at timestamptz,
    add column totp_step bigint not null default 0;
create table recovery_code (
    user_id bigint not null references app_user (id),
    code_hash bytea not null,
    used_at timestamptz,
    created_at timestamptz not null default now(),
    primary key (user_id, code_hash)
);
create table user_identity (
    issuer text not null,
    subject text not null,
    user_id bigint not null references app_user (id),
    created_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    primary key (issuer, subject)
);
create index user_identity_user on user_identity (user_id);
create table invitation (
    workspace_id bigint not null references workspace (id),
    id uuid not null,
    email text not null,
    role text not null,
    secret_hash bytea not null,
    invited_by text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    ended_at timestamptz,
    primary key (workspace_id, id),
    constraint role_known check (
        role in ('viewer', 'engineer', 'approver', 'admin', 'owner', 'platform_admin'))
);
create index invitation_email on invitation (workspace_id, email);
"""
# Beside what auth/credentials.py does: a session that outlived a deactivation, by whatever statement, would
# live again with the account.
ENDING = """
create function vigilo.end_credentials() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    delete from web_session where user_id = new.id;
    update api_token set revoked_at = now() where user_id = new.id and revoked_at is null;
    return null;
end $$;
create trigger app_user_credentials after update of is_active, password_hash on app_user
for each row when (
    (old.is_active and not new.is_active) or old.password_hash is distinct from new.password_hash)
execute function vigilo.end_credentials();
"""


def upgrade() -> None:
    """Columns, tables, the trigger; all of it is the job role's."""
    web, job = context.config.attributes["web"], context.config.attributes["job"]
    distributed = context.config.attributes.get("distributed", False)
    run = op.get_bind().exec_driver_sql
    run(TABLES)
    if (
        not distributed
    ):  # Citus has no triggers on reference tables: there the program alone ends them
        run(ENDING)
    run(";".join(tenancy("invitation", WORKSPACE, web, job, distributed=distributed)))
    run(f"grant select, insert, update, delete on recovery_code, user_identity to {job}")
    run(f"grant select, insert, update, delete on web_session, sign_in_failure to {job}")


def downgrade() -> None:
    """Not offered: second factors would be switched off by a command."""
    raise RuntimeError("There is no way back: restore a backup.")
