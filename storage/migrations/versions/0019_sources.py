"""Tables of sources that are pulled, and the function by which the database refuses a foreign mapping."""

from __future__ import annotations

from pathlib import Path

from alembic import context, op

from storage.roles import DEFINER

revision = "0019"
down_revision = "0018"

SQL = Path(__file__).parent.parent / "sql"
TABLES = ("source", "source_scope", "source_rule", "source_stream", "source_item", "source_run")


def upgrade() -> None:
    """Tables for the job role alone."""
    job = context.config.attributes["job"]
    run((SQL / "0019_sources.sql").read_text(encoding="utf-8"))
    for table in TABLES:
        run(f"grant select, insert, update, delete on {table} to {job}")
    run(f"grant select on source, app_user, membership to {DEFINER}")
    run(f"grant create on schema vigilo to {DEFINER}")
    run(f"alter function vigilo.source_may_feed(bigint, bigint) owner to {DEFINER}")
    run(f"grant execute on function vigilo.source_may_feed(bigint, bigint) to {job}")
    run(f"revoke create on schema vigilo from {DEFINER}")


def run(statements: str) -> None:
    """Runs statements as they are."""
    op.get_bind().exec_driver_sql(statements.replace("%", "%%"))


def downgrade() -> None:
    """Takes the sources away; what they wrote stays."""
    for table in reversed(TABLES):
        run(f"drop table {table}")
    run("drop function vigilo.refuse_foreign_mapping()")
    run("drop function vigilo.source_may_feed(bigint, bigint)")
    run("alter table snapshot_due drop column reach, drop column quiet_until")
