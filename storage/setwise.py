"""The end-of-day job's statements: all days of one workspace at once, inside PostgreSQL.

They are put together from the collectors' own queries, so a live figure and a stored one can not
differ by their definition. ``STAGE`` computes, beside what readers see; ``PUBLISH`` moves the result to
where they do. Each is prepared once a connection, with ``PARAMETERS`` for its arguments.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import log

from aggregators.measure import trailing_quantile
from aggregators.period import TRAILING_WINDOWS
from aggregators.sketch import (
    BLOCK_DAYS,
    BUCKET_BITS,
    COUNT_BITS,
    DAY_BITS,
    EPOCH,
    GAMMA,
    MOST,
    ZERO_BUCKET,
)
from storage.collect import CLOCK, certificates, compliance, dora, incidents, slos, usage, vendors
from storage.models import (
    COMPLIANCE_LABELS,
    COMPLIANCE_LEVELS,
    QUANTILES,
    STAGED_TABLES,
    USAGE_COUNTERS,
    USAGE_DISTRIBUTIONS,
    USAGE_FLOWS,
    USAGE_LABELS,
    USAGE_LEVELS,
    compliance_history,
    duration_block,
    staged_block,
    staged_compliance,
    staged_usage,
    staged_workspace,
    usage_snapshot,
)

COLLECTORS = (dora, incidents, slos, certificates, vendors, usage)
PARAMETERS = {
    "w": "bigint",
    "zone": "text",
    "first": "date",
    "last": "date",
    "firsts": "date[]",
    "lasts": "date[]",
    "cadence": "int[]",
    "since": "timestamptz",
}
TOTALS = ("days_total", *(f"{flow}_total" for flow in USAGE_FLOWS))
NUMBERS = (*USAGE_LEVELS, *USAGE_COUNTERS)
COLUMNS = (*TOTALS, *NUMBERS, *USAGE_LABELS, *QUANTILES)
"""Of a usage row, besides its key and when it was computed and changed."""
COMPLIANCE_COLUMNS = (*COMPLIANCE_LEVELS, *COMPLIANCE_LABELS)
LONGEST = max(TRAILING_WINDOWS)
QUANTILES_KEPT = (0.5, 0.9)


@dataclass(frozen=True, slots=True)
class Statement:
    """A query with ``:parameters`` of PARAMETERS."""

    query: str

    @property
    def name(self) -> str:
        """Its name on a connection: another query has another one, whatever the program's version."""
        said = f"{self.query} {PARAMETERS}"
        return f"vigilo_{hashlib.sha256(said.encode()).hexdigest()[:16]}"

    @property
    def prepare(self) -> str:
        """The statement that prepares it."""
        places = {name: f"${n}" for n, name in enumerate(PARAMETERS, 1)} | {"now": "null"}
        query = re.sub(r"(?<!:):([a-z_]+)", lambda found: places[found[1]], self.query)
        return f"prepare {self.name} ({', '.join(PARAMETERS.values())}) as {query}"


def _listed(columns: Iterable[str], form: str = "{}") -> str:
    return ", ".join(form.format(column) for column in columns)


def _preferring_new(table: str, columns: Iterable[str]) -> str:
    """The upsert's second half: new values, and ``changed_at`` moves where one differs."""
    columns = tuple(columns)
    same = (
        f"({_listed(columns, table + '.{}')}) is distinct from ({_listed(columns, 'excluded.{}')})"
    )
    return (
        f"set {_listed(columns, '{0} = excluded.{0}')}, computed_at = excluded.computed_at,"
        f" changed_at = case when {same} then excluded.changed_at else {table}.changed_at end"
    )


ASKED = f"""
asked as (
    select generate_series(r.first, r.last, interval '1 day')::date as day
    from unnest(cast(:firsts as date[]), cast(:lasts as date[])) as r(first, last)
    union
    select u.snapshot_date from {usage_snapshot.name} u
    where u.workspace_id = :w and u.snapshot_date between :first and :last
)
"""
"""The days to write: those of each range, and those from first to last that have a row already."""

STAMP = "stamp as materialized (select clock_timestamp() as at)"

