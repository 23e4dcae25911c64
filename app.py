"""Vigilo Executive: ``flask --app app COMMAND``, or ``gunicorn "app:wsgi()"``.

Pages and API are wired in ``mounting.py``, the commands in ``commands/tree.py``.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import click

from commands.tree import COMMANDS
from settings import Settings, WrongSetting, wrong_setting
from settings import load as load_settings
from unknown_settings import unknown_variables
from web.server.application import Application, Installation

if TYPE_CHECKING:
    from storage.database import Database


def create_app(settings: Settings | None = None, database: Database | None = None) -> Application:
    """The application with its commands; it mounts its pages before the first request. Raises SystemExit
    on a wrong setting."""
    settings = settings or _from_environment()
    _refuse_wrong_thresholds(settings)
    app = Application(Installation(settings, database), _mount)
    for command in COMMANDS:
        app.cli.add_command(command)
    return app


def wsgi() -> Application:
    """The application of a WSGI server. Raises SystemExit where ``serve`` would."""
    from web.server.startup import start

    app = create_app()
    start(app)
    return app


def _mount(app: Application) -> None:
    from mounting import mount

    mount(app)


def _from_environment() -> Settings:
    """The settings, with a word about each variable that looks like a setting and is none."""
    for sentence in unknown_variables():
        click.echo(sentence, err=True)
    settings = load_settings()
    _require_writable("VIGILO_DATA_DIR", settings.data_dir)
    if settings.cache_dir is not None:
        _require_writable("VIGILO_CACHE_DIR", settings.cache_dir)
    if settings.backup_dir is not None:
        _require_writable("VIGILO_BACKUP_DIR", settings.backup_dir)
    return settings


def _require_writable(variable: str, folder: Path) -> None:
    """Makes the folder where it is not there. Raises WrongSetting where it can not be made or written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise WrongSetting(
            f"{variable}: {folder} can not be made or written: {error.strerror}."
        ) from error


def _refuse_wrong_thresholds(settings: Settings) -> None:
    """Raises WrongSetting where a threshold is of no declared measure, or the wrong way round."""
    if not settings.thresholds:
        return
    from aggregators.thresholds import problem

    if sentence := problem(settings.thresholds):
        raise wrong_setting("thresholds", sentence, settings.thresholds)
