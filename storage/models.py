"""The tables, as SQLAlchemy Core. Every key of a tenant table begins with workspace_id.

The migrations are the authority for what exists; a test compares the two and fails on drift.
Instants are ``timestamptz``; durations seconds; running totals end in ``_total``; the quantiles of the
trailing days are named by ``measure.trailing_quantile``.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from aggregators.measure import QUANTILES as QS
from aggregators.measure import trailing_quantile
from aggregators.period import TRAILING_WINDOWS

metadata = MetaData()

OUTCOMES = ("successful", "successful_with_issues", "failed", "rolled_back", "cancelled")
SEVERITIES = ("p1", "p2", "p3", "p4")
RESULTS = ("compliant", "partial", "non_compliant", "not_assessed", "not_applicable")
SLO_TYPES = ("availability", "latency", "error_rate", "custom")
VENDOR_STATUSES = ("prospective", "active", "suspended", "terminated")
ROLES = ("platform_admin", "owner", "admin", "approver", "engineer", "viewer")
SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"


def instant(name: str, *, nullable: bool = True, now: bool = False) -> Column:
    """A timestamptz column."""
    default = text("now()") if now else None
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=default)


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """Only these values."""
    listed = ", ".join(f"'{v}'" for v in values)
    return CheckConstraint(f"{column} in ({listed})", name=f"{column}_known")


def tenant(
    name: str,
    *columns: Column | CheckConstraint | Index,
    key: tuple[str, ...],
    prefixes: tuple[str, ...] = (),
) -> Table:
    """A table of one workspace's rows, keyed by workspace_id first. Tenancy is in the migrations."""
    workspace_id = Column(
        "workspace_id", BigInteger, ForeignKey("workspace.id"), primary_key=True, nullable=False
    )
    for column in columns:
        if isinstance(column, Column) and column.name in key:
            column.primary_key, column.nullable = True, False
    return Table(name, metadata, workspace_id, *columns, prefixes=list(prefixes))


installation = Table(
    "installation",
    metadata,
    Column("single", Boolean, primary_key=True, server_default=text("true")),
    Column("strict_residency", Boolean, nullable=False, server_default=text("false")),
    Column("time_zone", Text, nullable=False, server_default=text("'UTC'")),
    CheckConstraint("single", name="single_row"),
)