BLOCK_OF = f"(({{}} - date '{EPOCH}') >> {DAY_BITS})"
PLACE_OF = f"(({{}} - date '{EPOCH}') & {BLOCK_DAYS - 1})"
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
ENTRY = (
    f"substring(int8send((place::bigint << {BUCKET_BITS + COUNT_BITS})"
    f" | ((bucket + 1)::bigint << {COUNT_BITS}) | least({MOST}, n - {MOST} * part)) from 5)"
)
"""Four bytes of ``sketch.packed_days``: the part-th of a day's durations in one bucket."""


def _unpacked(blocks: str) -> str:
    """The durations of one workspace's blocks, one row per day, distribution and bucket."""
    return f"""
select b.block, e.place, d.which, e.bucket, e.n
from {blocks} b
cross join lateral (values
    {_listed((f"({n}, b.{name})" for n, name in enumerate(USAGE_DISTRIBUTIONS)))}
) as d(which, data)
cross join lateral vigilo.unpacked_days(d.data) e
where b.workspace_id = :w
"""


WITH_STAGED = f"""(
    select s.* from {staged_block.name} s where s.workspace_id = :w
    union all
    select b.* from {duration_block.name} b where b.workspace_id = :w and not exists (
        select from {staged_block.name} s where s.workspace_id = :w and s.block = b.block
    )
)"""
"""The blocks of one workspace as they will be."""

DURATIONS = {name: sql for module in (dora, incidents) for name, sql in module.DURATIONS.items()}
SINGLE = " union all ".join(
    f"select day, {n} as which, seconds from ({DURATIONS[name]}) as one"
    for n, name in enumerate(USAGE_DISTRIBUTIONS)
)
DATA = _listed(
    f"string_agg({ENTRY}, ''::bytea order by place, bucket, part) filter (where which = {n}) as {name}"
    for n, name in enumerate(USAGE_DISTRIBUTIONS)
)

DURATION_BLOCKS = f"""
with {ASKED}, {CLOCK}
, single as ({SINGLE})
, fresh as (
    select {BLOCK_OF.format("day")} as block, {PLACE_OF.format("day")} as place, which,
           {BUCKET} as bucket, count(*)::int as n
    from single join asked using (day) group by 1, 2, 3, 4
)
, touched as (
    select block, date '{EPOCH}' + block * {BLOCK_DAYS} as since
    from (select distinct {BLOCK_OF.format("day")} as block from asked) b
)
, kept as (
    {_unpacked(duration_block.name)} and b.block in (
        select block from touched
        where since < :first or since + {BLOCK_DAYS - 1} > :last and exists (
            select from {usage_snapshot.name} u where u.workspace_id = :w and u.snapshot_date > :last
        )
    ) and not exists (
        select from asked where asked.day = date '{EPOCH}' + (b.block * {BLOCK_DAYS} + e.place)
    )
)
, blocks as (
    select block, {DATA}
    from touched left join (select * from fresh union all select * from kept) both_of using (block)
    left join lateral generate_series(0, (n - 1) / {MOST}) as part on true
    group by block
)
"""
"""The CTEs up to ``blocks``: the blocks that hold an asked day, their other days as they were. A block of
asked days alone is not read, so that a backfill replaces broken bytes."""


def _stage_durations() -> str:
    """The blocks, those that hold nothing any more among them."""
    return f"""
{DURATION_BLOCKS}
insert into {staged_block.name} (workspace_id, block, {_listed(USAGE_DISTRIBUTIONS)})
select :w, block, {_listed(USAGE_DISTRIBUTIONS)} from blocks
"""


FACTS = [sql for module in COLLECTORS for sql in module.FACTS]
TRACKED = tuple(name for name in USAGE_LEVELS if name.endswith("_tracked"))


def _fact(name: str) -> str:
    """A fact as its column takes it: a day without flow counts 0, nothing known is not tracked."""
    if name in USAGE_LABELS or name in USAGE_COUNTERS:
        return name
    known = f"coalesce({name}, 0)" if name in USAGE_FLOWS or name in TRACKED else name
    return f"{known}::float8 as {name}"


