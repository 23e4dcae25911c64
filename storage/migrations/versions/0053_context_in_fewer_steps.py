"""The context of a workspace entered and proved in fewer steps: each read enters and proves a thousand."""

from __future__ import annotations

from alembic import op

from storage.distributed import ENTER as ENTER_BY_SET_LOCAL

revision = "0053"
down_revision = "0050"

SETTING_ID = """
-- Whole numbers only: a malformed setting reads as no setting, so it opens nothing. In SQL, so that the
-- expression stands in for the call: the policies' function reads two of them for each statement.
create or replace function vigilo.setting_id(name text) returns bigint
language sql stable as $$
    select case when current_setting(name, true) ~ '^[0-9]{1,18}$'
                then current_setting(name, true)::bigint end
$$
"""
ENTER = """
-- Writes the context, which ends with the transaction. Assigned, not performed: an expression that is
-- assigned needs no query. Citus hands on no set_config(): there the function is another
-- (storage.distributed).
create or replace function vigilo.enter(level text, workspace_id bigint) returns void
language plpgsql as $$
declare written text;
begin
    written := set_config('vigilo.level', coalesce(level, ''), true);
    written := set_config('vigilo.workspace_id', coalesce(workspace_id::text, ''), true);
end $$
"""
FORMER_SETTING_ID = """
create or replace function vigilo.setting_id(name text) returns bigint
language plpgsql stable as $$
declare given text := current_setting(name, true);
begin
    if given is null or given !~ '^[0-9]{1,18}$' then return null; end if;
    return given::bigint;
end $$
"""


def upgrade() -> None:
    """The two functions."""
    for function in (SETTING_ID, ENTER):
        op.get_bind().exec_driver_sql(function.replace("%", "%%"))


def downgrade() -> None:
    """The two as they were."""
    for function in (FORMER_SETTING_ID, ENTER_BY_SET_LOCAL):
        op.get_bind().exec_driver_sql(function.replace("%", "%%"))
