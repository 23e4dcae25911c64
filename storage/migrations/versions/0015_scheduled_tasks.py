"""Runs of scheduled tasks, and mails that tell of more than an export."""

from __future__ import annotations

from alembic import context, op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """The table of runs; mails by an id of their own."""
    run = op.get_bind().exec_driver_sql
    web, job = context.config.attributes["web"], context.config.attributes["job"]
    run(
        "create table task_run ("
        " id bigint generated always as identity primary key,"
        " task text not null, day date, state text not null default 'queued',"
        " asked_by text not null default '', asked_at timestamptz not null default now(),"
        " started_at timestamptz, finished_at timestamptz,"
        " done integer not null default 0, total integer not null default 0,"
        " message text not null default '', failures jsonb not null default '{}'::jsonb,"
        " constraint state_known check (state in ('queued', 'running', 'done', 'failed')))"
    )
    run("create index task_run_newest on task_run (task, id)")
    run(f"grant select on task_run to {web}")
    run(f"grant select, insert, update, delete on task_run to {job}")
    run("alter table mail_outbox add column id uuid")
    run("update mail_outbox set id = job_id")
    run(
        "alter table mail_outbox alter column id set not null,"
        " drop constraint mail_outbox_pkey, alter column job_id drop not null,"
        " add primary key (id), add constraint mail_outbox_job unique (job_id)"
    )


def downgrade() -> None:
    """Takes the runs and the mails of no export away."""
    run = op.get_bind().exec_driver_sql
    run("drop table task_run")
    run("delete from mail_outbox where job_id is null")
    run(
        "alter table mail_outbox drop constraint mail_outbox_pkey, drop constraint mail_outbox_job,"
        " drop column id, alter column job_id set not null, add primary key (job_id)"
    )
