"""Columns for what the deployments of each part of a source are, and for what was counted of each thing
that may be."""

from __future__ import annotations

from alembic import op

revision = "0048"
down_revision = "0047"


def upgrade() -> None:
    """The columns. A source of before keeps its choice, and reads its history once more, so that it knows
    which records are its own."""
    run("""
        alter table source_scope
            add column counts text not null default '',
            add column counts_named text not null default '',
            add column counts_by text not null default ''
                constraint counts_by_known check (counts_by in ('', 'seen', 'hand')),
            add column counts_seen jsonb,
            add column counts_done text not null default ''
    """)
    run("""
        update source set config = config || '{"counts": "deployments"}'::jsonb
        where kind = 'gitlab' and not config ? 'counts'
    """)
    run("""
        delete from source_stream t using source s
        where s.id = t.source_id and s.kind in ('github', 'gitlab')
          and t.stream in ('deployments', 'runs', 'releases')
    """)


def run(statement: str) -> None:
    """Runs a statement as it is."""
    op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Takes the columns away; settings that the version before does not know become its first choice."""
    run("delete from source_item where starts_with(key, 'told/')")
    run("""
        update source set config = config - 'tags' - case when kind = 'gitlab' then 'counts' else '' end
            || case when kind = 'github' and config ->> 'counts' not in
                    ('deployments', 'workflow runs', 'releases')
               then '{"counts": "deployments"}'::jsonb else '{}'::jsonb end
        where kind in ('github', 'gitlab')
    """)
    run("""
        alter table source_scope drop column counts, drop column counts_named, drop column counts_by,
            drop column counts_seen, drop column counts_done
    """)
