"""Signals as the JSON of the contract, for the API and for webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aggregators.pooling.figures import Figure
from reading.encode import number
from reading.signals import words
from reading.signals.beside import ServicePart
from reading.signals.facts import FactSignal
from reading.signals.open_signals import DriftSignal

Json = dict[str, Any]
PERIOD = 28
"""Days of the page that a signal leads to."""
WHOLE_PAGE = "/"
"""Leads to the dashboard, wherever it is of the person who follows it."""


def page_of(signal: DriftSignal) -> str:
    """The workspace's own page of the domain; of a whole scope the dashboard."""
    slug = signal.workspace.slug
    return f"{signal.watched.domain.page(slug)}?period={PERIOD}" if slug else WHOLE_PAGE


def drift_json(signal: DriftSignal) -> Json:
    """A drift."""
    watched = signal.watched
    return {
        "workspace": signal.workspace.slug or None,
        "name": signal.workspace.name,
        "measure": f"{watched.domain.key}.{watched.measure.key}",
        "title": words.measure(signal),
        "sentence": words.sentence(signal),
        "grade": signal.grade,
        "sure": words.cells(signal),
        "since": signal.since,
        "give_or_take_days": signal.give_or_take,
        "opened_on": signal.opened_on,
        "ended_on": signal.ended_on,
        "evidence": round(signal.evidence, 3),
        "usual": signal.usual,
        "now": signal.now,
        "extra_in_28_days": round(signal.extra, 2),
        "state": signal.state,
        "until": signal.until,
        "note": signal.note,
        "href": page_of(signal),
    }


def moved_json(figures: Sequence[Figure]) -> list[Json]:
    """Figures that moved with a drift, each with the verdict on its change."""
    return [
        {
            "measure": figure.measure.key,
            "title": figure.measure.title,
            "value": number(figure.value),
            "previous": number(figure.previous),
            "delta": number(figure.delta),
            "verdict": figure.verdict.value,
        }
        for figure in figures
    ]


def service_json(part: ServicePart) -> Json:
    """A service and its part in a drift, with its events of so many since and before."""
    return {
        "service": part.service or None,
        "part": part.part,
        "now": {"numerator": number(part.now[0]), "denominator": number(part.now[1])},
        "previous": {"numerator": number(part.before[0]), "denominator": number(part.before[1])},
    }


def fact_json(fact: FactSignal) -> Json:
    """A count beyond its threshold."""
    return {
        "workspace": fact.slug,
        "name": fact.name,
        "measure": fact.measure.key,
        "title": fact.measure.title,
        "group": fact.figure.group,
        "value": fact.figure.value,
        "since": fact.since,
        "href": fact.href,
    }
