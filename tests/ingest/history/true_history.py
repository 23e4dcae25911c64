"""A true history of a workspace's incidents and deployments, and the ways in which senders tell it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate

from hypothesis import strategies as st

from tests.plain.records import UTC as ZONE
from tests.plain.records import Row

BEGIN = datetime(2026, 11, 10, tzinfo=ZONE)
MINUTES = 3 * 1440 - 600
TERMINAL = {"success": "successful", "failure": "failed", "error": "failed"}
GAPS = st.lists(st.integers(1, 300), min_size=1, max_size=7)


@dataclass(frozen=True)
class Step:
    """Something that happened to an incident: acknowledge, resolve, reopen, or a new priority."""

    at: datetime
    verb: str
    priority: str


@dataclass(frozen=True)
class Trouble:
    """An incident as it really was; its last step may merge it into another, ``part_of``; ``cause`` is the
    number of the deployment that caused it."""

    key: str
    opened: datetime
    priority: str
    steps: tuple[Step, ...] = ()
    part_of: str | None = None
    cause: int | None = None

    @property
    def final_priority(self) -> str:
        """The priority after its last step."""
        return self.steps[-1].priority if self.steps else self.priority

    def instants(self, *verbs: str) -> list[datetime]:
        """Instants of the steps of these verbs."""
        return [step.at for step in self.steps if step.verb in verbs]


@dataclass(frozen=True)
class TrueDeployment:
    """A deployment as it really went: its statuses in time, and the commits that it lists."""

    number: int
    service: str
    is_production: bool
    created: datetime
    statuses: tuple[tuple[datetime, str], ...]
    commits: tuple[int, ...]

    @property
    def environment(self) -> str:
        """Name of the environment."""
        return "production" if self.is_production else "staging"


@dataclass(frozen=True)
class History:
    """All that happened; ``undone`` are roll-backs: when, and of which service's production."""

    troubles: tuple[Trouble, ...]
    deliveries: tuple[TrueDeployment, ...]
    undone: tuple[tuple[datetime, str], ...]


def clock(minutes: int, seconds: int = 0) -> datetime:
    """An instant of the history; the seconds keep two things from happening at once."""
    return BEGIN + timedelta(minutes=minutes, seconds=seconds)


def committed(commit: int) -> datetime:
    """When a commit was made."""
    return BEGIN - timedelta(hours=3 * commit + 1)


@st.composite
def troubles(draw: st.DrawFn, number: int) -> Trouble:
    """An incident that is acknowledged, resolved and reopened in any order that a person could do it."""
    start = draw(st.integers(0, MINUTES - 2200))
    opened = clock(start, number)
    priority = draw(st.sampled_from(["P1", "P2", "P3", "P4"]))
    steps: list[Step] = []
    is_open, current = True, priority
    for gone in accumulate(draw(GAPS)):
        verbs = ["acknowledge", "resolve", "priority"] if is_open else ["reopen"]
        verb = draw(st.sampled_from(verbs))
        if verb == "priority":
            current = draw(st.sampled_from(["P1", "P2", "P3", "P4"]))
        is_open = verb != "resolve"
        steps.append(Step(clock(start + gone, number), verb, current))
    return Trouble(f"Q{number}", opened, priority, tuple(steps))


