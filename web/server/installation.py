"""An installation, for whoever works on it: a command, or the application that serves it. No Flask here."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from settings import Settings
from web.server.collector import without_collector
from web.server.installed import InstalledSettings

if TYPE_CHECKING:
    from storage.database import Database


class Installation:
    """The program as one operator has set it up. The database is connected on first use, so that a forked
    server process has connections of its own, and ``--help`` needs no driver."""

    def __init__(self, settings: Settings, database: Database | None = None) -> None:
        self.settings: Settings = InstalledSettings.over(settings, lambda: self.database)
        if database is not None:
            self.database = database

    @cached_property
    def database(self) -> Database:
        """The installation's database. Raises OSError when the embedded one can not start."""
        with without_collector():
            from storage.database import connect

        return connect(self.settings)
