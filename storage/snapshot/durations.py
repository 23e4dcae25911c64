"""Durations in the job's SQL: blocks of stored entries, and the trailing quantiles read from them.

Bucket, value and rank are those of ``vocabulary.sketch``; a test compares the two over every bucket.
"""

from __future__ import annotations

from math import log

from aggregators import catalogue
from aggregators.vocabulary.clock import CLOCK
from aggregators.vocabulary.measure import trailing_quantile
from aggregators.vocabulary.period import TRAILING_WINDOWS
from aggregators.vocabulary.sketch import (
    BLOCK_DAYS,
    BUCKET_BITS,
    COUNT_BITS,
    DAY_BITS,
    EPOCH,
    GAMMA,
    MOST,
    QUANTILES,
    ZERO_BUCKET,
)
from storage.distributed import KEPT_INSERT
from storage.snapshot.columns import DISTRIBUTIONS, SnapshotColumns
from storage.snapshot.sql import ASKED, column_list, literals, take_staged
from storage.snapshot.tables import duration_block, staged_block, staged_workspace, usage_snapshot

LONGEST = max(TRAILING_WINDOWS)

BLOCK_OF = f"(({{}} - date '{EPOCH}') >> {DAY_BITS})"
DAY_IN_BLOCK = f"(({{}} - date '{EPOCH}') & {BLOCK_DAYS - 1})"
BUCKET = (
    f"case when seconds < 1 then {ZERO_BUCKET}"
    f" else ceil(ln(seconds) / {log(GAMMA)!r}::float8 - 1e-9)::int end"
)
"""``sketch.bucket_of``."""
VALUE = (
    f"case {{0}} when {ZERO_BUCKET} then 0"
    f" else 2 * power({GAMMA!r}::float8, {{0}}) / {GAMMA + 1!r}::float8 end"
)
"""``sketch.value_of``."""
RANKED = "{pool}[1 + floor({q}::float8 * (cardinality({pool}) - 1))::int]"
"""The lower nearest rank in an ascending array of buckets: ``Sketch.quantile``."""
ENTRY = (
    f"substring(int8send((place::bigint << {BUCKET_BITS + COUNT_BITS})"
    f" | ((bucket + 1)::bigint << {COUNT_BITS}) | least({MOST}, n - {MOST} * part)) from 5)"
)
"""Four bytes of ``sketch.packed_days``: the part-th of a day's durations in one bucket."""

KEY = ("distribution", "group_key", "block")


def single_durations(names: tuple[str, ...]) -> str:
    """Each duration of some distributions, as the domains' own queries find it: day, the distribution
    by its number among all, group and seconds."""
    single = []
    for domain in catalogue.DOMAINS:
        queries = getattr(catalogue.parts("counts").get(domain.key), "DURATIONS", {})
        single += [
            f"select day, {DISTRIBUTIONS.index(name)} as which, {domain.by or repr('')}::text"
            f" as group_key, seconds from ({queries[name]}) as {name}"
            for name in names
            if name in queries
        ]
    return " union all ".join(single)


def unpacked_durations(blocks: str, names: tuple[str, ...] = DISTRIBUTIONS) -> str:
    """The durations of one workspace's blocks, a row per day, distribution, group and bucket. Of
    distributions that are declared: those of a domain that is gone are left as they are."""
    which = f"array_position(array[{literals(DISTRIBUTIONS)}], b.distribution) - 1"
    return f"""
select b.block, e.place, {which} as which, b.group_key, e.bucket, e.n
from {blocks} b cross join lateral vigilo.unpacked_days(b.data) e
where b.workspace_id = :w and b.distribution in ({literals(names)})
"""


WITH_STAGED = f"""(
    select s.* from {staged_block.name} s where s.workspace_id = :w
    union all
    select b.* from {duration_block.name} b where b.workspace_id = :w
    and b.block not in (select {BLOCK_OF.format("asked.day")} from asked)
)"""
"""The blocks of one workspace as they will be: those that hold an asked day are staged."""

