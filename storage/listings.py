"""The records behind the figures, page by page: filtered, sorted and cut within PostgreSQL.

One query a domain, read in the workspace's own context. It lists exactly what the collectors of
``storage/collect`` count, as it stands at the end of the period; a test adds the rows up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from aggregators.listing import COUNTED, Condition, Listing, Page, Request, Type

SINCE = "(cast(:first as timestamp) at time zone :zone)"
UNTIL = "(cast(cast(:last as date) + 1 as timestamp) at time zone :zone)"
SUCCESS = "d.outcome in ('successful', 'successful_with_issues')"

DEPLOYMENTS = f"""
select d.completed_at, d.key, d.service, d.outcome,
       case when d.outcome in ('failed', 'rolled_back') or exists (
            select 1 from incident i where i.workspace_id = :w and i.caused_by = d.key
       ) then 'yes' else 'no' end as failed,
       (select count(*) from incident i where i.workspace_id = :w and i.caused_by = d.key)
       as incidents,
       d.created_at,
       case when {SUCCESS} then coalesce(nullif((
            select count(*) from deployment_change c
            where c.workspace_id = :w and c.deployment = d.key), 0), (d.created_at is not null)::int)
       else 0 end as changes,
       case when {SUCCESS} then coalesce((
            select percentile_cont(0.5) within group (
                order by extract(epoch from d.completed_at - c.committed_at))
            from deployment_change c where c.workspace_id = :w and c.deployment = d.key
       ), extract(epoch from d.completed_at - d.created_at))::float8 end as lead_time,
       case when exists (
            select 1 from workspace_usage_snapshot s where s.workspace_id = :w
            and s.snapshot_date = (d.completed_at at time zone :zone)::date
       ) then 'yes' else 'no' end as counted
from deployment d
where d.workspace_id = :w and d.environment = 'production' and d.outcome <> 'cancelled'
  and d.completed_at >= {SINCE} and d.completed_at < {UNTIL}
"""

INCIDENTS = f"""
select i.key, i.title, i.severity,
       case when i.resolved_at is null or i.resolved_at >= {UNTIL} then 'open' else 'resolved' end
       as status,
       i.opened_at,
       case when i.resolved_at is null or i.resolved_at >= {UNTIL}
            then extract(epoch from {UNTIL} - i.opened_at)::float8 end as age,
       i.acknowledged_at,
       extract(epoch from i.acknowledged_at - i.opened_at)::float8 as time_to_acknowledge,
       i.resolved_at, extract(epoch from i.resolved_at - i.opened_at)::float8 as time_to_resolve,
       case when not coalesce(i.postmortem_required, i.severity in ('p1', 'p2')) then 'not required'
            when i.postmortem_published_at is not null then 'published'
            when i.resolved_at is null or i.resolved_at >= {UNTIL} then 'required'
            when i.resolved_at + interval '168 hours' >= {UNTIL} then 'due in the 7-day grace'
            else 'missing' end as postmortem,
       case when coalesce(i.postmortem_required, i.severity in ('p1', 'p2'))
            then i.resolved_at + interval '168 hours' end as postmortem_due,
       i.caused_by
from incident i
where i.workspace_id = :w and i.opened_at < {UNTIL}
  and (i.resolved_at is null or i.resolved_at >= {SINCE} - interval '168 hours')
  and (i.resolved_at is null or i.resolved_at >= {SINCE}
       or (coalesce(i.postmortem_required, i.severity in ('p1', 'p2'))
           and i.resolved_at + interval '168 hours' >= {SINCE}))
"""

OBJECTIVES = """
select o.key, o.name, o.type, o.target, o.window_days,
       case when o.remaining is null and coalesce(o.total, 0) = 0 then 'no traffic'
            when o.remaining >= 0 then 'in budget' else 'exhausted' end as state,
       o.remaining, o.burn, cast(1.0 as float8) * o.window_days / 30 as burn_limit, o.burn_1h,
       cast(14.4 as float8) * o.window_days / 30 as burn_1h_limit, o.burn_6h,
       cast(6.0 as float8) * o.window_days / 30 as burn_6h_limit,
       case when o.burn_1h > 14.4 * o.window_days / 30 then 'page: over 1 h'
            when o.burn_6h > 6.0 * o.window_days / 30 then 'page: over 6 h'
            when o.burn > 1.0 * o.window_days / 30 then 'ticket: spends too fast' else 'no' end as alert,
       o.good, o.total
