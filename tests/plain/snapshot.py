"""A workspace's snapshot, computed from its raw records a day and a record at a time.

The nightly job must keep exactly these facts. Shares no query and no arithmetic with it: a record is a
dictionary as it is stored, an instant is compared with the end of the day, nothing is summed up twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests import budget
from tests.plain import certificate_rules, control_rules
from tests.plain.clock import HOURS_24, Clock, Facts
from tests.plain.incident_rules import counted_incidents, over_since
from tests.plain.records import Records, Row, quantile, span_days
from tests.plain.snapshot_delivery import delivery, lead_times, recovery_times

SEVERITIES = ("p1", "p2", "p3", "p4")
GRACE = timedelta(days=7)
"""Time to publish a postmortem after the incident is resolved."""
CADENCES = (365, 365, 730, 730)
WINDOWS = (7, 28)
QUANTILES = {"p50": 0.5, "p90": 0.9}
WITHIN = (("cert_7", 7), ("cert_30", 30), ("cert_90", 90))


def facts(
    records: Records,
    clock: Clock,
    cadences: Sequence[int] = CADENCES,
    grace: Callable[[date], timedelta] = lambda _: GRACE,
) -> Facts:
    """Flows, levels and labels of a day; a missing name is no data. ``cadences`` are those of the day, the
    ``grace`` is that of the day on which an incident was resolved."""
    return {
        **delivery(records, clock),
        **incidents(records, clock, grace),
        **objectives(records, clock),
        **certificates(records, clock),
        **vendors(records, clock, cadences[0]),
        **usage(records, clock),
    }


# Incidents


def waits(records: Records, clock: Clock, event: str) -> list[float]:
    """Seconds from opening to an event of the day."""
    return [
        (i[event] - i["opened_at"]).total_seconds()
        for i in counted_incidents(records.incident)
        if clock.saw(i[event])
    ]


def needs_postmortem(incident: Row) -> bool:
    if incident["postmortem_required"] is None:
        return incident["severity"] in ("p1", "p2")
    return bool(incident["postmortem_required"])


def incidents(records: Records, clock: Clock, grace: Callable[[date], timedelta]) -> Facts:
    still_open = [
        i
        for i in counted_incidents(records.incident)
        if clock.past(i["opened_at"]) and not clock.past(over_since(i))
    ]
    oldest = min(still_open, key=lambda i: (i["opened_at"], i["key"]), default=None)
    due = [
        i
        for i in counted_incidents(records.incident)
        if i["resolved_at"]
        and needs_postmortem(i)
        and clock.saw(i["resolved_at"] + grace(i["resolved_at"].astimezone(clock.zone).date()))
    ]
    acknowledged = waits(records, clock, "acknowledged_at")
    resolved = waits(records, clock, "resolved_at")
    return {
        "incidents_opened": sum(
            clock.saw(i["opened_at"]) for i in counted_incidents(records.incident)
        ),
        "incidents_acknowledged": len(acknowledged),
        "ack_seconds": sum(acknowledged),
        "incidents_resolved": len(resolved),
        "resolve_seconds": sum(resolved),
        "postmortems_due": len(due),
        "postmortems_published": sum(i["postmortem_published_at"] is not None for i in due),
        "incidents_tracked": any(
            clock.past(i["opened_at"]) for i in counted_incidents(records.incident)
        ),
        **{f"open_{s}": sum(i["severity"] == s for i in still_open) for s in SEVERITIES},
        "oldest_open_seconds": oldest and (clock.end - oldest["opened_at"]).total_seconds(),
        "oldest_open_incident": oldest and oldest["key"],
    }


# Objectives


@dataclass(frozen=True)
class Standing:
    """An objective at the end of a day; None where it had no traffic."""

    key: str
    there: bool
    burn: float | None
    burn_1h: float | None
    remaining: float | None
    seconds_left: float | None


def same_span(one: date, other: date, calendar: str) -> bool:
    """Whether two days lie in one week (from Monday), month, quarter or year."""
    number = {
        "week": lambda day: day.isocalendar()[:2],
        "month": lambda day: (day.year, day.month),
        "quarter": lambda day: (day.year, (day.month - 1) // 3),
        "year": lambda day: day.year,
    }[calendar]
    return bool(number(one) == number(other))


def standing(records: Records, objective: Row, day: date) -> Standing:
    events = [e for e in records.objective_day if e["key"] == objective["key"]]
    target, window = objective["target_percent"] / 100, objective["window_days"]
    first = day - timedelta(days=window - 1)
    if calendar := objective.get("calendar"):
        span = [
            d for n in range(-366, 367) if same_span(d := day + timedelta(days=n), day, calendar)
        ]
        first, window = min(span), len(span)

    def burn(since: date) -> float | None:
        seen = [e for e in events if since <= e["day"] <= day]
        bad = sum(e["total"] - e["good"] for e in seen)
        return _known(budget.burn_rate(bad, sum(e["total"] for e in seen), target))

    today, over_window = burn(day), burn(first)
    # A budget spent to the last event is spent, not overspent: the twelfth digit is arithmetic.
    remaining = None if over_window is None else round((1 - over_window) * 1e12, 0) / 1e12
    left = None
    if remaining is not None and today is not None:
        left = _known(budget.seconds_left(remaining, today, window))
    worst = next((e.get("burn_1h_max") for e in events if e["day"] == day), None)
    there = not events or min(e["day"] for e in events) <= day
    return Standing(objective["key"], there, today, worst, remaining, left)


def _known(value: object) -> float | None:
    number = float(value)  # type: ignore[arg-type]
    return None if number != number else number


def objectives(records: Records, clock: Clock) -> Facts:
    ordered = sorted(records.objective, key=lambda o: o["key"])
    stood = [standing(records, o, clock.day) for o in ordered]
    known = [s for s in stood if s.there and s.remaining is not None]
    found: Facts = {"objectives": sum(s.there for s in stood)}
    if stood:
        found |= {
            "objectives_with_data": len(known),
            "objectives_in_budget": sum(s.remaining >= 0 for s in known),
            "objectives_exhausted": sum(s.remaining < 0 for s in known),
            "objectives_no_traffic": sum(s.there and s.remaining is None for s in stood),
        }
    for name, attribute, extreme in (
        ("fastest_burn", "burn", max),
        ("burn_1h", "burn_1h", max),
        ("budget_seconds_left", "seconds_left", min),
        ("budget_remaining", "remaining", min),
    ):
        values = {s.key: getattr(s, attribute) for s in stood if getattr(s, attribute) is not None}
        holder = extreme(values, key=values.__getitem__, default=None)  # of equals the first
        found[name] = values.get(holder)
        found[f"{name}_objective"] = holder
    return found


# Compliance


def compliance(records: Records, clock: Clock) -> dict[str, Facts]:
    """Facts of each framework that has a result."""
    by: dict[str, list[Row]] = defaultdict(list)
    for row in control_rules.worst_results(
        records.control_result, records.asset_retirement, clock.end
    ):
        by[row["framework"]].append(row)
    return {name: _framework(rows, clock) for name, rows in by.items()}


def _framework(rows: list[Row], clock: Clock) -> Facts:
    dated = [r for r in rows if r["result"] == "compliant" and r["valid_until"]]
    dated.sort(key=lambda r: (r["valid_until"], r["control"]))
    lapsed = [r for r in dated if clock.reached(r["valid_until"])]
    running = [r for r in dated if not clock.reached(r["valid_until"])]
    soon = clock.end + timedelta(days=30)
    ends = [(r["valid_until"].astimezone(clock.zone).date() - clock.day).days for r in running]
    results = ("compliant", "partial", "non_compliant", "not_assessed", "not_applicable")
    return {
        **{result: sum(r["result"] == result for r in rows) for result in results},
        "days_to_lapse": min(ends, default=None),
        "lapsing_30": sum(r["valid_until"] <= soon for r in running),
        "lapsed": len(lapsed),
        "lapse_control": running[0]["control"] if running else None,
        "lapsed_control": lapsed[0]["control"] if lapsed else None,
    }


# Certificates


def certificates(records: Records, clock: Clock) -> Facts:
    served: dict[str, list[Row]] = defaultdict(list)
    for row in records.certificate:
        served[row["fingerprint"]].append(row)
    found: Facts = dict.fromkeys(
        ("cert_revoked", "cert_unreadable", "cert_expired", *dict(WITHIN), "cert_later"), 0
    )
    known = [rows for rows in served.values() if _sighted(rows, clock)]
    for rows in known:
        renewed = certificate_rules.renewed_at(rows, list(served.values()))
        replaced = all(clock.reached(r["superseded_at"]) for r in rows)
        if not replaced and not clock.reached(renewed):
            found[_bucket(rows, clock)] += 1  # type: ignore[operator]
    return {**found, "certificates_tracked": bool(known)}


def _sighted(rows: list[Row], clock: Clock) -> bool:
    since = [r["first_seen"] or r["not_before"] for r in rows]
    dated = [s for s in since if s is not None]
    return not dated or clock.past(min(dated))


def _bucket(rows: list[Row], clock: Clock) -> str:
    if any(clock.reached(r["revoked_at"]) for r in rows):
        return "cert_revoked"
    ends = [r["not_after"] for r in rows if r["not_after"] is not None]
    if not ends:
        return "cert_unreadable"
    if clock.reached(max(ends)):
        return "cert_expired"
    for bucket, days in WITHIN:
        if max(ends) <= clock.end + timedelta(days=days):
            return bucket
    return "cert_later"


# Vendors


def vendors(records: Records, clock: Clock, cadence: int) -> Facts:
    known = [v for v in records.vendor if v["added_on"] is None or v["added_on"] <= clock.day]
    if not known:
        return {"vendors_tracked": 0}
    critical = [v for v in known if v["tier"] == 1 and v["status"] == "active"]
    due = {v["name"]: _due(records, v, clock.day, cadence) for v in critical}
    overdue = sorted((end, name) for name, end in due.items() if end and end < clock.day)
    coming = sorted((end, name) for name, end in due.items() if end and end >= clock.day)
    never = sum(end is None for end in due.values())
    return {
        "vendors_tracked": 1,
        "tier1_active": len(critical),
        "tier1_in_review": len(coming),
        "tier1_out_of_review": len(overdue) + never,
        "tier1_never_reviewed": never,
        "tier1_due_30": sum(end <= clock.day + timedelta(days=30) for end, _ in coming),
        "longest_overdue_days": (clock.day - overdue[0][0]).days if overdue else None,
        "longest_overdue_vendor": overdue[0][1] if overdue else None,
        "next_review_days": (coming[0][0] - clock.day).days if coming else None,
        "next_review_vendor": coming[0][1] if coming else None,
    }


def _due(records: Records, vendor: Row, day: date, cadence: int) -> date | None:
    """The day by which the last review asks for another; None where there was none."""
    done = [
        r
        for r in records.vendor_review
        if r["vendor"] == vendor["key"] and r["completed_on"] <= day
    ]
    if not done:
        return None
    last = max(done, key=lambda r: r["completed_on"])
    return last["next_due_on"] or last["completed_on"] + timedelta(days=cadence)


# Use of Vigilo itself


def usage(records: Records, clock: Clock) -> Facts:
    def of_24_hours(instant: datetime) -> bool:
        return clock.past(instant) and instant >= clock.end - HOURS_24

    hosts = {
        c["host"]
        for c in records.certificate
        if c["host"]
        and (c["first_seen"] is None or clock.past(c["first_seen"]))
        and not clock.reached(c["superseded_at"])
    }
    return {
        "member_count": sum(
            clock.past(m["granted_at"]) and not clock.past(m["revoked_at"])
            for m in records.membership
        ),
        "change_count_24h": sum(
            of_24_hours(d["completed_at"]) for d in records.deployment if not d.get("left_out")
        ),
        "incident_count_24h": sum(
            of_24_hours(i["opened_at"]) for i in counted_incidents(records.incident)
        ),
        "monitored_host_count": len(hosts),
    }


# The job


def durations(records: Records, clock: Clock) -> dict[str, list[float]]:
    """Seconds of each distribution that ended on the day."""
    return {
        "lead_time": lead_times(records, clock),
        "recovery_time": recovery_times(records, clock),
        "ack_time": waits(records, clock, "acknowledged_at"),
        "resolve_time": waits(records, clock, "resolved_at"),
    }


FLOWS = (
    "successful_deployments",
    "ended_deployments",
    "failed_deployments",
    "incidents_opened",
    "incidents_acknowledged",
    "ack_seconds",
    "incidents_resolved",
    "resolve_seconds",
    "postmortems_due",
    "postmortems_published",
)


@dataclass
class SlowJob:
    """Rows stored of one workspace after some calls of the job, a day being kept as it was written."""

    records: Records
    zone: ZoneInfo
    days: dict[date, Facts] = field(default_factory=dict)
    seconds: dict[date, dict[str, list[float]]] = field(default_factory=dict)
    frameworks: dict[date, dict[str, Facts]] = field(default_factory=dict)

    def write(self, first: date, last: date, only_known: bool = False) -> int:
        """Writes each day of a range, or its last one and those that are stored; returns how many."""
        wanted = [
            day
            for day in span_days(first, last)
            if not only_known or day in self.days or day == last
        ]
        for day in wanted:
            clock = Clock(day, self.zone)
            self.days[day] = facts(self.records, clock)
            self.seconds[day] = durations(self.records, clock)
            self.frameworks[day] = compliance(self.records, clock)
        return len(wanted)

    def usage_row(self, day: date) -> Facts:
        """Every fact that is stored of a day: flows as running totals, quantiles of the days up to it."""
        so_far = [self.days[d] for d in self.days if d <= day]
        row = {name: value for name, value in self.days[day].items() if name not in FLOWS}
        row["days_total"] = len(so_far)
        row |= {f"{flow}_total": sum(of_day[flow] for of_day in so_far) for flow in FLOWS}
        for name in self.seconds[day]:
            for window in WINDOWS:
                pooled = list(self._pooled(name, span_days(day - timedelta(days=window - 1), day)))
                for label, q in QUANTILES.items():
                    row[f"{name}_{label}_{window}"] = quantile(pooled, q)
        return row

    def _pooled(self, name: str, days: Iterable[date]) -> Iterable[float]:
        for day in days:
            yield from self.seconds.get(day, {}).get(name, ())