DURATION_BLOCKS = f"""
with {ASKED}, {CLOCK}
, single as ({single_durations(DISTRIBUTIONS)})
, fresh as (
    select {BLOCK_OF.format("day")} as block, {DAY_IN_BLOCK.format("day")} as place, which, group_key,
           {BUCKET} as bucket, count(*)::int as n
    from single join asked using (day) group by 1, 2, 3, 4, 5
)
, touched as (
    select block, date '{EPOCH}' + block * {BLOCK_DAYS} as since
    from (select distinct {BLOCK_OF.format("day")} as block from asked) b
)
, partly_asked as materialized (
    select b.* from {duration_block.name} b where b.workspace_id = :w and b.block in (
        select block from touched
        where since < :first or since + {BLOCK_DAYS - 1} > :last and exists (
            select from {usage_snapshot.name} u where u.workspace_id = :w and u.snapshot_date > :last
        )
    )
)
, kept as (
    {unpacked_durations("partly_asked")} and not exists (
        select from asked where asked.day = date '{EPOCH}' + (b.block * {BLOCK_DAYS} + e.place)
    )
)
, blocks as (
    select (array[{literals(DISTRIBUTIONS)}])[which + 1] as distribution, group_key, block,
           string_agg({ENTRY}, ''::bytea order by place, bucket, part) as data
    from (select * from fresh union all select * from kept) both_of
    cross join lateral generate_series(0, (n - 1) / {MOST}) as part
    group by which, group_key, block
)
"""
"""The CTEs up to ``blocks``: those that hold an asked day, their other days as they were. A block of
asked days alone is not read, so that a backfill replaces broken bytes: ``partly_asked`` is materialized
so that no plan unpacks a block before it is known to be one of those."""


def stage_durations() -> str:
    """Stages the blocks that hold an asked day."""
    return f"""
{DURATION_BLOCKS}
insert into {staged_block.name} (workspace_id, {column_list(KEY)}, data)
select :w, {column_list(KEY)}, data from blocks
{KEPT_INSERT}
"""


def publish_durations() -> str:
    """Writes the blocks, and removes those with an asked day that hold nothing any more."""
    table = duration_block.name
    return f"""
with {take_staged(staged_block.name)}
, touched as (
    select distinct {BLOCK_OF.format("day")} as block
    from {staged_workspace.name} s cross join unnest(s.days) as day where s.workspace_id = :w
)
, gone as (
    delete from {table} b using touched
    where b.workspace_id = :w and b.block = touched.block
      and b.distribution in ({literals(DISTRIBUTIONS)}) and not exists (
        select from ready where ({column_list(KEY, "ready.{}")}) = ({column_list(KEY, "b.{}")})
    )
)
insert into {table} (workspace_id, {column_list(KEY)}, data) select :w, {column_list(KEY)}, data from ready
on conflict (workspace_id, {column_list(KEY)}) do update set data = excluded.data
"""


def _quantile(name: str, q: float, window: int) -> str:
    """The quantile of a distribution over a window, as the duration that stands for its bucket."""
    bucket = RANKED.format(pool=f"pooled_{window}", q=q)
    which, column = DISTRIBUTIONS.index(name), trailing_quantile(name, q, window)
    return f"max({VALUE.format(bucket)}) filter (where which = {which}) as {column}"


def trailing(columns: SnapshotColumns) -> str:
    """The CTEs up to ``quantiles``, of the days that end with each row, from the stored buckets: of the
    rows written, and of those that follow within the longest window (``later``)."""
    key = ("day", "group_key") if columns.group else ("day",)
    pooled = column_list(
        f"array_agg(e.bucket order by e.bucket) filter (where ago < {window}) as pooled_{window}"
        for window in TRAILING_WINDOWS
    )
    quantiles = [
        _quantile(name, q, window)
        for name in columns.distributions
        for q in QUANTILES
        for window in TRAILING_WINDOWS
    ]
    return f"""
affected as (
    select day from asked union
    select day from later where day < cast(:last as date) + {LONGEST}
)
, durations as materialized (
    select date '{EPOCH}' + (s.block * {BLOCK_DAYS} + s.place) as day, which, group_key, bucket, n
    from ({unpacked_durations(WITH_STAGED, columns.distributions)} and b.block between
        {BLOCK_OF.format(f"(select min(day) from affected) - {LONGEST - 1}")}
        and {BLOCK_OF.format("(select max(day) from affected)")}
    ) s
)
, pools as (
    select affected.day, e.which, e.group_key, {pooled}
    from affected cross join generate_series(0, {LONGEST - 1}) as ago
    join durations e on e.day = affected.day - ago
    cross join lateral generate_series(1, e.n)
    group by affected.day, e.which, e.group_key
)
, quantiles as (select {column_list(key)}, {column_list(quantiles)} from pools group by {column_list(key)})
"""
