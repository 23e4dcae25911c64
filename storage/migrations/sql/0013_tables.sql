-- Tables in which every domain finds room: labels in one column, by name; durations a row a distribution;
-- numbers of a row in an order that stands beside them. Frozen: a later change is a later migration.

-- One rewrite of each table, by the type of its first label: an update would double it. ALTER TABLE is not
-- bound by row-level security, as the owner's statements are.
alter table workspace_usage_snapshot alter column oldest_open_incident type jsonb using
    jsonb_strip_nulls(jsonb_object(array[
        'oldest_open_incident', 'fastest_burn_objective', 'burn_1h_objective',
        'budget_seconds_left_objective', 'budget_remaining_objective', 'longest_overdue_vendor',
        'next_review_vendor'
    ], array[
        oldest_open_incident, fastest_burn_objective, burn_1h_objective,
        budget_seconds_left_objective, budget_remaining_objective, longest_overdue_vendor,
        next_review_vendor
    ]));
alter table workspace_usage_snapshot rename column oldest_open_incident to labels;
alter table workspace_usage_snapshot
    drop column fastest_burn_objective,
    drop column burn_1h_objective,
    drop column budget_seconds_left_objective,
    drop column budget_remaining_objective,
    drop column longest_overdue_vendor,
    drop column next_review_vendor,
    alter column labels set default '{}'::jsonb,
    alter column labels set not null;
-- A domain that comes later has no totals in the rows of before.
alter table workspace_usage_snapshot
    alter column successful_deployments_total drop not null,
    alter column ended_deployments_total drop not null,
    alter column failed_deployments_total drop not null,
    alter column incidents_opened_total drop not null,
    alter column incidents_acknowledged_total drop not null,
    alter column ack_seconds_total drop not null,
    alter column incidents_resolved_total drop not null,
    alter column resolve_seconds_total drop not null,
    alter column postmortems_due_total drop not null,
    alter column postmortems_published_total drop not null;

alter table compliance_snapshot_history alter column lapse_control type jsonb using
    jsonb_strip_nulls(jsonb_object(array['lapse_control', 'lapsed_control'],
                                   array[lapse_control, lapsed_control]));
alter table compliance_snapshot_history rename column lapse_control to labels;
alter table compliance_snapshot_history
    drop column lapsed_control,
    alter column labels set default '{}'::jsonb,
    alter column labels set not null;

-- What each packed column holds, in its order: the reader goes by this.
comment on column workspace_usage_snapshot.packed is
    'days_total successful_deployments_total ended_deployments_total failed_deployments_total incidents_opened_total incidents_acknowledged_total ack_seconds_total incidents_resolved_total resolve_seconds_total postmortems_due_total postmortems_published_total delivery_tracked recoveries_open incidents_tracked open_p1 open_p2 open_p3 open_p4 oldest_open_seconds objectives objectives_with_data objectives_in_budget objectives_exhausted objectives_no_traffic fastest_burn burn_1h budget_seconds_left budget_remaining certificates_tracked cert_revoked cert_expired cert_7 cert_30 cert_90 cert_later cert_unreadable vendors_tracked tier1_active tier1_in_review tier1_out_of_review tier1_never_reviewed tier1_due_30 longest_overdue_days next_review_days lead_time_p50_7 lead_time_p90_7 recovery_time_p50_7 recovery_time_p90_7 ack_time_p50_7 ack_time_p90_7 resolve_time_p50_7 resolve_time_p90_7 lead_time_p50_28 lead_time_p90_28 recovery_time_p50_28 recovery_time_p90_28 ack_time_p50_28 ack_time_p90_28 resolve_time_p50_28 resolve_time_p90_28';
comment on column compliance_snapshot_history.packed is
    'compliant partial non_compliant not_assessed not_applicable days_to_lapse lapsed lapsing_30';

create table duration_rows (
    workspace_id BIGINT NOT NULL,
    distribution TEXT NOT NULL,
    group_key TEXT NOT NULL,
    block INTEGER NOT NULL,
    data BYTEA NOT NULL,
    PRIMARY KEY (workspace_id, distribution, group_key, block),
    FOREIGN KEY(workspace_id) REFERENCES workspace (id)
);
alter table duration_block no force row level security;
insert into duration_rows
select b.workspace_id, d.distribution, '', b.block, d.data
from duration_block b
cross join lateral (values
    ('lead_time', b.lead_time), ('recovery_time', b.recovery_time),
    ('ack_time', b.ack_time), ('resolve_time', b.resolve_time)
) as d(distribution, data)
where d.data is not null;
drop table duration_block;
alter table duration_rows rename to duration_block;
alter index duration_rows_pkey rename to duration_block_pkey;
alter table duration_block
    rename constraint duration_rows_workspace_id_fkey to duration_block_workspace_id_fkey;

-- What a run of before has staged is not published any more: it begins anew.
drop table staged_usage_snapshot, staged_compliance_history, staged_duration_block;
delete from staged_workspace;
create unlogged table staged_usage_snapshot
    (like workspace_usage_snapshot including constraints including indexes);
alter table staged_usage_snapshot
    drop column packed,
    add foreign key (workspace_id) references workspace (id);
create unlogged table staged_compliance_history
    (like compliance_snapshot_history including constraints);
alter table staged_compliance_history
    drop column packed,
    add primary key (workspace_id, framework, snapshot_date),
    add foreign key (workspace_id) references workspace (id);
create unlogged table staged_duration_block
    (like duration_block including constraints including indexes);
alter table staged_duration_block
    add foreign key (workspace_id) references workspace (id);
