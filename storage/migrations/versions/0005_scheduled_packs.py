"""Packs that come by themselves: who wants which, and why one did not come."""

from __future__ import annotations

from alembic import context, op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the table of subscriptions."""
    run = op.get_bind().exec_driver_sql
    run(
        "create table pack_subscription ("
        " id bigint generated always as identity primary key,"
        " owner_id bigint not null references app_user (id),"
        " user_id bigint not null references app_user (id),"
        " cadence text not null, format text not null default 'pdf',"
        " last_end date, reason text, created_at timestamptz not null default now(),"
        " constraint pack_subscription_cadence_known"
        " check (cadence in ('weekly', 'monthly', 'quarterly')),"
        " constraint pack_subscription_format_known check (format in ('pdf', 'csv', 'xlsx', 'json')),"
        " constraint pack_subscription_once unique (user_id, cadence, format))"
    )
    run("create index pack_subscription_owner on pack_subscription (owner_id)")
    web = context.config.attributes["web"]
    run(f"grant select, insert, update, delete on pack_subscription to {web}")


def downgrade() -> None:
    """Takes it away."""
    op.get_bind().exec_driver_sql("drop table pack_subscription")
