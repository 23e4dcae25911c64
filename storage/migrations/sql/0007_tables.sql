-- Tables of the snapshots that are read once. Frozen: a later change is a later migration.

drop index usage_snapshot_computed;

alter table workspace_usage_snapshot
    drop column lead_time_total,
    drop column recovery_time_total,
    drop column ack_time_total,
    drop column resolve_time_total,
    add column lead_time_p50_7 DOUBLE PRECISION,
    add column lead_time_p90_7 DOUBLE PRECISION,
    add column recovery_time_p50_7 DOUBLE PRECISION,
    add column recovery_time_p90_7 DOUBLE PRECISION,
    add column ack_time_p50_7 DOUBLE PRECISION,
    add column ack_time_p90_7 DOUBLE PRECISION,
    add column resolve_time_p50_7 DOUBLE PRECISION,
    add column resolve_time_p90_7 DOUBLE PRECISION,
    add column lead_time_p50_28 DOUBLE PRECISION,
    add column lead_time_p90_28 DOUBLE PRECISION,
    add column recovery_time_p50_28 DOUBLE PRECISION,
    add column recovery_time_p90_28 DOUBLE PRECISION,
    add column ack_time_p50_28 DOUBLE PRECISION,
    add column ack_time_p90_28 DOUBLE PRECISION,
    add column resolve_time_p50_28 DOUBLE PRECISION,
    add column resolve_time_p90_28 DOUBLE PRECISION;

alter table workspace_usage_snapshot add column packed BYTEA generated always as (
        float8send(coalesce(days_total, 'NaN'::double precision)) ||
        float8send(coalesce(successful_deployments_total, 'NaN'::double precision)) ||
        float8send(coalesce(ended_deployments_total, 'NaN'::double precision)) ||
        float8send(coalesce(failed_deployments_total, 'NaN'::double precision)) ||
        float8send(coalesce(incidents_opened_total, 'NaN'::double precision)) ||
        float8send(coalesce(incidents_acknowledged_total, 'NaN'::double precision)) ||
        float8send(coalesce(ack_seconds_total, 'NaN'::double precision)) ||
        float8send(coalesce(incidents_resolved_total, 'NaN'::double precision)) ||
        float8send(coalesce(resolve_seconds_total, 'NaN'::double precision)) ||
        float8send(coalesce(postmortems_due_total, 'NaN'::double precision)) ||
        float8send(coalesce(postmortems_published_total, 'NaN'::double precision)) ||
        float8send(coalesce(delivery_tracked, 'NaN'::double precision)) ||
        float8send(coalesce(recoveries_open, 'NaN'::double precision)) ||
        float8send(coalesce(incidents_tracked, 'NaN'::double precision)) ||
        float8send(coalesce(open_p1, 'NaN'::double precision)) ||
        float8send(coalesce(open_p2, 'NaN'::double precision)) ||
        float8send(coalesce(open_p3, 'NaN'::double precision)) ||
        float8send(coalesce(open_p4, 'NaN'::double precision)) ||
        float8send(coalesce(oldest_open_seconds, 'NaN'::double precision)) ||
        float8send(coalesce(objectives, 'NaN'::double precision)) ||
        float8send(coalesce(objectives_with_data, 'NaN'::double precision)) ||
        float8send(coalesce(objectives_in_budget, 'NaN'::double precision)) ||
        float8send(coalesce(objectives_exhausted, 'NaN'::double precision)) ||
        float8send(coalesce(objectives_no_traffic, 'NaN'::double precision)) ||
        float8send(coalesce(fastest_burn, 'NaN'::double precision)) ||
        float8send(coalesce(burn_1h, 'NaN'::double precision)) ||
        float8send(coalesce(budget_seconds_left, 'NaN'::double precision)) ||
        float8send(coalesce(budget_remaining, 'NaN'::double precision)) ||
        float8send(coalesce(certificates_tracked, 'NaN'::double precision)) ||
        float8send(coalesce(cert_revoked, 'NaN'::double precision)) ||
        float8send(coalesce(cert_expired, 'NaN'::double precision)) ||
        float8send(coalesce(cert_7, 'NaN'::double precision)) ||
        float8send(coalesce(cert_30, 'NaN'::double precision)) ||
        float8send(coalesce(cert_90, 'NaN'::double precision)) ||
        float8send(coalesce(cert_later, 'NaN'::double precision)) ||
        float8send(coalesce(cert_unreadable, 'NaN'::double precision)) ||
        float8send(coalesce(vendors_tracked, 'NaN'::double precision)) ||
        float8send(coalesce(tier1_active, 'NaN'::double precision)) ||
        float8send(coalesce(tier1_in_review, 'NaN'::double precision)) ||
        float8send(coalesce(tier1_out_of_review, 'NaN'::double precision)) ||
        float8send(coalesce(tier1_never_reviewed, 'NaN'::double precision)) ||
        float8send(coalesce(tier1_due_30, 'NaN'::double precision)) ||
        float8send(coalesce(longest_overdue_days, 'NaN'::double precision)) ||
        float8send(coalesce(next_review_days, 'NaN'::double precision)) ||
        float8send(coalesce(lead_time_p50_7, 'NaN'::double precision)) ||
        float8send(coalesce(lead_time_p90_7, 'NaN'::double precision)) ||
        float8send(coalesce(recovery_time_p50_7, 'NaN'::double precision)) ||
        float8send(coalesce(recovery_time_p90_7, 'NaN'::double precision)) ||
        float8send(coalesce(ack_time_p50_7, 'NaN'::double precision)) ||
        float8send(coalesce(ack_time_p90_7, 'NaN'::double precision)) ||
        float8send(coalesce(resolve_time_p50_7, 'NaN'::double precision)) ||
        float8send(coalesce(resolve_time_p90_7, 'NaN'::double precision)) ||
        float8send(coalesce(lead_time_p50_28, 'NaN'::double precision)) ||
        float8send(coalesce(lead_time_p90_28, 'NaN'::double precision)) ||
        float8send(coalesce(recovery_time_p50_28, 'NaN'::double precision)) ||
        float8send(coalesce(recovery_time_p90_28, 'NaN'::double precision)) ||
        float8send(coalesce(ack_time_p50_28, 'NaN'::double precision)) ||
        float8send(coalesce(ack_time_p90_28, 'NaN'::double precision)) ||
        float8send(coalesce(resolve_time_p50_28, 'NaN'::double precision)) ||
        float8send(coalesce(resolve_time_p90_28, 'NaN'::double precision))
    ) stored;

