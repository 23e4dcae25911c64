"""States of the watch as bytes: of all series of a workspace together, 8-byte floats from the most to the
least significant byte, series after series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from aggregators.signal.baseline import Baseline
from aggregators.signal.series import TestableSeries
from aggregators.signal.watch import WatchState

SIZES = 3
BASELINE = 5
WIDTH = BASELINE + 3 * SIZES + 3
"""Numbers of a series: its baseline, evidence, climb and begin of each size, the height of its evidence,
the night on which a drift was last over, and the nights looked at."""
STORED = np.dtype(">f8")


def states_as_bytes(
    states: Mapping[str, WatchState], series: Sequence[TestableSeries]
) -> list[bytes]:
    """Bytes of each workspace, in their order."""
    parts = []
    for one in series:
        state = states[one.key]
        base = state.baseline
        rows = [base.x, base.e, base.squares, base.deviation, base.weeks]
        rows += [*state.evidence, *state.climb, *state.began]
        rows += [state.peak, state.over, np.full(len(base.x), state.day)]
        parts.append(np.stack(rows, axis=1))
    together = np.concatenate(parts, axis=1).astype(STORED)
    return [row.tobytes() for row in together]


def states_from_bytes(
    data: Sequence[bytes], series: Sequence[TestableSeries]
) -> dict[str, WatchState]:
    """States by series of workspaces whose bytes are given in order. Raises ValueError for bytes that
    are none."""
    size = WIDTH * len(series) * STORED.itemsize
    if any(len(one) != size for one in data):
        raise ValueError(f"a state of the watch has not {size} bytes")
    numbers = np.frombuffer(b"".join(data), STORED).astype(float)
    numbers = numbers.reshape(len(data), len(series), WIDTH)
    return {one.key: _state_of_rows(numbers[:, n].T) for n, one in enumerate(series)}


def _state_of_rows(rows: np.ndarray) -> WatchState:
    ends = [BASELINE + SIZES * n for n in range(4)]
    evidence, climb, began = (rows[a:b] for a, b in pairwise(ends))
    nights = int(rows[-1].max(initial=0))
    peak, over = rows[ends[-1]], rows[ends[-1] + 1].astype(int)
    return WatchState(
        Baseline(*rows[:BASELINE]), evidence, climb, began.astype(int), peak, over, nights
    )
