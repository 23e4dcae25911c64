"""Mails: an outbox in PostgreSQL, sent by SMTP or written as ``.eml`` files.

A mail is queued in the transaction that makes what it tells of, once for each id; that of a finished
export once for each job. Where nobody knows whether the server took it (the sender died, or was cut off,
after it had begun to hand it over) it goes once more under the same Message-ID and never a third time: at
most one duplicate. Once sent, its text is gone: it may hold the link of an invitation.
"""

from __future__ import annotations

import html
import logging
import os
import re
import smtplib
import ssl
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import EmailPolicy, Policy
from email.utils import format_datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from sqlalchemy import Connection, Engine, text

import addresses
from addresses import without_people
from exports.queue import KEPT_HOURS, Job
from settings import Settings
from storage import audit
from storage.scheduled.retries import FIRST_WAIT, GIVE_UP, LEASE, wait_after

log = logging.getLogger("vigilo.exports")
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
TIMEOUT = 20


class WholeHeader(UnstructuredHeader, BaseHeader):
    """A header in ASCII on one line: a long address that is folded is encoded, and no link any more."""

    def fold(self, *, policy: Policy[Any]) -> str:
        """The header as it is sent."""
        return f"{self.name}: {self}{policy.linesep}"


HEADERS = HeaderRegistry()
HEADERS.map_to_type("list-unsubscribe", WholeHeader)
POLICY = EmailPolicy(header_factory=HEADERS)


class MailServer(NamedTuple):
    """Where mails go, as ``VIGILO_SMTP_URL`` says: ``smtp://`` (TLS after STARTTLS where it is offered, or
    demanded with ``?tls=required``), ``smtps://`` (TLS from the start)."""

    host: str
    port: int
    user: str | None
    password: str | None
    over_tls: bool
    demands_tls: bool
    sender: str


class MailText(NamedTuple):
    """A mail as it is written; ``unsubscribe`` is the address that ends mails of its kind."""

    recipient: str
    subject: str
    text: str
    html: str
    unsubscribe: str | None = None


class DueMail(NamedTuple):
    """A mail that is to go; ``job_id`` where it tells of an export."""

    id: uuid.UUID
    job_id: uuid.UUID | None
    recipient: str
    subject: str
    text: str
    html: str
    attempt: int
    created_at: datetime
    unsubscribe: str | None = None
    handed_over: int = 0


def mail_server(url: str, address: str) -> MailServer:
    """The parts of a URL. Raises ValueError."""
    parts = urlsplit(addresses.mail_server(url))
    options = parse_qs(parts.query)
    over_tls = parts.scheme == "smtps"
    host = urlsplit(address).hostname or "localhost"
    return MailServer(
        str(parts.hostname),
        parts.port or (465 if over_tls else 587 if parts.username else 25),
        unquote(parts.username) if parts.username else None,
        unquote(parts.password or "") if parts.username else None,
        over_tls,
        options.get("tls") == ["required"] or parts.username is not None,
        options.get("from", [f"vigilo@{host}"])[0],
    )


def ready_mail(organisation: str, format: str, period: str, workspaces: int) -> tuple[str, ...]:
    """The subject and the sentences of the mail about a finished export."""
    return (
        f"{organisation}: your export of {period} is ready",
        f"The {format.upper()} export of {organisation} for {period} is ready"
        f" ({workspaces} workspace{'s' * (workspaces != 1)}).",
        f"It can be downloaded for {KEPT_HOURS} hours by you alone, after signing in:",
        "All of your exports are listed on the page Your exports.",
    )


