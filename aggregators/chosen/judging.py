"""Measures as they are judged: the organisation's targets over the declared, a workspace's over those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from aggregators.chosen.changes import ChosenSettings, InForce, SettingChange, in_force
from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.measure import Measure, MeasureTarget, Origin


@dataclass(frozen=True)
class Judging:
    """Targets that hold on a day, by the names of their settings: the organisation's, and those of the
    workspaces that have any of their own, by slug."""

    organisation: InForce = field(default_factory=dict)
    workspaces: Mapping[str, InForce] = field(default_factory=dict)

    @classmethod
    def on(cls, day: date, chosen: ChosenSettings) -> Judging:
        """Targets that hold on a day."""
        own = {slug: in_force(changes, day) for slug, changes in chosen.workspaces.items()}
        return cls(
            in_force(chosen.organisation, day), {slug: each for slug, each in own.items() if each}
        )

    def domains(self, declared: Sequence[Domain]) -> tuple[Domain, ...]:
        """Domains with the organisation's targets."""
        return tuple(map(self.domain, declared)) if self.organisation else tuple(declared)

    def domain(self, declared: Domain) -> Domain:
        """Domain with the organisation's targets."""
        measures = tuple(
            _with_target(m, self.organisation.get(f"{declared.key}.{m.key}"), Origin.ORGANISATION)
            for m in declared.measures
        )
        return replace(declared, measures=measures)

    def domain_of_workspace(self, domain: Domain, slug: str) -> Domain:
        """Domain as one workspace is judged, groups aside."""
        measures = tuple(self.measure(domain, m, slug) for m in domain.measures)
        return replace(domain, measures=measures)

    def measure(self, domain: Domain, measure: Measure, slug: str, group: str = "") -> Measure:
        """Measure as a scope is judged by it, from the organisation's: the nearest target that was set."""
        name = f"{domain.key}.{measure.key}"
        own = self.workspaces.get(slug, {})
        for changes, origin in ((own, Origin.WORKSPACE), (self.organisation, Origin.ORGANISATION)):
            if group and (change := changes.get(f"{name}/{group}")):
                return _with_target(measure, change, origin)
            if origin is Origin.WORKSPACE and (change := changes.get(name)):
                return _with_target(measure, change, origin)
        return measure

    def rows(
        self, domain: Domain, measure: Measure, scopes: Sequence[tuple[str, str]]
    ) -> dict[int, Measure]:
        """Measures of the rows of (slug, group) that are judged otherwise than the organisation."""
        if not self.workspaces and not (domain.by and self.organisation):
            return {}
        each = {
            row: self.measure(domain, measure, slug, group)
            for row, (slug, group) in enumerate(scopes)
            if domain.by or slug in self.workspaces
        }
        return {row: own for row, own in each.items() if own is not measure}


def _with_target(measure: Measure, change: SettingChange | None, origin: Origin) -> Measure:
    """The measure, judged by the target of a change; as it is without one."""
    if change is None:
        return measure
    target = MeasureTarget(change.value["target"], True, origin, change.since)
    return measure.judged_by(target, change.value.get("watch"))


AS_DECLARED = Judging()
"""Nothing set: the declared targets, with the environment's over them."""
