"""The four questions of the product page, each answered in one sentence with its evidence. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from aggregators import words
from aggregators.figures import Answer, Card, Figure
from aggregators.period import Span
from aggregators.rollup import Rolled
from aggregators.spans import SPRINT, TREND

ENOUGH_DEPLOYMENTS = 10
ENOUGH_CERTIFICATES = 5
HOARD = 0.8
ENOUGH_RESOLVED = 3
RISE = 1.05
Z_95 = 1.959963984540054
HORIZON_DAYS = 30
TOLD_OUT = 20
"""Workspaces with controls already out that the evidence lists; all are counted."""
RATE = "change_failure_rate"


def answers(
    rolled: Mapping[str, Rolled], sprints: Sequence[Span], trend: Rolled | None = None
) -> tuple[Answer, ...]:
    """The four answers, in the page's order, from the evaluated domains by key. ``trend`` is compliance
    over the last days one by one, for an organisation that ``lacks_dates``."""
    return (
        worst_change_failure_rate(rolled["dora"]),
        closest_to_lapse(rolled["compliance"], trend),
        expiring_certificates(rolled["certificates"]),
        mttr_climbing(rolled["incidents"], sprints),
    )


def wilson(part: float, whole: float) -> tuple[float, float]:
    """The 95 % Wilson score interval of a proportion, as fractions."""
    p, z2 = part / whole, Z_95**2
    centre = (p + z2 / (2 * whole)) / (1 + z2 / whole)
    half = Z_95 / (1 + z2 / whole) * math.sqrt(p * (1 - p) / whole + z2 / (4 * whole**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def worst_change_failure_rate(dora: Rolled) -> Answer:
    """The highest pooled rate among workspaces with at least ten deployments."""
    key, question = "worst_change_failure_rate", "Worst change failure rate"
    rates, ended = dora.cards.values(RATE), dora.cards.evidence(RATE)
    judged = np.flatnonzero(ended >= ENOUGH_DEPLOYMENTS)
    worst = dora.cards[int(judged[np.argmax(rates[judged])])] if len(judged) else None
    if worst is None or not worst.figures[RATE].value:
        reason = (
            "No workspace ended 10 production deployments in this period."
            if worst is None
            else f"No failed deployment in {words.counted(len(judged), 'workspace')} with at least 10."
        )
        return Answer(key, question, reason, evidence={"judged": len(judged)})
    return _worst_rate(key, question, worst, len(judged))


def _worst_rate(key: str, question: str, worst: Card, judged: int) -> Answer:
    rate = worst.figures[RATE]
    failed, ended = rate.evidence.numerator or 0.0, rate.evidence.denominator or 0.0
    low, high = wilson(failed, ended)
    moved = f", {words.delta(rate)} on the previous period" if rate.delta is not None else ""
    sentence = (
        f"{worst.name} has the highest change failure rate: {words.figure(rate)}, "
        f"{words.number(failed)} of {words.number(ended)} deployments "
        f"(95 % interval {words.percent(low)} to {words.percent(high)}){moved}."
    )
    evidence = {
        "failed": failed,
        "deployments": ended,
        "interval_low": low,
        "interval_high": high,
        "delta_points": rate.delta,
        "judged": judged,
    }
    return _found(key, question, sentence, words.figure(rate), worst, evidence)


def _found(
    key: str,
    question: str,
    sentence: str,
    figure: str,
    card: Card,
    evidence: Mapping[str, object],
    href: str | None = None,
) -> Answer:
    return Answer(
        key, question, sentence, True, figure, card.slug, card.name, href or card.href, evidence
    )


@dataclass(frozen=True, slots=True)
class _Lapse:
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


def _lapses(compliance: Rolled, chosen: np.ndarray) -> list[_Lapse]:
    """Some (workspace, framework) of those in ``compliance.cards.scopes``."""
    scopes = compliance.cards.scopes
    return [
        _Lapse(compliance.cards.find(slug), group)
        for slug, group in map(scopes.__getitem__, chosen)
    ]


def lacks_dates(rolled: Mapping[str, Rolled]) -> bool:
    """Whether there are frameworks, and no passing control anywhere has evidence with an end."""
    compliance = rolled["compliance"]
    days = compliance.figures["days_to_lapse"].by or {}
    return bool(days) and not any(figure.has_data for figure in days.values())


def closest_to_lapse(compliance: Rolled, trend: Rolled | None = None) -> Answer:
    """The smallest days_to_lapse over passing controls; those already out are named apart."""
    key, question = "closest_to_lapse", "Closest control to lapse"
    if not compliance.cards.scopes:
        return Answer(key, question, "No workspace in scope has set up a compliance framework.")
    out = _already_lapsed(compliance)
    due = compliance.cards.by_scope("days_to_lapse")
    if np.isnan(due).all():
        return _projection(key, question, compliance, trend or compliance, out)
    first = min(_lapses(compliance, np.flatnonzero(due == np.nanmin(due))), key=lambda f: f.order)
    days, soon = first.figure("days_to_lapse"), first.figure("lapsing_30").value or 0.0
    more = f"; {words.number(soon)} lapse within {HORIZON_DAYS} days" if soon > 1 else ""
    sentence = (
        f"{first.card.name}: {first.framework} control {days.evidence.name} lapses in "
        f"{words.counted(days.value or 0, 'day')}{more}.{out.sentence}"
    )
    evidence = {
        "framework": first.framework,
        "control": days.evidence.name,
        "days": days.value,
        "lapsing_within_30_days": soon,
        "already_out": out.evidence,
    }
    shown = words.counted(days.value or 0, "day")
    return _found(key, question, sentence, shown, first.card, evidence)


@dataclass(frozen=True, slots=True)
class _Out:
    """Controls whose evidence is out already: how many, and where most of them are."""

    controls: float
    most: list[_Lapse]

    @property
    def sentence(self) -> str:
        if not self.most:
            return ""
        first = self.most[0]
        control = first.figure("lapsed").evidence.name
        return (
            f" Already out: {words.counted(self.controls, 'control')}, "
            f"such as {first.framework} {control} in {first.card.name}."
        )

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


def _already_lapsed(compliance: Rolled) -> _Out:
    lapsed = np.nan_to_num(compliance.cards.by_scope("lapsed"))
    order = np.argsort(-lapsed, kind="stable")
    tied = lapsed[order] >= max(1.0, lapsed[order[:TOLD_OUT]].min())
    most = _lapses(compliance, order[tied][: 2 * TOLD_OUT])
    most.sort(key=lambda f: (-(f.figure("lapsed").value or 0.0), f.card.name, f.framework))
    return _Out(float(lapsed.sum()), most[:TOLD_OUT])


def _projection(key: str, question: str, compliance: Rolled, trend: Rolled, out: _Out) -> Answer:
    """Without any due date: where the pass rate's trend of the last 28 days leads (Theil-Sen)."""
    rates, _ = trend.over("pass_rate", TREND)
    slopes = rates.apply(lambda row: theil_sen(row.to_numpy(float)), axis=1)
    standing = slopes.index.isin(compliance.cards.scopes)
    falling = slopes[(slopes < 0) & standing].sort_index()
    if falling.empty:
        sentence = f"No evidence dates are recorded, and no pass rate is falling.{out.sentence}"
        return Answer(key, question, sentence, evidence={"already_out": out.evidence})
    slug, framework = falling.idxmin()
    card = compliance.cards.find(slug)
    slope = float(falling.min())
    now = (card.figures["pass_rate"].by or {})[framework].value or 0.0
    then = max(0.0, now + slope * HORIZON_DAYS)
    sentence = (
        f"No evidence dates are recorded. Projection from the last 28 days: {card.name}'s {framework} "
        f"pass rate falls from {words.percent(now)} to {words.percent(then)} in {HORIZON_DAYS} days."
        + out.sentence
    )
    evidence = {
        "framework": framework,
        "slope_points_per_day": slope,
        "projected": then,
        "projection": True,
    }
    return _found(key, question, sentence, f"{words.points(then - now)} projected", card, evidence)