def enqueue(
    connection: Connection, job: Job, recipient: str, workspaces: int, settings: Settings
) -> None:
    """Queues the mail of a finished job within the caller's transaction; a second time changes nothing."""
    link = f"{settings.address}/exports/{job.id}"
    period = f"{job.params['start']} to {job.params['end']}"
    subject, *lines = ready_mail(settings.organisation, job.format, period, workspaces)
    plain = f"{lines[0]}\n\n{lines[1]}\n{link}\n\n{lines[2]}\n{settings.address}/exports\n"
    escaped_lines = [html.escape(line) for line in lines]
    rich = (
        '<!doctype html><html lang="en"><body style="font-family:sans-serif;color:#16202a">'
        f"<p>{escaped_lines[0]}</p><p>{escaped_lines[1]}</p>"
        f'<p><a href="{html.escape(link)}">Download the export</a></p>'
        f'<p><a href="{html.escape(settings.address)}/exports">{escaped_lines[2]}</a></p></body></html>'
    )
    queue_mail(connection, job.id, MailText(recipient, subject, plain, rich), job.id)


def post(
    connection: Connection,
    id: uuid.UUID,
    recipient: str,
    subject: str,
    lines: Sequence[str],
    link: str,
) -> bool:
    """Queues a mail of paragraphs and a link at the end within the caller's transaction, once for each id;
    whether it is new."""
    paragraphs = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    address = html.escape(link)
    rich = (
        '<!doctype html><html lang="en"><body style="font-family:sans-serif;color:#16202a">'
        f'{paragraphs}<p><a href="{address}">{address}</a></p></body></html>'
    )
    plain = "\n\n".join([*lines, link]) + "\n"
    return queue_mail(connection, id, MailText(recipient, subject, plain, rich))


INSERT = text("""
insert into mail_outbox (id, job_id, recipient, subject, text, html, unsubscribe)
values (:id, :job, :recipient, :subject, :text, :html, :unsubscribe) on conflict (id) do nothing
""")


def queue_mail(
    connection: Connection, id: uuid.UUID, mail: MailText, job_id: uuid.UUID | None = None
) -> bool:
    """Queues a mail within the caller's transaction, once for each id; whether it is new."""
    return bool(connection.execute(INSERT, {"id": id, "job": job_id, **mail._asdict()}).rowcount)


CLAIM = """
update mail_outbox set attempt = attempt + 1, next_at = cast(:until as timestamptz)
where id = (select id from mail_outbox where state = 'queued'
            and next_at <= cast(:now as timestamptz)
            order by next_at for update skip locked limit 1)
returning id, job_id, recipient, subject, text, html, attempt, created_at, unsubscribe, handed_over
"""
HANDED_OVER = text("update mail_outbox set handed_over = handed_over + 1 where id = :id")
MOST_HANDED_OVER = 2
TWICE = (
    "The server was silent twice after it was handed over: it may have come, and does not go again."
)


def deliver(
    engine: Engine,
    settings: Settings,
    now: datetime | None = None,
    lease: timedelta = LEASE,
    first_wait: timedelta = FIRST_WAIT,
) -> int:
    """Sends what is due; how many went. What can not be sent is tried again later, for a day; a mail
    whose sender went silent, after the lease."""
    sent = 0
    while True:
        with engine.begin() as connection:
            moment = now or connection.execute(text("select now()")).scalar_one()
            claimed = connection.execute(
                text(CLAIM), {"now": moment, "until": moment + lease}
            ).first()
        if claimed is None:
            return sent
        row = DueMail(*claimed)
        try:
            _send(engine, settings, row, moment)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            _try_again_later(engine, row, moment, error, first_wait)
            continue
        with engine.begin() as connection:
            done = connection.execute(
                text(
                    "update mail_outbox set state = 'sent', sent_at = now(), error = null,"
                    " text = '', html = ''"
                    " where id = :id and state = 'queued'"
                ),
                {"id": row.id},
            ).rowcount
            if done:
                action = "export.mail" if row.job_id else "mail.sent"
                audit.record(connection, row.recipient, action, str(row.id), {})
        sent += 1


