"""Meanings of environments' names: which of them are production."""

from __future__ import annotations

import re

LIVE = {"production", "prod", "prd", "live", "prod1", "prod2"}
NOT_LIVE = {
    "pre", "preprod", "preproduction", "non", "nonprod", "nonproduction", "not", "no", "staging", "stage",
    "stg", "test", "testing", "tst", "qa", "uat", "dev", "development", "develop", "preview", "review",
    "sandbox", "demo", "integration", "int", "local", "canary", "shadow", "perf", "performance", "load",
}  # fmt: skip
"""Parts of a name that make it another environment, whatever else stands in it."""


def environment(name: str) -> str | None:
    """``production`` where the name says so (prod, PRD, live, "Production - app"), else None."""
    parts = set(re.split(r"[^a-z0-9]+", name)) - {""}
    return "production" if parts & LIVE and not parts & NOT_LIVE else None


MEANINGS = {"environment": environment}
SAID = {"environment": {"deployments": ("environment",), "roll-backs": ("environment",)}}
"""Fields in which the words stand, by kind of record."""
VALUES = {"environment": ("production", "other")}
"""Meanings that a workspace may choose."""