DAILY = f"""
daily as (
    select days.day, {_listed(map(_fact, (*USAGE_FLOWS, *NUMBERS, *USAGE_LABELS)))}
    from days {" ".join(f"left join facts_{n} using (day)" for n in range(len(FACTS)))}
)
"""
"""Every fact of each asked day: flows of the day alone, levels at its end, labels."""

RUNNING = f"""
base as (
    select {_listed(TOTALS)} from {usage_snapshot.name}
    where workspace_id = :w and snapshot_date < (select min(day) from asked)
    order by snapshot_date desc limit 1
)
, fresh as (
    select day, coalesce(base.days_total, 0) + row_number() over (order by day) as days_total,
           {_listed(USAGE_FLOWS, "coalesce(base.{0}_total, 0) + sum({0}) over so_far as {0}_total")},
           {_listed((*NUMBERS, *USAGE_LABELS))}, {_listed(QUANTILES, "null::float8 as {}")}
    from daily left join base on true window so_far as (order by day)
)
, moved as (
    select {_listed(TOTALS, "fresh.{0} - coalesce(replaced.{0}, 0) as {0}")}
    from fresh left join (
        select {_listed(TOTALS)} from {usage_snapshot.name}
        where workspace_id = :w and snapshot_date <= :last order by snapshot_date desc limit 1
    ) replaced on true
    where fresh.day = :last
)
, later as (
    select u.snapshot_date as day, {_listed(TOTALS, "u.{0} + moved.{0} as {0}")},
           {_listed((*NUMBERS, *USAGE_LABELS, *QUANTILES), "u.{}")}
    from {usage_snapshot.name} u cross join moved
    where u.workspace_id = :w and u.snapshot_date > :last
)
"""
"""Totals that go on from the row before, and later rows moved by what the total before them changed:
by exactly 0 where nothing did, so that they stay the same to the last bit."""


def _quantile(distribution: int, name: str, q: float, window: int) -> str:
    """The lower nearest rank among the buckets of a window, as the duration that stands for it."""
    pool = f"pooled_{window}"
    at = f"{pool}[1 + floor({q}::float8 * (cardinality({pool}) - 1))::int]"
    column = trailing_quantile(name, q, window)
    return f"max({VALUE.format(at)}) filter (where which = {distribution}) as {column}"


def _windows() -> str:
    """The array of a window's buckets, in order, for each window."""
    return _listed(
        f"array_agg(e.bucket order by e.bucket) filter (where ago < {window}) as pooled_{window}"
        for window in TRAILING_WINDOWS
    )


TRAILING = f"""
affected as (
    select day from asked union
    select day from later where day < cast(:last as date) + {LONGEST}
)
, durations as materialized (
    select date '{EPOCH}' + (s.block * {BLOCK_DAYS} + s.place) as day, which, bucket, n
    from ({_unpacked(WITH_STAGED)} and b.block between
        {BLOCK_OF.format(f"(select min(day) from affected) - {LONGEST - 1}")}
        and {BLOCK_OF.format("(select max(day) from affected)")}
    ) s
)
, pools as (
    select affected.day, e.which, {_windows()}
    from affected cross join generate_series(0, {LONGEST - 1}) as ago
    join durations e on e.day = affected.day - ago
    cross join lateral generate_series(1, e.n)
    group by affected.day, e.which
)
, quantiles as (
    select day, {
    _listed(
        _quantile(n, name, q, window)
        for n, name in enumerate(USAGE_DISTRIBUTIONS)
        for q in QUANTILES_KEPT
        for window in TRAILING_WINDOWS
    )
}
    from pools group by day
)
"""
"""The quantiles of the days that end with each row, from the stored buckets: of the rows written, and
of those that follow within the longest window."""


def usage_rows() -> str:
    """The CTEs up to ``written``: usage rows of the asked days, and of later ones, moved."""
    facts = "".join(f", facts_{n} as ({sql})" for n, sql in enumerate(FACTS))
    quantiles = _listed(
        f"case when affected.day is null then rows.{name} else quantiles.{name} end as {name}"
        for name in QUANTILES
    )
    return f"""
with {ASKED}, {CLOCK} {facts}, {DAILY}, {RUNNING}, {TRAILING}
, rows as (select * from fresh union all select * from later)
, written as (
    select day, {_listed((*TOTALS, *NUMBERS, *USAGE_LABELS))}, {quantiles}
    from rows left join affected using (day) left join quantiles using (day)
)
"""


