"""Bodies of functions, triggers, policies, columns and constraints against what the migrations made."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from storage.migrations import definitions, mending
from storage.migrations.definitions import LAYOUT
from storage.migrations.mending import SUPERUSER, Difference
from storage.roles import DEFINER, Roles
from web.health.findings import HealthFinding
from web.health.made.rights import AS_OWNER, AS_SUPERUSER, RESTORE

MEND = "flask --app app db mend   (makes it again; look who changed it: the server's log)"
NUMBERS = "order of packed numbers"
BRIEFS = {
    "function": "functions",
    "trigger": "triggers",
    "policy": "policies",
    "security": "row-level security",
    LAYOUT: NUMBERS,
}
WELL: dict[object, str] = {}
"""The last stamp with which all definitions of a database were well: to read them takes 50 ms."""
ORIGIN = "select current_setting('session_replication_role') = 'origin'"


def findings(connection: Connection, roles: Roles) -> Iterator[HealthFinding]:
    """A finding about each definition that is another, is gone, or is switched off."""
    database = (connection.engine.url, roles)
    stamp = definitions.stamp(connection)
    changed = [] if WELL.get(database) == stamp else [*mending.differences(connection, roles)]
    if not changed:
        WELL[database] = stamp
    for each in changed:
        brief = BRIEFS.get(each.kind, "schema")
        yield HealthFinding(brief, _remedy(each), each.detail, each.stops)
    if not connection.exec_driver_sql(ORIGIN).scalar_one():
        name = connection.engine.url.database
        type_this = f'alter database "{name}" reset session_replication_role;{AS_SUPERUSER}'
        yield HealthFinding("triggers", type_this, "every trigger and foreign key is off", True)


def _remedy(difference: Difference) -> str:
    """Statements where they are short enough to be typed; else the command that runs them."""
    if not difference.statements:
        return RESTORE
    if difference.kind in ("function", "view"):
        return MEND
    by = AS_SUPERUSER if difference.by in (SUPERUSER, DEFINER) else AS_OWNER
    return " ".join(f"{statement};" for statement in difference.statements) + by
