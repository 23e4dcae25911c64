"""The installation that the environment describes: its settings, looked at before anything is done."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import click

from settings import Settings, WrongSetting, wrong_setting
from settings import load as load_settings
from unknown_settings import unknown_variables
from web.server.installation import Installation

if TYPE_CHECKING:
    from storage.database import Database


def installed(settings: Settings | None = None, database: Database | None = None) -> Installation:
    """The installation, of the environment where no settings are given. Raises SystemExit on a wrong
    setting."""
    settings = settings or _from_environment()
    _refuse_wrong_thresholds(settings)
    return Installation(settings, database)


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
