-- Tables, keys and checks. Frozen: a later change is a later migration.

CREATE TABLE app_user (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    email TEXT NOT NULL,
    name TEXT DEFAULT '' NOT NULL,
    password_hash TEXT,
    home_region TEXT,
    is_active BOOLEAN DEFAULT true NOT NULL,
    password_changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT email_lower CHECK (email = lower(email)),
    UNIQUE (email)
);

CREATE TABLE audit_event (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT,
    details JSONB DEFAULT '{}'::jsonb NOT NULL,
    prev_hash BYTEA,
    hash BYTEA NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX audit_event_subject ON audit_event (subject);

CREATE TABLE installation (
    single BOOLEAN DEFAULT true NOT NULL,
    strict_residency BOOLEAN DEFAULT false NOT NULL,
    time_zone TEXT DEFAULT 'UTC' NOT NULL,
    PRIMARY KEY (single),
    CONSTRAINT single_row CHECK (single)
);

CREATE TABLE sign_in_failure (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    account TEXT NOT NULL,
    address TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX sign_in_failure_account ON sign_in_failure (account, at);

CREATE INDEX sign_in_failure_address ON sign_in_failure (address, at);

CREATE TABLE workspace (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    region TEXT,
    is_active BOOLEAN DEFAULT true NOT NULL,
    accent TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT slug_form CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(slug) between 3 and 30),
    UNIQUE (slug)
);

CREATE TABLE api_token (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    user_id BIGINT NOT NULL,
    token_hash BYTEA NOT NULL,
    scopes TEXT[] DEFAULT '{executive:read}' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    last_used_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES app_user (id),
    UNIQUE (token_hash)
);

CREATE TABLE certificate (
    workspace_id BIGINT NOT NULL,
    fingerprint TEXT NOT NULL,
    host TEXT DEFAULT '' NOT NULL,
    port INTEGER DEFAULT 0 NOT NULL,
    subject TEXT,
    issuer TEXT,
    not_before TIMESTAMP WITH TIME ZONE,
    not_after TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    superseded_at TIMESTAMP WITH TIME ZONE,
    first_seen TIMESTAMP WITH TIME ZONE,
    last_seen TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (workspace_id, fingerprint, host, port),
    FOREIGN KEY(workspace_id) REFERENCES workspace (id)
);

CREATE TABLE compliance_snapshot_history (
    workspace_id BIGINT NOT NULL,
    framework TEXT NOT NULL,
    snapshot_date DATE NOT NULL,
    computed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    compliant DOUBLE PRECISION,
    partial DOUBLE PRECISION,
    non_compliant DOUBLE PRECISION,
    not_assessed DOUBLE PRECISION,
    not_applicable DOUBLE PRECISION,
    days_to_lapse DOUBLE PRECISION,
    lapsed DOUBLE PRECISION,
    lapsing_30 DOUBLE PRECISION,
    lapse_control TEXT,
    lapsed_control TEXT,
    PRIMARY KEY (workspace_id, framework, snapshot_date),
    FOREIGN KEY(workspace_id) REFERENCES workspace (id)
);

CREATE INDEX compliance_snapshot_day ON compliance_snapshot_history (workspace_id, snapshot_date);

CREATE TABLE control_result (
    workspace_id BIGINT NOT NULL,
    framework TEXT NOT NULL,
    control TEXT NOT NULL,
    assessed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    result TEXT NOT NULL,
    valid_until TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (workspace_id, framework, control, assessed_at),
    CONSTRAINT result_known CHECK (result in ('compliant', 'partial', 'non_compliant', 'not_assessed', 'not_applicable')),
    FOREIGN KEY(workspace_id) REFERENCES workspace (id)
);

CREATE TABLE deployment (
    workspace_id BIGINT NOT NULL,
    key TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE,
    completed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    environment TEXT DEFAULT 'production' NOT NULL,
    outcome TEXT NOT NULL,
    service TEXT,
    PRIMARY KEY (workspace_id, key),
    CONSTRAINT outcome_known CHECK (outcome in ('successful', 'successful_with_issues', 'failed', 'rolled_back', 'cancelled')),
    CONSTRAINT lead_time_not_negative CHECK (created_at <= completed_at),
    FOREIGN KEY(workspace_id) REFERENCES workspace (id)
);

CREATE INDEX deployment_completed ON deployment (workspace_id, completed_at);

CREATE TABLE deployment_change (
    workspace_id BIGINT NOT NULL,
    deployment TEXT NOT NULL,
    key TEXT NOT NULL,
    committed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (workspace_id, deployment, key),
    FOREIGN KEY(workspace_id) REFERENCES workspace (id)
);

CREATE TABLE incident (
    workspace_id BIGINT NOT NULL,
    key TEXT NOT NULL,
    title TEXT,
    severity TEXT DEFAULT 'p3' NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    acknowledged_at TIMESTAMP WITH TIME ZONE,
    resolved_at TIMESTAMP WITH TIME ZONE,
    caused_by TEXT,
    postmortem_required BOOLEAN,
    postmortem_published_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (workspace_id, key),
    CONSTRAINT severity_known CHECK (severity in ('p1', 'p2', 'p3', 'p4')),
    CONSTRAINT acknowledged_after_opened CHECK (opened_at <= acknowledged_at),
    CONSTRAINT resolved_after_opened CHECK (opened_at <= resolved_at),
    FOREIGN KEY(workspace_id) REFERENCES workspace (id)
);

CREATE INDEX incident_cause ON incident (workspace_id, caused_by);

CREATE TABLE membership (
    workspace_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    role TEXT NOT NULL,
    granted_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (workspace_id, user_id),
    CONSTRAINT role_known CHECK (role in ('platform_admin', 'owner', 'admin', 'approver', 'engineer', 'viewer')),
    FOREIGN KEY(workspace_id) REFERENCES workspace (id),
    FOREIGN KEY(user_id) REFERENCES app_user (id)
);

CREATE INDEX membership_user ON membership (user_id);

CREATE TABLE objective (
    workspace_id BIGINT NOT NULL,
    key TEXT NOT NULL,
    name TEXT,
    type TEXT DEFAULT 'custom' NOT NULL,
    target_percent DOUBLE PRECISION NOT NULL,
    window_days INTEGER DEFAULT 30 NOT NULL,
    PRIMARY KEY (workspace_id, key),
    CONSTRAINT type_known CHECK (type in ('availability', 'latency', 'error_rate', 'custom')),
    CONSTRAINT target_percent_range CHECK (target_percent > 0 and target_percent <= 100),
    CONSTRAINT window_days_range CHECK (window_days between 1 and 366),
    FOREIGN KEY(workspace_id) REFERENCES workspace (id)
);

CREATE TABLE objective_day (
    workspace_id BIGINT NOT NULL,
    key TEXT NOT NULL,
    day DATE NOT NULL,
    good DOUBLE PRECISION NOT NULL,
    total DOUBLE PRECISION NOT NULL,
    burn_1h_max DOUBLE PRECISION,
    burn_6h_max DOUBLE PRECISION,
    PRIMARY KEY (workspace_id, key, day),
    CONSTRAINT good_within_total CHECK (good >= 0 and good <= total),
    FOREIGN KEY(workspace_id) REFERENCES workspace (id)
);

CREATE INDEX objective_day_day ON objective_day (workspace_id, day);

CREATE TABLE vendor (
    workspace_id BIGINT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    tier SMALLINT NOT NULL,
    status TEXT DEFAULT 'active' NOT NULL,
    added_on DATE,
    PRIMARY KEY (workspace_id, key),
    CONSTRAINT status_known CHECK (status in ('prospective', 'active', 'suspended', 'terminated')),
    CONSTRAINT tier_range CHECK (tier between 1 and 4),
    FOREIGN KEY(workspace_id) REFERENCES workspace (id)
);

CREATE TABLE vendor_review (
    workspace_id BIGINT NOT NULL,
    vendor TEXT NOT NULL,
    completed_on DATE NOT NULL,
    next_due_on DATE,
    PRIMARY KEY (workspace_id, vendor, completed_on),
    CONSTRAINT next_due_after_completed CHECK (completed_on <= next_due_on),
    FOREIGN KEY(workspace_id) REFERENCES workspace (id)
);

CREATE TABLE web_session (
    id_hash BYTEA NOT NULL,
    user_id BIGINT,
    data JSONB DEFAULT '{}'::jsonb NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id_hash),
    FOREIGN KEY(user_id) REFERENCES app_user (id)
);

