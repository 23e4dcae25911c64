"""Detail of a chosen signal: its series since before it began, what changed, what moved with it, and its
history. Read in the workspace's own context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from markupsafe import Markup

from aggregators import words as figure_words
from aggregators.pooling.dashboard import Dashboard
from aggregators.pooling.figures import Figure
from aggregators.vocabulary import formats
from aggregators.vocabulary.period import MAX_DAYS, Ask
from layouts.signals.chart import Onset, drift_chart
from reading.signals import beside, words
from reading.signals.open_signals import DriftSignal
from reading.signals.signals_json import page_of
from reading.workspace_page import NotAMember
from web.services import Services

LINE_DAYS = 90
"""Days of a row's line: most drifts began within them, and the cards show the same ones."""
BEFORE = 56
"""Days before the onset that are shown, at the least."""
SHORTEST = 84
"""Days that are shown, at the least: of fewer the line would be made of single weeks."""


def key_of(signal: DriftSignal) -> str:
    """Name of a signal in an address: workspace, measure and the night that told it first."""
    watched = signal.watched
    measure = f"{watched.domain.key}.{watched.measure.key}"
    return f"{signal.workspace.slug}:{measure}:{signal.opened_on.isoformat()}"


def find_signal(signals: Sequence[DriftSignal], key: str) -> DriftSignal | None:
    """The signal of that name; None for a name of none."""
    return next((signal for signal in signals if key_of(signal) == key), None)


@dataclass(frozen=True, slots=True)
class SignalDetail:
    """A signal with all that is told beside its row."""

    signal: DriftSignal
    chart: Markup | None
    days: str
    since: str
    moved: str
    services: str
    definition: str
    page: str
    records: str
    history: tuple[tuple[str, str], ...]
    """Days and what happened on them, the last first."""


def detail(
    services: Services, signal: DriftSignal, dashboard: Dashboard, *, with_services: bool
) -> SignalDetail:
    """Everything told of a signal; ``with_services`` where somebody asked for it: the audit notes who
    looks at those."""
    ask = _ask(signal) if signal.workspace.slug else Ask(LINE_DAYS)
    figure = _figure(services, signal, ask)
    window = ask.on(signal.seen_on, signal.seen_on).window
    parts = services.services_of(signal) if with_services and signal.workspace.slug else []
    onset = Onset(signal.since, signal.give_or_take)
    return SignalDetail(
        signal,
        drift_chart(figure, onset) if figure is not None and figure.has_data else None,
        _days(figure, window),
        _began(signal),
        figure_words.moved_with_it(beside.moved_with(signal, dashboard)),
        words.services(signal, parts),
        signal.watched.measure.definition,
        page_of(signal),
        _records(signal),
        tuple(_history(signal)),
    )


def _figure(services: Services, signal: DriftSignal, ask: Ask) -> Figure | None:
    """The measure over these days; None where the right to look went while the page was made."""
    watched, slug = signal.watched, signal.workspace.slug
    if not slug:
        together = services.read(services.viewer(), ask)
        return together.scorecard(watched.domain.key).figures[watched.measure.key]
    try:
        view = services.workspace(slug, watched.domain.key, ask)
    except NotAMember:
        return None
    return view.figures[watched.measure.key]


def _ask(signal: DriftSignal) -> Ask:
    """Days from before the onset to the last night."""
    end = signal.ended_on or signal.seen_on
    first = min(signal.since - timedelta(days=BEFORE), end - timedelta(days=SHORTEST - 1))
    return Ask(None, max(first, end - timedelta(days=MAX_DAYS - 1)), end)


def _days(figure: Figure | None, window: int) -> str:
    """The days that the picture is of, and what each of its points counts; empty without one."""
    if figure is None or not figure.series:
        return ""
    days = figure.series
    days_words = f"{formats.day(days[0][0], year=False)} to {formats.day(days[-1][0])}."
    if not figure.measure.trailing:
        return days_words
    return f"{days_words} Each point counts the {formats.counted(window, 'day')} up to it."


def _began(signal: DriftSignal) -> str:
    """When it began, and between which days that lies."""
    about = timedelta(days=signal.give_or_take)
    first, last = signal.since - about, min(signal.since + about, signal.seen_on)
    if first == last:
        return f"Began on {formats.day(signal.since)}"
    between = f"{formats.day(first, year=first.year != last.year)} and {formats.day(last)}"
    return f"Began about {formats.day(signal.since)}, between {between}"


def _records(signal: DriftSignal) -> str:
    """Address of the records of the days since it began; of a whole scope there is none."""
    slug, end = signal.workspace.slug, signal.ended_on or signal.seen_on
    if not slug:
        return ""
    start = max(signal.since, end - timedelta(days=MAX_DAYS - 1))
    return f"{signal.watched.domain.page(slug)}?start={start.isoformat()}&end={end.isoformat()}"


def _history(signal: DriftSignal) -> list[tuple[str, str]]:
    """Days and what happened on them, the last first."""
    about = formats.counted(signal.give_or_take, "day")
    rows = [
        (formats.day(signal.opened_on), "First told"),
        (formats.day(signal.since), f"Began, as it looks now, give or take {about}"),
    ]
    if signal.ended_on is not None:
        rows.insert(0, (formats.day(signal.ended_on), "Back within what is usual"))
    return rows
