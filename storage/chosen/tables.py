"""Tables of what the organisation and its workspaces choose: appended to, never changed."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Index, Integer, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from aggregators.records.tables import instant, metadata, tenant


def _change() -> tuple[Column, ...]:
    return (
        Column("value", JSONB),
        Column("since", Date, nullable=False),
        Column("set_by", Text, nullable=False),
        instant("set_at", nullable=False, now=True),
    )


organisation_setting = Table(
    "organisation_setting",
    metadata,
    Column("name", Text, primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    *_change(),
)
"""Settings of the organisation; a null is one taken back."""

workspace_setting = tenant(
    "workspace_setting",
    Column("name", Text),
    Column("revision", Integer, autoincrement=False),
    *_change(),
    key=("name", "revision"),
)
"""Settings of a workspace, over those of the organisation."""


def _note() -> tuple[Column, ...]:
    return (
        Column("about", Text, nullable=False, server_default=text("''")),
        Column("first_day", Date, nullable=False),
        Column("last_day", Date, nullable=False),
        Column("text", Text, nullable=False),
        Column("made_by", Text, nullable=False),
        instant("made_at", nullable=False, now=True),
        instant("edited_at"),
        instant("withdrawn_at"),
    )


organisation_annotation = Table(
    "organisation_annotation", metadata, Column("id", Uuid, primary_key=True), *_note()
)
"""Notes on days of the whole organisation."""
annotation = tenant("annotation", Column("id", Uuid), *_note(), key=("id",))
"""Notes on days of a workspace."""
Index("annotation_days", annotation.c.workspace_id, annotation.c.last_day)

commentary = Table(
    "commentary",
    metadata,
    Column("user_id", BigInteger, ForeignKey("app_user.id"), primary_key=True),
    Column(
        "subscription_id",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        server_default=text("0"),
    ),
    Column("page", Text, primary_key=True),
    Column("text", Text, nullable=False),
    instant("written_at", nullable=False, now=True),
)
"""Commentary of a person on pages of the pack, of their own exports or of a scheduled one."""

CHOSEN_TABLES = (workspace_setting, annotation)
"""Tables of workspaces that their platform admins read without entering the workspace."""
