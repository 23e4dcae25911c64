"""Queues the digests of a night that has been watched: each once, with what its person may see then."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from datetime import date
from itertools import groupby

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from auth.secret_key import secret_keys
from exports import mail
from exports.digest import shapes, stopping
from exports.digest.message import DigestMessage, message
from exports.digest.news import DigestNews, ScopeSignals, signals_of
from exports.schedule import NO_ROLE
from reading.dashboard import NotPlatformAdmin
from settings import Settings
from storage.context import NotIdentified
from storage.database import Database
from storage.digests import channels, notices
from storage.digests.channels import DigestChannel
from storage.identity import tickets
from storage.scheduled import nights
from storage.viewer import Viewer

log = logging.getLogger("vigilo.digests")
NAMES = uuid.UUID("3f0d2c1e-9a44-4b0e-8a55-7c1f6f2f9b10")


def queue_due(database: Database, settings: Settings) -> int:
    """Queues the digests of the last night, once the watch has looked at it; returns how many. While
    missed nights are made up nothing goes: there is one message for all of them."""
    now = settings.now()
    with database.job.connect() as connection:
        night = channels.watched_night(connection)
        waiting = channels.due_channels(channels.all_channels(connection), night) if night else []
    if night is None or night < nights.due_day(now):
        return 0
    queued = 0
    for person, mine in groupby(waiting, key=lambda channel: channel.user_id):
        try:
            queued += _of_person(database, settings, tuple(mine), night)
        except OperationalError:
            raise
        except Exception:  # the others are no less due; this one is tried again with the next run
            log.exception("the digest of person %s", person)
    return queued


def _of_person(
    database: Database, settings: Settings, mine: Sequence[DigestChannel], night: date
) -> int:
    """Queue a person's digests: read once, as they are."""
    person = mine[0]
    with database.job.begin() as connection:
        proof = tickets.issue(connection, person.user_id)
    viewer = Viewer(person.user_id, person.email, person.name, proof)
    try:
        scope = signals_of(database, viewer, night, settings)
    except (NotPlatformAdmin, NotIdentified):
        with database.job.begin() as connection:
            for channel in mine:
                channels.note_told(connection, channel.id, night, sends=False, reason=NO_ROLE)
        return 0
    return sum(_queue_digest(database, settings, channel, scope) for channel in mine)


def _queue_digest(
    database: Database, settings: Settings, channel: DigestChannel, scope: ScopeSignals
) -> bool:
    """Queue one, and note that it is told, in one transaction; under an id that channel and night give."""
    news = _news(channel, scope)
    with database.job.begin() as connection:
        sends = news is not None
        if not channels.note_told(connection, channel.id, scope.night, sends=sends) or news is None:
            return False
        id = uuid.uuid5(NAMES, f"{channel.id} {scope.night}")
        queue_message(connection, settings, channel, news, id)
    return True


def _news(channel: DigestChannel, scope: ScopeSignals) -> DigestNews | None:
    """News for a channel; None where it is to stay quiet."""
    news = scope.since(channel.told_to)
    if not news.is_quiet:
        return news
    last = channel.sent_on or channel.begun_on
    is_week = last is None or last < channels.last_sunday(scope.night)
    return scope.since(last) if channel.says_quiet and is_week else None


def queue_message(
    connection: Connection,
    settings: Settings,
    channel: DigestChannel,
    news: DigestNews,
    id: uuid.UUID,
) -> None:
    """Puts a digest where it waits to be sent, within the caller's transaction."""
    text = message(news, settings.organisation, settings.address)
    if channel.kind == "mail":
        _mail(connection, settings, channel, text, id)
        return
    body = {
        "slack": lambda: shapes.slack(text),
        "teams": lambda: shapes.teams(text),
        "webhook": lambda: shapes.webhook(text, news, str(id)),
    }[channel.kind]()
    notices.queue_notice(connection, id, channel.id, body)


def _mail(
    connection: Connection,
    settings: Settings,
    channel: DigestChannel,
    message: DigestMessage,
    id: uuid.UUID,
) -> None:
    link = stopping.link(secret_keys(settings), settings.address, channel.id)
    ready = mail.MailText(
        channel.email,
        message.subject,
        shapes.plain_mail(message, link),
        shapes.rich_mail(message, link),
        link,
    )
    mail.queue_mail(connection, id, ready)
