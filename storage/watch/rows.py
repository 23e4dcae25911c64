"""Rows that the watch reads: the watched totals of each workspace's days, and the watched durations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from aggregators.vocabulary.domain import USAGE
from aggregators.vocabulary.sketch import place_of
from storage.executive.binary_copy import array, day, integer, texts
from storage.executive.encoded_rows import (
    EncodedDurations,
    EncodedRows,
    Layout,
    no_rows,
    number_layout,
)
from storage.nodes import visits

NUMBER = 8
"""Bytes of a packed number."""


@dataclass(frozen=True, slots=True)
class WatchDays:
    """Rows of workspaces in the order in which they were asked for, empty where they can not be read; the
    days of their first snapshots; the layout of the numbers; and why some can not be read, by their ids."""

    rows: Sequence[EncodedRows]
    begun: Sequence[date | None]
    layout: Layout
    failed: dict[int, str]


def read(
    connection: Connection,
    workspaces: Sequence[int],
    days: tuple[date, date],
    totals: Collection[str],
    distributions: Collection[str],
) -> WatchDays:
    """Rows of the days from the last one before the first of two up to the last, with the running
    ``totals``, and the durations of those days' blocks: each workspace's in its own context as the job, all
    in one round trip."""
    packed = number_layout(connection)[USAGE]
    at = [packed.index(name) for name in totals]
    first, last = min(at), max(at) + 1
    blocks = (place_of(each)[0] for each in days)
    values = (*days, NUMBER * first + 1, NUMBER * (last - first), sorted(distributions), *blocks)
    copied = {
        integer(workspace): columns
        for workspace, *columns in visits.of_job(
            connection, visits.WATCHED_ROWS, values, workspaces
        )
    }
    rows: list[EncodedRows] = []
    begun: list[date | None] = []
    failed: dict[int, str] = {}
    for id in workspaces:
        wrong, first_day, usage, *timed = copied[id]
        begun.append(day(first_day))
        if wrong is not None:
            failed[id] = bytes(wrong).decode()
            rows.append(no_rows(id))
        else:
            rows.append(EncodedRows(id, usage or b"", {}, (), _durations(timed)))
    return WatchDays(rows, begun, {USAGE: packed[first:last]}, failed)


def _durations(timed: Sequence[memoryview | None]) -> list[EncodedDurations]:
    names, blocks, entries = timed
    each = zip(texts(names), array(blocks), array(entries), strict=True)
    return [EncodedDurations(name, "", own, data) for name, own, data in each]
