"""The bytes that ``storage.executive`` brings -> tables of facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from aggregators.domains import facts as natures_of
from aggregators.domains import labels as labels_of
from aggregators.facts import (
    Events,
    Facts,
    Rows,
    Table,
    events_of,
    grouped_table,
    usage_table,
)
from aggregators.measure import COMPLIANCE, USAGE
from aggregators.sketch import ENTRY, EPOCH, unpacked_days
from aggregators.spans import Plan
from storage.executive import PACKED_EPOCH, Packed
from storage.models import (
    COMPLIANCE_LABELS,
    COMPLIANCE_LEVELS,
    USAGE_DISTRIBUTIONS,
    USAGE_LABELS,
    USAGE_PACKED,
)

SHIFT = (PACKED_EPOCH - EPOCH).days
BLOCK = np.dtype(">i4")


def _row_type(columns: Sequence[str]) -> np.dtype:
    return np.dtype([("day", ">i4"), ("numbers", ">f8", (len(columns),))])


USAGE_ROW, COMPLIANCE_ROW = _row_type(USAGE_PACKED), _row_type(COMPLIANCE_LEVELS)


@dataclass(frozen=True, slots=True)
class Tables:
    """The facts by snapshot table, of the workspaces whose slugs are given in the order of the rows."""

    slugs: Sequence[str]
    by_name: Mapping[str, Facts]


def broken(packed: Sequence[Packed]) -> dict[int, str]:
    """The workspaces whose stored durations are none, by id, and why."""
    headers, owner = _headers(packed)
    found: dict[int, str] = {}
    for i, name in enumerate(USAGE_DISTRIBUTIONS):
        sizes = headers[:, 1 + i]
        odd = np.bincount(owner, sizes % ENTRY.itemsize, len(packed))
        held = np.array([len(p.durations[i]) for p in packed], float)
        wrong = (odd > 0) | (np.bincount(owner, sizes, len(packed)) != held)
        for own, size in ((packed[at], held[at]) for at in map(int, np.flatnonzero(wrong))):
            said = f"{name} holds {size:.0f} bytes, no whole number of entries"
            found.setdefault(own.workspace_id, said)
    return found


def _headers(packed: Sequence[Packed]) -> tuple[np.ndarray, np.ndarray]:
    """Of every block its number and the bytes of each distribution [block, 1 + distribution], and which
    workspace's it is."""
    width = 1 + len(USAGE_DISTRIBUTIONS)
    headers = np.frombuffer(b"".join(p.blocks for p in packed), BLOCK).reshape(-1, width)
    counts = [len(p.blocks) // (width * BLOCK.itemsize) for p in packed]
    return headers, np.repeat(np.arange(len(packed)), counts)


def tables(packed: Sequence[Packed], slugs: Mapping[int, str], plan: Plan, last: date) -> Tables:
    """The facts of every workspace, over the spans of a plan, of the days up to ``last``."""
    names = [slugs[p.workspace_id] for p in packed]
    rows = _usage_rows(packed)
    usage = usage_table(names, plan, natures_of(USAGE), rows, _events(packed, last))
    said = {
        label: [_named(p.usage_names, USAGE_LABELS, label) for p in packed]
        for label in labels_of(USAGE)
    }
    by_name = {USAGE: usage.facts(said), COMPLIANCE: _compliance(packed, names, usage)}
    return Tables(names, by_name)


def _compliance(packed: Sequence[Packed], slugs: Sequence[str], usage: Table) -> Facts:
    # By name: PostgreSQL groups in whatever order its plan does.
    held = [
        (i, g)
        for i, p in enumerate(packed)
        for g in sorted(range(len(p.frameworks)), key=p.frameworks.__getitem__)
    ]
    parents = np.array([i for i, _ in held], int)
    scopes = [(slugs[i], packed[i].frameworks[g]) for i, g in held]
    rows = _rows([packed[i].compliance[g] for i, g in held], COMPLIANCE_ROW, COMPLIANCE_LEVELS)
    said = {
        label: [
            _named(packed[i].compliance_names.get(group, ()), COMPLIANCE_LABELS, label)
            for (i, _), (_, group) in zip(held, scopes, strict=True)
        ]
        for label in labels_of(COMPLIANCE)
    }
    return grouped_table(scopes, parents, natures_of(COMPLIANCE), rows, usage).facts(said)


def _named(said: Sequence[str | None], labels: Sequence[str], label: str) -> str | None:
    return said[labels.index(label)] if said else None


def _usage_rows(packed: Sequence[Packed]) -> Rows:
    return _rows([p.usage for p in packed], USAGE_ROW, USAGE_PACKED)


def _rows(parts: Sequence[bytes | memoryview], of: np.dtype, columns: Sequence[str]) -> Rows:
    """The rows of each scope's bytes, ascending by scope and day."""
    data = np.frombuffer(b"".join(parts), of)
    scope = np.repeat(np.arange(len(parts)), [len(part) // of.itemsize for part in parts])
    day = data["day"].astype(np.int64) + SHIFT
    order = np.lexsort((day, scope))
    if (np.diff(order) != 1).any():  # days that stand in for missing ones come last
        data, scope, day = data[order], scope[order], day[order]
    return Rows(scope, day, data["numbers"], {name: i for i, name in enumerate(columns)})


def _events(packed: Sequence[Packed], last: date) -> dict[str, Events]:
    """The durations of every workspace up to a day, by distribution."""
    headers, scope = _headers(packed)
    return {
        name: events_of(
            headers[:, 0],
            scope,
            headers[:, 1 + i] // ENTRY.itemsize,
            unpacked_days(b"".join(p.durations[i] for p in packed)),
        ).until(last)
        for i, name in enumerate(USAGE_DISTRIBUTIONS)
    }
