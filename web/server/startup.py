"""From an application to one that is ready to serve, or a sentence that says why it is not."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import time
from datetime import timedelta

import click
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

import demo
from auth import first_account
from auth.secret_key import secret_keys
from demo import people
from reading import packed_presets
from reading.signals import night
from settings import Settings
from storage.bounds.away import LEAVING, first_line
from storage.database import NO_JOB, refuse_leaks, refuse_unsafe
from storage.schema import is_current
from web.server import logs
from web.server.application import DRAINER, RUNNER, SCHEDULER, Application
from web.server.collector import collect_at_end
from web.server.installation import Installation

PATIENCE_SECONDS = 60
RETRY_SECONDS = 2
TURN_SECONDS = 0.0005
COLLECTED_AFTER = 50_000, 20, 50
"""New objects, and passes over the younger ones, after which the collector looks at each generation."""
M_ARENA_MAX, HEAPS = -8, 2
"""The parameter's name in glibc's malloc.h, and its value."""
DEMO_ACCOUNTS = "select email from app_user where email like '%@demo.example' order by id"


def start(application: Application, *, demo_when_empty: bool = False) -> None:
    """Makes the application ready: database, schema, pages, what looks after exports and deliveries, the
    clock. Raises SystemExit."""
    share_heaps()
    if not sys.stdout.isatty():
        logs.install_handler()
    secret_keys(
        application.installation.settings
    )  # said now, not after a minute without a database
    prepare(application.installation, demo_when_empty=demo_when_empty)
    application.mount()
    application.extensions[RUNNER].keep()
    application.extensions[DRAINER].keep()
    application.extensions[SCHEDULER].keep()
    settle()


def leave(application: Application) -> None:
    """Has nothing begin any more, before the process ends and the embedded database with it."""
    LEAVING.set()
    if SCHEDULER in application.extensions:
        application.extensions[SCHEDULER].leave()


def share_heaps() -> None:
    """Two heaps for all threads that begin from now on: glibc would give each its own (up to eight for each
    core), and each would hold as much as the largest read that it ever made. Other allocators are left
    alone, and whoever has set MALLOC_ARENA_MAX."""
    if sys.platform != "linux" or "MALLOC_ARENA_MAX" in os.environ:
        return
    if hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(M_ARENA_MAX, HEAPS)


def settle() -> None:
    """Objects that the start has made live as long as the process: the collector need not look at them,
    not even once, as they are a hundred times what it would find. It looks at new ones after many: an
    answer over a thousand workspaces is half a million, none of them garbage, and looking every 700 objects
    took a quarter of its time. Threads take turns often: one that computes would else hold up, for 5 ms
    after each answer of the database, those who only wait for the database."""
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)
    sys.setswitchinterval(TURN_SECONDS)


def prepare(installation: Installation, *, demo_when_empty: bool = False) -> None:
    """A database that answers, has the schema, and is safe to serve from. Raises SystemExit."""
    _refuse_owner(installation.settings)
    wait_for_database(installation)
    try:
        _require_safe(installation)
    except DBAPIError as error:
        raise SystemExit(
            f"The database answers with an error: {first_line(error)}. Nobody is served; flask --app app"
            " doctor says what to do."
        ) from None
    database = installation.database
    if demo_when_empty and demo.is_empty(database):
        _load_demo(installation)
    installation.database = database.without_owner()


def _require_safe(installation: Installation) -> None:
    """Raises SystemExit where the schema is another, or a role could read too much."""
    settings, database = installation.settings, installation.database
    if database.owner is not None:
        database.upgrade(settings)
    with database.job.connect() as connection:
        refuse_unsafe(connection, "VIGILO_JOB_DATABASE_URL")
    with database.web.connect() as connection:
        refuse_unsafe(connection)
        if not is_current(connection):
            raise SystemExit(
                "The schema is not up to date: run flask --app app db upgrade. Where a domain is new,"
                " flask --app app db revision NAME writes its migration first."
            )
    refuse_leaks(database)
    database.refuse_unsafe_replica()


def _refuse_owner(settings: Settings) -> None:
    """Raises SystemExit where this process could become the owner of the tables, whom no policy binds."""
    if settings.database_url is None:
        return  # the embedded server is this user's own: the owner is given up once the schema is current
    if settings.owner_database_url:
        raise SystemExit(
            "VIGILO_OWNER_DATABASE_URL: a process that serves must not hold the owner's address; leave it"
            " to flask --app app db upgrade."
        )
    if settings.job_database_url is None:
        raise SystemExit(NO_JOB)


def _load_demo(installation: Installation) -> None:
    click.echo("Loading the demo organisation ...")
    today = installation.settings.now().date()
    try:
        with collect_at_end():
            demo.load(installation.database, installation.settings)
            packed_presets.pack(installation.database, installation.settings)
            night.run(installation.database, today - timedelta(days=1))
    except (demo.NotEmpty, demo.Interrupted) as error:
        raise SystemExit(str(error)) from error


def wait_for_database(installation: Installation) -> None:
    """Retries for a minute, saying so; then raises SystemExit."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (reason := _silence(installation)) is not None:
        if time.monotonic() > deadline:
            raise SystemExit(f"The database does not answer: {reason}")
        click.echo(f"Waiting for the database: {reason}", err=True)
        time.sleep(RETRY_SECONDS)


def _silence(installation: Installation) -> str | None:
    """Why the database does not answer; None when it does. A fresh embedded one answers that the web role
    does not exist: migrating makes it."""
    try:
        with installation.database.web.connect() as connection:
            connection.execute(text("select 1"))
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        is_fresh = installation.settings.database_url is None and "does not exist" in reason
        return None if is_fresh else reason
    return None


def announce(installation: Installation) -> None:
    """The address, and how to sign in."""
    settings = installation.settings
    click.echo(f"\nVigilo Executive on {settings.address}")
    with installation.database.job.connect() as connection:
        emails = connection.execute(text(DEMO_ACCOUNTS)).scalars().all()
        anybody = connection.execute(text("select exists (select from app_user)")).scalar()
    if emails:
        password = people.password(settings.demo_password, settings.data_dir)
        click.echo(f"Sign in as {emails[0]} with the password {password}")
        click.echo(f"(or {', '.join(emails[1:])}: what they may see differs).")
    elif not anybody:
        token = first_account.token(secret_keys(settings))
        click.echo("Nobody has an account yet. Make the first one, once, at")
        click.echo(f"{settings.address}/first-run/account?token={token}")
    click.echo("Stop with Ctrl+C.\n")
    sys.stdout.flush()
