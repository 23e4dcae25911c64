"""Names of frameworks: which of them a workspace knows by another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

FRAMEWORK = "framework"


def framework(_name: str) -> str | None:
    """None: a name stands for itself until somebody says otherwise."""
    return None


MEANINGS = {FRAMEWORK: framework}
SAID: Mapping[str, Mapping[str, Sequence[str]]] = {
    FRAMEWORK: dict.fromkeys(
        ("control-results", "asset-retirements", "framework-controls"), (FRAMEWORK,)
    )
}
"""Fields in which the names stand, by kind of record."""
VALUES: Mapping[str, tuple[str, ...]] = {FRAMEWORK: ()}
"""Any name may be chosen."""
