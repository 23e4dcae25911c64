"""Machine and servers around the program: disk, clock, mail, Redis."""

from __future__ import annotations

import shutil
import smtplib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile

from redis import Redis, RedisError
from sqlalchemy import Connection, text

from exports import mail
from exports.mail import without_addresses
from settings import Settings
from web.health.findings import HealthFinding

LEAST_FREE_BYTES, LEAST_FREE_SHARE = 1_000_000_000, 0.05
MOST_SKEW = timedelta(seconds=30)
PATIENCE_SECONDS = 3.0


def findings(settings: Settings) -> Iterator[HealthFinding]:
    """Everything wrong around the program but the clock, which needs the database."""
    folders = (settings.data_dir, settings.cache_dir, settings.backup_dir)
    with ThreadPoolExecutor(2) as pool:  # of two servers that are away nobody waits for both
        mails = pool.submit(_mail_problem, settings)
        redis = pool.submit(_redis_problem, settings.redis_url)
    for folder in filter(None, folders):
        yield from _disk(folder)
    if why := mails.result():
        yield HealthFinding("mail server", "Set VIGILO_SMTP_URL right, or start the server.", why)
    if why := redis.result():
        remedy = "Start Redis, or set VIGILO_REDIS_URL right; until then exports are found later."
        yield HealthFinding("Redis", remedy, why)


def clock(connection: Connection) -> Iterator[HealthFinding]:
    """Whether this machine's clock is the database's."""
    before = datetime.now(UTC)
    there: datetime = connection.execute(text("select clock_timestamp()")).scalar_one()
    skew = there - before
    if abs(skew) > MOST_SKEW:
        detail = f"the database is {skew.total_seconds():+,.0f} s from this machine"
        yield HealthFinding("clock", "timedatectl set-ntp true   (on both machines)", detail)


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


def _mail_problem(settings: Settings) -> str:
    """Why mails can not go, in the server's words; empty where they can, or no server is named."""
    if not settings.smtp_url:
        return ""
    try:
        with mail.connected(settings, PATIENCE_SECONDS) as server:
            server.noop()
    except (OSError, smtplib.SMTPException) as error:
        return without_addresses(f"{type(error).__name__}: {error}")
    return ""


def _redis_problem(url: str | None) -> str:
    if not url:
        return ""
    try:
        with Redis.from_url(
            url, socket_connect_timeout=PATIENCE_SECONDS, socket_timeout=PATIENCE_SECONDS
        ) as server:
            server.ping()
    except ValueError as error:  # of the address, which may hold a password
        return type(error).__name__
    except (OSError, RedisError) as error:
        return f"{type(error).__name__}: {error}"
    return ""
