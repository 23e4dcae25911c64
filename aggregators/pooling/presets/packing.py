"""The tables of a preset -> one value a workspace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import orjson

from aggregators.pooling.plan import BEFORE, NOW
from aggregators.pooling.presets.form import HIGHEST_COUNT, Slots, TableForm
from aggregators.pooling.snapshot_rows import StoredDurations
from aggregators.pooling.span_facts import FactTable
from aggregators.vocabulary.sketch import QUANTILES, ZERO_BUCKET

Labels = Mapping[str, Sequence[str | None]]
"""Label columns by name, a value a scope."""
SIZE = np.dtype("<u4")
"""Length of a section in bytes; a value begins with one for each of its sections."""


@dataclass(frozen=True, slots=True)
class PackableTable:
    """Table of several workspaces, whose scopes are in their order, with its ``labels``; ``owner`` [scope]
    is the number of the workspace that a scope is of."""

    form: TableForm
    facts: FactTable
    labels: Labels
    owner: np.ndarray


def pack_values(tables: Sequence[PackableTable], workspaces: int) -> list[bytes]:
    """Value of each workspace. Its sections are the groups and labels of every table as JSON; then by table
    the day and the numbers on each border, and by distribution how many entries each group's slots have,
    the bucket and the count of each entry, and the summaries."""
    sections = [_texts(tables, workspaces)]
    for table in tables:
        sections += _numbers(table, workspaces)
        for name in table.form.distributions:
            sections += _durations(table, name, workspaces)
    values = []
    for parts in zip(*sections, strict=True):
        sizes = np.array([len(part) for part in parts], SIZE)
        values.append(b"".join((sizes.tobytes(), *parts)))
    return values


def _texts(tables: Sequence[PackableTable], workspaces: int) -> list[bytes]:
    bounds = [_bounds(table, workspaces) for table in tables]
    texts = []
    for n in range(workspaces):
        by_table = []
        for table, ends in zip(tables, bounds, strict=True):
            own = slice(ends[n], ends[n + 1])
            groups = [group for _, group in table.facts.scopes[own]]
            by_table.append([groups, {name: values[own] for name, values in table.labels.items()}])
        texts.append(orjson.dumps(by_table))
    return texts


def _bounds(table: PackableTable, workspaces: int) -> list[int]:
    """First scope of each workspace, and the end of the last."""
    return list(np.searchsorted(table.owner, np.arange(workspaces + 1)).tolist())


def _numbers(table: PackableTable, workspaces: int) -> Iterator[list[bytes]]:
    borders = table.facts.borders
    places = borders.places(np.arange(len(borders.days)))
    numbers = np.empty((len(table.facts.scopes), len(table.form.columns), len(borders.days)), "<f8")
    for n, column in enumerate(table.form.columns):
        numbers[:, n] = borders.values(column, places)
    bounds = _bounds(table, workspaces)
    for values in (borders.day.astype("<i4"), numbers):
        yield [values[a:b].tobytes() for a, b in pairwise(bounds)]


def _durations(table: PackableTable, name: str, workspaces: int) -> Iterator[list[bytes]]:
    durations, scopes = table.facts.durations[name], len(table.facts.scopes)
    assert isinstance(durations, StoredDurations)
    slots = Slots.of(durations.plan)
    cell, bucket, counts = _entries(*_filled_buckets(durations, slots, scopes))
    lengths = np.bincount(cell, minlength=scopes * slots.count).astype("<u2")
    summaries = np.stack(
        [_summary(table, durations, label) for label in (BEFORE, NOW)], axis=1
    ).astype("<f8")
    bounds = _bounds(table, workspaces)
    ends = np.searchsorted(cell, np.array(bounds) * slots.count).tolist()
    for values, at in (
        (lengths.reshape(scopes, slots.count), bounds),
        (bucket, ends),
        (counts, ends),
        (summaries, bounds),
    ):
        yield [values[a:b].tobytes() for a, b in pairwise(at)]


def _entries(
    cell: np.ndarray, bucket: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Entries of some buckets: one each, more where an entry can not count so many durations."""
    entries = np.maximum(-(-counts // HIGHEST_COUNT), 1)
    most = np.full(int(entries.sum()), HIGHEST_COUNT, "<u2")
    most[entries.cumsum() - 1] = counts - (entries - 1) * HIGHEST_COUNT
    return np.repeat(cell, entries), np.repeat(bucket, entries), most


def _filled_buckets(
    durations: StoredDurations, slots: Slots, scopes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scope and slot (as scope times slots, plus slot), bucket and count of every bucket that holds
    durations, ascending."""
    events, (low, width) = durations.events, durations.events.range
    cells, counts = [], []
    for slot in _slots_of(durations, slots):
        inside = slot >= 0
        cell = events.scope[inside].astype(np.intp) * slots.count + slot[inside]
        cells.append(cell * width + (events.bucket[inside] - low))
        counts.append(events.count[inside])
    filled, sums = _sum_cells(
        np.concatenate(cells), np.concatenate(counts), scopes * slots.count * width
    )
    scope_and_slot, bucket = np.divmod(filled, width)
    return scope_and_slot, (bucket + (low - ZERO_BUCKET)).astype("<u2"), sums.astype(np.int64)


def _sum_cells(cell: np.ndarray, count: np.ndarray, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Cells of so many that hold anything, ascending, and the sum of the counts in each. Few of them do: to
    mark these and number them takes a third of the time of summing over all."""
    is_filled = np.zeros(cells, bool)
    is_filled[cell] = True
    filled = np.flatnonzero(is_filled)
    number_of_cell = np.empty(cells, np.int32)
    number_of_cell[filled] = np.arange(len(filled), dtype=np.int32)
    return filled, np.bincount(number_of_cell[cell], count, len(filled))


def _slots_of(durations: StoredDurations, slots: Slots) -> Iterator[np.ndarray]:
    """Slot of each duration: of both periods, then of the steps of either series; -1 where in none."""
    events, plan = durations.events, durations.plan
    (now,), (before,) = plan.spans[NOW], plan.spans[BEFORE]
    half = events.half_of(now, before)
    yield np.where(half < 2, half, -1)
    for label, first in slots.first.items():
        back = events.steps_back(plan.spans[label], plan.period.step)
        is_step = (back > 0) & (back <= slots.steps[label])
        yield np.where(is_step, back + (first - 1), -1)


def _summary(table: PackableTable, durations: StoredDurations, label: str) -> np.ndarray:
    """Numbers of each scope's durations in a period, [scope, SUMMARY]."""
    histogram = durations.of_period(label, table.facts.over[label].within)
    quantiles = [histogram.quantile(q)[:, 0] for q in QUANTILES]
    return np.stack([*histogram.moments[:, :, 0], *quantiles], axis=1)
