"""Audit that is appended to through one function, chained without anybody waiting, and signed."""

from __future__ import annotations

from pathlib import Path

from alembic import context, op

from storage.roles import DEFINER

revision = "0024"
down_revision = "0023"

SQL = Path(__file__).parent.parent / "sql" / "0024_audit.sql"
FUNCTIONS = {
    "note(text, text, text, jsonb)": "job",
    "note_own(text, text, jsonb)": "web",
    "link_audit()": "job",
}
"""Functions, and the role that may call each."""


def upgrade() -> None:
    """Tables and functions; nobody but the owner writes the tables by themselves."""
    roles = context.config.attributes
    run = op.get_bind().exec_driver_sql
    run(SQL.read_text(encoding="utf-8").replace("%", "%%"))
    job = roles["job"]
    run(f"revoke all on audit_event from {job}")
    run(f"grant select on audit_event, audit_link, audit_unlinked, audit_head to {job}")
    run(f"grant insert on audit_head to {job}")
    run(f"grant select, insert on audit_event, audit_link to {DEFINER}")
    run(f"grant select, insert, delete on audit_unlinked to {DEFINER}")
    run(f"grant usage on sequence audit_event_id_seq to {DEFINER}")
    run(f"grant create on schema vigilo to {DEFINER}")
    for function, role in FUNCTIONS.items():
        run(f"alter function vigilo.{function} owner to {DEFINER}")
        run(f"grant execute on function vigilo.{function} to {roles[role]}")
    run(f"revoke create on schema vigilo from {DEFINER}")


def downgrade() -> None:
    """Not offered: events without their chain prove nothing."""
    raise RuntimeError("There is no way back: restore a backup.")
