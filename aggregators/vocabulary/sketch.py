"""A mergeable summary of durations: counts in logarithmic buckets, as in DDSketch.

Every value x > 0 falls in bucket ``ceil(log(x) / log(GAMMA))`` and is read back as the bucket's
midpoint in relative terms, so any quantile is within ``ACCURACY`` (1 %) of the exact one. Buckets
are fixed, so the sketch of a period is the sum of those of its days, whatever the order of merging.

Source: Masson, Rim, Lee, "DDSketch", VLDB 2019, section 2 (unbounded store).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import numpy as np

ACCURACY = 0.01
GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
ZERO_BUCKET = -1
"""Durations under one second count as zero: no clock in the field is finer."""

BLOCK_DAYS, EPOCH = 32, date(1970, 1, 1)
"""Days whose durations are stored together: few rows for a year, few bytes for a week."""
DAY_BITS, BUCKET_BITS, COUNT_BITS = 5, 11, 16
HIGHEST_BUCKET = (1 << BUCKET_BITS) - 2
MOST = (1 << COUNT_BITS) - 1
ENTRY = np.dtype(">u4")
"""Stored entry: day within the block, bucket + 1, how many; from the high bits to the low."""


QUANTILES = (0.5, 0.9)
"""Quantiles that the snapshot keeps for the trailing windows."""


class BrokenSketch(ValueError):
    """Durations that no entry holds, or stored bytes that are no entries."""


def bucket_of(seconds: np.ndarray) -> np.ndarray:
    """The bucket of each duration in seconds (>= 0)."""
    safe = np.maximum(seconds, 1.0)
    buckets = np.ceil(np.log(safe) / np.log(GAMMA) - 1e-9).astype(np.int64)
    return np.where(seconds < 1.0, ZERO_BUCKET, buckets)


def place_of(day: date) -> tuple[int, int]:
    """The block that holds a day, and the day's place in it."""
    return divmod((day - EPOCH).days, BLOCK_DAYS)


