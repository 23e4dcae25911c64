"""Tenancy stands in every policy itself, no longer in a restrictive one beside: Citus drops the word."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"

MOVE = """
do $$
declare
    p record;
begin
    for p in
        select r.polrelid::regclass as relation, r.polname,
               case r.polname when 'web_tenant' then 'web_read' else 'job_all' end as kept,
               pg_get_expr(r.polqual, r.polrelid) as condition
        from pg_policy r where r.polname in ('web_tenant', 'job_tenant') and not r.polpermissive
    loop
        execute format('alter policy %I on %s using (%s)%s', p.kept, p.relation, p.condition,
            case p.kept when 'job_all' then format(' with check (%s)', p.condition) else '' end);
        execute format('drop policy %I on %s', p.polname, p.relation);
    end loop;
end $$
"""


def upgrade() -> None:
    """Move the condition of each restrictive policy into the permissive one, where it is not yet."""
    op.get_bind().exec_driver_sql(MOVE.replace("%", "%%"))


def downgrade() -> None:
    """Leaves them: they show the same rows."""
