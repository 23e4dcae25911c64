"""Statistics that keep up with an import: a plan of an empty table serves no hundred thousand rows."""

from __future__ import annotations

from alembic import context, op

revision = "0054"
down_revision = "0053"

ANALYZE = """
-- Analyses the tables that have doubled since they were last analysed, by their length or by the rows that
-- were written, as autovacuum would within minutes: what reads them next is planned for what they hold. By
-- a plan for a table that was as good as empty, each row would look through all others. Not those that are
-- filled and emptied by each run, and are unlogged for it. Autovacuum gives way to whoever waits for a
-- second; a table that somebody else holds for longer is left as it is. Returns how many tables it
-- analysed; none before PostgreSQL 17, where only their owner could.
create function vigilo.analyze_outgrown() returns int
language plpgsql set lock_timeout = '3s' as $$
declare outgrown regclass; analysed int := 0;
begin
    if current_setting('server_version_num')::int < 170000 then return 0; end if;
    for outgrown in
        select c.oid from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relpersistence = 'p'
          and has_table_privilege(c.oid, 'maintain')
          and (pg_relation_size(c.oid) > 2 * 8192 * greatest(c.relpages, 1)
               or pg_stat_get_mod_since_analyze(c.oid) > 2 * greatest(c.reltuples, 100))
        order by c.oid
    loop
        begin
            execute format('analyze %s', outgrown);
        exception when lock_not_available then
            continue;
        end;
        analysed := analysed + 1;
    end loop;
    return analysed;
end $$
"""
NAME = "vigilo.analyze_outgrown()"


def upgrade() -> None:
    """The function, for the job role, which has the right to analyse (``storage.schema``)."""
    run = op.get_bind().exec_driver_sql
    run(ANALYZE.replace("%", "%%"))
    run(f"revoke execute on function {NAME} from public")
    run(f"grant execute on function {NAME} to {context.config.attributes['job']}")


def downgrade() -> None:
    """Takes it away: nothing is kept in it."""
    op.get_bind().exec_driver_sql(f"drop function {NAME}")
