"""Compliance frameworks: assessments of their controls, and how long the evidence lasts. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from aggregators.records.demo import Cause, Row, Rows, Team, Window


def _numbered_controls(prefix: str, *counts: int) -> list[str]:
    """CC1.1, CC1.2 ... CC2.1 ...: as many per section as ``counts`` says."""
    return [f"{prefix}{s}.{n}" for s, most in enumerate(counts, 1) for n in range(1, most + 1)]


CONTROLS: Mapping[str, Sequence[str]] = {
    "SOC2": (
        *_numbered_controls("CC", 5, 3, 4, 2, 3, 8, 5, 1, 2),
        *_numbered_controls("A", 3),
        *_numbered_controls("C", 2),
        *_numbered_controls("PI", 5),
        *_numbered_controls("P", 1, 1),
    ),
    "ISO27001": (
        *(f"A.5.{n}" for n in range(1, 38)),
        *(f"A.8.{n}" for n in range(1, 24)),
    ),
    "HIPAA": (
        *(f"164.308(a)({n})" for n in range(1, 9)),
        *(f"164.308(b)({n})" for n in range(1, 4)),
        *(f"164.310(a)(2)({n})" for n in ("i", "ii", "iii", "iv")),
        *("164.310(a)(1)", "164.310(b)", "164.310(c)", "164.310(d)(1)"),
        *(f"164.310(d)(2)({n})" for n in ("i", "ii", "iii", "iv")),
        *("164.312(a)(1)", "164.312(b)", "164.312(c)(1)", "164.312(d)", "164.312(e)(1)"),
        *(f"164.312(a)(2)({n})" for n in ("i", "ii", "iii", "iv")),
        *("164.314(a)(1)", "164.316(a)", "164.316(b)(1)"),
    ),
}
"""Identifiers only."""

STREAM = "controls"
"""Name of its stream of random numbers."""
STORY = "SOC2"
CADENCES = (30, 30, 61, 91)
"""Days between two assessments of a control."""
MARGIN = (14, 60)
"""Days that evidence lasts beyond the next assessment: nothing lapses between two of them."""
NOT_APPLICABLE = 0.05
GROWTH = 0.12
"""Share of the passing controls that did not when the history began."""
SETTLED = 130
"""Days before the last one since when nothing improves: a story must not drown in good news."""
BETWEEN_DIPS = (200, 260)
"""Days, more than two assessments of any cadence take: at most one control dips at a time."""
NEXT = "CC6.1"
EXPIRED = ("CC9.1", "CC9.2")
FALLEN = ("CC7.1", "CC7.2", "CC7.3", "CC7.4", "CC8.1")
RELIABLE = {NEXT, *EXPIRED, *FALLEN}
"""Controls that pass throughout where no story says otherwise."""
HOUR = 10.0


@dataclass(frozen=True, slots=True)
class ComplianceHabits:
    """Share of a team's controls that pass, by framework; of SOC2's, ``lapsed`` are compliant on expired
    evidence, one lapses in ``lapses_in`` days, and ``dropped`` fell out within the last three weeks."""

    passing: Mapping[str, float] = field(default_factory=lambda: {"SOC2": 0.93})
    dropped: int = 0
    lapsed: int = 0
    lapses_in: int | None = None


def rows(team: Team, window: Window, rng: random.Random, _causes: list[Cause]) -> Rows:
    """Results by table."""
    habits = team.habits_of(ComplianceHabits)
    results: list[Row] = []
    for framework, passing in habits.passing.items():
        standings = _standings(framework, passing, window, rng)
        dips = _dips(window, rng)
        for control in CONTROLS[framework]:
            results += _results(framework, control, window, standings[control], dips, rng)
        if framework == STORY:
            _tell(habits, window, results)
    return {"control_result": results}


def _standings(
    framework: str, passing: float, window: Window, rng: random.Random
) -> dict[str, tuple[date | None, str]]:
    """Since when each control passes (None: not yet), and its result until then.

    Controls come to pass one by one and stay so: a pass rate that falls by more than one control
    at a time is a story, and nobody else's.
    """
    controls = CONTROLS[framework]
    applicable = [c for c in controls if framework == STORY or rng.random() >= NOT_APPLICABLE]
    good = set(rng.sample(applicable, round(passing * len(applicable))))
    if framework == STORY:
        good |= RELIABLE
    standings: dict[str, tuple[date | None, str]] = {}
    for control in controls:
        worse = rng.choice(("partial", "partial", "non_compliant", "not_assessed"))
        since: date | None = window.first - timedelta(days=1000)
        if rng.random() < GROWTH and control not in RELIABLE:
            since = rng.choice(window.days[:-SETTLED] or window.days[:1])
        if control not in good:
            since = None
        standings[control] = (since, worse if control in applicable else "not_applicable")
    return standings


def _dips(window: Window, rng: random.Random) -> Iterator[date]:
    """Days on which one control of the framework fails for a while."""
    day = window.first + timedelta(days=rng.randint(20, 160))
    while day < window.ago(60):
        yield day
        day += timedelta(days=rng.randint(*BETWEEN_DIPS))


def _results(
    framework: str,
    control: str,
    window: Window,
    standing: tuple[date | None, str],
    dips: Iterator[date],
    rng: random.Random,
) -> list[Row]:
    """Assessments of a control at its cadence, from before the first day on."""
    since, worse = standing
    cadence = rng.choice(CADENCES)
    day = window.first - timedelta(days=rng.randint(0, cadence - 1))
    steady = since is not None and since < window.first and control not in RELIABLE
    dip = next(dips, None) if steady and rng.random() < 0.2 else None
    results = []
    while day <= window.last:
        following = day + timedelta(days=cadence + rng.randint(-2, 2))
        passes = since is not None and day >= since
        result = "compliant" if passes else worse
        if passes and dip and day <= dip < following:
            result = "partial"
        until = following + timedelta(days=rng.randint(*MARGIN))
        results.append(_result(framework, control, window, day, result, until))
        day = following
    return results


def _result(
    framework: str, control: str, window: Window, day: date, result: str, until: date | None
) -> Row:
    lasts = until if result == "compliant" else None
    return {
        "framework": framework,
        "control": control,
        "assessed_at": window.at(day, HOUR),
        "result": result,
        "valid_until": lasts and window.at(lasts, 12),
    }


def _tell(habits: ComplianceHabits, window: Window, results: list[Row]) -> None:
    """The team's story, told by the last results of controls that pass."""
    if habits.lapses_in is not None:
        until = window.last + timedelta(days=habits.lapses_in)
        _end(window, results, NEXT, window.ago(60), "compliant", until)
    for n, control in enumerate(EXPIRED[: habits.lapsed]):
        expired = window.ago(5 + 4 * n)
        _end(window, results, control, expired - timedelta(days=60), "compliant", expired)
    for n, control in enumerate(FALLEN[: habits.dropped]):
        _end(window, results, control, window.ago(19 - 3 * n), "non_compliant", None)


def _end(
    window: Window, results: list[Row], control: str, day: date, result: str, until: date | None
) -> None:
    """The control was assessed for the last time on that day."""
    results[:] = [
        row
        for row in results
        if (row["framework"], row["control"]) != (STORY, control)
        or row["assessed_at"] < window.at(day, 0)
    ]
    results.append(_result(STORY, control, window, day, result, until))
