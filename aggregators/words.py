"""A figure in words: its value, its change, the evidence behind it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from aggregators.pooling.cards import Worst
from aggregators.pooling.dashboard import DashboardScope, Scorecard
from aggregators.pooling.figures import Figure
from aggregators.signal.change import Verdict
from aggregators.signal.normal import upper_tail
from aggregators.signal.series import series_of
from aggregators.vocabulary import formats
from aggregators.vocabulary.measure import Better, Measure, Origin, Status, Unit
from aggregators.vocabulary.period import Compare, Period

ROUNDING = 1e-9
"""Of a drop that is compared with an alert."""


def within_sentence(title: str) -> str:
    """A title within a sentence: "Fastest burn" -> "fastest burn", "MTTR" as it is."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def figure(shown: Figure) -> str:
    """A figure's value as words."""
    return (
        formats.OVER_BUDGET if shown.over_budget else formats.value(shown.value, shown.measure.unit)
    )


def delta(shown: Figure) -> str:
    """The change against the previous period: "+3.1 pts", "−2", "from 0", "No change",
    "no earlier data"; never NaN, infinity or a percent of a percent. Empty where nothing is compared."""
    if shown.delta is None:
        alone = shown.has_data or shown.table.compare is Compare.NONE
        return no_earlier(shown) if alone else formats.NONE
    return _shift(shown, shown.delta) if has_visible_change(shown) else "No change"


def _shift(shown: Figure, delta: float) -> str:
    """A change that can be seen."""
    text = formats.shift(delta, shown.measure.unit, shown.value)
    if shown.measure.unit is Unit.RATIO:
        return text
    return f"{text}, from 0" if shown.previous == 0 else text


def no_earlier(shown: Figure) -> str:
    """Words in place of a change that is not known; none where nothing was to be compared."""
    return "" if shown.table.compare is Compare.NONE else "no earlier data"


def has_visible_change(shown: Figure) -> bool:
    """Whether there is a change that can be seen: what reads 0.0 is neither better nor worse."""
    if shown.delta is None or shown.change == "same":
        return False
    return not formats.is_nothing(shown.delta, shown.measure.unit, shown.value)


def previous_value(shown: Figure) -> str:
    """The value of the period before, in the unit of the figure."""
    return formats.value(shown.previous, shown.measure.unit, shown.value)


def change(shown: Figure) -> str:
    """The change with the verdict on it in words: "+3.1 pts · likely worse", "+3.1 pts · within noise"."""
    if shown.delta is None or not has_visible_change(shown):
        return delta(shown)
    return f"{_shift(shown, shown.delta)} · {verdict(shown)}"


def verdict(shown: Figure) -> str:
    """Verdict on a change as a word; of a count, where nothing is sampled, its direction."""
    return shown.change if shown.verdict is Verdict.CERTAIN else VERDICTS[shown.verdict]


GOT_WORSE = (Verdict.WORSE, Verdict.LIKELY_WORSE)
VERDICTS = {
    Verdict.WITHIN_NOISE: "within noise",
    Verdict.LIKELY_WORSE: "likely worse",
    Verdict.WORSE: "worse",
    Verdict.LIKELY_BETTER: "likely better",
    Verdict.BETTER: "better",
    Verdict.TOO_FEW: "too few to tell",
    Verdict.CERTAIN: "certain: a count",
    Verdict.NO_COMPARISON: "no comparison",
}
"""Words of the verdicts, everywhere the same."""


def test_sentence(shown: Figure) -> str:
    """The test behind a verdict in one sentence with its numbers; empty without a comparison."""
    if shown.verdict is Verdict.NO_COMPARISON:
        return ""
    evidence = shown.table.change
    if shown.verdict is Verdict.CERTAIN:
        return "Certain: counted completely, so nothing of the change is chance."
    if evidence is None or shown.verdict is Verdict.TOO_FEW:
        return "Too few to tell: no outcome of so few events would have been beyond chance."
    errors = abs(float(evidence.outcome.z[shown.row]))
    scatter = float(evidence.dispersion[shown.row])
    chance = 2 * upper_tail(errors)
    return (
        f"{formats.number(errors, 1)} standard errors from {BESIDE[shown.table.compare]}"
        f" ({evidence.test(shown.row)}, scatter {formats.number(scatter, 1)} times chance):"
        f" as much in {how_often(chance)} periods where nothing changed."
    )


TWO_YEARS = 730


def slow_to_tell(shown: Figure) -> str:
    """Time that the watch needs for so few events: "a doubling would show after about 120 days"."""
    days, series = shown.days_to_tell, series_of(shown.measure)
    if days is None or series is None:
        return ""
    change = "a halving" if series.is_fall else "a doubling"
    if series.is_complement:
        change = "a doubling of what is missing"
    time_needed = (
        f"about {formats.number(round(days, -1))} days" if days < TWO_YEARS else "over two years"
    )
    return f"{change} would show after {time_needed}"