def packed_days(places: np.ndarray, buckets: np.ndarray) -> bytes:
    """Entries of one distribution of one block, a duration per element: its day's place and its bucket.
    The snapshot writes them in SQL; tests hold the two against each other.

    Entries ascend by day and bucket; more than ``MOST`` of a kind take several. Raises BrokenSketch
    for a bucket that no entry can hold (a duration of over 10 million years).
    """
    if (buckets > HIGHEST_BUCKET).any():
        raise BrokenSketch("a duration is longer than a distribution holds")
    keys, counts = np.unique(
        (places.astype(np.int64) << BUCKET_BITS) | (buckets.astype(np.int64) + 1),
        return_counts=True,
    )
    times = -(-counts // MOST)
    last = counts - (times - 1) * MOST
    split = np.full(times.sum(), MOST, np.int64)
    split[np.cumsum(times) - 1] = last
    return ((np.repeat(keys, times) << COUNT_BITS) | split).astype(ENTRY).tobytes()


def unpacked_days(data: bytes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The entries of any number of ``packed_days`` in a row: place, bucket and count, int32, int16 and
    uint16. Raises BrokenSketch on bytes that are none."""
    if len(data) % ENTRY.itemsize:
        raise BrokenSketch(f"{len(data)} bytes are no whole number of entries")
    halves = np.frombuffer(data, ">u2").reshape(-1, 2)
    high = halves[:, 0].astype(np.uint16)
    buckets = (high & (HIGHEST_BUCKET + 1)).astype(np.int16) - np.int16(1)
    return (high >> BUCKET_BITS).astype(np.int32), buckets, halves[:, 1].astype(np.uint16)


def value_of(bucket: np.ndarray) -> np.ndarray:
    """The duration in seconds that stands for each bucket."""
    values = 2.0 * np.power(GAMMA, bucket.astype(float)) / (GAMMA + 1.0)
    return np.where(bucket == ZERO_BUCKET, 0.0, values)


LOGS = np.log(np.maximum(value_of(np.arange(ZERO_BUCKET, HIGHEST_BUCKET + 1)), 1.0))
"""Log of the seconds that stand for each bucket, from the lowest one on."""


def moments_of(row: np.ndarray, bucket: np.ndarray, count: np.ndarray, rows: int) -> np.ndarray:
    """How many durations each row holds, the sum of their logs and that of the squared logs [3, row], of a
    bucket an element, ascending within a row. Added in that order whatever else is there, so that the same
    durations have the same sums to the last digit wherever they were read."""
    logs = LOGS[bucket - ZERO_BUCKET]
    weights = (count, count * logs, count * logs**2)
    return np.stack([np.bincount(row, weight, rows) for weight in weights])


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """Counts per bucket: ``buckets`` ascending, ``counts`` positive, both int64 of equal length."""

    buckets: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    counts: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Sketch:
        """The sketch of raw durations in seconds."""
        buckets, counts = np.unique(bucket_of(np.asarray(list(seconds), float)), return_counts=True)
        return cls(buckets, counts.astype(np.int64))

    @classmethod
    def merged(cls, sketches: Iterable[Sketch]) -> Sketch:
        """The sum of any number of sketches."""
        parts = [s for s in sketches if len(s.buckets)]
        if not parts:
            return EMPTY
        if len(parts) == 1:
            return parts[0]
        buckets, index = np.unique(np.concatenate([s.buckets for s in parts]), return_inverse=True)
        counts = np.bincount(index, weights=np.concatenate([s.counts for s in parts]))
        return cls(buckets, counts.astype(np.int64))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Sketch)
            and np.array_equal(self.buckets, other.buckets)
            and np.array_equal(self.counts, other.counts)
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def n(self) -> int:
        """How many durations it holds."""
        return int(self.counts.sum())

    @property
    def values(self) -> np.ndarray:
        """The duration in seconds that stands for each of its buckets, ascending."""
        return value_of(self.buckets)

    def quantile(self, q: float) -> float | None:
        """The q-quantile in seconds (lower nearest rank), None when empty."""
        if not len(self.buckets):
            return None
        rank = q * (self.n - 1)
        at = int(np.searchsorted(np.cumsum(self.counts), np.floor(rank), side="right"))
        return float(value_of(self.buckets[at : at + 1])[0])


EMPTY = Sketch()


@dataclass(frozen=True, eq=False)
class Histogram:
    """Many sketches at once: ``counts`` [..., bucket] from the bucket ``first`` on; ``known`` [...] is
    False where there is no sketch at all, which is not an empty one."""

    first: int
    counts: np.ndarray
    known: np.ndarray

    @classmethod
    def of(cls, sketches: Sequence[Sketch | None]) -> Histogram:
        """Histogram with a row a sketch."""
        known = [s for s in sketches if s is not None and len(s.buckets)]
        first = min((int(s.buckets[0]) for s in known), default=0)
        last = max((int(s.buckets[-1]) for s in known), default=0)
        counts = np.zeros((len(sketches), last - first + 1))
        for row, sketch in zip(counts, sketches, strict=True):
            if sketch is not None:
                row[sketch.buckets - first] = sketch.counts
        return cls(first, counts, np.array([s is not None for s in sketches], bool))

    @property
    def n(self) -> np.ndarray:
        """How many durations each holds; NaN where there is no sketch."""
        return np.where(self.known, self.counts.sum(axis=-1), np.nan)

    @cached_property
    def moments(self) -> np.ndarray:
        """How many durations each holds, the sum of their logs and that of the squared logs [3, ...].
        One under a second counts as one second."""
        shape = self.counts.shape[:-1]
        counts = self.counts.reshape(-1, self.counts.shape[-1])
        row, bucket = np.nonzero(counts)
        sums = moments_of(row, self.first + bucket, counts[row, bucket], len(counts))
        return sums.reshape(3, *shape)

    def quantile(self, q: float) -> np.ndarray:
        """The q-quantile of each in seconds, as ``Sketch.quantile``; NaN where it holds nothing."""
        if q not in self._quantiles:
            # Whoever shows one shows the other, and adding the counts up is what it costs.
            self._quantiles.update(self._counted({q, *QUANTILES}))
        return self._quantiles[q]

    @cached_property
    def _quantiles(self) -> dict[float, np.ndarray]:
        return {}

    def _counted(self, wanted: Iterable[float]) -> dict[float, np.ndarray]:
        """Quantiles by their shares, each with a row a histogram; NaN without durations."""
        running = self.counts.cumsum(axis=-1)
        n = running[..., -1]
        is_known = self.known & (n > 0)
        quantiles = {}
        for q in wanted:
            at = (running > np.floor(q * (n - 1))[..., None]).argmax(axis=-1)
            quantiles[q] = np.where(is_known, value_of(self.first + at), np.nan)
        return quantiles

    def merged(self, groups: Sequence[np.ndarray] | None = None) -> Histogram:
        """The rows of each group together, as one each; all rows without groups."""
        if groups is None or (len(groups) == 1 and len(groups[0]) == len(self.counts)):
            counts = self.counts.sum(axis=0, keepdims=True)
            known = np.asarray(self.known.any(axis=0, keepdims=True))
        else:
            counts = np.stack([self.counts[rows].sum(axis=0) for rows in groups])
            known = np.stack([self.known[rows].any(axis=0) for rows in groups])
        return Histogram(self.first, counts, known)

    def take(self, rows: np.ndarray, column: int) -> list[Sketch | None]:
        """The sketches of some rows in a column of [row, column, bucket]."""
        return [
            self._sketch(self.counts[row, column]) if self.known[row, column] else None
            for row in rows
        ]

    def _sketch(self, counts: np.ndarray) -> Sketch:
        at = np.flatnonzero(counts)
        return Sketch(at + self.first, counts[at].astype(np.int64))
