"""The bytes that ``storage.executive`` brings -> tables of facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from aggregators.catalogue import DOMAINS
from aggregators.catalogue import facts as natures_of
from aggregators.catalogue import labels as labels_of
from aggregators.pooling.facts import Facts
from aggregators.pooling.plan import Plan
from aggregators.pooling.presets import packing
from aggregators.pooling.presets.form import TableForm
from aggregators.pooling.presets.packing import PackableTable
from aggregators.pooling.presets.unpacking import unpack_tables
from aggregators.pooling.snapshot_rows import Events, SnapshotRows, events_of
from aggregators.pooling.span_facts import FactTable, grouped_table, usage_table
from aggregators.vocabulary.domain import USAGE
from aggregators.vocabulary.measure import Nature
from aggregators.vocabulary.sketch import BLOCK_DAYS, ENTRY, EPOCH, unpacked_days
from storage.executive.encoded_rows import (
    ENCODED_EPOCH,
    EncodedDurations,
    EncodedGroup,
    EncodedRows,
    Layout,
)

SHIFT = (ENCODED_EPOCH - EPOCH).days
AT_ONCE = 500
"""Rows that are turned into columns at once."""
PACKED_AT_ONCE = 20
"""Workspaces whose durations are counted at once: each takes a megabyte."""
BLOCK = np.dtype([("block", ">i4"), ("size", ">i4")])

Part = tuple[int, EncodedDurations]
"""Durations of one scope, which is given by its number."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The facts by snapshot table, of the workspaces whose slugs are given in the order of the rows."""

    slugs: Sequence[str]
    by_name: Mapping[str, Facts]


def row_type(columns: Sequence[str]) -> np.dtype:
    """A packed row as bytes: its day, and a number for each column."""
    return np.dtype([("day", ">i4"), ("numbers", ">f8", (len(columns),))])


def broken_durations(encoded: Sequence[EncodedRows]) -> dict[int, str]:
    """The workspaces whose stored durations are none, by id, and why."""
    parts = [(n, part) for n, rows in enumerate(encoded) for part in rows.durations]
    headers, owner = _headers(list(enumerate(part for _, part in parts)))
    odd = np.bincount(owner, headers["size"] % ENTRY.itemsize, len(parts))
    errors: dict[int, str] = {}
    for at in map(int, np.flatnonzero(odd)):
        workspace, part = parts[at]
        error = f"{part.distribution} holds {len(part.entries)} bytes, no whole number of entries"
        errors.setdefault(encoded[workspace].workspace_id, error)
    return errors


