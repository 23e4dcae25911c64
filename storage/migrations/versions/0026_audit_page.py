"""The audit as platform admins read it: a function that decides which events are theirs to see."""

from __future__ import annotations

from pathlib import Path

from alembic import context, op

from storage.roles import DEFINER

revision = "0026"
down_revision = "0025"

SQL = Path(__file__).parent.parent / "sql" / "0026_audit_page.sql"
SEEN = "audit_seen(text, text, text, integer, bigint, integer)"


def upgrade() -> None:
    """The functions, the index that the days are found by, and the rights."""
    web = context.config.attributes["web"]
    run = op.get_bind().exec_driver_sql
    run(SQL.read_text(encoding="utf-8").replace("%", "%%"))
    run(f"grant create on schema vigilo to {DEFINER}")
    run(f"grant execute on function vigilo.audit_workspace(text, text, jsonb) to {DEFINER}")
    run(f"alter function vigilo.{SEEN} owner to {DEFINER}")
    run(f"grant execute on function vigilo.{SEEN} to {web}")
    run(f"revoke create on schema vigilo from {DEFINER}")
    # Whoever upgrades notes which settings they changed.
    run("grant execute on function vigilo.note(text, text, text, jsonb) to current_user")


def downgrade() -> None:
    """Not offered: the index and the functions do no harm."""
    raise RuntimeError("There is no way back: restore a backup.")
