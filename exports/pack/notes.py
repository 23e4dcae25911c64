"""The pack's small print: scope, instants and the names that workspaces go by."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from aggregators import words
from aggregators.pooling.cards import Card
from aggregators.pooling.dashboard import Dashboard, DashboardScope, Scorecard
from aggregators.pooling.figures import Figure
from aggregators.signal.normal import upper_tail
from aggregators.signal.rules import CERTAIN_Z, LIKELY
from aggregators.signal.series import series_of
from aggregators.vocabulary import formats
from aggregators.vocabulary.measure import Status
from exports.pack.paper.typesetting import Typeface

NO_WORKSPACES = "No workspaces in scope."
NO_SNAPSHOT = "No snapshot has been made yet."
NOBODY = "Every workspace in scope is read and none is left out."


def workspace_name(card: Card, type_: Typeface) -> str:
    """A workspace's name; with its slug where the fonts lack some of its letters."""
    if not type_.clean(card.name):
        return card.slug
    return f"{card.name} ({card.slug})" if type_.lacks(card.name) else card.name


def counted_in(scope: DashboardScope) -> str:
    """ "12 of 15" where some are left out, else "12"."""
    total = f" of {formats.number(scope.total)}" if scope.total != len(scope.slugs) else ""
    return formats.number(len(scope.slugs)) + total


def lines_about_left_out(
    scope: DashboardScope, type_: Typeface, room: float, size: float
) -> list[str]:
    """Lines, one a reason, about who is left out of the scope, or could not be read."""
    lines = [
        f"{words.REASONS.get(reason, reason).capitalize()}: {type_.list_names(names, room, size)}"
        for reason, names in scope.left_out.items()
        if names
    ]
    if scope.unavailable:
        names = [scope.names.get(slug, slug) for slug in scope.unavailable]
        lines.append(f"Could not be read: {type_.list_names(names, room, size)}")
    return lines


def instant(at: datetime, zone: str) -> str:
    """23 Nov 2026 00:10 UTC, in the reporting zone."""
    return formats.instant(at, ZoneInfo(zone))


def why_no_figures(dashboard: Dashboard) -> str | None:
    """Why there is no figure at all, None where there may be."""
    if not dashboard.scope.slugs:
        why = [words.why_no_scope(dashboard.scope)] if dashboard.scope.total else []
        return " ".join([NO_WORKSPACES, *why])
    return NO_SNAPSHOT if dashboard.as_of is None else None


def label(figure: Figure) -> str:
    """A figure's title, with its group where it is of one: "Control pass rate, HIPAA"."""
    return figure.measure.title + (f", {figure.group}" if figure.group else "")


def rests_on(scorecard: Scorecard, as_of: date | None) -> list[str]:
    """Sample, days seen, the benchmark's band, the oldest snapshot behind a domain's headline."""
    head = scorecard.headline
    sample = " · ".join(filter(None, (words.evidence(head), f"{words.days_seen(head)} seen")))
    band = head.measure.band(head.value)
    oldest = scorecard.oldest_snapshot_day
    texts = (
        sample + (" · low sample" if head.low_sample else ""),
        f"Benchmark band: {band}; never used for the status" if band else "",
        f"Oldest snapshot among the workspaces: {formats.day(oldest)}"
        if oldest and as_of and oldest < as_of
        else "",
    )
    return [text for text in texts if text]


def missing_and_few(scorecard: Scorecard) -> list[str]:
    """How many workspaces have no figure of a domain's headline, and how many one over few events."""
    heads = [card.figures[scorecard.domain.headline] for card in scorecard.cards]
    silent, few = sum(not f.has_data for f in heads), sum(f.low_sample for f in heads)
    title = words.within_sentence(scorecard.headline.measure.title)
    texts = (
        f"{formats.counted(silent, 'workspace')} without data for {title}" if silent else "",
        f"* {formats.counted(few, 'workspace')} with few events; the order allows for that"
        if few
        else "",
    )
    return [text for text in texts if text]


def counts_clause(head: Figure) -> str:
    """ "43 of 402, was 6.8 % (27 of 398)"; of what has no parts, the value before."""
    if head.delta is None:
        return words.evidence(head)
    now, before = words.evidence(head), head.previous_evidence
    if now and before.numerator is not None and before.denominator is not None:
        of = f"{formats.number(before.numerator)} of {formats.number(before.denominator)}"
        return f"{now}, was {words.previous_value(head)} ({of})"
    return ", ".join(filter(None, (now, f"was {words.previous_value(head)}")))


def off_target(scorecard: Scorecard) -> str:
    """ "3 of 12 workspaces off target"; empty where none is."""
    heads = [card.figures[scorecard.domain.headline] for card in scorecard.cards]
    off = sum(head.status is Status.BAD for head in heads)
    return f"{off} of {formats.counted(len(heads), 'workspace')} off target" if off else ""


def verdicts(head: Figure) -> str:
    """Sentence about the words of a change: how often chance alone brings them."""
    if series_of(head.measure) is None:
        return "Counted completely: nothing of a change is chance, and its word is its direction."
    likely, surely = (words.how_often(2 * upper_tail(z)) for z in (LIKELY, CERTAIN_Z))
    return (
        f"Worse: chance alone brings as much in {surely} comparisons. Likely worse: in {likely}."
        " Within noise: more often."
    )
