"""MTTR climbing three sprints: whose incidents take longer and longer. Pure."""

from __future__ import annotations

import numpy as np
import pandas as pd

from aggregators.pooling.dashboard import Answer
from aggregators.pooling.plan import SPRINT
from aggregators.pooling.rollup import DomainRollup
from aggregators.question import Question, QuestionContext
from aggregators.vocabulary import formats
from aggregators.vocabulary.period import Span

QUESTION = Question(
    "mttr_climbing", "MTTR climbing three sprints", order=4, measure="mttr", looks_back=True
)
ENOUGH_RESOLVED = 3
RISE = 1.05


def answer(incidents: DomainRollup, context: QuestionContext) -> Answer:
    """Workspace whose incident MTTR rose by at least 5 % three sprints in a row, with enough resolved."""
    means, counts = incidents.values_over("mttr", SPRINT)
    enough = (counts >= ENOUGH_RESOLVED).all(axis=1)
    judged = means[enough]
    climbing = judged[_rises(judged)]
    when = f"sprints {formats.span(Span(context.sprints[0].start, context.sprints[-1].end))}"
    if climbing.empty:
        sentence = (
            f"No MTTR rose three sprints in a row ({when}; "
            f"{formats.counted(len(judged), 'workspace')} with enough resolved incidents)."
        )
        return QUESTION.nothing(sentence, {"judged": len(judged)})
    slug = (climbing.iloc[:, -1] / climbing.iloc[:, 0]).sort_index().idxmax()[0]
    card = incidents.cards.find(slug)
    path = [float(v) for v in climbing.loc[(slug, "")]]
    others = f" {formats.counted(len(climbing) - 1, 'other')} too." if len(climbing) > 1 else ""
    steps = " → ".join(map(formats.duration, path))
    sentence = f"{card.name}'s MTTR rose three sprints in a row: {steps} ({when}).{others}"
    evidence = {
        "mttr_seconds": path,
        "resolved": [int(n) for n in counts.loc[(slug, "")]],
        "sprints": [[s.start.isoformat(), s.end.isoformat()] for s in context.sprints],
        "judged": len(judged),
        "climbing": sorted(str(s) for s, _ in climbing.index),
    }
    shown = f"{formats.duration(path[0])} → {formats.duration(path[-1])}"
    return QUESTION.found(sentence, shown, card, evidence)


def _rises(means: pd.DataFrame) -> np.ndarray:
    """Rows whose every step is a rise of at least 5 %."""
    values = means.to_numpy(float)
    steps = (values[:, 1:] >= values[:, :-1] * RISE).all(axis=1)
    return np.asarray(steps & (values[:, 0] > 0), bool)
