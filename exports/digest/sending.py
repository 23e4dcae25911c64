"""Sends the messages that wait: to checked addresses alone, one attempt at a time."""

from __future__ import annotations

import ipaddress
import logging
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cryptography.fernet import InvalidToken
from sqlalchemy.exc import NoResultFound
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from auth.secret_key import Keys, secret_keys
from exports.digest import shapes
from ingest.pulling.client import Client
from ingest.pulling.guard import Ip, plain_address
from ingest.pulling.problems import SourceProblem
from ingest.pulling.runner import SourceContext
from ingest.pulling.wire.answers import SenderAnswer
from settings import Settings
from storage.database import Database
from storage.digests import channels, notices
from storage.digests.notices import DueNotice, NoticeOutcome
from storage.scheduled import retries

log = logging.getLogger("vigilo.digests")
PURPOSE = "digest channel"
MOST = 50
"""Messages of one run."""
AGAIN = (408, 425, 429)
LONGEST_WAIT = timedelta(hours=1)
LOST_KEY = "No key opens its address any more: make it anew."


def check(database: Database, settings: Settings, url: str) -> str:
    """Checks an address that somebody gives; its host. Raises SourceProblem."""
    guard = SourceContext(database, settings).guard
    if settings.source_proxy:
        guard.check_proxied(url)
        is_public = True
    else:
        is_public = _ip(guard.target(url).ip).is_global
    parts = urlsplit(url)
    if parts.scheme != "https" and is_public:
        raise SourceProblem(
            "blocked_address", "An address of the open internet begins with https://."
        )
    return str(parts.hostname)


def _ip(address: str) -> Ip:
    return plain_address(ipaddress.ip_address(address.partition("%")[0]))


def deliver(
    database: Database,
    settings: Settings,
    now: datetime | None = None,
    lease: timedelta = retries.LEASE,
) -> int:
    """Sends what is due; returns how many messages were taken."""
    taken = 0
    for _ in range(MOST):
        claimed = notices.claim(database.job, now, lease)
        if claimed is None:
            break
        notice, moment = claimed
        outcome = (
            NoticeOutcome(notices.TWICE, is_final=True)
            if notice.unclear >= notices.MOST_UNCLEAR
            else _attempt(database, settings, notice, moment)
        )
        state = notices.settle(database.job, notice, outcome, moment)
        if outcome.error:
            log.warning("message %s, attempt %s: %s", notice.id, notice.attempt, outcome.error)
        taken += state == "sent"
    return taken


def _attempt(
    database: Database, settings: Settings, notice: DueNotice, moment: datetime
) -> NoticeOutcome:
    """Make one attempt."""
    try:
        kind, url, secret = _channel_secrets(database, secret_keys(settings), notice.channel_id)
    except NoResultFound:
        return NoticeOutcome("The channel was removed.", is_final=True)
    except InvalidToken:
        return NoticeOutcome(LOST_KEY, is_final=True)
    body, headers = notice.body.encode(), {"Content-Type": "application/json"}
    if kind == "webhook" and secret is not None:
        headers |= shapes.signature_headers(str(notice.id), int(moment.timestamp()), body, secret)
    guard = SourceContext(database, settings).guard
    ca_file = str(settings.source_ca) if settings.source_ca else None
    client = Client(url, guard, ca_file=ca_file, proxy=settings.source_proxy)
    try:
        return _outcome_of_answer(client.post_once(body, headers))
    except SourceProblem as problem:
        is_final = problem.code == "blocked_address"
        return NoticeOutcome(str(problem), is_final, is_unclear=_may_have_come(problem))


def _channel_secrets(
    database: Database, keys: Keys, channel_id: int
) -> tuple[str, str, bytes | None]:
    """Kind, address and secret of a channel. Raises NoResultFound, InvalidToken."""
    with database.job.connect() as connection:
        kind, address, secret = channels.sealed_channel(connection, channel_id)
    box = keys.box(PURPOSE)
    return kind, box.decrypt(address or b"").decode(), box.decrypt(secret) if secret else None


def _outcome_of_answer(answer: SenderAnswer) -> NoticeOutcome:
    """Outcome that a receiver's answer stands for."""
    if 200 <= answer.status < 300:
        return NoticeOutcome()
    if 300 <= answer.status < 400:
        words = "It answers with another address, which is not followed: give that one."
        return NoticeOutcome(words, is_final=True)
    words = f"It answers {answer.status}."
    if answer.status in AGAIN or answer.status >= 500:
        return NoticeOutcome(words, wait=_asked_wait(answer))
    return NoticeOutcome(words, is_final=True)


def _asked_wait(answer: SenderAnswer) -> timedelta | None:
    wait_header = answer.headers.get("retry-after", "")
    return (
        min(timedelta(seconds=int(wait_header)), LONGEST_WAIT)
        if wait_header.isdecimal() and len(wait_header) < 7
        else None
    )


def _may_have_come(problem: SourceProblem) -> bool:
    """Whether the message may have arrived though there was no answer: it was under way."""
    if problem.code == "too_large":
        return True
    cause = problem.__cause__
    return problem.code == "unreachable" and (
        cause is None or isinstance(cause, (ReadTimeoutError, ProtocolError))
    )
