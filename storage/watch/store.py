"""Reads and writes of the watch, each workspace's in its own context as the job, all in one round
trip."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, text

from storage.arrays import array
from storage.context import job_in
from storage.executive.binary_copy import day, integer, json_value, texts
from storage.nodes import nights, visits

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class KeptWatch:
    """State of a workspace's series as of the night ``held_on`` (None: to be built anew), and its
    signals that have not ended; ``version`` is that of the history that it rests on."""

    version: int
    series: tuple[str, ...] = ()
    held_on: date | None = None
    data: bytes = b""
    signals: Sequence[Values] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class WatchedNight:
    """Outcome of a night: of each workspace the state to keep and the signals to write; of each of its
    series in their order scatter, evidence, and days to tell a doubling, 0 where they are not known."""

    night: date
    keys: tuple[str, ...]
    kept: Mapping[int, KeptWatch]
    dispersions: Sequence[float]
    evidences: Sequence[float]
    days_to_tell: Sequence[int]

    @property
    def values(self) -> dict[str, object]:
        """Arguments of the function that writes it."""
        signals = {str(id): one.signals for id, one in self.kept.items() if one.signals}
        return {
            "workspaces": array(self.kept),
            "versions": array(one.version for one in self.kept.values()),
            "keys": array(self.keys),
            "night": self.night,
            "held": next(iter(self.kept.values())).held_on,
            "states": array(one.data for one in self.kept.values()),
            "dispersions": array(self.dispersions),
            "evidences": array(self.evidences),
            "soon": array(self.days_to_tell),
            "signals": orjson.dumps(signals).decode(),
        }

    def of(self, workspaces: Collection[int]) -> WatchedNight:
        """The outcome for some of the workspaces."""
        width = len(self.keys)
        places = [n for n, key in enumerate(self.kept) if key in workspaces]

        def rows_of_chosen(values: Sequence[Any]) -> list[Any]:
            return [value for n in places for value in values[n * width : (n + 1) * width]]

        return WatchedNight(
            self.night,
            self.keys,
            {key: one for key, one in self.kept.items() if key in workspaces},
            rows_of_chosen(self.dispersions),
            rows_of_chosen(self.evidences),
            rows_of_chosen(self.days_to_tell),
        )


def kept_states(connection: Connection, workspaces: Sequence[int]) -> dict[int, KeptWatch]:
    """State and open signals of each workspace."""
    kept_by_id: dict[int, KeptWatch] = {}
    for row in visits.of_job(connection, visits.WATCH_KEPT, (), workspaces):
        key, version, series, held_on, data, signals = row
        kept_by_id[integer(key)] = KeptWatch(
            integer(version),
            tuple(texts(series)),
            day(held_on),
            bytes(data or b""),
            [with_dates(signal) for signal in json_value(signals) or ()],
        )
    return {key: kept_by_id[key] for key in workspaces}


def with_dates(signal: Values) -> Values:
    """A signal with its days as dates."""
    days = ("opened_on", "since", "seen_on", "ended_on", "until")
    return {**signal, **{d: date.fromisoformat(signal[d]) if signal.get(d) else None for d in days}}


KEEP = text("""
select vigilo.keep_watched(
    cast(:workspaces as bigint[]), cast(:versions as bigint[]), cast(:keys as text[]), :night, :held,
    cast(:states as bytea[]), cast(:dispersions as float8[]), cast(:evidences as float8[]),
    cast(:soon as int[]), cast(:signals as jsonb)
)
""")


def keep(connection: Connection, watched: WatchedNight) -> None:
    """Writes the outcome of a night."""
    if not watched.kept:
        return
    if nights.keeps_watched(connection):
        for _node, ids in nights.by_shard(connection, list(watched.kept)):
            nights.keep_watched(connection, ids[0], watched.of(set(ids)).values)
        return
    connection.execute(KEEP, watched.values)


CHANGE = text("""
update watch_signal set state = :state, until = :until, note = :note, changed_by = :by,
    changed_at = now()
where workspace_id = :w and series = :series and opened_on = :opened_on
""")


CHANGED = text("update installation set signals_version = signals_version + 1")


def change(engine: Engine, workspace_id: int, key: tuple[str, date], values: Values) -> bool:
    """Notes what somebody made of a signal: state, until, note, by whom; dashboards that were kept show it
    otherwise from now on. Whether there is such a signal."""
    series, opened_on = key
    named = {"w": workspace_id, "series": series, "opened_on": opened_on}
    with job_in(engine, workspace_id) as connection:
        is_there = bool(connection.execute(CHANGE, {**named, **values}).rowcount)
        if is_there:
            connection.execute(CHANGED)
    return is_there
