"""Building blocks of tables, as SQLAlchemy Core, and the metadata that all of them stand in.

Every key of a tenant table begins with ``workspace_id``. Instants are ``timestamptz``; durations seconds.
The migrations are the authority for what exists; a test compares the two and fails on drift.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    MetaData,
    Table,
    text,
)

metadata = MetaData()


def instant(name: str, *, nullable: bool = True, now: bool = False) -> Column:
    """A timestamptz column."""
    default = text("now()") if now else None
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=default)


def settled_column(column: Column) -> Column:
    """A column that follows from other records and is written by their kind's ``settling`` alone."""
    column.info["settled"] = True
    return column


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """A check that a column holds one of some words."""
    listed = ", ".join(f"'{v}'" for v in values)
    return CheckConstraint(f"{column} in ({listed})", name=f"{column}_known")


def tenant(
    name: str,
    *columns: Column | CheckConstraint | Index,
    key: tuple[str, ...],
    prefixes: tuple[str, ...] = (),
) -> Table:
    """A table of each workspace's own rows, keyed by workspace_id first. Tenancy is in the migrations."""
    workspace_id = Column(
        "workspace_id", BigInteger, ForeignKey("workspace.id"), primary_key=True, nullable=False
    )
    for column in columns:
        if isinstance(column, Column) and column.name in key:
            column.primary_key, column.nullable = True, False
    return Table(name, metadata, workspace_id, *columns, prefixes=list(prefixes))