CREATE INDEX web_session_expiry ON web_session (expires_at);

CREATE INDEX web_session_user ON web_session (user_id);

CREATE TABLE workspace_usage_snapshot (
    workspace_id BIGINT NOT NULL,
    snapshot_date DATE NOT NULL,
    computed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    days_total INTEGER NOT NULL,
    successful_deployments_total DOUBLE PRECISION NOT NULL,
    ended_deployments_total DOUBLE PRECISION NOT NULL,
    failed_deployments_total DOUBLE PRECISION NOT NULL,
    incidents_opened_total DOUBLE PRECISION NOT NULL,
    incidents_acknowledged_total DOUBLE PRECISION NOT NULL,
    ack_seconds_total DOUBLE PRECISION NOT NULL,
    incidents_resolved_total DOUBLE PRECISION NOT NULL,
    resolve_seconds_total DOUBLE PRECISION NOT NULL,
    postmortems_due_total DOUBLE PRECISION NOT NULL,
    postmortems_published_total DOUBLE PRECISION NOT NULL,
    lead_time_total BYTEA,
    recovery_time_total BYTEA,
    ack_time_total BYTEA,
    resolve_time_total BYTEA,
    delivery_tracked DOUBLE PRECISION,
    recoveries_open DOUBLE PRECISION,
    incidents_tracked DOUBLE PRECISION,
    open_p1 DOUBLE PRECISION,
    open_p2 DOUBLE PRECISION,
    open_p3 DOUBLE PRECISION,
    open_p4 DOUBLE PRECISION,
    oldest_open_seconds DOUBLE PRECISION,
    objectives DOUBLE PRECISION,
    objectives_with_data DOUBLE PRECISION,
    objectives_in_budget DOUBLE PRECISION,
    objectives_exhausted DOUBLE PRECISION,
    objectives_no_traffic DOUBLE PRECISION,
    fastest_burn DOUBLE PRECISION,
    burn_1h DOUBLE PRECISION,
    budget_seconds_left DOUBLE PRECISION,
    budget_remaining DOUBLE PRECISION,
    certificates_tracked DOUBLE PRECISION,
    cert_revoked DOUBLE PRECISION,
    cert_expired DOUBLE PRECISION,
    cert_7 DOUBLE PRECISION,
    cert_30 DOUBLE PRECISION,
    cert_90 DOUBLE PRECISION,
    cert_later DOUBLE PRECISION,
    cert_unreadable DOUBLE PRECISION,
    vendors_tracked DOUBLE PRECISION,
    tier1_active DOUBLE PRECISION,
    tier1_in_review DOUBLE PRECISION,
    tier1_out_of_review DOUBLE PRECISION,
    tier1_never_reviewed DOUBLE PRECISION,
    tier1_due_30 DOUBLE PRECISION,
    longest_overdue_days DOUBLE PRECISION,
    next_review_days DOUBLE PRECISION,
    oldest_open_incident TEXT,
    fastest_burn_objective TEXT,
    burn_1h_objective TEXT,
    budget_seconds_left_objective TEXT,
    budget_remaining_objective TEXT,
    longest_overdue_vendor TEXT,
    next_review_vendor TEXT,
    member_count BIGINT,
    api_call_count_24h BIGINT,
    storage_bytes BIGINT,
    change_count_24h BIGINT,
    incident_count_24h BIGINT,
    monitored_host_count BIGINT,
    audit_event_count_24h BIGINT,
    PRIMARY KEY (workspace_id, snapshot_date),
    FOREIGN KEY(workspace_id) REFERENCES workspace (id)
);

CREATE INDEX usage_snapshot_computed ON workspace_usage_snapshot (workspace_id, computed_at);

CREATE TABLE export_job (
    id UUID NOT NULL,
    user_id BIGINT NOT NULL,
    params JSONB NOT NULL,
    scope TEXT[] NOT NULL,
    state TEXT DEFAULT 'queued' NOT NULL,
    attempt INTEGER DEFAULT 0 NOT NULL,
    lease_until TIMESTAMP WITH TIME ZONE,
    progress INTEGER DEFAULT 0 NOT NULL,
    steps INTEGER DEFAULT 0 NOT NULL,
    file_key TEXT,
    sha256 BYTEA,
    size BIGINT,
    error TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    expires_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT state_known CHECK (state in ('queued', 'running', 'ready', 'failed', 'cancelled', 'expired')),
    FOREIGN KEY(user_id) REFERENCES app_user (id)
);

CREATE INDEX export_job_sha256 ON export_job (sha256);

CREATE INDEX export_job_user ON export_job (user_id, created_at);