workspace = Table(
    "workspace",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("region", Text),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    Column("accent", Text),
    instant("created_at", nullable=False, now=True),
    Column("snapshot_day", Date),
    instant("snapshot_at"),
    Column("snapshot_version", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint(f"slug ~ '{SLUG}' and length(slug) between 3 and 30", name="slug_form"),
)

app_user = Table(
    "app_user",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("email", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False, server_default=text("''")),
    Column("password_hash", Text),
    Column("home_region", Text),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    instant("password_changed_at", nullable=False, now=True),
    instant("created_at", nullable=False, now=True),
    CheckConstraint("email = lower(email)", name="email_lower"),
)

membership = tenant(
    "membership",
    Column("user_id", BigInteger, ForeignKey("app_user.id")),
    Column("role", Text, nullable=False),
    instant("granted_at", nullable=False, now=True),
    instant("revoked_at"),
    one_of("role", ROLES),
    key=("user_id",),
)
Index("membership_user", membership.c.user_id)

web_session = Table(
    "web_session",
    metadata,
    Column("id_hash", LargeBinary, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("app_user.id")),
    Column("data", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    instant("created_at", nullable=False, now=True),
    instant("seen_at", nullable=False, now=True),
    instant("expires_at", nullable=False),
)
Index("web_session_user", web_session.c.user_id)
Index("web_session_expiry", web_session.c.expires_at)

api_token = Table(
    "api_token",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("user_id", BigInteger, ForeignKey("app_user.id"), nullable=False),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("scopes", ARRAY(Text), nullable=False, server_default=text("'{executive:read}'")),
    instant("created_at", nullable=False, now=True),
    instant("expires_at"),
    instant("revoked_at"),
    instant("last_used_at"),
    Column("signing_secret", LargeBinary),
)

sign_in_failure = Table(
    "sign_in_failure",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("account", Text, nullable=False),
    Column("address", Text, nullable=False),
    instant("at", nullable=False, now=True),
)
Index("sign_in_failure_account", sign_in_failure.c.account, sign_in_failure.c.at)
Index("sign_in_failure_address", sign_in_failure.c.address, sign_in_failure.c.at)

audit_event = Table(
    "audit_event",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    instant("at", nullable=False, now=True),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text),
    Column("details", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("prev_hash", LargeBinary),
    Column("hash", LargeBinary, nullable=False),
)
Index("audit_event_subject", audit_event.c.subject)

EXPORT_FORMATS = ("pdf", "csv", "xlsx", "json")

export_job = Table(
    "export_job",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("app_user.id"), nullable=False),
    Column("params", JSONB, nullable=False),
    Column("scope", ARRAY(Text), nullable=False),
    Column("state", Text, nullable=False, server_default=text("'queued'")),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    instant("lease_until"),
    Column("progress", Integer, nullable=False, server_default=text("0")),
    Column("steps", Integer, nullable=False, server_default=text("0")),
    Column("file_key", Text),
    Column("sha256", LargeBinary),
    Column("size", BigInteger),
    Column("error", Text),
    instant("created_at", nullable=False, now=True),
    instant("finished_at"),
    instant("expires_at"),
    Column("format", Text, nullable=False, server_default=text("'pdf'")),
    Column("mail_wanted", Boolean, nullable=False, server_default=text("false")),
    Column("figures", JSONB),
    one_of("state", ("queued", "running", "ready", "failed", "cancelled", "expired")),
    one_of("format", EXPORT_FORMATS),
)
Index("export_job_user", export_job.c.user_id, export_job.c.created_at)
Index("export_job_sha256", export_job.c.sha256)
Index(
    "export_job_open",
    export_job.c.created_at,
    postgresql_where=text("state in ('queued', 'running')"),
)
Index(
    "export_job_told",
    export_job.c.finished_at,
    postgresql_where=text("figures is not null"),
)

mail_outbox = Table(
    "mail_outbox",
    metadata,
    Column("job_id", Uuid, ForeignKey("export_job.id"), primary_key=True),
    Column("recipient", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'queued'")),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("error", Text),
    instant("created_at", nullable=False, now=True),
    instant("next_at", nullable=False, now=True),
    instant("sent_at"),
    one_of("state", ("queued", "sent", "failed")),
)
Index("mail_outbox_due", mail_outbox.c.next_at, postgresql_where=text("state = 'queued'"))

CADENCES = ("weekly", "monthly", "quarterly")
pack_subscription = Table(
    "pack_subscription",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("owner_id", BigInteger, ForeignKey("app_user.id"), nullable=False),
    Column("user_id", BigInteger, ForeignKey("app_user.id"), nullable=False),
    Column("cadence", Text, nullable=False),
    Column("format", Text, nullable=False, server_default=text("'pdf'")),
    Column("last_end", Date),
    Column("reason", Text),
    instant("created_at", nullable=False, now=True),
    one_of("cadence", CADENCES),
    one_of("format", EXPORT_FORMATS),
    UniqueConstraint("user_id", "cadence", "format", name="pack_subscription_once"),
)
Index("pack_subscription_owner", pack_subscription.c.owner_id)

deployment = tenant(
    "deployment",
    Column("key", Text),
    instant("created_at"),
    instant("completed_at", nullable=False),
    Column("environment", Text, nullable=False, server_default=text("'production'")),
    Column("outcome", Text, nullable=False),
    Column("service", Text),
    one_of("outcome", OUTCOMES),
    CheckConstraint("created_at <= completed_at", name="lead_time_not_negative"),
    key=("key",),
)
Index("deployment_completed", deployment.c.workspace_id, deployment.c.completed_at)

deployment_change = tenant(
    "deployment_change",
    Column("deployment", Text),
    Column("key", Text),
    instant("committed_at", nullable=False),
    key=("deployment", "key"),
)

incident = tenant(
    "incident",
    Column("key", Text),
    Column("title", Text),
    Column("severity", Text, nullable=False, server_default=text("'p3'")),
    instant("opened_at", nullable=False),
    instant("acknowledged_at"),
    instant("resolved_at"),
    Column("caused_by", Text),
    Column("postmortem_required", Boolean),
    instant("postmortem_published_at"),
    one_of("severity", SEVERITIES),
    CheckConstraint("opened_at <= acknowledged_at", name="acknowledged_after_opened"),
    CheckConstraint("opened_at <= resolved_at", name="resolved_after_opened"),
    key=("key",),
)
Index("incident_cause", incident.c.workspace_id, incident.c.caused_by)

objective = tenant(
    "objective",
    Column("key", Text),
    Column("name", Text),
    Column("type", Text, nullable=False, server_default=text("'custom'")),
    Column("target_percent", Double, nullable=False),
    Column("window_days", Integer, nullable=False, server_default=text("30")),
    Column("error_query", Text),
    Column("total_query", Text),
    one_of("type", SLO_TYPES),
    CheckConstraint("target_percent > 0 and target_percent <= 100", name="target_percent_range"),
    CheckConstraint("window_days between 1 and 366", name="window_days_range"),
    key=("key",),
)

objective_day = tenant(
    "objective_day",
    Column("key", Text),
    Column("day", Date),
    Column("good", Double, nullable=False),
    Column("total", Double, nullable=False),
    Column("burn_1h_max", Double),
    Column("burn_6h_max", Double),
    CheckConstraint("good >= 0 and good <= total", name="good_within_total"),
    key=("key", "day"),
)
Index("objective_day_day", objective_day.c.workspace_id, objective_day.c.day)

control_result = tenant(
    "control_result",
    Column("framework", Text),
    Column("control", Text),
    instant("assessed_at"),
    Column("result", Text, nullable=False),
    instant("valid_until"),
    one_of("result", RESULTS),
    key=("framework", "control", "assessed_at"),
)

certificate = tenant(
    "certificate",
    Column("fingerprint", Text),
    Column("host", Text, server_default=text("''")),
    Column("port", Integer, server_default=text("0")),
    Column("subject", Text),
    Column("issuer", Text),
    instant("not_before"),
    instant("not_after"),
    instant("revoked_at"),
    instant("superseded_at"),
    instant("first_seen"),
    instant("last_seen"),
    key=("fingerprint", "host", "port"),
)

vendor = tenant(
    "vendor",
    Column("key", Text),
    Column("name", Text, nullable=False),
    Column("tier", SmallInteger, nullable=False),
    Column("status", Text, nullable=False, server_default=text("'active'")),
    Column("added_on", Date),
    one_of("status", VENDOR_STATUSES),
    CheckConstraint("tier between 1 and 4", name="tier_range"),
    key=("key",),
)

vendor_review = tenant(
    "vendor_review",
    Column("vendor", Text),
    Column("completed_on", Date),
    Column("next_due_on", Date),
    CheckConstraint("completed_on <= next_due_on", name="next_due_after_completed"),
    key=("vendor", "completed_on"),
)

USAGE_FLOWS = (
    "successful_deployments",
    "ended_deployments",
    "failed_deployments",
    "incidents_opened",
    "incidents_acknowledged",
    "ack_seconds",
    "incidents_resolved",
    "resolve_seconds",
    "postmortems_due",
    "postmortems_published",
)
USAGE_DISTRIBUTIONS = ("lead_time", "recovery_time", "ack_time", "resolve_time")
USAGE_LEVELS = (
    "delivery_tracked",
    "recoveries_open",
    "incidents_tracked",
    "open_p1",
    "open_p2",
    "open_p3",
    "open_p4",
    "oldest_open_seconds",
    "objectives",
    "objectives_with_data",
    "objectives_in_budget",
    "objectives_exhausted",
    "objectives_no_traffic",
    "fastest_burn",
    "burn_1h",
    "budget_seconds_left",
    "budget_remaining",
    "certificates_tracked",
    "cert_revoked",
    "cert_expired",
    "cert_7",
    "cert_30",
    "cert_90",
    "cert_later",
    "cert_unreadable",
    "vendors_tracked",
    "tier1_active",
    "tier1_in_review",
    "tier1_out_of_review",
    "tier1_never_reviewed",
    "tier1_due_30",
    "longest_overdue_days",
    "next_review_days",
)
USAGE_LABELS = (
    "oldest_open_incident",
    "fastest_burn_objective",
    "burn_1h_objective",
    "budget_seconds_left_objective",
    "budget_remaining_objective",
    "longest_overdue_vendor",
    "next_review_vendor",
)
USAGE_COUNTERS = (
    "member_count",
    "api_call_count_24h",
    "storage_bytes",
    "change_count_24h",
    "incident_count_24h",
    "monitored_host_count",
    "audit_event_count_24h",
)
"""Carried for Vigilo's own pages; None where this installation has no source for it."""

QUANTILES = tuple(
    trailing_quantile(name, q, window)
    for window in TRAILING_WINDOWS
    for name in USAGE_DISTRIBUTIONS
    for q in QS
)
USAGE_PACKED = ("days_total", *(f"{name}_total" for name in USAGE_FLOWS), *USAGE_LEVELS, *QUANTILES)
"""What ``packed`` holds, in its order."""


def packed(columns: tuple[str, ...]) -> Column:
    """The numbers of a row as big-endian doubles, NaN where there is none: what the roll-up reads. It
    is generated, so it can not differ from the columns, and 60 of them cost what one does."""
    sent = " || ".join(f"float8send(coalesce({c}, 'NaN'::double precision))" for c in columns)
    return Column("packed", LargeBinary, Computed(sent, persisted=True))


usage_snapshot = tenant(
    "workspace_usage_snapshot",
    Column("snapshot_date", Date),
    instant("computed_at", nullable=False),
    instant("changed_at", nullable=False),
    Column("days_total", Integer, nullable=False),
    *(Column(f"{name}_total", Double, nullable=False) for name in USAGE_FLOWS),
    *(Column(name, Double) for name in USAGE_LEVELS),
    *(Column(name, Text) for name in USAGE_LABELS),
    *(Column(name, BigInteger) for name in USAGE_COUNTERS),
    *(Column(name, Double) for name in QUANTILES),
    packed(USAGE_PACKED),
    key=("snapshot_date",),
)

duration_block = tenant(
    "duration_block",
    Column("block", Integer),
    *(Column(name, LargeBinary) for name in USAGE_DISTRIBUTIONS),
    key=("block",),
)
"""The durations of ``sketch.BLOCK_DAYS`` days, as ``sketch.packed_days`` writes them: a column a
distribution. Only days with a snapshot are in it."""

snapshot_run = Table(
    "snapshot_run",
    metadata,
    Column("day", Date, primary_key=True),
    instant("started_at", nullable=False, now=True),
    instant("finished_at"),
    Column("range_first", Date),
    Column("made_with", Text),
)
"""A run over all workspaces: a night, or a backfill of the days from ``range_first`` on. It is under way,
or was broken off, where it has not finished since it started; and goes on only with what it was made with
until then: the same statements and settings."""

COMPLIANCE_LEVELS = (*RESULTS, "days_to_lapse", "lapsed", "lapsing_30")
COMPLIANCE_LABELS = ("lapse_control", "lapsed_control")

compliance_history = tenant(
    "compliance_snapshot_history",
    Column("framework", Text),
    Column("snapshot_date", Date),
    instant("computed_at", nullable=False),
    *(Column(name, Double) for name in COMPLIANCE_LEVELS),
    *(Column(name, Text) for name in COMPLIANCE_LABELS),
    packed(COMPLIANCE_LEVELS),
    key=("framework", "snapshot_date"),
)
Index(
    "compliance_snapshot_day",
    compliance_history.c.workspace_id,
    compliance_history.c.snapshot_date,
)


def staged(name: str, like: Table) -> Table:
    """An unlogged table like another, without what is generated there: what a run computes waits there
    until it is published."""
    copied = [
        Column(c.name, c.type, nullable=c.nullable)
        for c in like.columns
        if c.name != "workspace_id" and c.computed is None
    ]
    key = tuple(c.name for c in like.primary_key.columns if c.name != "workspace_id")
    return tenant(name, *copied, key=key, prefixes=("UNLOGGED",))


staged_usage = staged("staged_usage_snapshot", usage_snapshot)
staged_compliance = staged("staged_compliance_history", compliance_history)
staged_block = staged("staged_duration_block", duration_block)
"""A row of nothing stands for a block that is to go."""
staged_workspace = tenant(
    "staged_workspace",
    instant("since", nullable=False),
    Column("days", ARRAY(Date), nullable=False),
    key=(),
    prefixes=("UNLOGGED",),
)
"""A workspace that is through: for the run that started at ``since``, with these days."""

TENANT_TABLES = tuple(t for t in metadata.sorted_tables if "workspace_id" in t.c)
SNAPSHOT_TABLES = (usage_snapshot, compliance_history, duration_block)
STAGED_TABLES = (staged_workspace, staged_usage, staged_compliance, staged_block)
"""Cleared in this order: the first one's row is what a run that publishes holds on to."""
