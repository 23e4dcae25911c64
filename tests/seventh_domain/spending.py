"""Spending of one workspace as a CSV file, and its figures the slow and obvious way."""

from __future__ import annotations

import csv
import math
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

CENTRES = ("cloud", "licences", "travel")
LAST = date(2026, 11, 22)


@dataclass(frozen=True)
class SpendingRequest:
    """A request to spend money."""

    key: str
    cost_centre: str
    requested_at: datetime
    approved_at: datetime | None
    amount: float
    budget: float


def requests_made(days: int = 60) -> list[SpendingRequest]:
    """Some requests a day up to the last one, in whole euros, so that sums are exact."""
    rng = random.Random("spending")
    made = []
    for ago in range(days):
        for _ in range(rng.randrange(4)):
            day = LAST - timedelta(days=ago)
            requested = datetime(day.year, day.month, day.day, rng.randrange(24), tzinfo=UTC)
            approved = requested + timedelta(hours=rng.randrange(1, 300))
            made.append(
                SpendingRequest(
                    f"r{len(made)}",
                    rng.choice(CENTRES),
                    requested,
                    approved if approved.date() <= LAST else None,
                    float(rng.randrange(1, 900)),
                    float(rng.randrange(100, 900)),
                )
            )
    return made


def write_csv(path: Path, workspace: str, requests: list[SpendingRequest]) -> None:
    """The file that ``records import spending`` takes."""
    with path.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(
            ("workspace", "key", "cost_centre", "requested_at", "approved_at", "amount", "budget")
        )
        for r in requests:
            approved = r.approved_at.isoformat() if r.approved_at else ""
            writer.writerow(
                (
                    workspace,
                    r.key,
                    r.cost_centre,
                    r.requested_at.isoformat(),
                    approved,
                    r.amount,
                    r.budget,
                )
            )


@dataclass(frozen=True)
class CentreFigures:
    """Figures of one cost centre over the days first to last."""

    spent: float
    budget_used: float | None
    waiting: int
    approval_time: float | None


def expected(
    requests: list[SpendingRequest], centre: str, first: date, last: date
) -> CentreFigures:
    """Counted one by one."""
    own = [r for r in requests if r.cost_centre == centre]
    within = [r for r in own if first <= r.requested_at.date() <= last]
    spent, budget = sum(r.amount for r in within), sum(r.budget for r in within)
    end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
    waiting = [
        r
        for r in own
        if r.requested_at < end and not (r.approved_at is not None and r.approved_at < end)
    ]
    times = sorted(
        (r.approved_at - r.requested_at).total_seconds()
        for r in own
        if r.approved_at is not None and first <= r.approved_at.date() <= last
    )
    median = times[math.floor(0.5 * (len(times) - 1))] if times else None
    return CentreFigures(spent, spent / budget if budget else None, len(waiting), median)
