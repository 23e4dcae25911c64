"""Exports outlive the process that makes them: what a job asks for, and the mails that tell of it."""

from __future__ import annotations

from alembic import context, op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Columns of the job, and the outbox."""
    run = op.get_bind().exec_driver_sql
    run(
        "alter table export_job add column format text not null default 'pdf',"
        " add column mail_wanted boolean not null default false,"
        " add constraint export_job_format_known check (format in ('pdf', 'csv', 'xlsx', 'json'))"
    )
    run(
        "create index export_job_open on export_job (created_at) where state in ('queued', 'running')"
    )
    run(
        "create table mail_outbox ("
        " job_id uuid primary key references export_job (id),"
        " recipient text not null, subject text not null, text text not null, html text not null,"
        " state text not null default 'queued',"
        " attempt integer not null default 0, error text,"
        " created_at timestamptz not null default now(),"
        " next_at timestamptz not null default now(), sent_at timestamptz,"
        " constraint mail_outbox_state_known check (state in ('queued', 'sent', 'failed')))"
    )
    run("create index mail_outbox_due on mail_outbox (next_at) where state = 'queued'")
    for role in ("web", "job"):
        name = context.config.attributes[role]
        run(f"grant select, insert, update on mail_outbox to {name}")


def downgrade() -> None:
    """Takes the outbox and the columns away."""
    run = op.get_bind().exec_driver_sql
    run("drop table mail_outbox")
    run("drop index export_job_open")
    run("alter table export_job drop column format, drop column mail_wanted")