from (
    select p.key, p.name, p.type, p.target_percent / 100 as target, p.window_days, e.good, e.total,
           round((1 - case when 1 - p.target_percent / 100 <= 0 and e.good = e.total then 0
                else (e.total - e.good) / nullif(e.total, 0)
                     / nullif(1 - p.target_percent / 100, 0) end)::numeric, 12)::float8 as remaining,
           case when 1 - p.target_percent / 100 <= 0 and l.good = l.total then 0
                else (l.total - l.good) / nullif(l.total, 0)
                     / nullif(1 - p.target_percent / 100, 0) end as burn,
           l.burn_1h_max as burn_1h, l.burn_6h_max as burn_6h
    from objective p
    left join lateral (
        select sum(d.good) as good, nullif(sum(d.total), 0) as total from objective_day d
        where d.workspace_id = :w and d.key = p.key
          and d.day > cast(:last as date) - p.window_days and d.day <= cast(:last as date)
    ) e on true
    left join objective_day l on l.workspace_id = :w and l.key = p.key and l.day = cast(:last as date)
    where p.workspace_id = :w and not exists (
        select 1 from objective_day d where d.workspace_id = :w and d.key = p.key
        having min(d.day) > cast(:last as date))
) o
"""

CONTROLS = f"""
select s.framework, s.control, s.result, s.assessed_at, s.valid_until,
       case when s.result = 'compliant' and s.valid_until > {UNTIL}
            then (s.valid_until at time zone :zone)::date - cast(:last as date) end as days_to_lapse,
       case when s.result = 'compliant' and s.valid_until <= {UNTIL} then 'lapsed'
            when s.result = 'compliant' and s.valid_until <= {UNTIL} + interval '720 hours'
            then 'lapses within 30 days'
            when s.result = 'compliant' then 'valid' else '' end as evidence
from (
    select distinct on (framework, control) framework, control, result, assessed_at, valid_until
    from control_result where workspace_id = :w and assessed_at < {UNTIL}
    order by framework, control, assessed_at desc
) s
"""

CERTIFICATES = f"""
select c.subject, c.hosts, c.issuer, c.not_before, c.not_after,
       case when c.not_after > {UNTIL}
            then extract(epoch from c.not_after - {UNTIL})::float8 end as time_left,
       case when c.revoked_at <= {UNTIL} then 'revoked'
            when c.not_after is null then 'unreadable'
            when c.not_after <= {UNTIL} then 'expired'
            when c.not_after <= {UNTIL} + interval '2160 hours' then 'expiring'
            else 'valid' end as status,
       c.fingerprint
from (
    select fingerprint, max(subject) as subject, max(issuer) as issuer, min(not_before) as not_before,
           string_agg(distinct case when host <> '' then host || coalesce(':' || nullif(port, 0), '') end,
                      ', ') as hosts,
           max(not_after) as not_after, min(revoked_at) as revoked_at,
           min(coalesce(first_seen, not_before)) as since,
           case when bool_and(superseded_at is not null) then max(superseded_at) end as superseded_at
    from certificate where workspace_id = :w group by fingerprint
) c
where (c.since is null or c.since < {UNTIL}) and (c.superseded_at is null or c.superseded_at > {UNTIL})
"""

VENDORS = """
select v.name, v.key, v.tier, v.status, r.completed_on as reviewed_on, r.due_on,
       case when r.vendor is null then 'never reviewed'
            when r.due_on < cast(:last as date) then 'overdue'
            when r.due_on <= cast(:last as date) + 30 then 'due within 30 days'
            else 'in review' end as review,
       case when r.due_on < cast(:last as date) then cast(:last as date) - r.due_on end as days_overdue,
       case when v.tier = 1 and v.status = 'active' then 'yes' else 'no' end as counts
from vendor v
left join lateral (
    select x.vendor, x.completed_on,
           coalesce(x.next_due_on, x.completed_on + (cast(:cadence as int[]))[v.tier]) as due_on
    from vendor_review x
    where x.workspace_id = :w and x.vendor = v.key and x.completed_on <= cast(:last as date)
    order by x.completed_on desc limit 1
) r on true
where v.workspace_id = :w and (v.added_on is null or v.added_on <= cast(:last as date))
"""

WITHIN = (
    "(not_after > {until} and not_after <= {until} + make_interval(hours => 24 * :link_within))"
)


@dataclass(frozen=True, slots=True)
class Source:
    """The query of a domain's listing, its unique columns (to order equals by), what each link adds, the
    columns that are never null and that an index orders, in either direction."""

    sql: str
    unique: tuple[str, ...]
    links: Mapping[str, str]
    filled: tuple[str, ...] = ()


SOURCES: Mapping[str, Source] = {
    "dora": Source(DEPLOYMENTS, ("key",), {}, ("key", "completed_at")),
    "incidents": Source(INCIDENTS, ("key",), {}, ("key",)),
    "slos": Source(OBJECTIVES, ("key",), {}),
    "compliance": Source(CONTROLS, ("framework", "control"), {"result": "result = :link_result"}),
    "certificates": Source(
        CERTIFICATES,
        ("fingerprint",),
        {"status": "status = :link_status", "within": WITHIN.format(until=UNTIL)},
    ),
    "vendors": Source(VENDORS, ("key",), {"review": "review = :link_review"}),
}
NUMERIC = (Type.NUMBER, Type.DURATION, Type.SHARE, Type.BURN)
COMPARED = {
    "equals": "=",
    "notEqual": "<>",
    "lessThan": "<",
    "lessThanOrEqual": "<=",
    "greaterThan": ">",
    "greaterThanOrEqual": ">=",
}
LIKE = {
    "equals": "{}",
    "notEqual": "{}",
    "contains": "%{}%",
    "notContains": "%{}%",
    "startsWith": "{}%",
    "endsWith": "%{}",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose records, of which days, and what the link narrowed them to."""

    workspace_id: int
    first: date
    last: date
    time_zone: str
    review_days: tuple[int, ...]
    links: Mapping[str, str]


