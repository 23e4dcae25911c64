"""Vigilo Executive: ``gunicorn "app:wsgi()"``, or ``flask --app app COMMAND`` beside ``vigilo COMMAND``.

Pages and API are wired in ``mounting.py``, the commands in ``commands/tree.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from commands.tree import COMMANDS
from web.server.collector import without_collector

if TYPE_CHECKING:
    from settings import Settings
    from storage.database import Database
    from web.server.application import Application
    from web.server.installation import Installation


def create_app(settings: Settings | None = None, database: Database | None = None) -> Application:
    """The application with its commands; it mounts its pages before the first request. Raises SystemExit
    on a wrong setting."""
    with without_collector():
        from environment import installed

        return application(installed(settings, database))


def application(installation: Installation) -> Application:
    """The application of an installation."""
    from web.server.application import Application

    app = Application(installation, _mount)
    for command in COMMANDS:
        app.cli.add_command(command)
    return app


def wsgi() -> Application:
    """The application of a WSGI server. Raises SystemExit where ``serve`` would."""
    with without_collector():
        from web.server.startup import start

        app = create_app()
        start(app)
    return app


def _mount(app: Application) -> None:
    from mounting import mount

    mount(app)
