"""A finding: something wrong, what it means, and what to type."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HealthFinding:
    """Something wrong. ``brief`` names it to everybody, ``detail`` to an operator; ``must_not_serve`` where
    requests would fail or isolation would not hold."""

    brief: str
    remedy: str
    detail: str = ""
    must_not_serve: bool = False

    def __str__(self) -> str:
        line = f"{self.brief}: {self.detail}" if self.detail else self.brief
        return f"{line}\n    {self.remedy}"
