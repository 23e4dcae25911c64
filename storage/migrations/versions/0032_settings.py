"""Settings of the organisation and of its workspaces, each with the day from which it holds."""

from __future__ import annotations

from pathlib import Path

from alembic import context, op

from storage.migrations.policies import ROLLUP, tenancy
from storage.roles import DEFINER

revision = "0032"
down_revision = "0031"

SQL = Path(__file__).parent.parent / "sql" / "0032_settings.sql"


def upgrade() -> None:
    """Tables that are appended to, and the functions that write and read them."""
    web, job = context.config.attributes["web"], context.config.attributes["job"]
    distributed = context.config.attributes.get("distributed", False)
    run = op.get_bind().exec_driver_sql
    run(SQL.read_text(encoding="utf-8").replace("%", "%%"))
    run(";".join(tenancy("workspace_setting", ROLLUP, web, job, distributed=distributed)))
    run(f"revoke update, delete on workspace_setting from {job}")
    run(f"grant select on organisation_setting to {web}, {job}")
    run(f"grant insert on organisation_setting to {job}")
    run(f"grant update (settings_version) on installation to {job}")
    run(f"grant update (time_zone) on installation to {job}")
    run(f"grant execute on function vigilo.set_setting(bigint, text, jsonb, date, text) to {job}")
    run(f"grant create on schema vigilo to {DEFINER}")
    run(f"alter function vigilo.scope_with_settings() owner to {DEFINER}")
    run(f"grant execute on function vigilo.scope_with_settings() to {web}")
    run(f"revoke create on schema vigilo from {DEFINER}")


def downgrade() -> None:
    """Not offered: what was chosen would be lost."""
    raise RuntimeError("There is no way back: restore a backup.")