alter table compliance_snapshot_history add column packed BYTEA generated always as (
        float8send(coalesce(compliant, 'NaN'::double precision)) ||
        float8send(coalesce(partial, 'NaN'::double precision)) ||
        float8send(coalesce(non_compliant, 'NaN'::double precision)) ||
        float8send(coalesce(not_assessed, 'NaN'::double precision)) ||
        float8send(coalesce(not_applicable, 'NaN'::double precision)) ||
        float8send(coalesce(days_to_lapse, 'NaN'::double precision)) ||
        float8send(coalesce(lapsed, 'NaN'::double precision)) ||
        float8send(coalesce(lapsing_30, 'NaN'::double precision))
    ) stored;

create table duration_block (
    workspace_id BIGINT NOT NULL,
    block INTEGER NOT NULL,
    lead_time BYTEA,
    recovery_time BYTEA,
    ack_time BYTEA,
    resolve_time BYTEA,
    PRIMARY KEY (workspace_id, block),
    FOREIGN KEY(workspace_id) REFERENCES workspace (id)
);

create table snapshot_run (
    day DATE NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (day)
);

alter table workspace
    add column snapshot_day DATE,
    add column snapshot_at TIMESTAMP WITH TIME ZONE,
    add column snapshot_version BIGINT DEFAULT 0 NOT NULL;

-- The owner is bound by row-level security like everyone else, but for this one statement.
alter table workspace no force row level security;
alter table workspace_usage_snapshot no force row level security;
update workspace w set snapshot_day = s.snapshot_date, snapshot_at = s.computed_at, snapshot_version = 1
from (
    select distinct on (workspace_id) workspace_id, snapshot_date, computed_at
    from workspace_usage_snapshot order by workspace_id, snapshot_date desc
) s
where s.workspace_id = w.id;
-- What is there counts as made by a whole run, so that a backfill of old days does not hide it.
insert into snapshot_run (day, finished_at)
select max(snapshot_day), now() from workspace having max(snapshot_day) is not null;
alter table workspace_usage_snapshot force row level security;
alter table workspace force row level security;
