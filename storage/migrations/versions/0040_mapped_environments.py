"""Meanings of environments' names, kept with each deployment and each roll-back: a roll-back undoes
what was deployed to the same environment in any spelling."""

from __future__ import annotations

from alembic import op

revision = "0040"
down_revision = "0039"

FORCED = (
    "deployment", "roll_back", "word_meaning", "snapshot_due"
)  # fmt: skip
"""Tables that are read and changed whole, which forced row-level security would hide from their owner."""
LIVE = "{production,prod,prd,live,prod1,prod2}"
NOT_LIVE = (
    "{pre,preprod,preproduction,non,nonprod,nonproduction,not,no,staging,stage,stg,test,testing,tst,qa,uat,"
    "dev,development,develop,preview,review,sandbox,demo,integration,int,local,canary,shadow,perf,"
    "performance,load}"
)
"""Parts of a name that say production, and parts that say anything else, where nobody maps the name."""
COLUMN = "alter table {table} add column mapped_environment text default 'production' not null"
FILL = f"""
update {{table}} t set mapped_environment = named.mapped
from (
    select e.workspace_id, e.environment,
           case when coalesce(w.meaning, o.meaning, case
                    when regexp_split_to_array(e.word, '[^a-z0-9]+') && cast('{LIVE}' as text[])
                     and not regexp_split_to_array(e.word, '[^a-z0-9]+') && cast('{NOT_LIVE}' as text[])
                    then 'production' end) = 'production' then 'production'
                when e.environment = 'production' then 'other'
                else e.environment end as mapped
    from (
        select distinct workspace_id, environment,
               lower(regexp_replace(btrim(environment), '\\s+', ' ', 'g')) as word
        from {{table}}
    ) e
    left join word_meaning w on w.workspace_id = e.workspace_id and w.about = 'environment'
                            and w.word = e.word
    left join organisation_meaning o on o.about = 'environment' and o.word = e.word
) named
where t.workspace_id = named.workspace_id and t.environment = named.environment
  and t.mapped_environment <> named.mapped
"""
CHANGED = """
(
    select d.workspace_id, d.key, d.completed_at, u.at
    from deployment d
    join (select distinct workspace_id from roll_back) r on r.workspace_id = d.workspace_id
    left join (
        select workspace_id, key, taken_down_at as at
        from (
            select workspace_id, key, step, lead(at) over (
                partition by workspace_id, service, environment, level order by at, step, key
            ) as taken_down_at
            from (
                select s.*, sum(step) over (
                    partition by workspace_id, service, environment order by at, step, key
                ) + (step = -1)::int as level
                from (
                    select d.workspace_id, coalesce(d.service, '') as service,
                           d.mapped_environment as environment, d.completed_at as at, d.key, 1 as step
                    from deployment d
                    where d.production and d.left_out is null and d.outcome <> 'cancelled'
                    union all
                    select r.workspace_id, r.service, r.mapped_environment, r.rolled_back_at, r.key, -1
                    from roll_back r
                ) s
            ) levels
        ) matched
        where step = 1 and taken_down_at is not null
    ) u on u.workspace_id = d.workspace_id and u.key = d.key
    where d.rolled_back_at is distinct from u.at
) changed
"""
"""Deployments that a roll-back undoes, or lets stand, otherwise than what is kept of it."""
MARK = f"""
insert into snapshot_due (workspace_id, first_day)
select workspace_id, min((completed_at at time zone 'UTC')::date) - 1 from {CHANGED} group by workspace_id
on conflict (workspace_id) do update
set first_day = least(snapshot_due.first_day, excluded.first_day), at_once = true
"""
UNDO = f"""
update deployment d set rolled_back_at = changed.at
from {CHANGED} where d.workspace_id = changed.workspace_id and d.key = changed.key
"""


def upgrade() -> None:
    """The columns, filled by what the workspaces' words mean; what roll-backs undo by it, with the days to
    make again."""
    run = op.get_bind().exec_driver_sql
    for table in FORCED:
        run(f"alter table {table} no force row level security")
    for table in ("deployment", "roll_back"):
        run(COLUMN.format(table=table))
        run(FILL.replace("{table}", table).replace("%", "%%"))
    run(MARK)
    run(UNDO)
    for table in FORCED:
        run(f"alter table {table} force row level security")


def downgrade() -> None:
    """Takes them away; a release of before goes by the names."""
    for table in ("deployment", "roll_back"):
        op.get_bind().exec_driver_sql(f"alter table {table} drop column mapped_environment")
