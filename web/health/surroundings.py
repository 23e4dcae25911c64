"""Machine and servers around the program: disk, clock, mail, Redis."""

from __future__ import annotations

import shutil
import smtplib
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from addresses import without_people
from exports import mail
from settings import Settings
from storage.bounds.away import first_line
from web.health import address, certificates
from web.health.findings import HealthFinding

LEAST_FREE_BYTES, LEAST_FREE_SHARE = 1_000_000_000, 0.05
MOST_SKEW = timedelta(seconds=30)
PATIENCE_SECONDS = 3.0
ROOM_MB = 64
LOOKED = "vigilo:looked"
"""Key that a look writes to Redis, which is gone at once: a server that answers may take nothing."""
ROOM = text("""
select sum(length(filling)) from (
    select n, repeat('x', 100000) as filling from generate_series(1, :pieces) n order by n desc offset 0
) spilled
""")
"""Sort whose rows go to a temporary file of the server, which is gone with the statement."""
DISK_FULL = "53100"
"""PostgreSQL's code for a disk without room."""


def findings(settings: Settings, *, asks_address: bool = True) -> Iterator[HealthFinding]:
    """Everything wrong around the program but the clock and the database's disk, which need the database;
    ``asks_address`` where people are to reach it now."""
    folders = (settings.data_dir, settings.cache_dir, settings.backup_dir)
    looks = [_mail, redis_takes, certificates.of_databases, certificates.of_redis]
    looks += [_address] if asks_address else []
    with ThreadPoolExecutor(len(looks)) as pool:  # of servers that are away nobody waits for each
        around = [pool.submit(look, settings, PATIENCE_SECONDS) for look in looks]
    for folder in filter(None, folders):
        yield from _disk(folder)
    for outcome in around:
        yield from outcome.result()


def room(connection: Connection) -> Iterator[HealthFinding]:
    """Whether the database's disk takes as much as sorting may need. No role can ask how much is free: some
    is written. Leaves the transaction to be rolled back."""
    connection.execute(text("set local work_mem = '64kB'; set local jit = off"))
    try:
        connection.execute(ROOM, {"pieces": ROOM_MB * 10})
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) != DISK_FULL:
            raise
        remedy = "df -h, on the database's machine   (its log and pg_wal too; then enlarge it)"
        detail = f"that of the database has not {ROOM_MB} MB left: {first_line(error)}"
        yield HealthFinding("disk", remedy, detail)


def clock(connection: Connection) -> Iterator[HealthFinding]:
    """Whether this machine's clock is the database's."""
    before = datetime.now(UTC)
    there: datetime = connection.execute(text("select clock_timestamp()")).scalar_one()
    skew = there - before
    if abs(skew) > MOST_SKEW:
        detail = f"the database is {skew.total_seconds():+,.0f} s from this machine"
        yield HealthFinding("clock", "timedatectl set-ntp true   (on both machines)", detail)


def writes(connection: Connection) -> Iterator[HealthFinding]:
    """Whether the database takes what people do."""
    query = "select pg_is_in_recovery(), current_setting('transaction_read_only')::boolean"
    is_standby, is_read_only = connection.execute(text(query)).one()
    if is_standby:
        remedy = (
            "Set VIGILO_DATABASE_URL and the others to the primary, or here: select pg_promote();"
        )
        yield HealthFinding("read-only", remedy, "the database is a standby", True)
    elif is_read_only:
        remedy = (
            "alter database vigilo reset default_transaction_read_only;"
            "   (or the role's, or postgresql.conf's: show default_transaction_read_only)"
        )
        yield HealthFinding("read-only", remedy, "the database takes no changes", True)


def _disk(folder: Path) -> Iterator[HealthFinding]:
    try:
        with TemporaryFile(dir=folder) as file:
            file.write(b"x")
            file.flush()
        usage = shutil.disk_usage(folder)
    except OSError as error:
        detail = f"{folder} can not be written: {error.strerror}"
        yield HealthFinding("disk", f"df -h {folder}; ls -ld {folder}", detail)
        return
    if usage.free < max(LEAST_FREE_BYTES, LEAST_FREE_SHARE * usage.total):
        detail = f"{usage.free / 1e9:.1f} GB are free in {folder}"
        yield HealthFinding("disk", f"du -sh {folder}/*   (cache and old backups may go)", detail)


def _address(settings: Settings, patience: float) -> list[HealthFinding]:
    return address.findings(settings.base_url, patience) if settings.base_url else []


def _mail(settings: Settings, patience: float) -> list[HealthFinding]:
    """Why mails can not go, in the server's words, or that its certificate ends soon; nothing where no
    server is named."""
    if not settings.smtp_url:
        return []
    to = mail.mail_server(settings.smtp_url, settings.address)
    start = "" if to.over_tls else "-starttls smtp "
    look = certificates.LOOK.format(start=start, server=f"{to.host}:{to.port}")
    renew = f"{look}   (whoever runs the mail server renews it)"
    try:
        with mail.connect(settings, patience) as server:
            server.noop()
            secure = server.sock if isinstance(server.sock, ssl.SSLSocket) else None
            shown = secure.getpeercert(binary_form=True) if secure else None
    except (OSError, smtplib.SMTPException) as error:
        why = without_people(f"{type(error).__name__}: {error}")
        is_refused = isinstance(error, ssl.SSLCertVerificationError)
        remedy = renew if is_refused else "Set VIGILO_SMTP_URL right, or start the server."
        return [HealthFinding("mail server", remedy, why)]
    return certificates.ending_findings(f"the mail server {to.host}", shown, renew)


def redis_takes(settings: Settings, patience: float) -> list[HealthFinding]:
    """Why Redis does not answer, or takes nothing; empty where none is named."""
    if not settings.redis_url:
        return []
    from redis import Redis, RedisError
    from redis.exceptions import NoPermissionError, OutOfMemoryError, ReadOnlyError

    try:
        with Redis.from_url(
            settings.redis_url, socket_connect_timeout=patience, socket_timeout=patience
        ) as server:
            server.ping()
            server.set(LOOKED, b"", ex=10)
    except (OutOfMemoryError, ReadOnlyError) as error:
        remedy = (
            "redis-cli config set maxmemory 0   (or higher; an eviction policy loses what waits)"
            if isinstance(error, OutOfMemoryError)
            else "redis-cli replicaof no one   (or name its primary in VIGILO_REDIS_URL)"
        )
        detail = f"it answers and takes nothing: {error}; until then exports are found later"
        return [HealthFinding("Redis", remedy, detail)]
    except NoPermissionError:  # a user of Redis whom only the queue's keys are open to
        return []
    except ValueError as error:  # of the address, which may hold a password
        why = type(error).__name__
    except (OSError, RedisError) as error:
        why = f"{type(error).__name__}: {error}"
    else:
        return []
    remedy = "Start Redis, or set VIGILO_REDIS_URL right; until then exports are found later."
    return [HealthFinding("Redis", remedy, why)]