def drifting(figures: Sequence[Figure]) -> str:
    """Since when figures drift, the first of them without its name, and no day twice: "Drifting since 3 Nov
    2026, with lead time, median; MTTR since 5 Nov 2026"; empty where none does."""
    days: dict[date, list[str]] = {}
    series: set[str] = set()
    for number, shown in enumerate(figures):
        since, of = shown.drifting_since, series_of(shown.measure)
        if since is None or of is None or of.key in series:
            continue
        series.add(of.key)
        days.setdefault(since, []).append(within_sentence(shown.measure.title) if number else "")
    phrases: list[str] = []
    for since, (first, *others) in days.items():
        begun = " ".join(filter(None, (first, "" if phrases else "drifting", _since_day(since))))
        phrases.append(", with ".join(filter(None, (begun, " and ".join(others)))))
    text = "; ".join(phrases)
    return text[:1].upper() + text[1:]


def _since_day(day: date) -> str:
    """A phrase: "since 3 Nov 2026"."""
    return f"since {formats.day(day)}"


def moved_with_it(figures: Sequence[Figure]) -> str:
    """Figures that moved with a drift, in one sentence: "In the same 28 days: lead time +3.1 h · worse.";
    empty where there are none."""
    phrases = [f"{within_sentence(figure.measure.title)} {change(figure)}" for figure in figures]
    days = formats.counted(figures[0].table.days, "day") if figures else ""
    return f"In the same {days}: {'; '.join(phrases)}." if phrases else ""


def how_often(chance: float) -> str:
    """A probability as so many of so many: "1 of 14"."""
    if chance > 0.5:
        return f"{round(10 * min(chance, 1.0))} of 10"
    return f"1 of {formats.number(round(1 / max(chance, 1e-6)))}"


BESIDE = {Compare.PREVIOUS: "the period before", Compare.YEAR: "a year ago", Compare.NONE: ""}
"""Words for the days that a figure is compared with."""


def compared_with(period: Period) -> str:
    """Days that a period is compared with: "vs 28 Sep – 25 Oct 2026"; empty where it is with none."""
    return "" if period.compare is Compare.NONE else f"vs {formats.span(period.previous)}"


def arrow(shown: Figure) -> str:
    """The direction of the change, independent of better or worse."""
    if shown.delta is None or not has_visible_change(shown):
        return ""
    return "▲" if shown.delta > 0 else "▼"


def superlative(worst: Worst, workspaces: int, title: str = "Worst") -> str:
    """Words before the name of a workspace that leads an order, true of the figures that are shown:
    "Worst", "Worst, with 2 others", "Ranked worst" where others show more on less, "Only workspace"."""
    if workspaces == 1:
        return "Only workspace"
    if worst.above:
        return f"Ranked {within_sentence(title)}"
    if worst.equal:
        return f"{title}, with {formats.counted(worst.equal, 'other')}"
    return title


def hidden_moves(scorecard: Scorecard) -> str:
    """Words about workspaces whose headline became worse while the organisation's does not show it:
    "1 workspace dropped by 11.0 points". Of sampled figures those alone that are worse beyond chance."""
    head, alert = scorecard.headline, scorecard.domain.drop_alert or 0.0
    measure = head.measure
    if len(scorecard.cards) < 2 or (measure.prior and head.verdict in GOT_WORSE):
        return ""
    moves = scorecard.cards.moves(measure.key)
    if measure.prior:
        rows = scorecard.cards.rows(measure.key)
        worse_rows = [
            scorecard.cards.grid.tables[measure.key].verdict[r] is Verdict.WORSE for r in rows
        ]
        moves = np.where(worse_rows, moves, np.nan)
    worse = moves[np.nan_to_num(measure.badness(moves)) > alert + ROUNDING]
    if not len(worse):
        return ""
    most = float(worse[np.argmax(measure.badness(worse))])
    if measure.badness(scorecard.headline.delta or 0.0) >= measure.badness(most):
        return ""
    did = "rose" if most > 0 else "dropped"
    by = f"by {'up to ' if len(worse) > 1 else ''}{formats.size(most, measure.unit)}"
    return f"{formats.counted(len(worse), 'workspace')} {did} {by}"


def days_seen(shown: Figure) -> str:
    """ "26 of 28 days"."""
    seen = shown.evidence
    return f"{seen.days_seen} of {seen.days_expected} days"


