"""Statistics keep up with tables of a gigabyte and more, whose bytes no number of four bytes holds."""

from __future__ import annotations

from alembic import op

revision = "0055"
down_revision = "0054"

FUNCTION = """
-- Analyses the tables that have doubled since they were last analysed, by their length or by the rows that
-- were written, as autovacuum would within minutes: what reads them next is planned for what they hold. By
-- a plan for a table that was as good as empty, each row would look through all others. Not those that are
-- filled and emptied by each run, and are unlogged for it. Autovacuum gives way to whoever waits for a
-- second; a table that somebody else holds for longer is left as it is. Returns how many tables it
-- analysed; none before PostgreSQL 17, where only their owner could.
create or replace function vigilo.analyze_outgrown() returns int
language plpgsql set lock_timeout = '3s' as $$
declare outgrown regclass; analysed int := 0;
begin
    if current_setting('server_version_num')::int < 170000 then return 0; end if;
    for outgrown in
        select c.oid from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relpersistence = 'p'
          and has_table_privilege(c.oid, 'maintain')
          and (pg_relation_size(c.oid) > {bytes} * greatest(c.relpages, 1)
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
TWO_PAGES = "2 * current_setting('block_size')::bigint"
"""Bytes of two pages; a number of eight bytes, as the product is one."""
BEFORE = "2 * 8192"


def upgrade() -> None:
    """Has the function count bytes in a number of eight bytes."""
    _replace(TWO_PAGES)


def downgrade() -> None:
    """Brings the former function back: nothing is kept in it."""
    _replace(BEFORE)


def _replace(page_bytes: str) -> None:
    body = FUNCTION.replace("{bytes}", page_bytes).replace("%", "%%")
    op.get_bind().exec_driver_sql(body)
