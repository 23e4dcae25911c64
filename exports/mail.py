"""Mails that tell of finished exports: an outbox in PostgreSQL, sent by SMTP or written as ``.eml`` files.

A mail is queued in the transaction that marks its export ready, once for each job. It is sent at least
once: where a sender dies between sending and noting so, it goes again under the same Message-ID.
"""

from __future__ import annotations

import html
import os
import smtplib
import ssl
import uuid
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from sqlalchemy import Connection, Engine, text

from exports.queue import KEPT_HOURS, Job
from settings import Settings
from storage import audit

GIVE_UP = timedelta(hours=24)
LEASE = timedelta(minutes=2)
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=15), timedelta(minutes=30)
TIMEOUT = 20


class Server(NamedTuple):
    """Where mails go, as ``VIGILO_SMTP_URL`` says: ``smtp://`` (TLS after STARTTLS where it is offered, or
    demanded with ``?tls=required``), ``smtps://`` (TLS from the start)."""

    host: str
    port: int
    user: str | None
    password: str | None
    over_tls: bool
    demands_tls: bool
    sender: str


class Due(NamedTuple):
    """A mail that is to go."""

    job_id: uuid.UUID
    recipient: str
    subject: str
    text: str
    html: str
    attempt: int
    created_at: datetime


def server(url: str, address: str) -> Server:
    """The parts of a URL. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("takes smtp://[USER:PASSWORD@]HOST[:PORT] or smtps://")
    options = parse_qs(parts.query)
    over_tls = parts.scheme == "smtps"
    host = urlsplit(address).hostname or "localhost"
    return Server(
        parts.hostname,
        parts.port or (465 if over_tls else 587 if parts.username else 25),
        unquote(parts.username) if parts.username else None,
        unquote(parts.password or "") if parts.username else None,
        over_tls,
        options.get("tls") == ["required"] or parts.username is not None,
        options.get("from", [f"vigilo@{host}"])[0],
    )


def put(
    connection: Connection, job: Job, recipient: str, workspaces: int, settings: Settings
) -> None:
    """Queues the mail of a finished job within the caller's transaction; a second time changes nothing."""
    link = f"{settings.address}/exports/{job.id}"
    period = f"{job.params['start']} to {job.params['end']}"
    subject = f"{settings.org_name}: your export of {period} is ready"
    lines = (
        f"The {job.format.upper()} export of {settings.org_name} for {period} is ready"
        f" ({workspaces} workspace{'s' * (workspaces != 1)}).",
        f"It can be downloaded for {KEPT_HOURS} hours by you alone, after signing in:",
        "All of your exports are listed on the page Your exports.",
    )
    plain = f"{lines[0]}\n\n{lines[1]}\n{link}\n\n{lines[2]}\n{settings.address}/exports\n"
    told = [html.escape(line) for line in lines]
    rich = (
        '<!doctype html><html lang="en"><body style="font-family:sans-serif;color:#16202a">'
        f"<p>{told[0]}</p><p>{told[1]}</p>"
        f'<p><a href="{html.escape(link)}">Download the export</a></p>'
        f'<p><a href="{html.escape(settings.address)}/exports">{told[2]}</a></p></body></html>'
    )
    connection.execute(
        text(
            "insert into mail_outbox (job_id, recipient, subject, text, html)"
            " values (:job, :to, :subject, :text, :html) on conflict (job_id) do nothing"
        ),
        {"job": job.id, "to": recipient, "subject": subject, "text": plain, "html": rich},
    )


CLAIM = """
update mail_outbox set attempt = attempt + 1, next_at = cast(:until as timestamptz)
where job_id = (select job_id from mail_outbox where state = 'queued'
                and next_at <= cast(:now as timestamptz)
                order by next_at for update skip locked limit 1)
returning job_id, recipient, subject, text, html, attempt, created_at
"""


def deliver(
    engine: Engine, settings: Settings, now: datetime | None = None, lease: timedelta = LEASE
) -> int:
    """Sends what is due; how many went. What can not be sent is tried again later, for a day; a mail
    whose sender went silent, after the lease."""
    sent = 0
    while True:
        with engine.begin() as connection:
            moment = now or connection.execute(text("select now()")).scalar_one()
            found = connection.execute(
                text(CLAIM), {"now": moment, "until": moment + lease}
            ).first()
        if found is None:
            return sent
        row = Due(*found)
        try:
            _send(settings, _message(row, settings, moment), str(row.job_id))
        except (OSError, smtplib.SMTPException) as error:
            _later(engine, row, moment, error)
            continue
        with engine.begin() as connection:
            done = connection.execute(
                text(
                    "update mail_outbox set state = 'sent', sent_at = now(), error = null"
                    " where job_id = :id and state = 'queued'"
                ),
                {"id": row.job_id},
            ).rowcount
            if done:
                audit.record(connection, row.recipient, "export.mail", str(row.job_id), {})
        sent += 1


def _later(engine: Engine, row: Due, moment: datetime, error: Exception) -> None:
    wait = min(FIRST_WAIT * 2 ** min(row.attempt - 1, 10), LONGEST_WAIT)
    given_up = moment - row.created_at > GIVE_UP
    with engine.begin() as connection:
        connection.execute(
            text(
                "update mail_outbox set state = :state, error = :error,"
                " next_at = cast(:next as timestamptz) where job_id = :id and state = 'queued'"
            ),
            {
                "state": "failed" if given_up else "queued",
                "error": str(error)[:300],
                "next": moment + wait,
                "id": row.job_id,
            },
        )


def _message(row: Due, settings: Settings, moment: datetime) -> EmailMessage:
    host = urlsplit(settings.address).hostname or "localhost"
    made = EmailMessage()
    made["Message-ID"] = f"<export-{row.job_id}@{host}>"
    made["Date"] = format_datetime(moment)
    made["From"] = (
        server(settings.smtp_url, settings.address).sender
        if settings.smtp_url
        else f"vigilo@{host}"
    )
    made["To"] = row.recipient
    made["Subject"] = row.subject
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(row.text)
    made.add_alternative(row.html, subtype="html")
    return made


def _send(settings: Settings, message: EmailMessage, name: str) -> None:
    """By SMTP, or into a file. Raises OSError, SMTPException."""
    if not settings.smtp_url:
        _write(settings.data_dir / "mails", name, message)
        return
    to = server(settings.smtp_url, settings.address)
    context = ssl.create_default_context()
    connected = (
        smtplib.SMTP_SSL(to.host, to.port, timeout=TIMEOUT, context=context)
        if to.over_tls
        else smtplib.SMTP(to.host, to.port, timeout=TIMEOUT)
    )
    with connected as smtp:
        smtp.ehlo()
        if not to.over_tls and (to.demands_tls or smtp.has_extn("starttls")):
            smtp.starttls(context=context)
            smtp.ehlo()
        if to.user is not None:
            smtp.login(to.user, to.password or "")
        smtp.send_message(message)


def _write(folder: Path, name: str, message: EmailMessage) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = folder / f"{name}.part"
    part.write_bytes(message.as_bytes())
    os.replace(part, folder / f"{name}.eml")
