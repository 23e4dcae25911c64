"""The one who asks: an explicit argument below the web edge, never a global."""

from __future__ import annotations

from dataclasses import dataclass, field

from storage.identity.proof import Proof


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in person. What they may see is the database's word, looked up on each read; that it is they
    who ask is what the ``proof`` shows it. Without one nothing is read."""

    user_id: int
    email: str
    name: str = ""
    proof: Proof | None = field(default=None, repr=False, compare=False)
