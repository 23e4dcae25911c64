"""A team's raw records over a range of days, from its habits and a seed. Pure and deterministic."""

from __future__ import annotations

import math
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

from aggregators.period import completed_sprints
from storage.demo.stories import Team

Row = dict[str, Any]
Rows = dict[str, list[Row]]

SEVERITIES = (("p1", 0.08, 0.6), ("p2", 0.22, 0.8), ("p3", 0.45, 1.2), ("p4", 0.25, 2.0))
"""Severity, its share of incidents, and how its duration compares with the team's mean."""
TITLES = (
    "Elevated error rate on the public API",
    "Slow responses in the morning peak",
    "Queue backlog after a schema change",
    "Login failures for a few tenants",
    "Stale cache after failover",
    "Disk pressure on a database replica",
    "Timeouts towards an external provider",
    "Wrong totals in the export",
    "Webhooks delivered twice",
    "Ошибка при импорте счетов",
    "Certificate warning on a partner host",
    "Memory growth in the worker pool",
)
CONTROLS = {
    "SOC2": [
        f"CC{a}.{b}"
        for a, n in zip(range(1, 10), (5, 3, 4, 2, 3, 8, 5, 1, 2), strict=True)
        for b in range(1, n + 1)
    ],
    "ISO27001": [f"A.5.{i}" for i in range(1, 38)] + [f"A.8.{i}" for i in range(1, 35)],
    "HIPAA": [f"164.{s}({p})" for s in (308, 310, 312) for p in "abcdefgh"],
}
SLO_KINDS = (
    ("Availability", "availability", 99.9),
    ("Latency under 300 ms", "latency", 99.0),
    ("Checkout errors", "error_rate", 99.5),
    ("Freshness", "custom", 99.0),
    ("Sign-in success", "availability", 99.8),
    ("Search quality", "custom", 98.0),
)
SUPPLIERS = (
    "Cloudforge",
    "Mailbridge",
    "Paywise",
    "Dataharbour",
    "Signpost",
    "Keystone Identity",
    "Logbook",
    "Shiftplan",
    "Northstar Maps",
    "Tabular",
    "Brightline Support",
    "Vaultkeep",
    "Streamworks",
    "Quorum Backup",
)
OUTAGE_DAYS_AGO, OUTAGE_HOUR = 47, 10.5


def at(day: date, hours: float) -> datetime:
    """An instant of a day, UTC, to the second."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return start + timedelta(seconds=round(hours * 3600))


def records(team: Team, first: date, last: date, seed: int) -> Rows:
    """Every record of a team, by table."""
    rng = random.Random(f"{seed}:{team.slug}")  # noqa: S311 - no secret
    days = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    deployments, changes = _deployments(team, days, rng)
    made: Rows = {"deployment": deployments, "deployment_change": changes}
    made["incident"] = _incidents(team, days, deployments, rng)
    made["objective"], made["objective_day"] = _objectives(team, days, rng)
    made["control_result"] = _controls(team, first, last, rng)
    made["certificate"] = _certificates(team, first, last, rng)
    made["vendor"], made["vendor_review"] = _vendors(team, last, rng)
    return made


def _poisson(rng: random.Random, mean: float) -> int:
    limit, product, n = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        n += 1
    return n


def _pace(day: date, days: list[date]) -> float:
    """How busy a day is: weekends and the year's end are quiet, the organisation grows."""
    grown = 0.75 + 0.25 * (day - days[0]).days / max(1, len(days))
    frozen = (day.month == 12 and day.day >= 20) or (day.month == 1 and day.day <= 2)
    weekday = (1.1, 1.2, 1.2, 1.1, 0.7, 0.06, 0.04)[day.weekday()]
    return grown * weekday * (0.12 if frozen else 1.0)


def _deployments(team: Team, days: list[date], rng: random.Random) -> tuple[list[Row], list[Row]]:
    deployments: list[Row] = []
    changes: list[Row] = []
    for day in days:
        ago = (days[-1] - day).days
        chance = team.failure_rate + team.drift * max(0.0, 1 - ago / 90)
        for _ in range(_poisson(rng, team.deploys * _pace(day, days))):
            key = f"CHG-{len(deployments) + 1:05d}"
            done = at(day, rng.uniform(8, 17.5))
            lead = team.lead_hours * rng.lognormvariate(0, 0.7)
            outcome = _outcome(rng, chance)
            deployments.append(
                {
                    "key": key,
                    "created_at": done - timedelta(seconds=round(lead * 3600)),
                    "completed_at": done,
                    "environment": "production",
                    "outcome": outcome,
                    "service": f"{team.slug}-{rng.choice(('api', 'web', 'worker'))}",
                }
            )
            for n in range(rng.randint(1, team.commits) if team.commits else 0):
                age = lead * rng.uniform(0.4, 1.0) * 3600
                changes.append(
                    {
                        "deployment": key,
                        "key": f"{key}-{n}",
                        "committed_at": done - timedelta(seconds=round(age)),
                    }
                )
    return deployments, changes


