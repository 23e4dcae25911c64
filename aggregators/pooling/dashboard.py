"""A dashboard as its reader gets it: scorecards, answers, scope; and the view of a single workspace.

Plain frozen data, complete in itself: the page, the API and the PDF are pure functions of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from aggregators.chosen.annotations import Annotation, of_figure
from aggregators.pooling.cards import Cards
from aggregators.pooling.facts import Facts
from aggregators.pooling.figures import Figure
from aggregators.vocabulary import formats
from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.period import Period, Span

NO_SNAPSHOT_THEN = "No snapshot was made in this period or before it."


@dataclass(frozen=True, slots=True)
class SeenDays:
    """Days that were looked at at all: how many of the period have a snapshot of any workspace, and the day
    of the last one in the period or before it."""

    within: int
    last: date | None

    @property
    def why_none(self) -> str | None:
        """Why nothing is known of the period; None where a day of it was looked at."""
        if self.within:
            return None
        if self.last is None:
            return NO_SNAPSHOT_THEN
        last = formats.day(self.last)
        return f"No snapshot was made in this period; the last one before it is of {last}."


@dataclass(frozen=True, slots=True)
class Scorecard:
    """A domain: the organisation's figures by measure key, and its cards worst first by the headline.

    ``snapshot_at`` is when the newest contributing snapshot was computed, ``oldest_snapshot_day``
    the earliest last day among the workspaces (None without any snapshot). ``facts`` are those behind
    the figures, for ``contributions``; None where no card is told, or where the scorecard was kept.
    ``seen`` are the days of the period that any workspace in scope was looked at, of whatever domain,
    ``annotations`` what people noted on them of this one.
    """

    domain: Domain
    figures: Mapping[str, Figure]
    cards: Cards
    snapshot_at: datetime | None = None
    oldest_snapshot_day: date | None = None
    facts: Facts | None = field(default=None, repr=False, compare=False)
    seen: SeenDays = SeenDays(0, None)
    annotations: tuple[Annotation, ...] = ()

    def notes_of(self, measure_key: str, slug: str | None = None) -> list[Annotation]:
        """Annotations of a measure's figure: the organisation's, and of a workspace its own."""
        return of_figure(self.annotations, self.domain.key, measure_key, slug)

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
        return _why_empty(self.domain, self.seen) if self.is_empty else None


def _why_empty(domain: Domain, seen: SeenDays) -> str:
    """The domain's own reason where a day was looked at; of days that nobody looked at nothing is known."""
    return seen.why_none or domain.empty


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer to a question of the page. ``question`` is its short title; ``figure`` the value as
    words ("31.0 %"); ``sentence`` whole; ``workspace`` a slug or None; ``found`` False for "nothing
    to report"; ``measure`` the key of the one that it is about; ``further`` the names of other workspaces
    that the sentence tells."""

    key: str
    question: str
    sentence: str
    found: bool = False
    figure: str = ""
    workspace: str | None = None
    workspace_name: str | None = None
    href: str | None = None
    evidence: Mapping[str, object] = field(default_factory=dict)
    measure: str = ""
    further: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class DashboardScope:
    """Workspaces that count; ``accents`` are the colours of those that have one. ``left_out`` by
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
    scope: DashboardScope
    scorecards: tuple[Scorecard, ...] = ()
    answers: tuple[Answer, ...] = ()
    version: str = ""
    now: datetime | None = None
    annotations: tuple[Annotation, ...] = ()

    def without_facts(self) -> Dashboard:
        """A dashboard without the facts, which only contributions need."""
        return replace(self, scorecards=tuple(replace(s, facts=None) for s in self.scorecards))

    def only(self, domains: Sequence[str]) -> Dashboard:
        """A dashboard with some of the domains; all when none is named."""
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
    """A domain of one workspace, for a member of it: the same figures as its card.

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
    seen: SeenDays = SeenDays(0, None)
    annotations: tuple[Annotation, ...] = ()

    @property
    def why_empty(self) -> str:
        """Why its headline has no figure: a period without events, or nothing set up at all."""
        if any(figure.has_data for figure in self.figures.values()):
            return (
                f"No data for “{self.domain.measure(self.domain.headline).title}” in this period."
            )
        why = _why_empty(self.domain, self.seen)
        return why.replace("No workspace in scope has", f"{self.name} has not")


@dataclass(frozen=True, slots=True)
class LiveView:
    """The figures from the records at ``at``, over ``span``, beside the view of the snapshot."""

    snapshot: WorkspaceView
    figures: Mapping[str, Figure]
    span: Span
    at: datetime
