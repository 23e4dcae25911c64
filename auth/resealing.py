"""Secrets of others that are kept sealed, and their way to a new key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.fernet import InvalidToken
from sqlalchemy import Connection, Engine, text

from auth.secret_key import Keys


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed secrets, with the purpose that their seals are made for."""

    table: str
    column: str
    purpose: str
    key: str = "id"


@dataclass(frozen=True, slots=True)
class Resealed:
    """Secrets that were sealed anew, and those that no key opens any more."""

    renewed: int
    lost: int


def reseal(engine: Engine, keys: Keys, columns: Sequence[SealedColumn]) -> Resealed:
    """Seals everything under the current key, as the job role, in one transaction. What no key opens is
    left as it is."""
    with engine.begin() as connection:
        counts = [_reseal(connection, keys, column) for column in columns]
    return Resealed(sum(c.renewed for c in counts), sum(c.lost for c in counts))


def _reseal(connection: Connection, keys: Keys, of: SealedColumn) -> Resealed:
    box, newest = keys.box(of.purpose), keys.newest_box(of.purpose)
    rows = connection.execute(
        text(
            f"select {of.key}, {of.column} from {of.table} where {of.column} is not null for update"
        )
    ).all()
    renewed = lost = 0
    for key, stored in rows:
        try:
            newest.decrypt(bytes(stored))
            continue
        except InvalidToken:
            pass  # sealed under a former key, or under none that is known: told apart next
        try:
            again = box.rotate(bytes(stored))
        except InvalidToken:
            lost += 1
            continue
        update = text(f"update {of.table} set {of.column} = :again where {of.key} = :key")
        connection.execute(update, {"again": again, "key": key})
        renewed += 1
    return Resealed(renewed, lost)
