"""Database and settings that scheduled work is done with."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from exports.worker import ExportContext
from settings import Settings
from storage.database import Database


class ScheduleContext(NamedTuple):
    """An installation, as scheduled work sees it."""

    database: Database
    settings: Settings

    @property
    def now(self) -> datetime:
        """Present instant in the reporting zone."""
        return self.settings.now()

    @property
    def exports(self) -> ExportContext:
        """The installation, as the exports see it."""
        return ExportContext(self.database, self.settings)