def evidence(shown: Figure) -> str:
    """Numbers behind the figure: "12 of 97", "n = 41"; empty when the kind has none."""
    e, unit = shown.evidence, shown.measure.unit
    if unit is Unit.RATIO and e.numerator is not None and e.denominator is not None:
        return f"{formats.number(e.numerator)} of {formats.number(e.denominator)}"
    if unit is Unit.PER_DAY and e.numerator is not None and e.denominator is not None:
        return f"{formats.number(e.numerator)} in {formats.number(e.denominator)} days"
    return f"n = {formats.number(e.n)}" if e.n is not None else ""


def after_shrinking(shown: Figure, shrunken: float | None) -> str:
    """Value that a figure is ranked by, where that is not the figure: "about 18 % after shrinking"."""
    measure = shown.measure
    if shrunken is None or not measure.prior or not shown.has_data:
        return ""
    about = formats.about(shrunken, measure.unit)
    return f"ranked as about {about} after shrinking ({evidence(shown)})"


def spark(shown: Figure, outside: int = 0) -> str:
    """A sparkline in words: "28 days: 9.0 % to 14.0 %, low 8.0 %, high 16.0 %", and how many of its points
    lie outside of what was expected."""
    unit = shown.measure.unit
    values = shown.series.values
    known = values[~np.isnan(values)].tolist()
    if not known:
        return f"{shown.measure.title}: no data"
    ends = (known[0], known[-1], min(known), max(known))
    first, last, low, high = (formats.value(v, unit, max(known)) for v in ends)
    days = shown.table.days
    sentence = f"{shown.measure.title}, {days} days: {first} to {last}, low {low}, high {high}"
    return (
        f"{sentence}, {formats.counted(outside, 'point')} outside of what was expected"
        if outside
        else sentence
    )


STATUS = {
    Status.GOOD: "Good",
    Status.WATCH: "Watch",
    Status.BAD: "Bad",
    Status.NO_DATA: "No data",
}
"""A status as a word."""


STANDING = STATUS | {Status.GOOD: "On target", Status.BAD: "Off target"}
"""A status of what has a target as words."""


REASONS = {"inactive": "inactive", "other_region": "in another region"}
"""Why a workspace is left out of the scope, by ``Scope.left_out``'s keys."""


def why_no_scope(scope: DashboardScope) -> str:
    """Why no workspace counts of those where the viewer is platform admin."""
    counts = {reason: len(names) for reason, names in scope.left_out.items() if names}
    if scope.total == 1:
        (reason,) = counts
        return f"The only workspace where you are platform admin is {REASONS.get(reason, reason)}."
    parts = " and ".join(
        f"{formats.number(count) if len(counts) > 1 else 'all'} {REASONS.get(reason, reason)}"
        for reason, count in counts.items()
    )
    return f"You are platform admin on {formats.counted(scope.total, 'workspace')}: {parts}."


def thresholds(measure: Measure) -> str:
    """From where a value is flagged: "Watch at 10.0 % or more, off target at 15.0 % or more";
    empty without."""
    side = "more" if measure.better is Better.LOWER else "less"
    # A bound that was set is itself still kept to.
    form = "{} beyond {}" if measure.target and measure.target.is_met_at else "{} at {} or " + side
    parts = [
        form.format(STANDING[status].lower(), formats.value(limit, measure.unit))
        for limit, status in ((measure.watch, Status.WATCH), (measure.bad, Status.BAD))
        if limit is not None
    ]
    return ", ".join(parts).capitalize()


def aim(measure: Measure) -> str:
    """The target in words: "under 15.0 %" as declared, "at most 12.0 %" once set; empty without one."""
    target, lower = measure.aim, measure.better is Better.LOWER
    if target is None:
        return ""
    kept = ("at most", "at least") if target.is_met_at else ("under", "over")
    return f"{kept[0] if lower else kept[1]} {formats.value(target.value, measure.unit)}"


def target(figure: Figure) -> str:
    """The target of a figure, and whether it reaches it: "target at most 12.0 %, missed"; empty without."""
    bound = aim(figure.measure)
    if not bound:
        return ""
    outcome = {True: ", met", False: ", missed", None: ""}[figure.meets_target]
    return f"target {bound}{outcome}"


OF = {
    Origin.DECLARATION: "by default",
    Origin.ENVIRONMENT: "from the environment",
    Origin.ORGANISATION: "set by the organisation",
    Origin.WORKSPACE: "set by the workspace",
}
"""Words for who gave a target, by its origin."""


def giver_of_target(measure: Measure) -> str:
    """Giver of the target, and since when: "set by the workspace, since 1 Oct 2026"; empty without one."""
    if measure.aim is None:
        return ""
    since = measure.aim.since
    return OF[measure.aim.origin] + (f", since {formats.day(since)}" if since else "")