def _outcome(rng: random.Random, failure: float) -> str:
    draw = rng.random()
    if draw < failure:
        return "rolled_back" if rng.random() < 0.45 else "failed"
    if draw > 0.98:
        return "cancelled"
    return "successful_with_issues" if draw > 0.93 else "successful"


def _incidents(
    team: Team, days: list[date], deployments: list[Row], rng: random.Random
) -> list[Row]:
    rows: list[Row] = []
    for row in deployments:
        if row["outcome"] in ("failed", "rolled_back") and rng.random() < 0.5:
            later = rng.choice((0.1, 0.3, 0.6, 1.5, 26, 70))
            opened = row["completed_at"] + timedelta(seconds=round(later * 3600))
            rows.append(_incident(team, opened, days, rng, row["key"]))
    for day in days:
        for _ in range(_poisson(rng, team.incidents * (0.4 + 0.6 * _pace(day, days)))):
            rows.append(_incident(team, at(day, rng.uniform(0, 23.9)), days, rng))
    outage = days[-1] - timedelta(days=OUTAGE_DAYS_AGO)
    if outage >= days[0] and team.is_active and rng.random() < 0.6:
        struck = _incident(team, at(outage, OUTAGE_HOUR + rng.uniform(0, 0.3)), days, rng)
        rows.append(struck | {"severity": "p1", "title": "Regional network outage"})
    rows += [_still_open(team, ago, severity, days, rng) for ago, severity in team.open_incidents]
    if team.old_incident:
        stuck = _still_open(team, 113, "p3", days, rng)
        rows.append(stuck | {"title": "Intermittent packet loss at one site"})
    end = at(days[-1] + timedelta(days=1), 0)
    rows = sorted((r for r in rows if r["opened_at"] < end), key=lambda r: r["opened_at"])
    return [row | {"key": f"INC-{n:04d}"} for n, row in enumerate(rows, 1)]


def _still_open(team: Team, ago: int, severity: str, days: list[date], rng: random.Random) -> Row:
    opened = at(days[-1] - timedelta(days=ago), rng.uniform(8, 18))
    row = _incident(team, opened, days, rng)
    return row | {"severity": severity, "resolved_at": None, "postmortem_published_at": None}


def _incident(
    team: Team, opened: datetime, days: list[date], rng: random.Random, cause: str | None = None
) -> Row:
    severity, _, slow = rng.choices(SEVERITIES, [share for _, share, _ in SEVERITIES])[0]
    steady, factor = _sprint(team, opened.date(), days[-1])
    spread = rng.uniform(0.92, 1.08) if steady else rng.lognormvariate(-0.08, 0.4)
    minutes = team.mttr_minutes * factor * (1.0 if steady else slow) * spread
    acknowledged = min(
        minutes * 0.6, {"p1": 4, "p2": 8, "p3": 16, "p4": 45}[severity] * rng.uniform(0.4, 1.6)
    )
    resolved = opened + timedelta(seconds=round(minutes * 60))
    is_over = resolved < at(days[-1] + timedelta(days=1), 0)
    published = None
    if is_over and severity in ("p1", "p2") and rng.random() < 0.86:
        published = resolved + timedelta(days=rng.uniform(1, 6.5))
    return {
        "title": rng.choice(TITLES),
        "severity": severity,
        "opened_at": opened,
        "acknowledged_at": opened + timedelta(seconds=round(acknowledged * 60)),
        "resolved_at": resolved if is_over else None,
        "caused_by": cause,
        "postmortem_required": None,
        "postmortem_published_at": published and published.replace(microsecond=0),
    }


def _sprint(team: Team, day: date, last: date) -> tuple[bool, float]:
    """Within the last four sprints durations are steady around the team's factor of that sprint."""
    for sprint, factor in zip(completed_sprints(14, last, 4), team.sprint_factors, strict=True):
        if sprint.start <= day <= sprint.end:
            return True, factor
    return False, team.sprint_factors[-1 if day > last - timedelta(days=14) else 0]


def _objectives(team: Team, days: list[date], rng: random.Random) -> tuple[list[Row], list[Row]]:
    objectives: list[Row] = []
    rows: list[Row] = []
    for n in range(team.objectives):
        name, kind, target = SLO_KINDS[n % len(SLO_KINDS)]
        key = f"SLO-{n + 1:03d}"
        objectives.append(
            {
                "key": key,
                "name": f"{team.name}: {name}",
                "type": kind,
                "target_percent": target,
                "window_days": 30,
            }
        )
        volume = 10 ** rng.uniform(4.6, 6.2)
        allowed = 1 - target / 100
        for day in days:
            ago = (days[-1] - day).days
            if team.silent_objective and n == team.objectives - 1 and ago < 45:
                continue
            total = round(
                volume * (0.55 + 0.45 * min(1.0, _pace(day, days))) * rng.uniform(0.9, 1.1)
            )
            burn = rng.uniform(0.15, 0.7) * (rng.uniform(4, 9) if rng.random() < 0.02 else 1.0)
            if team.exhausted and n == 0 and ago < 16:
                burn = rng.uniform(2.2, 3.4) + (4 if ago < 2 else 0)
            bad = min(total, round(total * allowed * burn))
            rows.append(
                {
                    "key": key,
                    "day": day,
                    "good": total - bad,
                    "total": total,
                    "burn_1h_max": round(burn * rng.uniform(1.4, 3.5), 2),
                    "burn_6h_max": round(burn * rng.uniform(1.1, 1.6), 2),
                }
            )
    return objectives, rows