def theil_sen(values: np.ndarray) -> float:
    """The median slope over all pairs of known points, per step; NaN with fewer than two."""
    at = np.flatnonzero(~np.isnan(values))
    i, j = np.triu_indices(len(at), 1)
    if not len(i):
        return math.nan
    return float(np.median((values[at[j]] - values[at[i]]) / (at[j] - at[i])))


def expiring_certificates(certificates: Rolled) -> Answer:
    """Who holds the certificates that expire within 30 days."""
    key, question = "expiring_certificates", "Most expiring certificates"
    known = certificates.cards.values("within_30")
    held = np.sort(np.nan_to_num(known))[::-1]
    total = float(held.sum())
    if total == 0:
        if np.isnan(known).all():
            return Answer(key, question, "No certificate is on record at that time.")
        return Answer(
            key, question, "No certificate expires within 30 days.", evidence={"total": 0}
        )
    most, card = float(held[0]), certificates.cards.most("within_30")
    href = f"{certificates.domain.page(card.slug)}?{certificates.domain.cell_queries['within_30']}"
    share = most / total
    evidence: dict[str, object] = {"total": total, "held": most, "share": share}
    expire = f"{words.counted(total, 'certificate')} that {'expires' if total == 1 else 'expire'}"
    if total >= ENOUGH_CERTIFICATES and share >= HOARD:
        sentence = (
            f"{card.name} holds {words.number(most)} of the {expire} within 30 days "
            f"({words.percent(share, 0)})."
        )
        return _found(key, question, sentence, words.percent(share, 0), card, evidence, href)
    running = held.cumsum()
    few = int(np.argmax(running >= HOARD * total)) + 1
    evidence |= {"workspaces": few, "of": len(held), "hold": float(running[few - 1]) / total}
    hold = "workspace holds" if few == 1 else "workspaces hold"
    sentence = (
        f"{words.number(few)} of {words.number(len(held))} {hold} {words.percent(HOARD, 0)} of the "
        f"{expire} within 30 days; {card.name} has most, {words.number(most)}."
    )
    return _found(key, question, sentence, f"{few} of {len(held)}", card, evidence, href)


