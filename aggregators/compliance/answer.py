"""Closest control to lapse: where evidence of a passing control ends first. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from aggregators.pooling.cards import Card
from aggregators.pooling.dashboard import Answer
from aggregators.pooling.figures import Figure
from aggregators.pooling.plan import TREND
from aggregators.pooling.rollup import DomainRollup
from aggregators.question import Question, QuestionContext
from aggregators.vocabulary import formats
from aggregators.vocabulary.measure import Unit

QUESTION = Question(
    "closest_to_lapse", "Closest control to lapse", order=2, measure="days_to_lapse"
)
HORIZON_DAYS = 30
NO_DATES = "No passing control has a date ahead on which its evidence ends"
TOLD_OUT = 20
"""Workspaces with controls already out that the evidence lists; all are counted."""


def needs_trend(compliance: DomainRollup) -> bool:
    """Whether there are frameworks, and no passing control anywhere has evidence with an end."""
    days = compliance.figures["days_to_lapse"].by or {}
    return bool(days) and not any(figure.has_data for figure in days.values())


@dataclass(frozen=True, slots=True)
class FrameworkLapse:
    """A framework of a workspace, in the order of what lapses first."""

    card: Card
    framework: str

    def figure(self, key: str) -> Figure:
        return (self.card.figures[key].by or {})[self.framework]

    @property
    def order(self) -> tuple[float, float, float, str, str]:
        days, soon, rate = (
            self.figure(key).value or 0.0 for key in ("days_to_lapse", "lapsing_30", "pass_rate")
        )
        return days, -soon, rate, self.card.name, self.framework


def _lapses(compliance: DomainRollup, chosen: np.ndarray) -> list[FrameworkLapse]:
    """Some (workspace, framework) of those in ``compliance.cards.scopes``."""
    scopes = compliance.cards.scopes
    return [
        FrameworkLapse(compliance.cards.find(slug), group)
        for slug, group in map(scopes.__getitem__, chosen)
    ]


def answer(compliance: DomainRollup, context: QuestionContext) -> Answer:
    """The smallest days_to_lapse over passing controls; those already out are named apart."""
    if not compliance.cards.scopes:
        return QUESTION.nothing("No workspace in scope has set up a compliance framework.")
    out = _already_lapsed(compliance)
    due = compliance.cards.by_scope("days_to_lapse")
    if np.isnan(due).all():
        return _projection(compliance, context, out)
    first = min(_lapses(compliance, np.flatnonzero(due == np.nanmin(due))), key=lambda f: f.order)
    days, soon = first.figure("days_to_lapse"), first.figure("lapsing_30").value or 0.0
    there = f"{formats.number(soon)} {first.framework} controls"
    more = f"; {there} within {HORIZON_DAYS}" if soon > 1 else ""
    looked = compliance.facts.last_day_of((first.card.slug, first.framework))
    is_late = looked is not None and looked < min(context.end, context.as_of)
    counted_from = f" (seen {formats.day(looked)})" if looked and is_late else ""
    sentence = (
        f"{first.card.name}: {first.framework} {days.evidence.name} lapses in "
        f"{formats.counted(days.value or 0, 'day')}{counted_from}{more}.{out.sentence}"
    )
    evidence = {
        "framework": first.framework,
        "control": days.evidence.name,
        "days": days.value,
        "lapsing_within_30_days": soon,
        "already_out": out.evidence,
    }
    shown = formats.counted(days.value or 0, "day")
    href = first.card.narrowed_href(framework=first.framework)
    return QUESTION.found(context.dated(sentence), shown, first.card, evidence, href, out.named)


@dataclass(frozen=True, slots=True)
class LapsedControls:
    """Controls whose evidence is out already: how many, and where most of them are."""

    controls: float
    most: list[FrameworkLapse]

    @property
    def sentence(self) -> str:
        if not self.most:
            return ""
        first = self.most[0]
        many = f"{formats.number(self.controls)}, e.g. " if self.controls > 1 else ""
        control = first.figure("lapsed").evidence.name
        return f" Already out: {many}{first.framework} {control} in {first.card.name}."

    @property
    def named(self) -> list[str]:
        """Workspaces that the sentence names."""
        return [each.card.name for each in self.most[:1]]

    @property
    def evidence(self) -> list[dict[str, object]]:
        return [
            {
                "workspace": f.card.slug,
                "framework": f.framework,
                "controls": f.figure("lapsed").value,
                "control": f.figure("lapsed").evidence.name,
            }
            for f in self.most
        ]


def _already_lapsed(compliance: DomainRollup) -> LapsedControls:
    lapsed = np.nan_to_num(compliance.cards.by_scope("lapsed"))
    order = np.argsort(-lapsed, kind="stable")
    tied = lapsed[order] >= max(1.0, lapsed[order[:TOLD_OUT]].min())
    most = _lapses(compliance, order[tied][: 2 * TOLD_OUT])
    most.sort(key=lambda f: (-(f.figure("lapsed").value or 0.0), f.card.name, f.framework))
    return LapsedControls(float(lapsed.sum()), most[:TOLD_OUT])


def _projection(compliance: DomainRollup, context: QuestionContext, out: LapsedControls) -> Answer:
    """Without any end date ahead: where the pass rate's trend of the last 28 days leads (Theil-Sen)."""
    rates, _ = (context.trend or compliance).values_over("pass_rate", TREND)
    slopes = rates.apply(lambda row: theil_sen(row.to_numpy(float)), axis=1)
    standing = slopes.index.isin(compliance.cards.scopes)
    last = rates.ffill(axis=1).iloc[:, -1]
    then = (last + slopes * HORIZON_DAYS).clip(lower=0.0)
    seen = (last - then).map(lambda fall: not formats.is_nothing(fall, Unit.RATIO))
    falling = slopes[(slopes < 0) & standing & seen].sort_index()
    if falling.empty:
        sentence = f"{NO_DATES}, and no pass rate is falling.{out.sentence}"
        return QUESTION.nothing(context.dated(sentence), {"already_out": out.evidence}, out.named)
    slug, framework = scope = falling.idxmin()
    card = compliance.cards.find(slug)
    now, later = float(last[scope]), float(then[scope])
    sentence = (
        f"Projection without dates: {card.name}'s {framework} pass rate falls from "
        f"{formats.percent(now)} to {formats.percent(later)} in {HORIZON_DAYS} days.{out.sentence}"
    )
    evidence = {
        "framework": framework,
        "slope_points_per_day": float(falling.min()),
        "projected": later,
        "projection": True,
    }
    moved = f"{formats.points(later - now)} projected"
    href = card.narrowed_href(framework=framework)
    return QUESTION.found(context.dated(sentence), moved, card, evidence, href, out.named)


def theil_sen(values: np.ndarray) -> float:
    """The median slope over all pairs of known points, per step; NaN with fewer than two."""
    at = np.flatnonzero(~np.isnan(values))
    i, j = np.triu_indices(len(at), 1)
    if not len(i):
        return math.nan
    return float(np.median((values[at[j]] - values[at[i]]) / (at[j] - at[i])))