@st.composite
def deliveries(draw: st.DrawFn, number: int) -> TrueDeployment:
    """A deployment with failures and retries."""
    start = draw(st.integers(0, MINUTES - 2200))
    states = st.sampled_from(["queued", "in_progress", "success", "failure", "error", "inactive"])
    statuses = [(clock(start + gone, number), draw(states)) for gone in accumulate(draw(GAPS))]
    return TrueDeployment(
        number,
        draw(st.sampled_from(["shop", "desk"])),
        draw(st.integers(0, 3)) > 0,
        clock(start, number),
        tuple(statuses),
        tuple(draw(st.lists(st.integers(0, 5), max_size=3, unique=True))),
    )


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Up to four incidents, one of which may be merged into another, deployments and roll-backs."""
    happened = [draw(troubles(n)) for n in range(draw(st.integers(1, 4)))]
    if len(happened) > 1 and draw(st.booleans()):
        child = happened[-1]
        open_steps = tuple(s for s in child.steps if s.verb in ("acknowledge", "priority"))
        last = max([child.opened, *(s.at for s in open_steps)]) + timedelta(minutes=1)
        priority = open_steps[-1].priority if open_steps else child.priority
        steps = (*open_steps, Step(last, "merge", priority))
        happened[-1] = Trouble(child.key, child.opened, child.priority, steps, happened[0].key)
    released = [draw(deliveries(n)) for n in range(1, draw(st.integers(1, 5)) + 1)]
    causes = st.none() | st.sampled_from([d.number for d in released])
    happened = [replace(t, cause=draw(causes)) for t in happened]
    instants = draw(st.lists(st.integers(0, MINUTES), max_size=2, unique=True))
    undone = tuple((clock(at, 30), draw(st.sampled_from(["shop", "desk"]))) for at in instants)
    return History(tuple(happened), tuple(released), undone)


# The records of a history, by the definitions and nothing else


def family(trouble: Trouble, history: History) -> list[Trouble]:
    """An incident and those that were merged into it."""
    return [trouble, *(t for t in history.troubles if t.part_of == trouble.key)]


def incident_rows(history: History) -> list[Row]:
    """The incidents that count: from the first sign to the final end."""
    rows = []
    for trouble in history.troubles:
        if trouble.part_of:
            continue
        signs = [t.opened for t in family(trouble, history)]
        turns = [s for s in trouble.steps if s.verb in ("resolve", "reopen")]
        ended = turns[-1].at if turns and turns[-1].verb == "resolve" else None
        seen = [a for t in family(trouble, history) for a in t.instants("acknowledge")]
        seen = [a for a in seen if ended is None or a <= ended]
        rows.append(
            incident_row(
                trouble.key, min(signs), min(seen, default=None), ended, trouble.final_priority
            )
        )
    return rows


def caused_rows(history: History) -> list[Row]:
    """The incidents that count, each with the deployment that caused it."""
    causes = {t.key: str(t.cause) for t in standing(history) if t.cause is not None}
    return [row | {"caused_by": causes.get(row["key"])} for row in incident_rows(history)]


def cause_rows(history: History) -> list[Row]:
    """Incidents as a person notes their causes: key, first sign and cause."""
    told = ("key", "opened_at", "caused_by")
    return [{name: row[name] for name in told} for row in caused_rows(history) if row["caused_by"]]


def incident_row(
    key: str, opened: datetime, seen: datetime | None, ended: datetime | None, priority: str
) -> Row:
    """An incident as it is stored."""
    return {
        "key": key,
        "opened_at": opened,
        "acknowledged_at": seen,
        "resolved_at": ended,
        "severity": priority.lower(),
        "caused_by": None,
    }


def alert_rows(history: History) -> list[Row]:
    """The incidents that an alert can tell: each time it fired is one, and nobody acknowledges it."""
    rows = []
    for row, trouble in zip(incident_rows(history), standing(history), strict=True):
        for start, end in spans(row["opened_at"], trouble):
            rows.append(incident_row(trouble.key, start, None, end, trouble.final_priority))
    return rows


def standing(history: History) -> list[Trouble]:
    """Incidents that were not merged into another."""
    return [t for t in history.troubles if not t.part_of]


def spans(opened: datetime, trouble: Trouble) -> list[tuple[datetime, datetime | None]]:
    """When an incident was open: from each opening to the end after it."""
    starts = [opened, *trouble.instants("reopen")]
    ends = trouble.instants("resolve")
    return [(start, min((e for e in ends if e > start), default=None)) for start in starts]


def deployment_rows(history: History) -> list[Row]:
    """The deployments that ended: with their last terminal status."""
    rows = []
    for delivery in history.deliveries:
        ends = [(at, TERMINAL[state]) for at, state in delivery.statuses if state in TERMINAL]
        if ends:
            row = {"key": str(delivery.number), "service": delivery.service}
            row |= {"environment": delivery.environment, "created_at": delivery.created}
            rows.append(row | {"completed_at": max(ends)[0], "outcome": max(ends)[1]})
    return rows


def change_rows(history: History) -> list[Row]:
    """The commits that each ended deployment lists."""
    ended = {row["key"] for row in deployment_rows(history)}
    return [
        {"deployment": str(d.number), "key": f"c{d.service}{c}", "committed_at": committed(c)}
        for d in history.deliveries
        if str(d.number) in ended
        for c in d.commits
    ]


def roll_back_rows(history: History) -> list[Row]:
    """The roll-backs."""
    return [
        {"key": f"u{n}", "rolled_back_at": at, "service": service, "environment": "production"}
        for n, (at, service) in enumerate(history.undone)
    ]
