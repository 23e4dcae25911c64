"""A KPI domain as it is declared: its measures, its page, its records, the picture of its workspaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from aggregators.vocabulary.listing import Listing
from aggregators.vocabulary.measure import Measure, Nature

USAGE, COMPLIANCE = "workspace_usage_snapshot", "compliance_snapshot_history"
SLUG = "{slug}"
"""Stands in a domain's ``workspace_page`` where the slug of a workspace does."""
LAST = 1_000
"""Order of a domain that declares none: after those that do, by its key."""


@dataclass(frozen=True, slots=True)
class CountsAs:
    """Rule of what counts as one of a domain's things; ``elsewhere`` says where other tools differ."""

    thing: str
    rule: str
    elsewhere: str = ""


@dataclass(frozen=True, kw_only=True)
class Domain:
    """A KPI domain: everything that the tile, cards, API, PDF and documentation derive from.

    ``headline`` is the tile's figure and the default ranking; ``supporting`` the measures beneath
    it; ``ties`` the measures that decide between equal headlines; ``worst_by`` the measure by which
    the tile names its worst workspace (the headline when None). ``by`` is the
    column that names a group when the domain has one figure per group and never pools across groups.
    ``unread`` are levels that its snapshot keeps although no measure reads them.
    ``ones`` say what counts as one of its things, for people who compare figures with another tool's.
    ``picture`` names the layout of the expansion: cards, matrix or bars. ``page_query`` is added to
    links into ``workspace_page``. ``records`` is what the workspace page lists beneath the figures.
    """

    key: str
    title: str
    order: int = LAST
    headline: str
    workspace_page: str
    measures: tuple[Measure, ...]
    supporting: tuple[str, ...]
    ties: tuple[str, ...] = ()
    worst_by: str | None = None
    by: str | None = None
    unread: tuple[str, ...] = ()
    picture: str = "cards"
    empty: str = "No data in this period."
    columns: tuple[str, ...] = ()
    cell_queries: Mapping[str, str] = field(default_factory=dict)
    drop_alert: float | None = None
    records: Listing | None = None
    ones: tuple[CountsAs, ...] = ()

    def __post_init__(self) -> None:
        keys = [m.key for m in self.measures]
        if len(set(keys)) != len(keys):
            raise ValueError(f"{self.key}: a measure key stands twice")
        named = {self.headline, *self.supporting, *self.ties, *self.columns, *self.cell_queries}
        named |= {self.worst_by} - {None}  # type: ignore[arg-type]
        named |= {b for m in self.measures for b in m.beside}
        if unknown := named - set(keys):
            raise ValueError(f"{self.key}: no measure {', '.join(sorted(unknown))}")
        self.natures()

    @property
    def table(self) -> str:
        """The snapshot table of its facts: the one that all domains without groups share, or its own."""
        return f"{self.key}_snapshot_history" if self.by else USAGE

    def measure(self, key: str) -> Measure:
        """The measure with that key. Raises KeyError."""
        for measure in self.measures:
            if measure.key == key:
                return measure
        raise KeyError(key)

    @property
    def target(self) -> float | None:
        """Target of its headline; None where it has none."""
        aim = self.measure(self.headline).aim
        return aim.value if aim else None

    def natures(self) -> dict[str, Nature]:
        """Every fact that its measures read. Raises ValueError when two disagree on one."""
        return dict(self._natures)

    @cached_property
    def _natures(self) -> Mapping[str, Nature]:
        """Looked up once: a night asks thousands of times."""
        natures: dict[str, Nature] = {}
        for measure in self.measures:
            for fact, nature in measure.natures().items():
                if natures.setdefault(fact, nature) is not nature:
                    raise ValueError(f"{self.key}: {fact} is both {natures[fact]} and {nature}")
        return natures

    def labels(self) -> set[str]:
        """The label columns that its measures are named by."""
        return {m.named_by for m in self.measures if m.named_by}

    def page(self, slug: str) -> str:
        """The path of its page in a workspace."""
        return self.pages([slug])[0]

    def pages(self, slugs: Sequence[str]) -> list[str]:
        """The path of its page in each of some workspaces."""
        before, after = self.workspace_page.split(SLUG)
        return [f"{before}{slug}{after}" for slug in slugs]
