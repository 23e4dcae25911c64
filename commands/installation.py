"""The installation that a command works on, and sentences about a database that does not do its part."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

from storage.bounds.away import NOT_THERE

if TYPE_CHECKING:
    from storage.database import Database
    from web.server.application import Application
    from web.server.installation import Installation

FRESH = re.compile(r'role "\w+" does not exist')
"""Answer of a server that was never migrated: migrating makes the roles."""
NOT_ALLOWED = "42501"
"""PostgreSQL's code for what the role may not do."""
OTHER_ROLE = (
    "Commands work with the address of the owner or of the job role: set VIGILO_OWNER_DATABASE_URL or"
    " VIGILO_JOB_DATABASE_URL."
)
UPGRADE = "The schema is not up to date: flask --app app db upgrade makes it so."


class CommandLine:
    """The program's own command line. Its installation is made when a command asks for it, as ``--help``
    needs no settings, and its application when one serves."""

    def __init__(
        self,
        install: Callable[[], Installation],
        application: Callable[[Installation], Application],
    ) -> None:
        self._install = install
        self._application = application

    @cached_property
    def installation(self) -> Installation:
        """The installation that the environment describes. Raises SystemExit on a wrong setting."""
        return self._install()

    @cached_property
    def application(self) -> Application:
        """The application that serves it."""
        return self._application(self.installation)


def installation() -> Installation:
    """The installation of the running command."""
    if own := _command_line():
        return own.installation
    from web.server.application import INSTALLATION

    running: Installation = application().extensions[INSTALLATION]
    return running


def application() -> Application:
    """The application that serves the installation of the running command."""
    if own := _command_line():
        return own.application
    from flask import current_app

    app: Application = current_app._get_current_object()  # type: ignore[attr-defined]
    return app


def _command_line() -> CommandLine | None:
    """The program's own command line; None under Flask's, whose application is the running one."""
    running = click.get_current_context(silent=True)
    return running.find_object(CommandLine) if running else None


def database() -> Database:
    """The database of the running command. Raises ClickException where the embedded one does not start."""
    try:
        return installation().database
    except OSError as error:
        raise click.ClickException(str(error)) from error


def reason(error: Exception) -> str:
    """The first line of a database's error, SQLAlchemy's or the driver's own."""
    return str(getattr(error, "orig", error)).strip().splitlines()[0]


def lacks_schema(error: Exception) -> bool:
    """Whether the database has no schema, or an older one."""
    return _code(error) in NOT_THERE


def is_refused(error: Exception) -> bool:
    """Whether the role lacks the right."""
    return _code(error) == NOT_ALLOWED


def _code(error: Exception) -> object:
    return getattr(getattr(error, "orig", error), "pgcode", None)


def database_errors() -> tuple[type[Exception], ...]:
    """Errors of a database that a command may have met; looked up when there is one."""
    import psycopg2
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.exc import TimeoutError as PoolTimeout

    return DBAPIError, psycopg2.Error, PoolTimeout


class DatabaseCommand(click.Command):
    """A command that says in one sentence that the database does not answer, has no schema, or knows the
    role for no such thing."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except database_errors() as error:
            sentence = problem_of(error)
            if sentence is None:
                raise
            raise click.ClickException(sentence) from error


class UpgradeCommand(DatabaseCommand):
    """A command that brings the schema up to date: what a migration misses is said as it is."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command."""
        try:
            return click.Command.invoke(self, ctx)
        except database_errors() as error:
            sentence = problem_of(error)
            if sentence is None or sentence == UPGRADE:
                raise click.ClickException(
                    f"The schema could not be brought up to date, and is as it was: {reason(error)}"
                ) from error
            raise click.ClickException(sentence) from error


def problem_of(error: Exception) -> str | None:
    """An operator's sentence about a database's error; None for one that is a fault of the program."""
    if lacks_schema(error) or FRESH.search(reason(error)):
        return UPGRADE
    if is_refused(error):
        return f"The database refuses: {reason(error)}. {OTHER_ROLE}"
    if _is_away(error):
        return f"The database does not answer: {reason(error)}"
    return None


def _is_away(error: Exception) -> bool:
    import psycopg2
    from sqlalchemy.exc import OperationalError
    from sqlalchemy.exc import TimeoutError as PoolTimeout

    return isinstance(error, (OperationalError, psycopg2.OperationalError, PoolTimeout))
