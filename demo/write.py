"""Writes the demo's rows as the job role, in one workspace's context at a time."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from sqlalchemy import Connection, insert, text

from aggregators.records.demo import Row, Rows, Team
from storage.context import JOB, enter
from storage.distributed import KEPT_INSERT, REFERENCE
from storage.nodes import nights
from storage.tables import workspace

LOCK = 0x6465_6D6F

Encoded = dict[str, tuple[tuple[str, ...], str]]
"""Columns and JSON rows by table."""


def is_empty(connection: Connection) -> bool:
    """Whether there is no workspace yet."""
    return not connection.execute(text("select exists (select from workspace)")).scalar_one()


def wait_for_turn(connection: Connection) -> None:
    """Waits until no other load is under way, then keeps others waiting to the transaction's end."""
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


def workspaces(
    connection: Connection, teams: Sequence[Team], *, is_sample: bool = False
) -> dict[str, int]:
    """Creates the workspaces; their ids by slug."""
    columns = ("slug", "name", "region", "is_active", "accent")
    rows: list[Row] = [{column: getattr(team, column) for column in columns} for team in teams]
    rows = [{**row, "is_sample": is_sample} for row in rows]
    made = connection.execute(insert(workspace).returning(workspace.c.slug, workspace.c.id), rows)
    return {slug: int(key) for slug, key in made}


def people(connection: Connection, rows: list[Row]) -> dict[str, int]:
    """Creates the accounts, or gives those that are there the new password; ids by e-mail."""
    connection.execute(
        text(
            "insert into app_user (email, name, password_hash, home_region)"
            " values (:email, :name, :password_hash, :home_region) on conflict (email) do update"
            " set password_hash = excluded.password_hash, home_region = excluded.home_region"
        ),
        rows,
    )
    emails = [row["email"] for row in rows]
    people_by_email = connection.execute(
        text("select email, id from app_user where email = any(:emails)"), {"emails": emails}
    )
    return {email: int(key) for email, key in people_by_email}


def encode_rows(rows: Rows) -> Encoded:
    """Rows by table as their columns and JSON, which a thread makes while another batch is written."""
    return {
        table: (tuple(listed[0]), orjson.dumps(listed).decode())
        for table, listed in rows.items()
        if listed
    }


def records(connection: Connection, workspace_id: int, rows: Encoded) -> None:
    """Writes a workspace's rows by table, in its context: a statement per table.

    Row-level security refuses COPY, and COPY into a temporary table with an INSERT from there took
    a fifth longer: most of the time goes into the tables' own indexes and foreign keys.
    """
    with enter(connection, JOB, workspace_id):
        if nights.adds(connection):
            own = {
                table: table_rows for table, table_rows in rows.items() if table not in REFERENCE
            }
            if own:
                nights.add(connection, workspace_id, own)
            rows = {table: table_rows for table, table_rows in rows.items() if table in REFERENCE}
        for table, (columns, listed) in rows.items():
            names = ", ".join(columns)
            connection.execute(
                text(
                    f"insert into {table} (workspace_id, {names}) select :w, {names}"
                    f" from json_populate_recordset(cast(null as {table}), cast(:rows as json))"
                    f" {KEPT_INSERT}"
                ),
                {"w": workspace_id, "rows": listed},
            )