def _headers(parts: Sequence[Part]) -> tuple[np.ndarray, np.ndarray]:
    """Every block of some durations, as BLOCK, and the number of the scope that it is of."""
    headers = np.frombuffer(b"".join(part.blocks for _, part in parts), BLOCK)
    counts = [len(part.blocks) // BLOCK.itemsize for _, part in parts]
    return headers, np.repeat(np.array([scope for scope, _ in parts], int), counts)


def tables(
    encoded: Sequence[EncodedRows], slugs: Mapping[int, str], plan: Plan, last: date, layout: Layout
) -> Tables:
    """The facts of every workspace, over the spans of a plan, of the days up to ``last``. Raises KeyError
    where a declared column is not in the layout: a migration has not run."""
    names = [slugs[rows.workspace_id] for rows in encoded]
    packable = _tables(_columns(encoded, last, layout), names, plan)
    by_name = {table.form.table: table.facts.facts(table.labels) for table in packable}
    return Tables(names, by_name)


def packed_presets(
    encoded: Sequence[EncodedRows], plans: Sequence[Plan], last: date, layout: Layout
) -> list[list[bytes]]:
    """Values of some presets, whose plans these are: by plan each workspace's, from rows that hold what all
    of them need, which are taken apart once. Raises as ``tables``."""
    packed: list[list[bytes]] = [[] for _ in plans]
    for first in range(0, len(encoded), PACKED_AT_ONCE):
        some = encoded[first : first + PACKED_AT_ONCE]
        columns = _columns(some, last, layout)
        for own, plan in zip(packed, plans, strict=True):
            own += packing.pack_values(_tables(columns, [""] * len(some), plan), len(some))
    return packed


def preset_tables(values: Sequence[bytes], slugs: Sequence[str], plan: Plan) -> Tables:
    """The facts of workspaces from their values of a preset, as ``tables`` gives them."""
    natures = {form.table: natures_of(form.table) for form in forms(plan)}
    by_name = unpack_tables(values, slugs, plan, forms(plan), natures)
    return Tables(slugs, {name: table.facts(labels) for name, (table, labels) in by_name.items()})


def forms(plan: Plan) -> tuple[TableForm, ...]:
    """Forms of the tables of a preset, the one without groups first."""
    names = (USAGE, *_grouped_names())
    return tuple(TableForm.of(name, natures_of(name), plan.period.window) for name in names)


@dataclass(frozen=True, slots=True)
class _TableColumns:
    """Rows and durations of one snapshot table by columns: its ``scopes``, each by the number of its
    workspace and its group, and their labels."""

    scopes: Sequence[tuple[int, str]]
    rows: SnapshotRows
    events: Mapping[str, Events]
    labels: Mapping[str, Sequence[str | None]]


def _columns(encoded: Sequence[EncodedRows], last: date, layout: Layout) -> list[_TableColumns]:
    """Columns of every table of some workspaces up to a day, the one without groups first."""
    rows, events = usage_rows(encoded, layout, last)
    labels = {name: [rows.labels.get(name) for rows in encoded] for name in labels_of(USAGE)}
    usage = _TableColumns([(n, "") for n in range(len(encoded))], rows, events, labels)
    return [usage, *(_grouped_columns(name, encoded, last, layout) for name in _grouped_names())]


def _grouped_names() -> list[str]:
    return [domain.table for domain in DOMAINS if domain.by]


def _tables(
    columns: Sequence[_TableColumns], slugs: Sequence[str], plan: Plan
) -> list[PackableTable]:
    """Tables of a plan from such columns, the one without groups first."""
    usage_form, *grouped_forms = forms(plan)
    usage, *grouped = columns
    facts = usage_table(slugs, plan, natures_of(USAGE), usage.rows, _of_plan(usage.events, plan))
    whole = PackableTable(usage_form, facts, usage.labels, np.arange(len(slugs)))
    by_group = (
        _grouped_table(form, own, slugs, facts)
        for form, own in zip(grouped_forms, grouped, strict=True)
    )
    return [whole, *by_group]


def _of_plan(events: Mapping[str, Events], plan: Plan) -> dict[str, Events]:
    """Durations of the blocks that a plan reads."""
    first = plan.blocks[0] * BLOCK_DAYS
    return {name: own.since(first) for name, own in events.items()}


def usage_rows(
    encoded: Sequence[EncodedRows], layout: Layout, last: date
) -> tuple[SnapshotRows, dict[str, Events]]:
    """Rows and durations of the table without groups as they are stored, a scope a workspace in their
    order, up to a day."""
    parts = [(n, part) for n, rows in enumerate(encoded) for part in rows.durations]
    return _rows([rows.usage for rows in encoded], layout[USAGE]), _events(USAGE, parts, last)


def _grouped_columns(
    name: str, encoded: Sequence[EncodedRows], last: date, layout: Layout
) -> _TableColumns:
    """Columns of the table of a domain with groups."""
    # By name: PostgreSQL groups in whatever order its plan does.
    scopes = [(n, group) for n, rows in enumerate(encoded) for group in _groups(rows, name)]
    numbers = {(n, group.group): scope for scope, (n, group) in enumerate(scopes)}
    parts = [
        (scope, part)
        for n, rows in enumerate(encoded)
        for part in rows.durations
        if (scope := numbers.get((n, part.group), -1)) >= 0
    ]
    labels = {label: [group.labels.get(label) for _, group in scopes] for label in labels_of(name)}
    rows = _rows([group.rows for _, group in scopes], layout[name])
    pairs = [(n, group.group) for n, group in scopes]
    return _TableColumns(pairs, rows, _events(name, parts, last), labels)


def _grouped_table(
    form: TableForm, columns: _TableColumns, slugs: Sequence[str], usage: FactTable
) -> PackableTable:
    """The table of a domain with groups."""
    owner = np.array([n for n, _ in columns.scopes], int)
    facts = grouped_table(
        [(slugs[n], group) for n, group in columns.scopes],
        owner,
        natures_of(form.table),
        columns.rows,
        _of_plan(columns.events, usage.plan),
        usage,
    )
    return PackableTable(form, facts, columns.labels, owner)


def _groups(rows: EncodedRows, table: str) -> list[EncodedGroup]:
    """The groups of a workspace in one history, by name."""
    groups = [group for group in rows.groups if group.table == table]
    return sorted(groups, key=lambda group: group.group)


def _rows(parts: Sequence[bytes | memoryview], columns: Sequence[str]) -> SnapshotRows:
    """The rows of each scope's bytes, ascending by scope and day. Turned into columns a few hundred rows at
    a time, which the processor's cache holds: a column of rows that lie apart costs three times as much."""
    row_form = row_type(columns)
    lengths = np.array([len(part) // row_form.itemsize for part in parts], np.intp)
    scope, length = np.repeat(np.arange(len(parts)), lengths), int(lengths.sum())
    day, numbers = np.empty(length, np.int64), np.empty((len(columns), length + 1))
    numbers[:, -1] = np.nan
    at = 0
    for batch in _batches(parts, AT_ONCE * row_form.itemsize):
        data = np.frombuffer(b"".join(batch), row_form)
        day[at : at + len(data)] = data["day"]
        numbers[:, at : at + len(data)] = data["numbers"].T
        at += len(data)
    if ((day[1:] <= day[:-1]) & (scope[1:] == scope[:-1])).any():
        # Days that stand in for missing ones come last.
        order = np.lexsort((day, scope))
        scope, day, numbers[:, :-1] = scope[order], day[order], numbers[:, order]
    return SnapshotRows(scope, day + SHIFT, numbers, {name: i for i, name in enumerate(columns)})


def _batches(
    parts: Sequence[bytes | memoryview], size: int
) -> Iterator[Sequence[bytes | memoryview]]:
    """Parts in their order, as many together as have about so many bytes."""
    ends = np.cumsum([len(part) for part in parts]) // size
    first = 0
    for last in [*(np.flatnonzero(np.diff(ends)) + 1), len(parts)]:
        yield parts[first:last]
        first = last


def _events(table: str, parts: Sequence[Part], last: date) -> dict[str, Events]:
    """The durations of every scope of a table up to a day, by distribution."""
    by_name: dict[str, list[Part]] = {
        fact: [] for fact, nature in natures_of(table).items() if nature is Nature.DISTRIBUTION
    }
    for scope, part in parts:
        if part.distribution in by_name:
            by_name[part.distribution].append((scope, part))
    return {name: _event(own, last) for name, own in by_name.items()}


def _event(parts: Sequence[Part], last: date) -> Events:
    """The durations of one distribution."""
    headers, scope = _headers(parts)
    entries = unpacked_days(b"".join(part.entries for _, part in parts))
    return events_of(headers["block"], scope, headers["size"] // ENTRY.itemsize, entries).until(
        last
    )
