"""Watch over whole scopes: a row a person, of the workspaces on which they are platform admin. The web role
reads and writes none of them: the database tells each person their own, and only while it is of the
workspaces that they may see then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import Connection, text

from storage.watch.store import Values, with_dates

Scope = tuple[int, ...]
"""Ids of the workspaces of a scope, in their order."""
SCOPES = text("select user_id, workspaces from vigilo.whole_scopes()")
KEPT = text("select distinct on (workspaces) * from scope_watch order by workspaces, night desc")
KEEP = text("""
insert into scope_watch (user_id, workspaces, series, held_on, data, night, signals)
values (:user, :workspaces, :series, :held_on, :data, :night, cast(:signals as jsonb))
on conflict (user_id) do update set workspaces = excluded.workspaces, series = excluded.series,
    held_on = excluded.held_on, data = excluded.data, night = excluded.night,
    signals = excluded.signals
""")
OWN = text("select signals from vigilo.own_scope_watch()")


@dataclass(frozen=True, slots=True)
class ScopeWatch:
    """State of a scope's series as of the night ``held_on`` (None: to be built anew), and its signals on
    ``night``."""

    scope: Scope
    series: tuple[str, ...] = ()
    held_on: date | None = None
    data: bytes = b""
    night: date | None = None
    signals: Sequence[Values] = ()


def scopes(connection: Connection) -> dict[Scope, list[int]]:
    """Each scope of more than one workspace, and the ids of the people whose it is."""
    people: dict[Scope, list[int]] = {}
    for row in connection.execute(SCOPES):
        people.setdefault(tuple(row.workspaces), []).append(row.user_id)
    return people


def kept_states(connection: Connection) -> dict[Scope, ScopeWatch]:
    """State and signals of each scope."""
    rows = connection.execute(KEPT)
    return {
        tuple(row.workspaces): ScopeWatch(
            tuple(row.workspaces),
            tuple(row.series),
            row.held_on,
            bytes(row.data),
            row.night,
            [with_dates(one) for one in row.signals],
        )
        for row in rows
    }


def keep(
    connection: Connection,
    people: Mapping[Scope, Sequence[int]],
    scope_watches: Sequence[ScopeWatch],
) -> None:
    """Writes the outcome of a night for everybody; whoever has no scope any more has none kept."""
    rows: list[dict[str, Any]] = [
        {
            "user": user,
            "workspaces": list(one.scope),
            "series": list(one.series),
            "held_on": one.held_on,
            "data": one.data,
            "night": one.night,
            "signals": orjson.dumps(list(one.signals)).decode(),
        }
        for one in scope_watches
        for user in people[one.scope]
    ]
    users = [row["user"] for row in rows]
    gone = text("delete from scope_watch where user_id <> all(cast(:users as bigint[]))")
    connection.execute(gone, {"users": users})
    if rows:
        connection.execute(KEEP, rows)


def signals_of_viewer(connection: Connection) -> list[Values]:
    """Signals of the scope of this transaction's viewer, days as text; none while the scope is another one
    than on the night that told them."""
    return list(connection.execute(OWN).scalar_one() or ())
