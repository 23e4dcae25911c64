"""The tables, as SQLAlchemy Core. Every key of a tenant table begins with workspace_id.

The migrations are the authority for what exists; a test compares the two and fails on drift.
Instants are ``timestamptz``. The tables of snapshots are derived, in ``storage.snapshot.tables``.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from aggregators import catalogue
from aggregators.records.tables import instant, one_of, tenant
from aggregators.records.tables import metadata as metadata
from aggregators.vocabulary.fields import LONGEST_SLUG, SHORTEST_SLUG, SLUG
from storage import statement_tables as statement_tables
from storage.chosen import tables as chosen_tables
from storage.digests import tables as digest_tables
from storage.roles import WORKSPACE_ROLES
from storage.scheduled import tables as scheduled_tables
from storage.sources import tables as source_tables
from storage.watch import tables as watch_tables

organisation_setting = chosen_tables.organisation_setting
task_run = scheduled_tables.task_run
source = source_tables.source
digest_channel = digest_tables.digest_channel
watch_signal = watch_tables.watch_signal
catalogue.parts("tables")
"""The domains' record tables stand in the metadata from here on."""


installation = Table(
    "installation",
    metadata,
    Column("single", Boolean, primary_key=True, server_default=text("true")),
    Column("strict_residency", Boolean, nullable=False, server_default=text("false")),
    Column("time_zone", Text, nullable=False, server_default=text("'UTC'")),
    Column("settings_version", BigInteger, nullable=False, server_default=text("0")),
    Column("signals_version", BigInteger, nullable=False, server_default=text("0")),
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
    Column("history_version", BigInteger, nullable=False, server_default=text("0")),
    Column("has_settings", Boolean, nullable=False, server_default=text("false")),
    Column("has_annotations", Boolean, nullable=False, server_default=text("false")),
    Column("is_sample", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint(
        f"slug ~ '{SLUG}' and length(slug) between {SHORTEST_SLUG} and {LONGEST_SLUG}",
        name="slug_form",
    ),
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
    Column("totp_secret", LargeBinary),
    instant("totp_confirmed_at"),
    Column("totp_step", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint("email = lower(email)", name="email_lower"),
)

membership = tenant(
    "membership",
    Column("user_id", BigInteger, ForeignKey("app_user.id")),
    Column("role", Text, nullable=False),
    instant("granted_at", nullable=False, now=True),
    instant("revoked_at"),
    one_of("role", WORKSPACE_ROLES),
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
    Column("agent", Text, nullable=False, server_default=text("''")),
    Column("address", Text, nullable=False, server_default=text("''")),
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
    Column("name", Text, nullable=False, server_default=text("''")),
    Column("hint", Text, nullable=False, server_default=text("''")),
)

Index("web_session_handle", func.sha256(web_session.c.id_hash), unique=True)
Index("api_token_handle", func.sha256(api_token.c.token_hash), unique=True)

viewer_ticket = Table(
    "viewer_ticket",
    metadata,
    Column("id_hash", LargeBinary, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("app_user.id"), nullable=False),
    instant("expires_at", nullable=False),
)
Index("viewer_ticket_expiry", viewer_ticket.c.expires_at)
Index("viewer_ticket_handle", func.sha256(viewer_ticket.c.id_hash), unique=True)

sealing_key = Table(
    "sealing_key",
    metadata,
    Column("single", Boolean, primary_key=True, server_default=text("true")),
    Column("key", LargeBinary, nullable=False),
    CheckConstraint("single", name="sealing_key_single"),
)
"""The key of the seals that say who asks; only the functions of the context read it."""
recovery_code = Table(
    "recovery_code",
    metadata,
    Column("user_id", BigInteger, ForeignKey("app_user.id"), primary_key=True),
    Column("code_hash", LargeBinary, primary_key=True),
    instant("used_at"),
    instant("created_at", nullable=False, now=True),
)

user_identity = Table(
    "user_identity",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("app_user.id"), nullable=False),
    instant("created_at", nullable=False, now=True),
    instant("seen_at", nullable=False, now=True),
)
Index("user_identity_user", user_identity.c.user_id)

invitation = tenant(
    "invitation",
    Column("id", Uuid),
    Column("email", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("invited_by", Text, nullable=False),
    instant("created_at", nullable=False, now=True),
    instant("expires_at", nullable=False),
    instant("ended_at"),
    one_of("role", WORKSPACE_ROLES),
    key=("id",),
)
Index("invitation_email", invitation.c.workspace_id, invitation.c.email)

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
    Column("hash", LargeBinary, nullable=False),
)
Index("audit_event_subject", audit_event.c.subject)
Index("audit_event_at", audit_event.c.at)

audit_link = Table(
    "audit_link",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", BigInteger, nullable=False, unique=True),
    Column("hash", LargeBinary, nullable=False),
)
audit_unlinked = Table(
    "audit_unlinked",
    metadata,
    Column("event_id", BigInteger, primary_key=True, autoincrement=False),
)
audit_head = Table(
    "audit_head",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    instant("signed_at", nullable=False, now=True),
    Column("signature", LargeBinary, nullable=False),
)

OPEN_EXPORT_STATES = ("queued", "running")
EXPORT_STATES = (*OPEN_EXPORT_STATES, "ready", "failed", "cancelled", "expired")
IS_OPEN = f"state in {OPEN_EXPORT_STATES}"
"""States of an export, those in which it is under way, and the condition for them in SQL."""
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
    one_of("state", EXPORT_STATES),
    one_of("format", EXPORT_FORMATS),
)
Index("export_job_user", export_job.c.user_id, export_job.c.created_at)
Index("export_job_sha256", export_job.c.sha256)
Index(
    "export_job_open",
    export_job.c.created_at,
    postgresql_where=text(IS_OPEN),
)
Index(
    "export_job_told",
    export_job.c.finished_at,
    postgresql_where=text("figures is not null"),
)

mail_outbox = Table(
    "mail_outbox",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("job_id", Uuid, ForeignKey("export_job.id")),
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
    Column("unsubscribe", Text),
    Column("handed_over", Integer, nullable=False, server_default=text("0")),
    one_of("state", ("queued", "sent", "failed")),
    UniqueConstraint("job_id", name="mail_outbox_job"),
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
