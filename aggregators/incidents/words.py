"""Meanings of senders' words for how grave an incident is, and which alerts are none."""

from __future__ import annotations

import re

from aggregators.incidents.tables import GRAVEST_FIRST, SEVERITIES

WORDS = {
    "p1": "p0 p1 s0 s1 sev0 sev1 severity0 severity1 critical crit emergency emerg fatal blocker disaster"
    " highest outage catastrophic panic",
    "p2": "p2 s2 sev2 severity2 high error err major page severe urgent alert",
    "p3": "p3 s3 sev3 severity3 medium moderate minor warning warn average normal degraded",
    "p4": "p4 p5 s4 s5 sev4 sev5 severity4 severity5 low lowest info information informational notice"
    " trivial cosmetic debug",
    "none": "none heartbeat deadman",
}
KNOWN = {word: meaning for meaning, words in WORDS.items() for word in words.split()}
URGENCIES = {"high": "p2", "low": "p4"}
HEARTBEATS = {"watchdog", "infoinhibitor", "deadmansswitch"}


def severity(word: str) -> str | None:
    """p1 to p4, or none for what is no incident: SEV-1, P1 - Critical, Emergency; None where unknown."""
    if word in KNOWN:
        return KNOWN[word]
    parts = re.split(
        r"[^a-z0-9]+", re.sub(r"\b(sev|severity|p|s|priority|prio)[\s_.-]*(\d)\b", _level, word)
    )
    return next((KNOWN[part] for part in parts if part in KNOWN and KNOWN[part] != "none"), None)


def _level(match: re.Match[str]) -> str:
    letter = {"severity": "sev", "priority": "p", "prio": "p"}.get(match[1], match[1])
    return f"{letter}{match[2]}"


def urgency(word: str) -> str | None:
    """A sender's urgency as a severity."""
    return URGENCIES.get(word)


def heartbeat(alert: str) -> str | None:
    """``yes`` for alerts that always fire, to prove that alerting works."""
    return "yes" if re.sub(r"[^a-z]", "", alert) in HEARTBEATS else None


MEANINGS = {"severity": severity, "urgency": urgency, "heartbeat": heartbeat}
SAID = {
    "severity": {"incidents": ("severity", "gravest_severity")},
    "urgency": {"incidents": ("urgency",)},
    "heartbeat": {"incidents": ("alert",)},
}
"""Fields in which the words stand, by kind of record."""
VALUES = {
    "severity": GRAVEST_FIRST,
    "urgency": SEVERITIES,
    "heartbeat": ("yes", "no"),
}
"""Meanings that a workspace may choose; ``none`` and ``yes``: no incident."""
RARE = ("heartbeat",)
"""Subjects whose words mean nothing but for a few: most alerts are none that always fire."""
