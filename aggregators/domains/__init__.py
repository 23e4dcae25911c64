"""The KPI domains: every module of this package that declares a DOMAIN, in their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules

from aggregators.measure import Domain, Measure, Nature

DOMAINS: tuple[Domain, ...] = tuple(
    sorted(
        (import_module(f"{__name__}.{found.name}").DOMAIN for found in iter_modules(__path__)),
        key=lambda domain: domain.order,
    )
)

Thresholds = Mapping[str, tuple[float | None, float | None]]
"""(watch, bad) by "domain.measure"."""


def domains(keys: tuple[str, ...] = (), thresholds: Thresholds | None = None) -> tuple[Domain, ...]:
    """The domains with those keys (all when empty), an installation's thresholds applied."""
    chosen = tuple(d for d in DOMAINS if not keys or d.key in keys)
    return tuple(_with(d, thresholds) for d in chosen) if thresholds else chosen


def _with(domain: Domain, thresholds: Thresholds) -> Domain:
    def changed(measure: Measure) -> Measure:
        limits = thresholds.get(f"{domain.key}.{measure.key}")
        return replace(measure, watch=limits[0], bad=limits[1]) if limits else measure

    return replace(domain, measures=tuple(map(changed, domain.measures)))


def facts(table: str) -> dict[str, Nature]:
    """Every fact that any domain reads from a snapshot table."""
    found: dict[str, Nature] = {}
    for domain in DOMAINS:
        if domain.table == table:
            found |= domain.natures()
    return found


def labels(table: str) -> set[str]:
    """Every label column that any domain reads from a snapshot table."""
    return set().union(*(d.labels() for d in DOMAINS if d.table == table))
