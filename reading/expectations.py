"""Where points of series are expected, as the JSON of the contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from aggregators.pooling.figures import outside_of_bands
from aggregators.pooling.measure_table import NO_ROW, MeasureTable
from aggregators.vocabulary.effects import Array

Json = dict[str, Any]
DIGITS = 4
"""Digits of an end that mean something: a band is of 95 %, not of a millionth."""


def expectations_json(table: MeasureTable, rows: Sequence[int]) -> list[Json | None]:
    """Central 95 % of each point of each row, and whether it lies outside of the central 99 %; null where
    nothing is expected."""
    filled_rows = [row for row in rows if row != NO_ROW]
    if table.expected is None or not filled_rows:
        return [None] * len(rows)
    ends, outside = outside_of_bands(table, np.array(filled_rows))
    low, high = (_rounded_ends(edge[0]) for edge in (ends.low, ends.high))
    has_band = np.isfinite(ends.high[0]).any(axis=1).tolist()
    bands = {
        row: {"low": low[at], "high": high[at], "outside": outside[at].tolist()}
        for at, row in enumerate(filled_rows)
        if has_band[at]
    }
    return [bands.get(row) for row in rows]


def _rounded_ends(ends: Array) -> list[list[float | None]]:
    """Ends with as many digits as mean something; None for none."""
    finite = np.isfinite(ends)
    size = np.floor(np.log10(np.where(finite & (ends > 0), ends, 1.0)))
    unit = 10.0 ** (DIGITS - 1 - size)
    rounded = np.where(finite, np.rint(np.where(finite, ends, 0.0) * unit) / unit, 0.0)
    encoded = rounded.astype(object)
    encoded[~finite] = None
    return list(encoded.tolist())
