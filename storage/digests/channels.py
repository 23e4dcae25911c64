"""Ways by which people get their digest: made, listed, moved on, and removed, as the job role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, Engine, text

from storage import audit

MOST = 10
"""Channels that one person may have."""
EACH = text("""
select c.id, c.user_id, c.kind, c.hint, c.cadence, c.says_quiet, c.begun_on, c.told_to, c.sent_on,
    c.reason, u.email, u.name
from digest_channel c join app_user u on u.id = c.user_id
where cast(:user as bigint) is null or c.user_id = :user order by c.user_id, c.id
""")
NIGHT = text("select max(day) from watch_day")
INSERT = text("""
insert into digest_channel
    (user_id, kind, address, hint, secret, cadence, says_quiet, begun_on, told_to)
values (:user, :kind, :address, :hint, :secret, :cadence, :says_quiet, :night, :night)
on conflict do nothing returning id
""")
MOVE = text("""
update digest_channel set told_to = :night, sent_on = case when :sends then :night else sent_on end,
    reason = case when :sends or :reason <> '' then :reason else reason end
where id = :id and (told_to is null or told_to < :night)
""")


class TooManyChannels(ValueError):
    """A channel more than one may have, or a second mail."""


@dataclass(frozen=True, slots=True)
class NewChannel:
    """A channel as it is to be made; ``address`` and ``secret`` are sealed already."""

    kind: str
    cadence: str
    says_quiet: bool
    address: bytes | None = None
    hint: str = ""
    secret: bytes | None = None


@dataclass(frozen=True, slots=True)
class DigestChannel:
    """A way by which a person gets the digest; see the table."""

    id: int
    user_id: int
    kind: str
    hint: str
    cadence: str
    says_quiet: bool
    begun_on: date | None
    told_to: date | None
    sent_on: date | None
    reason: str
    email: str
    name: str


def watched_night(connection: Connection) -> date | None:
    """The last night that the watch has looked at."""
    night: date | None = connection.execute(NIGHT).scalar_one()
    return night


def all_channels(connection: Connection, user_id: int | None = None) -> list[DigestChannel]:
    """Channels of one person, or of all, person by person."""
    return [DigestChannel(*row) for row in connection.execute(EACH, {"user": user_id})]


def add(engine: Engine, user_id: int, email: str, new: NewChannel) -> int:
    """Makes a channel that begins with the next night, and notes it in the audit; its id. Raises
    TooManyChannels."""
    with engine.begin() as connection:
        connection.execute(
            text("select from app_user where id = :u for update"), {"u": user_id}
        )  # two forms at once do not get past the count
        if len(all_channels(connection, user_id)) >= MOST:
            raise TooManyChannels(f"You have {MOST} already: remove one first.")
        values = {
            "user": user_id,
            "kind": new.kind,
            "address": new.address,
            "hint": new.hint,
            "secret": new.secret,
            "cadence": new.cadence,
            "says_quiet": new.says_quiet,
            "night": watched_night(connection),
        }
        made: int | None = connection.execute(INSERT, values).scalar()
        if made is None:
            raise TooManyChannels("You get it by mail already.")
        details = {"kind": new.kind, "to": new.hint, "cadence": new.cadence}
        audit.record(connection, email, "digest.create", str(made), details)
    return made


def remove(engine: Engine, id: int, user_id: int | None, how: str = "") -> DigestChannel | None:
    """Removes a channel of the person (None: of anybody), with what waits to go there; the channel, or
    None where there is none."""
    with engine.begin() as connection:
        channel = next((c for c in all_channels(connection, user_id) if c.id == id), None)
        if channel is not None:
            connection.execute(text("delete from digest_channel where id = :id"), {"id": id})
            details = {"kind": channel.kind, "to": channel.hint, "by": how}
            audit.record(connection, channel.email, "digest.delete", str(id), details)
    return channel


def note_told(
    connection: Connection, id: int, night: date, *, sends: bool, reason: str = ""
) -> bool:
    """Notes that a channel has been told up to a night; False where another process did so before."""
    values = {"id": id, "night": night, "sends": sends, "reason": reason}
    return bool(connection.execute(MOVE, values).rowcount)


def sealed_channel(connection: Connection, id: int) -> tuple[str, bytes | None, bytes | None]:
    """Kind, address and secret of a channel, as they are sealed. Raises NoResultFound."""
    query = text("select kind, address, secret from digest_channel where id = :id")
    kind, address, secret = connection.execute(query, {"id": id}).one()
    return kind, _bytes(address), _bytes(secret)


def _bytes(stored: memoryview | bytes | None) -> bytes | None:
    return None if stored is None else bytes(stored)


def due_channels(channels: Sequence[DigestChannel], night: date) -> list[DigestChannel]:
    """Channels that are to be told of a night: nightly ones that were not, weekly ones after a Sunday."""
    return [channel for channel in channels if _is_due(channel, night)]


def _is_due(channel: DigestChannel, night: date) -> bool:
    if channel.told_to is None:
        return True
    if channel.cadence == "nightly":
        return channel.told_to < night
    return channel.told_to < last_sunday(night)


def last_sunday(night: date) -> date:
    """The Sunday that a night is, or the one before it."""
    return date.fromordinal(night.toordinal() - night.isoweekday() % 7)
