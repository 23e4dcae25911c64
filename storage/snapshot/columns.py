"""Columns of the snapshot tables, as the domains declare them: nothing here is listed by hand but the
counters of Vigilo's own.

A domain without groups has its facts in the usage table, a row a workspace and day. A domain with groups
has a history of its own, a row a workspace, group and day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aggregators.catalogue import DOMAINS
from aggregators.vocabulary.domain import USAGE, Domain
from aggregators.vocabulary.measure import Nature, trailing_quantile
from aggregators.vocabulary.period import TRAILING_WINDOWS
from aggregators.vocabulary.sketch import QUANTILES
from storage.snapshot import usage


@dataclass(frozen=True, slots=True)
class SnapshotColumns:
    """Columns of one snapshot table, beside its key and when a row was written.

    ``group`` is the column that names the group, None in the usage table. Flows stand in it as running
    totals, levels as they are, labels as the keys of one ``labels`` column, and of each distribution the
    trailing quantiles.
    """

    table: str
    group: str | None
    flows: tuple[str, ...]
    levels: tuple[str, ...]
    labels: tuple[str, ...]
    distributions: tuple[str, ...]
    counters: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, table: str, domains: Iterable[Domain], counters: tuple[str, ...] = ()
    ) -> SnapshotColumns:
        """The columns of a table from the domains whose facts it holds."""
        domains = tuple(domains)
        natures: dict[str, Nature] = {}
        for domain in domains:
            natures |= domain.natures() | dict.fromkeys(domain.unread, Nature.LEVEL_SUM)
        flows = tuple(fact for fact, nature in natures.items() if nature is Nature.FLOW)
        distributions = tuple(f for f, nature in natures.items() if nature is Nature.DISTRIBUTION)
        measures = [measure for domain in domains for measure in domain.measures]
        return cls(
            table,
            domains[0].by if domains else None,
            flows,
            tuple(fact for fact in natures if fact not in (*flows, *distributions)),
            tuple(dict.fromkeys(m.named_by for m in measures if m.named_by)),
            distributions,
            counters,
        )

    @property
    def tracked(self) -> tuple[str, ...]:
        """Levels that are 0, not unknown, where nothing is recorded: by their name."""
        return tuple(name for name in self.levels if name.endswith("_tracked"))

    @property
    def totals(self) -> tuple[str, ...]:
        """The running totals; those of the usage table begin with the days that have a row."""
        days = () if self.group else ("days_total",)
        return (*days, *(f"{flow}_total" for flow in self.flows))

    @property
    def quantiles(self) -> tuple[str, ...]:
        """The quantiles of the days that end with the row's."""
        return tuple(
            trailing_quantile(name, q, window)
            for window in TRAILING_WINDOWS
            for name in self.distributions
            for q in QUANTILES
        )

    @property
    def packed(self) -> tuple[str, ...]:
        """The numbers that the roll-up reads, as a new table packs them. An older one may hold them in
        another order, and more: its layout stands beside it in the database."""
        return (*self.totals, *self.levels, *self.quantiles)

    @property
    def goes_on(self) -> bool:
        """Whether a row depends on the days before it."""
        return bool(self.flows or self.distributions)


def _histories() -> Mapping[str, SnapshotColumns]:
    """The columns of each domain with groups, by its table."""
    grouped = [domain for domain in DOMAINS if domain.by]
    return {domain.table: SnapshotColumns.of(domain.table, [domain]) for domain in grouped}


USAGE_COLUMNS = SnapshotColumns.of(USAGE, [d for d in DOMAINS if not d.by], usage.COUNTERS)
HISTORY_COLUMNS = _histories()
COLUMNS = (USAGE_COLUMNS, *HISTORY_COLUMNS.values())
DISTRIBUTIONS = tuple(name for columns in COLUMNS for name in columns.distributions)
"""Every distribution. All durations stand in one table, so a name is of one domain table alone."""

if len(set(DISTRIBUTIONS)) != len(DISTRIBUTIONS):
    raise ValueError(f"a distribution is declared in two snapshot tables: {DISTRIBUTIONS}")


def packed_expression(columns: Iterable[str]) -> str:
    """SQL: the numbers of a row as big-endian doubles, NaN where there is none. Generated, so it can not
    differ from the columns; and 60 of them cost the reader what one does."""
    return " || ".join(f"float8send(coalesce({c}, 'NaN'::double precision))" for c in columns)


def packed_layout(columns: Iterable[str]) -> str:
    """The comment of a ``packed`` column: its numbers by name, in their order. The reader goes by it."""
    return " ".join(columns)
