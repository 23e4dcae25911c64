"""An operator's thresholds, compared with the declared measures."""

from __future__ import annotations

from collections.abc import Mapping

from aggregators.catalogue import DOMAINS
from aggregators.vocabulary.measure import LOWER

Limits = tuple[float | None, float | None]
"""Watch and bad."""


def problem(thresholds: Mapping[str, Limits]) -> str | None:
    """A sentence about thresholds by ``domain.measure`` that no measure takes; None when all are right."""
    measures = {f"{d.key}.{m.key}": m for d in DOMAINS for m in d.measures}
    if unknown := sorted(set(thresholds) - set(measures)):
        return f"takes domain.measure keys; there is no {', '.join(unknown)}"
    for key, (watch, bad) in thresholds.items():
        if watch is None or bad is None:
            continue
        is_lower_better = measures[key].better is LOWER
        if watch > bad if is_lower_better else watch < bad:
            worse = "higher" if is_lower_better else "lower"
            return f"takes [watch, bad]: of {key} {worse} is worse, so bad is not first"
    return None
