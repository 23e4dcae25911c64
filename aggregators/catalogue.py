"""Catalogue of the KPI domains: every folder of this package with a declaration, in their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from types import ModuleType

import aggregators
from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.measure import Measure, MeasureTarget, Nature, Origin

DOMAINS: tuple[Domain, ...] = tuple(
    sorted(
        (
            import_module(f"aggregators.{folder.name}.declaration").DOMAIN
            for folder in iter_modules(aggregators.__path__)
            if folder.ispkg and find_spec(f"aggregators.{folder.name}.declaration")
        ),
        key=lambda domain: (domain.order, domain.key),
    )
)
COVER = "cover"
"""Key of the board pack's first page; the others have those of their domains."""


def parts(name: str) -> dict[str, ModuleType]:
    """Modules of that name in the domains' folders, by the domain's key; of those that have one."""
    return {
        domain.key: import_module(f"aggregators.{domain.key}.{name}")
        for domain in DOMAINS
        if find_spec(f"aggregators.{domain.key}.{name}")
    }


Thresholds = Mapping[str, tuple[float | None, float | None]]
"""(watch, bad) by "domain.measure"."""


def domains(keys: tuple[str, ...] = (), thresholds: Thresholds | None = None) -> tuple[Domain, ...]:
    """The domains with those keys (all when empty), an installation's thresholds applied."""
    chosen = tuple(d for d in DOMAINS if not keys or d.key in keys)
    return tuple(_with_thresholds(d, thresholds) for d in chosen) if thresholds else chosen


def domain(key: str, thresholds: Thresholds | None = None) -> Domain:
    """The domain with that key, an installation's thresholds applied. Raises KeyError."""
    chosen = domains((key,), thresholds)
    if not chosen:
        raise KeyError(key)
    return chosen[0]


def _with_thresholds(domain: Domain, thresholds: Thresholds) -> Domain:
    """The domain, its measures judged by the environment's thresholds where it has some."""

    def with_threshold(measure: Measure) -> Measure:
        limits = thresholds.get(f"{domain.key}.{measure.key}")
        if limits is None:
            return measure
        target = (
            MeasureTarget(limits[1], origin=Origin.ENVIRONMENT) if limits[1] is not None else None
        )
        return replace(measure, watch=limits[0], bad=limits[1], target=target)

    return replace(domain, measures=tuple(map(with_threshold, domain.measures)))


def facts(table: str) -> dict[str, Nature]:
    """Every fact that any domain reads from a snapshot table."""
    natures: dict[str, Nature] = {}
    for domain in DOMAINS:
        if domain.table == table:
            natures |= domain.natures()
    return natures


def labels(table: str) -> set[str]:
    """Every label column that any domain reads from a snapshot table."""
    return set().union(*(d.labels() for d in DOMAINS if d.table == table))
