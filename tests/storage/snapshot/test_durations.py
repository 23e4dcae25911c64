"""Buckets, their values and ranks are the same in SQL as in ``vocabulary.sketch``, over the whole range."""

from __future__ import annotations

import numpy as np
from sqlalchemy import text

from aggregators.vocabulary.sketch import (
    GAMMA,
    HIGHEST_BUCKET,
    QUANTILES,
    ZERO_BUCKET,
    Sketch,
    bucket_of,
    value_of,
)
from storage.snapshot.durations import BUCKET, RANKED, VALUE

BUCKETS = np.arange(ZERO_BUCKET, HIGHEST_BUCKET + 1)
AROUND = (0.5, 1 - 1e-6, 1 - 1e-12, 1.0, 1 + 1e-12, 1 + 1e-6, 1.01)
"""Factors of a bucket's upper border: well within, and so near that the last digits decide."""


def column(server, query: str, **values: object) -> list:
    with server.owner.connect() as connection:
        return list(connection.execute(text(query), values).scalars())


def test_a_duration_falls_in_the_same_bucket(server):
    """Around the border of every bucket, to the twelfth digit."""
    borders = np.power(GAMMA, BUCKETS[1:].astype(float))
    seconds = np.concatenate([[0.0, 0.999, 1.0], *(borders * factor for factor in AROUND)])
    query = (
        f"select {BUCKET} from unnest(cast(:seconds as float8[]))"
        " with ordinality as s(seconds, n) order by n"
    )
    assert column(server, query, seconds=seconds.tolist()) == bucket_of(seconds).tolist()


def test_a_bucket_stands_for_the_same_duration(server):
    query = (
        f"select {VALUE.format('bucket')} from unnest(cast(:buckets as int[]))"
        " with ordinality as b(bucket, n) order by n"
    )
    values = column(server, query, buckets=BUCKETS.tolist())
    np.testing.assert_allclose(values, value_of(BUCKETS), rtol=1e-12)


def test_a_quantile_has_the_same_rank(server):
    """Of every number of durations up to 300."""
    for q in QUANTILES:
        query = (
            f"select {RANKED.format(pool='pool', q=q)} from generate_series(1, 300) n"
            " cross join lateral (select array_agg(i order by i) as pool"
            " from generate_series(1, n) i) p order by n"
        )
        ranked = value_of(np.array(column(server, query)))
        one_each = (np.arange(1, n + 1) for n in range(1, 301))
        assert ranked.tolist() == [Sketch(b, np.ones_like(b)).quantile(q) for b in one_each]