def _stage_usage() -> str:
    """The usage rows."""
    return f"""
{usage_rows()}, {STAMP}
insert into {staged_usage.name}
    (workspace_id, snapshot_date, {_listed(COLUMNS)}, computed_at, changed_at)
select :w, day, {_listed(COLUMNS)}, stamp.at, stamp.at from written cross join stamp
"""


def _stage_compliance() -> str:
    """The compliance rows of the asked days."""
    return f"""
with {ASKED}, {CLOCK}, {STAMP}, found as ({compliance.STANDING})
insert into {staged_compliance.name}
    (workspace_id, snapshot_date, framework, {_listed(COMPLIANCE_COLUMNS)}, computed_at)
select :w, day, framework, {_listed(COMPLIANCE_COLUMNS)}, stamp.at from found cross join stamp
"""


def _taken(table: str) -> str:
    """A CTE that takes one workspace's rows out of a staged table."""
    return f"ready as (delete from {table} where workspace_id = :w returning *)"


def _publish_durations() -> str:
    """Writes the blocks, and removes those that hold nothing any more."""
    table, names = duration_block.name, _listed(USAGE_DISTRIBUTIONS)
    nothing = f"num_nonnulls({_listed(USAGE_DISTRIBUTIONS, 'ready.{}')}) = 0"
    return f"""
with {_taken(staged_block.name)}
, gone as (
    delete from {table} b using ready
    where b.workspace_id = :w and b.block = ready.block and {nothing}
)
insert into {table} (workspace_id, block, {names})
select :w, block, {names} from ready where not ({nothing})
on conflict (workspace_id, block) do update
set {_listed(USAGE_DISTRIBUTIONS, "{0} = excluded.{0}")}
"""


def _publish_usage() -> str:
    """Writes the usage rows."""
    table, columns = (
        usage_snapshot.name,
        f"snapshot_date, {_listed(COLUMNS)}, computed_at, changed_at",
    )
    return f"""
with {_taken(staged_usage.name)}
insert into {table} (workspace_id, {columns}) select :w, {columns} from ready
on conflict (workspace_id, snapshot_date) do update {_preferring_new(table, COLUMNS)}
"""


def _publish_compliance() -> str:
    """Writes the compliance rows of the asked days, and removes those of frameworks that are gone."""
    table, values = compliance_history.name, (*COMPLIANCE_COLUMNS, "computed_at")
    columns = f"snapshot_date, framework, {_listed(values)}"
    return f"""
with {_taken(staged_compliance.name)}
, gone as (
    delete from {table} h
    using (select unnest(days) as day from {staged_workspace.name} where workspace_id = :w) asked
    where h.workspace_id = :w and h.snapshot_date = asked.day and not exists (
        select from ready
        where ready.snapshot_date = h.snapshot_date and ready.framework = h.framework
    )
)
insert into {table} (workspace_id, {columns}) select :w, {columns} from ready
on conflict (workspace_id, framework, snapshot_date) do update
set {_listed(values, "{0} = excluded.{0}")}
"""


STAGE = (
    *(Statement(f"delete from {table.name} where workspace_id = :w") for table in STAGED_TABLES),
    Statement(_stage_durations()),
    Statement(_stage_usage()),
    Statement(_stage_compliance()),
    Statement(
        f"with {ASKED} insert into {staged_workspace.name} (workspace_id, since, days)"
        " select :w, :since, array_agg(day) from asked returning cardinality(days)"
    ),
)
"""In this order: the usage rows read the durations as they will be. The last one says how many days."""
PUBLISH = (
    Statement(_publish_durations()),
    Statement(_publish_usage()),
    Statement(_publish_compliance()),
    Statement(f"delete from {staged_workspace.name} where workspace_id = :w"),
    Statement("select vigilo.note_snapshot(:w)"),
)
"""The last one notes the workspace's last snapshot beside it."""
