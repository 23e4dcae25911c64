"""Reads and writes of the watch, each workspace's in its own context as the job, all in one round
trip."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, text

from aggregators.vocabulary.sketch import place_of
from storage.context import job_in
from storage.executive import encoded_rows
from storage.executive.encoded_rows import EncodedRows, Layout, RowsRequest

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class KeptWatch:
    """State of a workspace's series as of the night ``held_on`` (None: to be built anew), and its
    signals that have not ended."""

    series: tuple[str, ...] = ()
    held_on: date | None = None
    data: bytes = b""
    signals: Sequence[Values] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class WatchedNight:
    """Outcome of a night for one workspace: the state to keep, its series, the signals to write."""

    workspace_id: int
    kept: KeptWatch
    series: Sequence[Values]


def rows_of(
    connection: Connection, workspaces: Sequence[int], days: Sequence[date], layout: Layout
) -> tuple[list[EncodedRows], dict[int, str]]:
    """Snapshot rows of workspaces, and why those of some can not be read."""
    blocks = place_of(days[0])[0], place_of(days[-1])[0]
    request = RowsRequest(days, days[-1], blocks, layout)
    return encoded_rows.rows_of_job(connection, request, workspaces)


def kept(connection: Connection, workspaces: Sequence[int]) -> dict[int, KeptWatch]:
    """State and open signals of each workspace."""
    query = text("select * from vigilo.watch_kept(:w)")
    return {
        row.workspace_id: KeptWatch(
            tuple(row.series or ()),
            row.held_on,
            bytes(row.data or b""),
            [dated(signal) for signal in row.signals or ()],
        )
        for row in connection.execute(query, {"w": list(workspaces)})
    }


def dated(signal: Values) -> Values:
    """A signal with its days as dates."""
    days = ("opened_on", "since", "seen_on", "ended_on", "until")
    return {**signal, **{d: date.fromisoformat(signal[d]) if signal.get(d) else None for d in days}}


def keep(connection: Connection, nights: Sequence[WatchedNight]) -> None:
    """Writes the outcome of a night."""
    told = [
        {
            "workspace_id": night.workspace_id,
            "keys": night.kept.series,
            "held_on": night.kept.held_on,
            "data": base64.b64encode(night.kept.data).decode(),
            "series": night.series,
            "signals": night.kept.signals,
        }
        for night in nights
    ]
    packed = orjson.dumps(told).decode()
    connection.execute(text("select vigilo.keep_watch(cast(:n as jsonb))"), {"n": packed})


CHANGE = text("""
update watch_signal set state = :state, until = :until, note = :note, changed_by = :by,
    changed_at = now()
where workspace_id = :w and series = :series and opened_on = :opened_on
""")


def change(engine: Engine, workspace_id: int, key: tuple[str, date], values: Values) -> bool:
    """Notes what somebody made of a signal: state, until, note, by whom. Whether there is such a
    signal."""
    series, opened_on = key
    named = {"w": workspace_id, "series": series, "opened_on": opened_on}
    with job_in(engine, workspace_id) as connection:
        return bool(connection.execute(CHANGE, {**named, **values}).rowcount)
