"""The definitions of the figures, computed the slow and obvious way from raw records.

Shares nothing with the program but the names of the measures. Records are plain dicts as they are
stored; a workspace also says on which days it has a snapshot.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.plain import certificate_rules, control_rules, delivery_rules
from tests.plain.incident_rules import counted_incidents, over_since

Row = dict[str, Any]
UTC = ZoneInfo("UTC")
TRACKED_AS_ZERO = 0.0


@dataclass
class Records:
    """Raw records of a workspace, and its snapshot days."""

    deployment: list[Row] = field(default_factory=list)
    deployment_change: list[Row] = field(default_factory=list)
    roll_back: list[Row] = field(default_factory=list)
    incident: list[Row] = field(default_factory=list)
    objective: list[Row] = field(default_factory=list)
    objective_day: list[Row] = field(default_factory=list)
    control_result: list[Row] = field(default_factory=list)
    asset_retirement: list[Row] = field(default_factory=list)
    certificate: list[Row] = field(default_factory=list)
    vendor: list[Row] = field(default_factory=list)
    vendor_review: list[Row] = field(default_factory=list)
    membership: list[Row] = field(default_factory=list)
    days: set[date] = field(default_factory=set)


RECORDS = (
    "deployment",
    "deployment_change",
    "roll_back",
    "incident",
    "objective",
    "objective_day",
    "control_result",
    "asset_retirement",
    "certificate",
    "vendor",
    "vendor_review",
)
"""Tables of records, in the order in which they refer to each other."""


@dataclass
class Expected:
    """A figure as the raw records give it; None is no data."""

    value: float | None
    numerator: float | None = None
    denominator: float | None = None


def span_days(start: date, end: date) -> list[date]:
    """Every day of a span."""
    return [start + timedelta(days=i) for i in range((end - start).days + 1)]


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """Instant at which a day ends, in UTC: hours that are added to it are hours, whatever the clocks do."""
    after = day + timedelta(days=1)
    return datetime(after.year, after.month, after.day, tzinfo=zone).astimezone(UTC)


def quantile(values: list[float], q: float) -> float | None:
    """The exact q-quantile, lower nearest rank."""
    if not values:
        return None
    return sorted(values)[math.floor(q * (len(values) - 1))]


class Oracle:
    """Figures of any set of workspaces over a span."""

    def __init__(
        self, workspaces: Iterable[Records], start: date, end: date, zone: ZoneInfo = UTC
    ) -> None:
        self.workspaces = list(workspaces)
        self.start, self.end, self.zone = start, end, zone

    def _seen(self, w: Records, instant: datetime | None) -> bool:
        if instant is None:
            return False
        day = instant.astimezone(self.zone).date()
        return self.start <= day <= self.end and day in w.days

    def days_seen(self) -> int:
        return len({d for w in self.workspaces for d in w.days if self.start <= d <= self.end})

    def _last(self, w: Records) -> date | None:
        return max((d for d in w.days if self.start <= d <= self.end), default=None)

    # Delivery

    def _ended(self) -> list[tuple[Records, Row]]:
        return [
            (w, d)
            for w in self.workspaces
            for d in w.deployment
            if delivery_rules.counts(d) and self._seen(w, d["completed_at"])
        ]

    @staticmethod
    def _undone(w: Records, d: Row) -> bool:
        return d["key"] in delivery_rules.undone(w.deployment, w.roll_back)

    @classmethod
    def _failed(cls, w: Records, d: Row) -> bool:
        causes = [i["caused_by"] for i in counted_incidents(w.incident)]
        blamed = any(delivery_rules.whole(key, w.deployment) == d["key"] for key in causes)
        return blamed or cls._undone(w, d) or d["outcome"] in ("failed", "rolled_back")

    @classmethod
    def _good(cls, w: Records, d: Row) -> bool:
        return delivery_rules.reached(d) and not cls._undone(w, d)

    def change_failure_rate(self) -> Expected:
        ended = self._ended()
        failed = sum(self._failed(w, d) for w, d in ended)
        return Expected(failed / len(ended) if ended else None, failed, len(ended))

    def deploy_frequency(self) -> Expected:
        tracked = any(
            d["completed_at"] < end_of(last, self.zone)
            for w in self.workspaces
            if (last := self._last(w))
            for d in w.deployment
            if not d.get("left_out")
        )
        good = sum(self._good(w, d) for w, d in self._ended())
        if not tracked or not self.days_seen():
            return Expected(None)
        return Expected(good / self.days_seen(), good, self.days_seen())

    def lead_times(self) -> list[float]:
        times = []
        for w, d in self._ended():
            if not delivery_rules.reached(d):
                continue
            starts = delivery_rules.commits(d, w.deployment, w.deployment_change)
            times += [
                (d["completed_at"] - s).total_seconds() for s in starts if s <= d["completed_at"]
            ]
        return times

    def recovery_times(self) -> list[float]:
        return [
            (i["resolved_at"] - d["completed_at"]).total_seconds()
            for w in self.workspaces
            for i in counted_incidents(w.incident)
            for d in w.deployment
            if d["key"] == delivery_rules.whole(i["caused_by"], w.deployment)
            and delivery_rules.counts(d)
            and i["resolved_at"] is not None
            and i["resolved_at"] >= d["completed_at"]
            and self._seen(w, i["resolved_at"])
        ]

    # Incidents

    def incident_times(self, event: str) -> list[float]:
        return [
            (i[event] - i["opened_at"]).total_seconds()
            for w in self.workspaces
            for i in counted_incidents(w.incident)
            if self._seen(w, i[event])
        ]

    def mean(self, event: str) -> Expected:
        times = self.incident_times(event)
        return Expected(sum(times) / len(times) if times else None, sum(times), len(times))

    def opened(self) -> int:
        return sum(
            self._seen(w, i["opened_at"])
            for w in self.workspaces
            for i in counted_incidents(w.incident)
        )

    def open(self, severity: str | None = None) -> Expected:
        count, tracked = 0, False
        for w in self.workspaces:
            last = self._last(w)
            if last is None:
                continue
            end = end_of(last, self.zone)
            for i in counted_incidents(w.incident):
                tracked |= i["opened_at"] < end
                is_open = i["opened_at"] < end and not ((over := over_since(i)) and over < end)
                count += is_open and severity in (None, i["severity"])
        return Expected(count if tracked else None)

    def postmortem_coverage(self) -> Expected:
        due = [
            i
            for w in self.workspaces
            for i in counted_incidents(w.incident)
            if i["resolved_at"]
            and self._required(i)
            and self._seen(w, i["resolved_at"] + timedelta(days=7))
        ]
        published = sum(i["postmortem_published_at"] is not None for i in due)
        return Expected(published / len(due) if due else None, published, len(due))

    @staticmethod
    def _required(i: Row) -> bool:
        if i["postmortem_required"] is None:
            return i["severity"] in ("p1", "p2")
        return bool(i["postmortem_required"])

    # Objectives

    def _objectives(self) -> list[tuple[Records, Row, date]]:
        return [
            (w, o, last) for w in self.workspaces if (last := self._last(w)) for o in w.objective
        ]

    def _remaining(self, w: Records, o: Row, last: date) -> float | None:
        first = last - timedelta(days=o["window_days"] - 1)
        rows = [r for r in w.objective_day if r["key"] == o["key"] and first <= r["day"] <= last]
        total = sum(r["total"] for r in rows)
        if not total:
            return None
        bad = total - sum(r["good"] for r in rows)
        allowed = (1 - o["target_percent"] / 100) * total
        if allowed <= 0:
            return 1.0 if bad == 0 else -math.inf
        return 1 - bad / allowed

    def objectives_in_budget(self) -> Expected:
        found = [self._remaining(w, o, last) for w, o, last in self._objectives()]
        known = [r for r in found if r is not None]
        good = sum(r > -1e-9 for r in known)
        return Expected(good / len(known) if known else None, good, len(known))

    def fastest_burn(self) -> float | None:
        burns = []
        for w, o, last in self._objectives():
            for r in w.objective_day:
                if r["key"] == o["key"] and r["day"] == last and r["total"]:
                    bad, allowed = (
                        (r["total"] - r["good"]) / r["total"],
                        1 - o["target_percent"] / 100,
                    )
                    burns.append(0.0 if not bad else math.inf if allowed <= 0 else bad / allowed)
        return max(burns, default=None)

    # Compliance

    def _standing(self, framework: str) -> list[tuple[Row, date]]:
        found = []
        for w in self.workspaces:
            last = self._last(w)
            if last is None:
                continue
            rows = control_rules.worst_results(
                w.control_result, w.asset_retirement, end_of(last, self.zone)
            )
            found += [(r, last) for r in rows if r["framework"] == framework]
        return found

    def pass_rate(self, framework: str) -> Expected:
        results = [r["result"] for r, _ in self._standing(framework)]
        applicable = [r for r in results if r != "not_applicable"]
        passing = applicable.count("compliant")
        return Expected(passing / len(applicable) if applicable else None, passing, len(applicable))

    def coverage(self, framework: str) -> Expected:
        results = [
            r["result"] for r, _ in self._standing(framework) if r["result"] != "not_applicable"
        ]
        assessed = sum(r != "not_assessed" for r in results)
        return Expected(assessed / len(results) if results else None, assessed, len(results))

    def days_to_lapse(self, framework: str) -> int | None:
        return min(
            (
                (r["valid_until"].astimezone(self.zone).date() - last).days
                for r, last in self._standing(framework)
                if r["result"] == "compliant"
                and r["valid_until"]
                and r["valid_until"] > end_of(last, self.zone)
            ),
            default=None,
        )

    # Certificates

    def certificates(self, test: Callable[[Row, datetime], bool]) -> int | None:
        count, tracked = 0, False
        for w in self.workspaces:
            last = self._last(w)
            if last is None:
                continue
            t = end_of(last, self.zone)
            by_print: dict[str, list[Row]] = {}
            for c in w.certificate:
                by_print.setdefault(c["fingerprint"], []).append(c)
            for rows in by_print.values():
                seen = [r["first_seen"] or r["not_before"] for r in rows]
                if all(s is not None and s >= t for s in seen):
                    continue
                tracked = True
                if all(r["superseded_at"] and r["superseded_at"] <= t for r in rows):
                    continue
                renewed = certificate_rules.renewed_at(rows, list(by_print.values()))
                if renewed is not None and renewed <= t:
                    continue
                count += test(rows[0], t)
        return count if tracked else None

    def expiring(self, days: int) -> int | None:
        def test(c: Row, t: datetime) -> bool:
            revoked = c["revoked_at"] is not None and c["revoked_at"] <= t
            return not revoked and t < c["not_after"] <= t + timedelta(days=days)

        return self.certificates(test)

    def expired(self) -> int | None:
        def test(c: Row, t: datetime) -> bool:
            revoked = c["revoked_at"] is not None and c["revoked_at"] <= t
            return not revoked and c["not_after"] <= t

        return self.certificates(test)

    # Vendors

    def tier1(self, cadence: int = 365) -> tuple[int | None, int, int]:
        """(out of review or None when no vendor is known, active, never reviewed)."""
        out = active = never = 0
        tracked = False
        for w in self.workspaces:
            last = self._last(w)
            if last is None:
                continue
            for v in w.vendor:
                if v["added_on"] and v["added_on"] > last:
                    continue
                tracked = True
                if v["tier"] != 1 or v["status"] != "active":
                    continue
                active += 1
                done = [
                    r
                    for r in w.vendor_review
                    if r["vendor"] == v["key"] and r["completed_on"] <= last
                ]
                if not done:
                    never += 1
                    out += 1
                    continue
                latest = max(done, key=lambda r: r["completed_on"])
                due = latest["next_due_on"] or latest["completed_on"] + timedelta(days=cadence)
                out += due < last
        return (out if tracked else None), active, never
