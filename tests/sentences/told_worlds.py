"""Small organisations, each made so that a certain sentence is said of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from aggregators.vocabulary.period import Ask, completed_sprints
from tests.generated import LAST
from tests.plain.records import Records

BEFORE = LAST - timedelta(days=1)
TODAY = Ask(None, LAST, LAST)
"""A period of one day, compared with the day before it."""


def noon(day) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def incidents(*spans: tuple[datetime, datetime | None]) -> list[dict]:
    return [
        {
            "key": f"INC-{n:04d}",
            "severity": "p3",
            "opened_at": opened,
            "acknowledged_at": None,
            "resolved_at": resolved,
            "caused_by": None,
            "postmortem_required": None,
            "postmortem_published_at": None,
            "left_out": None,
            "is_over": resolved is not None,
        }
        for n, (opened, resolved) in enumerate(spans)
    ]


def open_incidents(before: int, now: int) -> Records:
    """So many open at the end of the day before, and of the last."""
    start = noon(BEFORE)
    still, fresh = min(before, now), max(0, now - before)
    spans = [(start, None)] * still + [(noon(LAST), None)] * fresh
    spans += [(start, noon(LAST))] * (before - still)
    return Records(incident=incidents(*spans), days={BEFORE, LAST})


def first_p1() -> Records:
    """No incident ever, until one of the last day."""
    (row,) = incidents((noon(LAST), None))
    return Records(incident=[{**row, "severity": "p1"}], days={BEFORE, LAST})


def deployments(before: tuple[int, int], now: tuple[int, int]) -> Records:
    """So many failed of so many ended, the day before and on the last."""
    rows = [
        {
            "key": f"{day:%j}-{n}",
            "completed_at": noon(day) + timedelta(seconds=n),
            "created_at": None,
            "environment": "production",
            "production": True,
            "outcome": "failed" if n < failed else "successful",
            "left_out": None,
            "service": None,
        }
        for day, (failed, ended) in ((BEFORE, before), (LAST, now))
        for n in range(ended)
    ]
    return Records(deployment=rows, days={BEFORE, LAST})


def certificates(count: int) -> Records:
    """So many that expire in ten days."""
    rows = [
        {
            "fingerprint": f"f{n}",
            "names": None,
            "host": "",
            "port": 0,
            "not_before": noon(BEFORE) - timedelta(days=30),
            "not_after": noon(LAST) + timedelta(days=10),
            "first_seen": None,
            "revoked_at": None,
            "superseded_at": None,
        }
        for n in range(count)
    ]
    return Records(certificate=rows, days={BEFORE, LAST})


def climbing(minutes: Sequence[float]) -> Records:
    """Three incidents a sprint that took so long."""
    spans = []
    sprints = completed_sprints(14, LAST, len(minutes))
    for sprint, mean in zip(sprints, minutes, strict=True):
        for n in range(3):
            opened = noon(sprint.start + timedelta(days=2 + n))
            spans.append((opened, opened + timedelta(minutes=mean)))
    first = sprints[0].start
    days = {first + timedelta(days=n) for n in range((LAST - first).days + 1)}
    return Records(incident=incidents(*spans), days=days)


def worlds() -> Iterator[tuple[str, list[Records], Ask]]:
    """A world for each sentence that generated organisations hardly ever make, by its checker's name."""
    yield "hoarded", [certificates(8), certificates(1)], TODAY
    yield "spread", [certificates(4), certificates(4), certificates(3)], TODAY
    yield "climb", [climbing((40, 50, 60, 70)), climbing((40, 50, 60, 80))], Ask(28)
    yield "equally", [open_incidents(0, 1), open_incidents(1, 2), open_incidents(2, 2)], TODAY
    yield "several_most", [open_incidents(1, 3), open_incidents(1, 3), open_incidents(1, 2)], TODAY
    yield "mostly_offset", [open_incidents(0, 8), open_incidents(7, 0), open_incidents(1, 1)], TODAY
    yield "nobody_moved_it", [deployments((0, 180), (1, 180)) for _ in range(12)], TODAY
    yield "only_one_expires", [certificates(1), certificates(0), open_incidents(0, 0)], TODAY
    yield "beyond", [first_p1(), open_incidents(1, 1)], Ask(7)
    yield "moved_with_it", [deployments((2, 60), (30, 60)), deployments((0, 12), (0, 12))], TODAY
    yield "worst_rate", [deployments((2, 9), (3, 9)), deployments((0, 12), (0, 12))], TODAY


def many(workspaces: int) -> list[Records]:
    """An organisation of so many workspaces, no two alike."""
    return [
        Records(
            deployment=deployments((n % 3, 5 + n % 7), (n % 4, 4 + n % 11)).deployment,
            incident=open_incidents(n % 5, (n * 7) % 6).incident,
            certificate=certificates(n % 9 == 0).certificate,
            days={BEFORE, LAST} if n % 13 else {LAST},
        )
        for n in range(workspaces)
    ]
