"""The one who asks: an explicit argument below the web edge, never a global."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in person. What they may see is the database's word, looked up on each read."""

    user_id: int
    email: str
    name: str = ""
