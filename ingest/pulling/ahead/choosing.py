"""Choices of what the deployments of parts would be, counted before a source is connected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ingest.pulling.choice.counts import (
    ChoiceCount,
    KeptChoice,
    choice_in_force,
    first_of,
    is_automatic,
    named_words,
)
from ingest.pulling.problems import SourceProblem
from ingest.pulling.shape import Pull, PullScope, Source
from ingest.pulling.wire.allowance import Enough
from ingest.pulling.wire.answered import read_from

COUNTED = 30
"""Parts that are counted before a source is connected; the first sync counts the others."""
Counts = Mapping[str, Sequence[ChoiceCount]]


def count_choices(
    pull: Pull, kind: Source, scopes: Sequence[PullScope], most: int = COUNTED
) -> tuple[Counts, list[str]]:
    """Counts of the first parts, as far as the bounds of the look go, and what went wrong."""
    seen: dict[str, Sequence[ChoiceCount]] = {}
    if kind.count is None or not is_automatic(kind.choices, pull.settings):
        return seen, []
    try:
        for scope, counts in read_from(kind.count(pull, scopes[:most])):
            seen[scope.external_id] = counts
            if pull.is_over():
                break
    except Enough:
        pass
    except SourceProblem as problem:
        return seen, [f"What the deployments are, was not seen everywhere: {problem}"]
    return seen, []


def as_chosen(
    pull: Pull,
    kind: Source,
    scopes: Sequence[PullScope],
    counts: Counts,
    chosen: Mapping[str, str],
) -> list[PullScope]:
    """The parts with what their deployments would be: as ``chosen`` by hand, else by what was counted."""
    if not kind.choices:
        return list(scopes)
    made = []
    for scope in scopes:
        own = _choice_in_force(counts.get(scope.external_id, ()), chosen.get(scope.external_id, ""))
        choice, named = choice_in_force(kind.choices, pull.settings, own)
        made.append(scope._replace(counts=choice, named=named))
    return made


def _choice_in_force(seen: Sequence[ChoiceCount], chosen: str) -> KeptChoice:
    """The choice that somebody made for a part, else the first of those seen that fits."""
    picked = next((each for each in seen if each.choice == chosen), None) if chosen else None
    first = picked or (ChoiceCount(chosen) if chosen else first_of(seen))
    return KeptChoice(first.choice, first.named) if first else KeptChoice()


def words_of(scope: PullScope) -> str:
    """Words for what the deployments of a part would be; empty for a kind that leaves no choice."""
    return named_words(scope.counts, scope.named) if scope.counts else ""
