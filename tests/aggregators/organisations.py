"""Random organisations as facts, and their scorecards: the declared domains without a database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
from hypothesis import strategies as st

from aggregators.pooling.cards import WorkspaceLabel
from aggregators.pooling.dashboard import Scorecard
from aggregators.pooling.facts import Facts, JoinedDistributions
from aggregators.pooling.plan import BEFORE, NOW, POOLED, STEPPED, Plan
from aggregators.pooling.rollup import roll
from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.kinds import Ratio
from aggregators.vocabulary.measure import DAYS_SEEN, Nature
from aggregators.vocabulary.period import rolling
from aggregators.vocabulary.sketch import Histogram, Sketch

AS_OF = date(2026, 11, 22)
PERIOD = rolling(28, AS_OF)
PLAN = Plan.without_points(PERIOD)
"""Without series: only the period and the one before."""

Side = dict[str, object] | None
"""The facts of one workspace (and group) in one period; None where no day was seen."""

counts = st.one_of(st.just(0), st.integers(0, 12), st.integers(0, 100_000)).map(float)
durations = st.lists(
    st.one_of(st.sampled_from([0.0, 1.0, 60.0, 3600.0]), st.floats(0.0, 1e7)), max_size=12
)


@st.composite
def sides(draw: st.DrawFn, domain: Domain, days: int) -> Side:
    """Facts of every nature that the domain reads; parts never exceed their wholes."""
    if not days:
        return None
    found: dict[str, object] = {DAYS_SEEN: float(days)}
    for fact, nature in domain.natures().items():
        known = draw(st.booleans()) or nature is Nature.FLOW
        value = draw(durations.map(Sketch.of) if nature is Nature.DISTRIBUTION else counts)
        found[fact] = value if known or nature is Nature.LEVEL_SUM else None
    for measure in domain.measures:
        if isinstance(measure, Ratio) and len(measure.part) == 1 == len(measure.whole):
            part, whole = measure.part[0], measure.whole[0]
            found[part] = min(found[part], found[whole])
    return found


@st.composite
def organisations(draw: st.DrawFn, domain: Domain) -> dict[tuple[str, str], tuple[Side, Side]]:
    """Workspaces (with groups where the domain has them), each now and before."""
    groups = ("HIPAA", "SOC2") if domain.by else ("",)
    seen = st.sampled_from([28, 28, 20, 14, 0])
    return {
        (f"w{n}", group): tuple(draw(sides(domain, draw(seen))) for _ in (NOW, BEFORE))
        for n in range(draw(st.integers(1, 5)))
        for group in groups
        if not group or draw(st.booleans())
    }


def scorecard(
    domain: Domain,
    organisation: dict[tuple[str, str], tuple[Side, Side]],
    union_seen: Mapping[str, int] | None = None,
) -> Scorecard:
    """The scorecard of an organisation; ``union_seen`` as for ``roll``."""
    scopes = sorted(organisation)
    over = {
        label: column(domain, [organisation[scope][at] or {} for scope in scopes])
        for at, label in enumerate((NOW, BEFORE))
    }
    both = {fact: beside(over[NOW][fact], over[BEFORE][fact]) for fact in over[NOW]}
    facts = Facts(scopes, PLAN, over | {POOLED: both, STEPPED: both})
    places = [WorkspaceLabel(s, s.title()) for s in sorted({slug for slug, _ in organisation})]
    rolled = roll(domain, facts, places, PLAN, union_seen)
    return Scorecard(domain, rolled.figures, rolled.cards, facts=facts)


def beside(now: object, before: object) -> object:
    """A fact of the period, and of the one before it beside."""
    if isinstance(now, np.ndarray):
        return np.concatenate([now, before], axis=1)
    return JoinedDistributions([now, before], axis=1)


def column(domain: Domain, sides: list[Side]) -> dict[str, object]:
    """Facts of a span of every scope, as [scope, 1]."""
    found: dict[str, object] = {
        DAYS_SEEN: np.array([side.get(DAYS_SEEN, 0.0) for side in sides], float)[:, None]
    }
    for fact, nature in domain.natures().items():
        held = [side.get(fact) for side in sides]
        if nature is Nature.DISTRIBUTION:
            flat = Histogram.of(held)
            found[fact] = Histogram(flat.first, flat.counts[:, None], flat.known[:, None])
        else:
            found[fact] = np.array([np.nan if v is None else v for v in held], float)[:, None]
    return found
