"""Identity that is proved to the database, and a web role without any right that no page needs: accounts,
sessions, tokens, exports, mails and packs are the job role's."""

from __future__ import annotations

from pathlib import Path

from alembic import context, op

from storage.roles import DEFINER

revision = "0017"
down_revision = "0016"

SQL = Path(__file__).parent.parent / "sql" / "0017_identity.sql"
PROOFS = {
    "web_session": "id_hash, user_id, data, created_at, seen_at, expires_at",
    "api_token": "id, token_hash, user_id, scopes, signing_secret, created_at, expires_at, revoked_at",
    "viewer_ticket": "id_hash, user_id, expires_at",
    "app_user": "id, email, name, home_region, is_active, password_changed_at",
}
"""Columns that the functions' owner looks into: no password among them."""
PRIVATE = (
    "app_user",
    "web_session",
    "api_token",
    "sign_in_failure",
    "audit_event",
    "export_job",
    "mail_outbox",
    "pack_subscription",
)
OF_THE_DEFINER = (
    "identify(text, bytea, bytea)",
    "viewer()",
    "readable_workspace(text)",
    "executive_scope()",
    "my_workspaces()",
)
LIVE = "vigilo.live_session, vigilo.live_token, vigilo.live_ticket"


def upgrade() -> None:
    """Tables, views and functions, then the rights of each role."""
    web, job = context.config.attributes["web"], context.config.attributes["job"]
    run(SQL.read_text(encoding="utf-8"))
    run(f"revoke all on app_user from {DEFINER}; grant select on sealing_key to {DEFINER}")
    for table, columns in PROOFS.items():
        run(f"grant select ({columns}) on {table} to {DEFINER}")
    run(f"grant select on {LIVE} to {DEFINER}, {job}; grant create on schema vigilo to {DEFINER}")
    for function in OF_THE_DEFINER:
        run(f"alter function vigilo.{function} owner to {DEFINER}")
        run(f"grant execute on function vigilo.{function} to {web}")
    run(f"revoke create on schema vigilo from {DEFINER}")
    for table in PRIVATE:
        run(f"revoke all on {table} from {web}")
    run(f"revoke update (password_hash, password_changed_at) on app_user from {web}")
    run(f"revoke update (last_used_at) on api_token from {web}")
    run(f"""
        grant select, insert, update, delete on web_session, viewer_ticket to {job};
        grant select, insert, delete on sign_in_failure to {job};
        grant select, insert, update, delete on pack_subscription to {job};
    """)


def run(statements: str) -> None:
    """Runs statements as they are."""
    op.get_bind().exec_driver_sql(statements.replace("%", "%%"))


def downgrade() -> None:
    """Not offered: the web role would be anybody again."""
    raise RuntimeError("There is no way back: restore a backup.")
