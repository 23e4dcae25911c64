"""Incidents of every cause."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Index, Integer, Text, text

from aggregators.records.tables import instant, one_of, tenant

SEVERITIES = ("p1", "p2", "p3", "p4")
GRAVEST_FIRST = (*SEVERITIES, "none")
"""Severities, and with what is no incident, the gravest first."""

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
    Column("identity", Text, nullable=False, server_default=text("''")),
    Column("left_out", Text),
    Column("merged_into", Text),
    Column("reopened", Integer, nullable=False, server_default=text("0")),
    Column("is_over", Boolean, nullable=False, server_default=text("false")),
    one_of("severity", SEVERITIES),
    CheckConstraint("opened_at <= acknowledged_at", name="acknowledged_after_opened"),
    CheckConstraint("opened_at <= resolved_at", name="resolved_after_opened"),
    key=("key",),
)
Index("incident_cause", incident.c.workspace_id, incident.c.caused_by)
Index("incident_identity", incident.c.workspace_id, incident.c.identity)
