"""Days and instants in the SQL of the domains: what their ``counts`` modules, of one shape, select from.

``FACTS`` are queries with a row per day (and group): flows of the day alone, levels at its end, labels;
``DURATIONS`` queries with a row per duration (day, group, seconds), by distribution. The end-of-day job
makes one statement of them all (and of ``COUNTERS``, spans of days that Vigilo's own pages count);
``reading.record_days`` runs them on their own, for live figures.

A level over 800 days is never counted day by day: each record is a span of days, found by bisection
in the array of the days' ends, and the spans are summed up once (0.18 s a workspace against 0.65 s).
"""

from __future__ import annotations

SINCE = "(cast(:first as date)::timestamp at time zone :zone)"
UNTIL = "((cast(:last as date) + 1)::timestamp at time zone :zone)"
"""SQL: the instants at which the range begins and ends, as ``edge`` has them."""

CLOCK = f"""
days as (
    select day, least((day + 1)::timestamp at time zone :zone, cast(:now as timestamptz)) as until,
           row_number() over (order by day)::int as n
    from asked
),
clock as (select array_agg(until order by n) as untils, count(*)::int as length from days),
edge as (select {SINCE} as since, {UNTIL} as until)
"""
"""Each day of ``asked``, counted by ``n`` from 1, with the instant at which it ends (excluded), in the
reporting time zone; a day that is not over ends now. And the edges of the whole range."""

EVERY_DAY = """
asked as (
    select d::date as day
    from generate_series(cast(:first as timestamp), cast(:last as timestamp), interval '1 day') d
)
"""


LAST_DAY = "asked as (select cast(:last as date) as day)"
"""``asked`` for what is listed: the last day alone."""


def just_before(instant: str) -> str:
    """SQL: the last moment before an instant, PostgreSQL keeping microseconds. What begins or ends *at* an
    instant, and not only after it, is said so: then every comparison with the end of a day is the same."""
    return f"({instant} - interval '1 microsecond')"


def day_after(instant: str) -> str:
    """SQL: the first ``n`` whose day ends after an instant; one beyond the last day when none does."""
    return f"(width_bucket({instant}, clock.untils) + 1)"


def day_at_or_after(instant: str) -> str:
    """SQL: the first ``n`` whose day ends at an instant or after it."""
    return day_after(just_before(instant))


def count_spans(spans: str, counter: str) -> str:
    """SQL: how many spans of days (columns ``born`` and ``gone``, first ``n`` within and beyond) hold each
    day, as ``counter``."""
    return f"""
with spans as ({spans})
, changes as (
    select n, sum(change)::int as change
    from spans cross join lateral (values (born, 1), (gone, -1)) as v(n, change)
    where born < gone group by n
)
select days.day, coalesce(sum(change) over (order by n), 0) as {counter}
from days left join changes using (n)
"""