def _try_again_later(
    engine: Engine, row: DueMail, moment: datetime, error: Exception, first_wait: timedelta
) -> None:
    """Log why the mail did not go, and when it is tried again."""
    is_answer = isinstance(error, smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused)
    reason = without_people(f"{type(error).__name__}: {error}")
    log.warning("mail %s did not go, attempt %s: %s", row.id, row.attempt, reason)
    wait = wait_after(row.attempt, first_wait)
    given_up = moment - row.created_at > GIVE_UP or isinstance(error, HandedOverTwice)
    with engine.begin() as connection:
        connection.execute(
            text(
                "update mail_outbox set state = :state, error = :error,"
                " handed_over = case when :is_answer then :handed_over else handed_over end,"
                " next_at = cast(:next as timestamptz) where id = :id and state = 'queued'"
            ),
            {
                "state": "failed" if given_up else "queued",
                "error": str(error)[:300],
                "is_answer": is_answer,
                "handed_over": row.handed_over,
                "next": moment + wait,
                "id": row.id,
            },
        )


def _message(row: DueMail, settings: Settings, moment: datetime) -> EmailMessage:
    """The mail as it is handed to the server."""
    host = urlsplit(settings.address).hostname or "localhost"
    made = EmailMessage(POLICY)
    made["Message-ID"] = f"<{'export' if row.job_id else 'mail'}-{row.id}@{host}>"
    made["Date"] = format_datetime(moment)
    made["From"] = (
        mail_server(settings.smtp_url, settings.address).sender
        if settings.smtp_url
        else f"vigilo@{host}"
    )
    made["To"] = row.recipient
    made["Subject"] = one_line(row.subject)
    made["Auto-Submitted"] = "auto-generated"
    if row.unsubscribe:  # RFC 8058: the mail program's own button ends it
        made["List-Unsubscribe"] = f"<{row.unsubscribe}>"
        made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    made.set_content(row.text)
    made.add_alternative(row.html, subtype="html")
    return made


def one_line(words: str) -> str:
    """Text of others as a header takes it: without line ends and other control characters."""
    return " ".join(CONTROLS.sub(" ", words).split())


class HandedOverTwice(OSError):
    """A mail was handed over to the server twice, and it never said whether it took it."""


class NotedSMTP(smtplib.SMTP):
    """A mail server of which somebody is told before a mail is handed over to it."""

    handing: Callable[[], None] | None = None

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Hands a mail over."""
        if self.handing:
            self.handing()
        return super().data(msg)


class NotedSMTPOverTLS(NotedSMTP, smtplib.SMTP_SSL):
    """Mail server of that kind with TLS from the start."""


def _send(engine: Engine, settings: Settings, row: DueMail, moment: datetime) -> None:
    """By SMTP, or into a file. Raises OSError, SMTPException."""
    message = _message(row, settings, moment)
    if not settings.smtp_url:
        _write(settings.data_dir / "mails", str(row.id), message)
        return
    if row.handed_over >= MOST_HANDED_OVER:
        raise HandedOverTwice(TWICE)
    with connect(settings, TIMEOUT, lambda: _hand_over(engine, row)) as smtp:
        smtp.send_message(message, to_addrs=[message["To"]])


def _hand_over(engine: Engine, row: DueMail) -> None:
    """Notes that a mail may be at the server from now on."""
    with engine.begin() as connection:
        connection.execute(HANDED_OVER, {"id": row.id})


@contextmanager
def connect(
    settings: Settings, timeout: float, handing: Callable[[], None] | None = None
) -> Iterator[smtplib.SMTP]:
    """The mail server of the settings, greeted and signed in to; ``handing`` is called before each mail is
    handed over. Raises OSError, SMTPException."""
    to = mail_server(str(settings.smtp_url), settings.address)
    context = ssl.create_default_context()
    connection = (
        NotedSMTPOverTLS(to.host, to.port, timeout=timeout, context=context)
        if to.over_tls
        else NotedSMTP(to.host, to.port, timeout=timeout)
    )
    connection.handing = handing
    with connection as smtp:
        smtp.ehlo()
        if not to.over_tls and (to.demands_tls or smtp.has_extn("starttls")):
            smtp.starttls(context=context)
            smtp.ehlo()
        if to.user is not None:
            smtp.login(to.user, to.password or "")
        yield smtp


def _write(folder: Path, name: str, message: EmailMessage) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = folder / f"{name}.part"
    part.write_bytes(message.as_bytes())
    os.replace(part, folder / f"{name}.eml")