def mttr_climbing(incidents: Rolled, sprints: Sequence[Span]) -> Answer:
    """Whose incident MTTR rose by at least 5 % three sprints in a row, with enough resolved."""
    key, question = "mttr_climbing", "MTTR climbing three sprints"
    means, counts = incidents.over("mttr", SPRINT)
    enough = (counts >= ENOUGH_RESOLVED).all(axis=1)
    judged = means[enough]
    climbing = judged[_rises(judged)]
    when = f"sprints {words.span(Span(sprints[0].start, sprints[-1].end))}"
    if climbing.empty:
        sentence = (
            f"No MTTR rose three sprints in a row ({when}; "
            f"{words.counted(len(judged), 'workspace')} with enough resolved incidents)."
        )
        return Answer(key, question, sentence, evidence={"judged": len(judged)})
    slug = (climbing.iloc[:, -1] / climbing.iloc[:, 0]).sort_index().idxmax()[0]
    card = incidents.cards.find(slug)
    path = [float(v) for v in climbing.loc[(slug, "")]]
    others = f" {words.counted(len(climbing) - 1, 'other')} too." if len(climbing) > 1 else ""
    steps = " → ".join(map(words.duration, path))
    sentence = f"{card.name}'s MTTR rose three sprints in a row: {steps} ({when}).{others}"
    evidence = {
        "mttr_seconds": path,
        "resolved": [int(n) for n in counts.loc[(slug, "")]],
        "sprints": [[s.start.isoformat(), s.end.isoformat()] for s in sprints],
        "judged": len(judged),
        "climbing": sorted(str(s) for s, _ in climbing.index),
    }
    shown = f"{words.duration(path[0])} → {words.duration(path[-1])}"
    return _found(key, question, sentence, shown, card, evidence)


def _rises(means: pd.DataFrame) -> np.ndarray:
    """Rows whose every step is a rise of at least 5 %."""
    values = means.to_numpy(float)
    steps = (values[:, 1:] >= values[:, :-1] * RISE).all(axis=1)
    return np.asarray(steps & (values[:, 0] > 0), bool)
