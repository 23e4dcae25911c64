"""Proofs of who asks: credentials that the database knows a hash of, shown without being told.

What is sent of a credential can be read by whoever reads this role's statements, in the server's view of
its activity or in a log. So a hash of its hash names it, and the answer to a challenge that stands in one
transaction alone shows that it is known.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import Enum


class Credential(Enum):
    """Kind of secret that stands for a person."""

    SESSION = "session"
    TOKEN = "token"  # noqa: S105 - the kind's name
    TICKET = "ticket"


def verifier_of(secret: str) -> bytes:
    """Hash of a secret as the database keeps it: 32 bytes."""
    return hashlib.sha256(secret.encode()).digest()


@dataclass(frozen=True, slots=True)
class Proof:
    """A credential as the process holds it."""

    kind: Credential
    verifier: bytes = field(repr=False)

    @classmethod
    def of(cls, kind: Credential, secret: str) -> Proof:
        """The proof that a secret gives."""
        return cls(kind, verifier_of(secret))

    @property
    def handle(self) -> bytes:
        """Name of the credential, which says nothing of it."""
        return hashlib.sha256(self.verifier).digest()

    def answer(self, challenge: bytes) -> bytes:
        """Answer to a challenge, as ``vigilo.answer`` computes it."""
        inner = hashlib.sha256(self.verifier + challenge).digest()
        return hashlib.sha256(self.verifier + inner).digest()
