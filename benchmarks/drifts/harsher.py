"""Two settings harsher than the simulator's own, so that nothing is tuned to one: more wander and
deeper lulls; and small, bursty teams that deploy by train."""

from __future__ import annotations

from typing import Any

CHANGES: dict[str, dict[str, Any]] = {
    "WANDERING": {
        "wander_act": (0, 0.25),
        "wander_p": (0, 0.2),
        "wander_dur": (0, 0.25),
        "phi_ar": 0.75,
        "vacation": (0.3, 0.8),
        "outage": 0.2,
        "gap": (0, 0.06),
    },
    "BURSTY": {
        "train": 0.3,
        "deploys": (0.1, 15),
        "k_dep": (1, 15),
        "k_inc": (0.2, 3),
        "rho": (0, 0.15),
        "trend": 0.3,
        "day_lead": (0, 0.7),
        "bimodal": 0.5,
    },
}


def setting(base: dict[str, Any], name: str) -> dict[str, Any]:
    """A harsher setting made from the simulator's own."""
    return base | CHANGES[name]
