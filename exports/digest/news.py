"""News of a digest: what a person may see at that time and has not been told of yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from aggregators import words
from aggregators.vocabulary.period import Ask
from reading import dashboard as dashboards
from reading.signals import facts, open_signals
from reading.signals.beside import moved_with
from reading.signals.facts import FactSignal
from reading.signals.open_signals import DriftSignal
from reading.signals.promise import promise
from reading.signals.whole import shown as whole
from settings import Settings
from storage.database import Database
from storage.viewer import Viewer

PERIOD = 28
SignalKey = tuple[str, str]
"""Workspace and series of a signal."""


@dataclass(frozen=True, slots=True)
class ScopeSignals:
    """Signals of a person's scope on a night, old and new."""

    night: date
    drifts: tuple[DriftSignal, ...]
    certain: tuple[FactSignal, ...]
    workspaces: int
    promise: str
    beside: Mapping[SignalKey, str] = field(default_factory=dict)

    def since(self, after: date | None) -> DigestNews:
        """News of the nights after one; None: of the last night."""
        before = after if after is not None else self.night - timedelta(days=1)
        today = self.night + timedelta(days=1)
        shown = [s for s in self.drifts if not s.is_hidden(today)]
        ongoing = [s for s in shown if s.ended_on is None]
        return DigestNews(
            self.night,
            before,
            tuple(s for s in ongoing if s.opened_on > before),
            tuple(f for f in self.certain if f.since is not None and f.since > before),
            tuple(s for s in ongoing if s.opened_on <= before),
            tuple(s for s in shown if s.ended_on is not None and s.ended_on > before),
            self.workspaces,
            self.promise,
            self.beside,
        )


@dataclass(frozen=True, slots=True)
class DigestNews:
    """News up to a night: drifts and facts that are new since ``after``, drifts that go on, and those that
    have ended."""

    night: date
    after: date
    new: tuple[DriftSignal, ...]
    certain: tuple[FactSignal, ...]
    ongoing: tuple[DriftSignal, ...]
    ended: tuple[DriftSignal, ...]
    workspaces: int
    promise: str
    beside: Mapping[SignalKey, str] = field(default_factory=dict)

    def moved_with(self, signal: DriftSignal) -> str:
        """Sentence of what moved with a drift; empty where nothing did."""
        return self.beside.get((signal.workspace.slug, signal.series), "")

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing new to tell."""
        return not (self.new or self.certain)


def signals_of(database: Database, viewer: Viewer, night: date, settings: Settings) -> ScopeSignals:
    """Signals that a person may see now, up to a night. Raises NotPlatformAdmin, NotIdentified."""
    shown = dashboards.read(database, viewer, Ask(PERIOD), settings)
    drifts = whole.read(database, viewer)
    drifts += open_signals.read(database, viewer, night + timedelta(days=1))
    beside = {
        (s.workspace.slug, s.series): words.moved_with_it(moved_with(s, shown))
        for s in drifts
        if s.ended_on is None
    }
    scope = len(shown.scope.slugs)
    return ScopeSignals(
        night,
        tuple(s for s in drifts if s.opened_on <= night),
        tuple(facts.facts(shown)),
        scope,
        promise(database, scope),
        beside,
    )
