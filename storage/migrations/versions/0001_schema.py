"""Tables, roles' rights, row-level security and the functions of the context."""

from __future__ import annotations

from pathlib import Path

from alembic import context, op

from storage.migrations.policies import ROLLUP, WORKSPACE, scalar, tenancy
from storage.roles import DEFINER

revision = "0001"
down_revision = None

SQL = Path(__file__).parent.parent / "sql"
ROLLUP_TABLES = ("workspace_usage_snapshot", "compliance_snapshot_history")
RECORD_TABLES = (
    "membership",
    "deployment",
    "deployment_change",
    "incident",
    "objective",
    "objective_day",
    "control_result",
    "certificate",
    "vendor",
    "vendor_review",
)
LOOKED_UP = ("membership", "workspace", "app_user", "installation")
DEFINER_FUNCTIONS = ("readable_workspace(text)", "executive_scope()", "my_workspaces()")


def upgrade() -> None:
    """Creates everything."""
    web, job = context.config.attributes["web"], context.config.attributes["job"]
    distributed = context.config.attributes.get("distributed", False)
    run((SQL / "0001_tables.sql").read_text(encoding="utf-8"))
    run(f"create schema vigilo; grant usage on schema vigilo, public to {web}, {job}, {DEFINER}")
    run((SQL / "0001_functions.sql").read_text(encoding="utf-8"))
    run("insert into installation default values")
    for table in ROLLUP_TABLES:
        run(";".join(tenancy(table, ROLLUP, web, job, distributed=distributed)))
    for table in RECORD_TABLES:
        run(";".join(tenancy(table, WORKSPACE, web, job, distributed=distributed)))
    workspace_rows(web, job, distributed)
    definer_rights()
    control_rights(web, job)


def run(statements: str) -> None:
    """Run one or more statements, as they are."""
    op.get_bind().exec_driver_sql(statements.replace("%", "%%"))


def workspace_rows(web: str, job: str, distributed: bool) -> None:
    """The workspace itself is a tenant row too: the web role sees the one of its context."""
    readable = scalar("vigilo.readable_workspace('rollup')", distributed=distributed)
    run(f"""
        alter table workspace enable row level security;
        alter table workspace force row level security;
        create policy web_read on workspace for select to {web} using (id = {readable});
        create policy job_all on workspace for all to {job} using (true) with check (true);
        grant select on workspace to {web};
        grant select, insert, update on workspace to {job};
    """)


def definer_rights() -> None:
    """The look-up of memberships runs as a role that can do nothing else and can not log in."""
    for table in LOOKED_UP:
        run(f"grant select on {table} to {DEFINER}")
    for table in ("membership", "workspace"):
        run(f"create policy definer_read on {table} for select to {DEFINER} using (true)")
    run(f"grant create on schema vigilo to {DEFINER}")
    for function in DEFINER_FUNCTIONS:
        run(f"alter function vigilo.{function} owner to {DEFINER}")
    run(f"revoke create on schema vigilo from {DEFINER}")


def control_rights(web: str, job: str) -> None:
    """Tables without a workspace: accounts, sessions, tokens, audit. DELETE only where needed."""
    run(f"""
        grant select on installation, app_user to {web}, {job};
        grant update (password_hash, password_changed_at) on app_user to {web};
        grant select, insert, update, delete on web_session to {web};
        grant select, insert, delete on sign_in_failure to {web};
        grant select on api_token to {web};
        grant update (last_used_at) on api_token to {web};
        grant select, insert on audit_event to {web}, {job};
        grant select, insert, update on export_job to {web}, {job};
        grant insert, update on app_user to {job};
        grant select, insert, update on api_token to {job};
        grant delete on web_session to {job};
        grant select on web_session to {job};
    """)


def downgrade() -> None:
    """Not offered: a snapshot history is not thrown away by a command."""
    raise RuntimeError("There is no way back from the first schema: drop the database.")
