"""Secrets of others that are kept sealed, and their way to a new key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.fernet import InvalidToken, MultiFernet
from sqlalchemy import Connection, Engine, text

from auth.secret_key import Keys


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed secrets, with the purpose that their seals are made for."""

    table: str
    column: str
    purpose: str
    is_used: str = "true"
    """Condition of rows whose secret somebody would miss."""


@dataclass(frozen=True, slots=True)
class Resealed:
    """Secrets that were sealed anew, and those that are used and that no key opens any more."""

    renewed: int
    lost: int


def reseal(engine: Engine, keys: Keys, columns: Sequence[SealedColumn]) -> Resealed:
    """Seals everything under the current key, as the job role, in one transaction. What no key opens is
    left as it is."""
    with engine.begin() as connection:
        counts = [_reseal(connection, keys, column) for column in columns]
    return Resealed(sum(c.renewed for c in counts), sum(c.lost for c in counts))


def _reseal(connection: Connection, keys: Keys, of: SealedColumn) -> Resealed:
    """Seals a column's secrets anew under the newest key; how many were, and how many no key opens."""
    box, newest = keys.box(of.purpose), keys.newest_box(of.purpose)
    rows = connection.execute(
        text(
            f"select id, {of.column}, {of.is_used} from {of.table} where {of.column} is not null for update"
        )
    ).all()
    renewed = lost = 0
    for key, stored, is_used in rows:
        try:
            newest.decrypt(bytes(stored))
            continue
        except InvalidToken:
            pass  # sealed under a former key, or under none that is known: told apart next
        try:
            again = box.rotate(bytes(stored))
        except InvalidToken:
            lost += bool(is_used)
            continue
        update = text(f"update {of.table} set {of.column} = :again where id = :key")
        connection.execute(update, {"again": again, "key": key})
        renewed += 1
    return Resealed(renewed, lost)


def lost_secrets(connection: Connection, keys: Keys, of: SealedColumn) -> list[int]:
    """Ids of the rows whose secret is used and opens with no key, read as the job role."""
    box = keys.box(of.purpose)
    query = (
        f"select id, {of.column} from {of.table} where {of.column} is not null and {of.is_used}"
        " order by id"
    )
    rows = connection.execution_options(yield_per=1000).execute(text(query))
    return [id for id, stored in rows if not _opens(box, bytes(stored))]


def _opens(box: MultiFernet, stored: bytes) -> bool:
    try:
        box.decrypt(stored)
    except InvalidToken:
        return False
    return True
