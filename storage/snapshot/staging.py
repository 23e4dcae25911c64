"""Days of a workspace: computed beside what readers see, then moved to where they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, text

from settings import Settings
from storage.bounds.statistics import ANALYZE_OUTGROWN
from storage.chosen.store import rules
from storage.snapshot.sql import PARAMETERS, PreparedStatement
from storage.snapshot.statements import PUBLISH, STAGE
from storage.snapshot.tables import staged_workspace

STAGED = f"select 1 from {staged_workspace.name} where workspace_id = :w and since = :since"


class Overtaken(RuntimeError):
    """Days that a run has staged are another's by now."""

    def __init__(self) -> None:
        super().__init__(
            "another run has staged other days meanwhile, as this one had lost its connection;"
            " nothing was published"
        )


@dataclass(frozen=True, slots=True)
class DayRange:
    """The days to write, ``first`` to ``last``; ``only_known``: the last and those that have a row."""

    first: date
    last: date
    only_known: bool = False


PLANNER = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "jit": "off",
    "work_mem": "32MB",
}
PLANNED = f"""
{ANALYZE_OUTGROWN};
{"; ".join(f"set local {name} = '{value}'" for name, value in PLANNER.items())};
select set_config('plan_cache_mode', 'force_custom_plan', true)
from pg_extension where extname = 'citus'
"""
"""Plans are made once a connection, without the values (planning takes twice as long as a night's
work), and serve until a table has doubled: a workspace's rows are always found by its index, but how they
are joined depends on how many there are. Citus needs the workspace's id to know the node."""


def write(connection: Connection, workspace_id: int, days: DayRange, settings: Settings) -> int:
    """Stages one workspace's days and publishes them, within the transaction in its job context; returns
    how many. The caller is alone."""
    since = connection.execute(text("select now()")).scalar_one()
    staged = stage(connection, workspace_id, [days], settings, since)
    publish(connection, workspace_id, since)
    return staged


def stage(
    connection: Connection,
    workspace_id: int,
    ranges: Sequence[DayRange],
    settings: Settings,
    since: datetime,
) -> int:
    """Computes one workspace's days from its records, beside what readers see, for the run that began at
    ``since``; replaces what is staged of it. Returns how many days."""
    values = stage_values(connection, workspace_id, ranges, settings, since)
    return int(_execute_prepared(connection, STAGE, values))


def stage_values(
    connection: Connection,
    workspace_id: int,
    ranges: Sequence[DayRange],
    settings: Settings,
    since: datetime,
) -> dict[str, Any]:
    """Values of the statements that stage, by their names in ``PARAMETERS``."""
    return {
        "w": workspace_id,
        "first": min(days.first for days in ranges),
        "last": max(days.last for days in ranges),
        "firsts": [days.last if days.only_known else days.first for days in ranges],
        "lasts": [days.last for days in ranges],
        "since": since,
        **rules(connection, settings).parameters,
    }


def publish(connection: Connection, workspace_id: int, since: datetime) -> None:
    """Moves what is staged of one workspace to where readers see it. Raises Overtaken where it was staged
    for another run than that of ``since``."""
    staged = {"w": workspace_id, "since": since}
    if connection.execute(text(f"{STAGED} for update"), staged).first() is None:
        raise Overtaken
    _execute_prepared(connection, PUBLISH, {"w": workspace_id})


def _execute_prepared(
    connection: Connection, statements: Sequence[PreparedStatement], values: Mapping[str, Any]
) -> Any:
    """Runs prepared statements in one round trip; the first value of what the last one returns."""
    arguments = ", ".join(f"%({n})s" if n in values else "null" for n in PARAMETERS)
    raw: Any = connection.connection.dbapi_connection
    with raw.cursor() as cursor:
        _prepare(cursor, statements)
        cursor.execute("; ".join(f"execute {s.name} ({arguments})" for s in statements), values)
        return cursor.fetchone()[0]


def _prepare(cursor: Any, statements: Sequence[PreparedStatement]) -> None:
    """Prepares what this connection of the server lacks: behind a pooler it may be another each time."""
    cursor.execute(
        f"{PLANNED}; select name from pg_prepared_statements where name = any(%s)",
        ([statement.name for statement in statements],),
    )
    known = {name for (name,) in cursor.fetchall()}
    for statement in statements:
        if statement.name not in known:
            cursor.execute(statement.prepare)