def page(connection: Connection, key: str, listing: Listing, scope: Scope, asked: Request) -> Page:
    """The rows asked for of a domain's listing, in the workspace context of the connection."""
    query, values = _query(key, listing, scope, asked)
    names = ", ".join(c.key for c in listing.columns)
    more = {"offset": asked.first, "limit": asked.last - asked.first}
    cut = f"select {names} {query} {_order(key, asked)} offset :offset limit :limit"
    with _in_order(connection, key, asked):
        rows = [tuple(row) for row in connection.execute(text(cut), values | more)]
    if rows and len(rows) < asked.last - asked.first:
        return Page(listing.columns, rows, asked.first + len(rows))
    counted = f"select count(*) from (select 1 {query} limit {COUNTED + 1}) few"
    total = int(connection.execute(text(counted), values).scalar_one())
    return Page(listing.columns, rows, total if total <= COUNTED else None)


@contextmanager
def _in_order(connection: Connection, key: str, asked: Request) -> Iterator[None]:
    """Has the planner walk the index of the order until the page is full. Under row-level security it may
    not look at the statistics for ILIKE, takes every filter for a rare one, and would sort all rows."""
    first = asked.order[0][0] if asked.order else SOURCES[key].unique[0]
    if first not in SOURCES[key].filled:
        yield
        return
    connection.execute(text("set local enable_sort = off"))
    yield
    connection.execute(text("set local enable_sort = on"))


def every(
    connection: Connection, key: str, listing: Listing, scope: Scope, asked: Request
) -> Iterator[tuple[object, ...]]:
    """All rows that fit the request, streamed."""
    query, values = _query(key, listing, scope, asked)
    names = ", ".join(c.key for c in listing.columns)
    streamed = connection.execution_options(stream_results=True, max_row_buffer=1000)
    for row in streamed.execute(text(f"select {names} {query} {_order(key, asked)}"), values):
        yield tuple(row)


def _query(key: str, listing: Listing, scope: Scope, asked: Request) -> tuple[str, dict[str, Any]]:
    """``from ... where ...`` of a listing, and its parameters."""
    source = SOURCES[key]
    values: dict[str, Any] = {
        "w": scope.workspace_id,
        "first": scope.first,
        "last": scope.last,
        "zone": scope.time_zone,
        "cadence": list(scope.review_days),
    }
    wheres = ["true"]
    for name, value in scope.links.items():
        wheres.append(source.links[name])
        values[f"link_{name}"] = int(value) if value.isdigit() else value
    for number, condition in enumerate(asked.conditions):
        wheres.append(_where(listing, condition, f"c{number}", values))
    return f"from ({source.sql}) listed where {' and '.join(wheres)}", values


def _order(key: str, asked: Request) -> str:
    """In full, so that pages never overlap: the unique columns decide between equals."""
    source = SOURCES[key]
    named = [
        f"{name} {'desc' if down else 'asc'}{'' if name in source.filled else ' nulls last'}"
        for name, down in asked.order
    ]
    return f"order by {', '.join([*named, *source.unique])}"


def _where(listing: Listing, condition: Condition, name: str, values: dict[str, Any]) -> str:
    """One condition as SQL. Column and operator come from our own lists, never from the client."""
    column = listing.column(condition.column)
    if condition.operator in ("blank", "notBlank"):
        return f"{column.key} is {'not ' * (condition.operator == 'notBlank')}null"
    if column.type in NUMERIC:
        return _compared(column.key, condition, name, values, float)
    if column.type in (Type.INSTANT, Type.DAY):
        day = (
            f"({column.key} at time zone :zone)::date"
            if column.type is Type.INSTANT
            else column.key
        )
        return _compared(day, condition, name, values, date.fromisoformat)
    values[name] = LIKE[condition.operator].format(_literal(condition.value))
    if condition.operator.startswith("not"):
        return f"({column.key} is null or {column.key} not ilike :{name})"
    return f"{column.key} ilike :{name}"


def _compared(sql: str, condition: Condition, name: str, values: dict[str, Any], read: Any) -> str:
    values[name] = read(condition.value)
    if condition.operator == "inRange":
        values[f"{name}_until"] = read(condition.until)
        return f"{sql} between :{name} and :{name}_until"
    return f"{sql} {COMPARED[condition.operator]} :{name}"


def _literal(given: str) -> str:
    """Text to look for as it is: the wildcards of LIKE escaped."""
    return given.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
