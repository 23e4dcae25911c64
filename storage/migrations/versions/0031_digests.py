"""Digests of the signals: who gets them where, messages that wait, and the way out of a mail."""

from __future__ import annotations

from alembic import context, op

revision = "0031"
down_revision = "0030"

STATEMENTS = (
    "create table digest_channel ("
    " id bigint generated always as identity primary key,"
    " user_id bigint not null references app_user (id),"
    " kind text not null, address bytea, hint text not null default '', secret bytea,"
    " cadence text not null, says_quiet boolean not null default false,"
    " begun_on date, told_to date, sent_on date, reason text not null default '',"
    " made_at timestamptz not null default now(),"
    " constraint digest_channel_kind_known check (kind in ('mail', 'slack', 'teams', 'webhook')),"
    " constraint digest_channel_cadence_known check (cadence in ('nightly', 'weekly')))",
    "create index digest_channel_user on digest_channel (user_id)",
    "create unique index digest_channel_mail on digest_channel (user_id) where kind = 'mail'",
    "create table digest_notice ("
    " id uuid primary key,"
    " channel_id bigint not null references digest_channel (id) on delete cascade,"
    " body text not null, state text not null default 'queued',"
    " attempt integer not null default 0, unclear integer not null default 0,"
    " error text not null default '',"
    " created_at timestamptz not null default now(), next_at timestamptz not null default now(),"
    " sent_at timestamptz,"
    " constraint digest_notice_state_known"
    " check (state in ('queued', 'sending', 'sent', 'failed')))",
    "create index digest_notice_channel on digest_notice (channel_id)",
    "create index digest_notice_due on digest_notice (next_at) where state in ('queued', 'sending')",
    "alter table mail_outbox add column unsubscribe text",
)


def upgrade() -> None:
    """Tables for the job role alone."""
    job = context.config.attributes["job"]
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
    for table in ("digest_channel", "digest_notice"):
        rights = f"grant select, insert, update, delete on {table} to {job}"
        op.get_bind().exec_driver_sql(rights)


def downgrade() -> None:
    """Takes them away."""
    for statement in (
        "drop table digest_notice",
        "drop table digest_channel",
        "alter table mail_outbox drop column unsubscribe",
    ):
        op.get_bind().exec_driver_sql(statement)
