"""What a reader gets: figures with their evidence, cards, scorecards, answers, the dashboard.

Plain frozen data, complete in itself: the page, the API and the PDF are pure functions of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import NDArray

from aggregators.measure import Domain, Measure, Status, Unit
from aggregators.period import Period, Span

if TYPE_CHECKING:
    from aggregators.facts import Facts

Point = tuple[date, float | None]
Series = Sequence[Point]
"""Points (day, value), ascending; None is a gap."""


class Points(Sequence[Point]):
    """A series as its days and an array of values, NaN for a gap: points are made when looked at."""

    __slots__ = ("days", "values")

    def __init__(self, days: Sequence[date], values: NDArray[np.float64]) -> None:
        self.days, self.values = days, values

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, at: int) -> Point: ...
    @overload
    def __getitem__(self, at: slice) -> Series: ...

    def __getitem__(self, at: int | slice) -> Point | Series:
        if isinstance(at, slice):
            return Points(self.days[at], self.values[at])
        return self.days[at], _known(float(self.values[at]))

    def __iter__(self) -> Iterator[Point]:
        return zip(self.days, map(_known, self.values.tolist()), strict=True)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a figure rests on. ``name`` is the object that holds a maximum or minimum."""

    numerator: float | None = None
    denominator: float | None = None
    n: float | None = None
    days_seen: int = 0
    days_expected: int = 0
    name: str | None = None
    workspace: str | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure over one period and scope, with the period before.

    ``value``, ``previous``, ``delta`` are in the measure's unit (durations seconds, ratios 0..1);
    None is no data. ``over_budget`` marks an infinite burn, whose value is None. ``comparable`` is
    False when fewer than half of the previous period's days were seen. ``group`` names the group
    (framework) that the figure is of.
    """

    measure: Measure
    value: float | None = None
    previous: float | None = None
    comparable: bool = False
    low_sample: bool = False
    over_budget: bool = False
    evidence: Evidence = Evidence()
    previous_evidence: Evidence = Evidence()
    series: Series = ()
    previous_series: Series = ()
    group: str | None = None
    by: Mapping[str, Figure] | None = None

    @property
    def delta(self) -> float | None:
        """This period less the previous one; None when they can not be compared."""
        if self.value is None or self.previous is None or not self.comparable:
            return None
        return self.value - self.previous

    @property
    def relative_delta(self) -> float | None:
        """The change as a fraction of the previous value; None for ratios and from 0."""
        if self.delta is None or not self.previous or self.measure.unit is Unit.RATIO:
            return None
        return self.delta / abs(self.previous)

    @property
    def delta_unit(self) -> str:
        """Ratios move in percentage points, everything else in its own unit."""
        return "points" if self.measure.unit is Unit.RATIO else self.measure.unit.value

    @property
    def status(self) -> Status:
        """Good, watch, bad or no data, by the measure's thresholds."""
        return Status.BAD if self.over_budget else self.measure.status(self.value)

    @property
    def has_data(self) -> bool:
        """Whether there is a figure at all."""
        return self.value is not None or self.over_budget

    @property
    def change(self) -> str:
        """``better``, ``worse``, ``same`` or ``none`` (no comparison)."""
        if self.delta is None:
            return "none"
        if abs(self.delta) < 1e-12:
            return "same"
        return "worse" if self.measure.badness(self.delta) > 0 else "better"

    @property
    def tone(self) -> Status:
        """How loud the change is: bad when it got worse and stands bad, watch when it got worse."""
        if self.change != "worse":
            return Status.NO_DATA if self.change == "none" else Status.GOOD
        return Status.BAD if self.status is Status.BAD else Status.WATCH


@dataclass(frozen=True, slots=True)
class Card:
    """One workspace in one domain. ``rank`` counts from 1, worst first, by the headline measure."""

    slug: str
    name: str
    rank: int
    href: str
    figures: Mapping[str, Figure]
    accent: str | None = None