def _controls(team: Team, first: date, last: date, rng: random.Random) -> list[Row]:
    rows: list[Row] = []
    for framework, passing in team.frameworks.items():
        for n, control in enumerate(CONTROLS[framework]):
            rows += _assessments(team, framework, control, n, passing, first, last, rng)
    return rows


def _assessments(
    team: Team,
    framework: str,
    control: str,
    n: int,
    passing: float,
    first: date,
    last: date,
    rng: random.Random,
) -> list[Row]:
    """A control assessed every quarter or so; its last evidence runs past the end."""
    times, day = [], first - timedelta(days=rng.randint(0, 80))
    while day < last - timedelta(days=24):
        times.append(day)
        day += timedelta(days=rng.randint(70, 100))
    is_story = framework == "SOC2"
    good = rng.random() < passing or (is_story and n < 8)
    other = rng.choice(("partial", "non_compliant", "non_compliant", "not_assessed"))
    rows = []
    for i, when in enumerate(times):
        newest = i == len(times) - 1
        result = "compliant" if good or rng.random() < 0.3 else other
        if newest and not good:
            result = other
        until = when + timedelta(days=140)
        if newest:
            until = last + timedelta(days=rng.randint(12, 220))
        if is_story and newest and team.lapses_in is not None and n == 3:
            until = last + timedelta(days=team.lapses_in)
        if is_story and newest and n < team.lapsed:
            until = last - timedelta(days=6 + n)
        rows.append(_result(framework, control, at(when, 11), result, at(until, 12)))
    if is_story and n < team.soc2_drop:
        when = last - timedelta(days=18 - 3 * n)
        rows.append(_result(framework, control, at(when, 15), "non_compliant", None))
    return rows


def _result(
    framework: str, control: str, when: datetime, result: str, until: datetime | None
) -> Row:
    return {
        "framework": framework,
        "control": control,
        "assessed_at": when,
        "result": result,
        "valid_until": until if result == "compliant" else None,
    }


def _ends(n: int, rng: random.Random) -> int:
    """Most certificates live for 90 days, every third for a year."""
    return rng.randint(95, 330) if n % 3 == 0 else rng.randint(33, 89)


def _certificates(team: Team, first: date, last: date, rng: random.Random) -> list[Row]:
    """Each host renews a month before its certificate expires, but for those that forgot."""
    rows: list[Row] = []
    for n in range(team.certificates + rng.randint(-4, 6)):
        host = f"{rng.choice(('api', 'www', 'mqtt', 'admin', 'cdn'))}{n + 1}.{team.slug}.example"
        ends = last + timedelta(
            days=team.expiring[n] if n < len(team.expiring) else rng.randint(33, 91)
        )
        chain = []
        while ends > first and ends > last - timedelta(days=400):
            chain.append(ends)
            ends -= timedelta(days=60)
        for i, end in enumerate(chain):
            renewed = None if i == 0 else at(end - timedelta(days=30), 3)
            starts = at(end - timedelta(days=90), 3)
            rows.append(
                {
                    "fingerprint": f"{rng.getrandbits(256):064x}",
                    "host": host,
                    "port": 443,
                    "subject": f"CN={host}",
                    "issuer": "CN=Example Issuing CA",
                    "not_before": starts,
                    "not_after": at(end, 3) + timedelta(seconds=rng.randint(0, 3600)),
                    "revoked_at": None,
                    "superseded_at": renewed,
                    "first_seen": starts + timedelta(hours=2),
                    "last_seen": renewed or at(last, 23),
                }
            )
    return rows


def _vendors(team: Team, last: date, rng: random.Random) -> tuple[list[Row], list[Row]]:
    vendors: list[Row] = []
    reviews: list[Row] = []
    names = rng.sample(SUPPLIERS, min(team.vendors, len(SUPPLIERS)))
    for n, name in enumerate(names):
        key, tier = f"VEN-{n + 1:03d}", 1 if n < 4 else rng.choice((2, 2, 3, 4))
        vendors.append(
            {
                "key": key,
                "name": name,
                "tier": tier,
                "status": "active" if n < 4 or rng.random() < 0.85 else "suspended",
                "added_on": last - timedelta(days=rng.randint(420, 1200)),
            }
        )
        if n < team.never_reviewed:
            continue
        age = rng.randint(15, 340)
        if team.never_reviewed <= n < team.never_reviewed + team.overdue:
            age = 365 + rng.randint(12, 75)
        for done in (last - timedelta(days=age + 360), last - timedelta(days=age)):
            reviews.append(
                {"vendor": key, "completed_on": done, "next_due_on": done + timedelta(days=365)}
            )
    return vendors, reviews