@dataclass(frozen=True, slots=True)
class Scorecard:
    """One domain: the org's figures by measure key, and its cards worst first by the headline.

    ``snapshot_at`` is when the newest contributing snapshot was computed, ``oldest_snapshot_day``
    the earliest last day among the workspaces (None without any snapshot). ``facts`` are those behind
    the figures, for ``contributions``; None where no card is told, or where the scorecard was kept.
    """

    domain: Domain
    figures: Mapping[str, Figure]
    cards: Sequence[Card] = ()
    snapshot_at: datetime | None = None
    oldest_snapshot_at: datetime | None = None
    oldest_snapshot_day: date | None = None
    facts: Facts | None = field(default=None, repr=False, compare=False)

    @property
    def headline(self) -> Figure:
        """The tile's figure."""
        return self.figures[self.domain.headline]

    @property
    def is_empty(self) -> bool:
        """No workspace has any figure in this domain."""
        return not any(f.has_data for f in self.figures.values())

    @property
    def why_empty(self) -> str | None:
        """Why it has no figure; None where it has one."""
        return _why_empty(self.domain, self.figures) if self.is_empty else None


NO_SNAPSHOT_THEN = "No snapshot was made in this period or before it."


def _why_empty(domain: Domain, figures: Mapping[str, Figure]) -> str:
    """What was never recorded, but for days that nobody looked at: of those nothing is known."""
    looked = any(f.has_data or f.evidence.days_seen for f in figures.values())
    return domain.empty if looked else NO_SNAPSHOT_THEN


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the four questions, answered. ``question`` is its short title; ``figure`` the value as
    words ("31.0 %"); ``sentence`` whole; ``workspace`` a slug or None; ``found`` False for "nothing
    to report"."""

    key: str
    question: str
    sentence: str
    found: bool = False
    figure: str = ""
    workspace: str | None = None
    workspace_name: str | None = None
    href: str | None = None
    evidence: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which workspaces count; ``accents`` are the colours of those that have one. ``left_out`` by
    reason (``inactive``, ``other_region``) as names; ``unavailable`` the slugs whose data could not be
    read."""

    slugs: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    accents: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unavailable: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """All workspaces where the viewer holds platform_admin."""
        return len(self.slugs) + sum(map(len, self.left_out.values()))


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The whole answer to one GET. ``as_of`` is None, and ``scorecards`` without figures, before the
    first snapshot."""

    organisation: str
    time_zone: str
    as_of: date | None
    snapshot_at: datetime | None
    period: Period
    scope: Scope
    scorecards: tuple[Scorecard, ...] = ()
    answers: tuple[Answer, ...] = ()
    version: str = ""
    now: datetime | None = None

    def without_facts(self) -> Dashboard:
        """The same without what only contributions need."""
        return replace(self, scorecards=tuple(replace(s, facts=None) for s in self.scorecards))

    def only(self, domains: Sequence[str]) -> Dashboard:
        """The same with some of the domains; all when none is named."""
        if not domains:
            return self
        return replace(
            self, scorecards=tuple(s for s in self.scorecards if s.domain.key in domains)
        )

    def scorecard(self, key: str) -> Scorecard:
        """The scorecard of a domain. Raises KeyError."""
        for scorecard in self.scorecards:
            if scorecard.domain.key == key:
                return scorecard
        raise KeyError(key)


@dataclass(frozen=True, slots=True)
class WorkspaceView:
    """One domain of one workspace, for a member of it: the same figures as its card.

    ``role`` is the viewer's there; ``is_platform_admin`` whether they may go back to the executive
    page. ``as_of`` is None before the workspace's first snapshot.
    """

    slug: str
    name: str
    domain: Domain
    figures: Mapping[str, Figure]
    period: Period
    as_of: date | None
    snapshot_at: datetime | None
    time_zone: str
    role: str
    is_platform_admin: bool
    accent: str | None = None
    organisation: str = ""

    @property
    def why_empty(self) -> str:
        """Why it has no figure."""
        why = _why_empty(self.domain, self.figures)
        return why.replace("No workspace in scope has", f"{self.name} has not")


@dataclass(frozen=True, slots=True)
class LiveView:
    """The figures from the records at ``at``, over ``span``, beside the view of the snapshot."""

    snapshot: WorkspaceView
    figures: Mapping[str, Figure]
    span: Span
    at: datetime
