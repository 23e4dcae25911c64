"""Settings of an installation as it runs: the environment's, with the name and the time zone that people
have chosen."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import PrivateAttr

from settings import Settings

if TYPE_CHECKING:
    from storage.database import Database


class ChosenNames(NamedTuple):
    """The organisation's name and time zone as people have chosen them; None where they have not."""

    organisation: str | None = None
    zone: str | None = None


log = logging.getLogger("vigilo.settings")
SECONDS, AWAY_SECONDS = 5.0, 30.0
"""Time for which what was read is taken for the one that holds, and after which a database that did
not answer is asked again."""


class StandingNames:
    """Name and time zone that people have chosen, as the database says every few seconds."""

    def __init__(self, database: Callable[[], Database]) -> None:
        self._database = database
        self._chosen = ChosenNames()
        self._until = 0.0

    def now(self) -> ChosenNames:
        """Names that are chosen; nothing where the database has never said. One that is away costs no
        reader more than the first."""
        if time.monotonic() >= self._until:
            self._until = time.monotonic() + AWAY_SECONDS
            self._until = time.monotonic() + self._read_names()
        return self._chosen

    def forget(self) -> None:
        """Has whoever comes next ask the database."""
        self._until = 0.0

    def _read_names(self) -> float:
        """Asks the database, on a connection of its own: whoever asks may hold one of the pool already, and
        must not wait for another. Seconds for which the answer holds."""
        from sqlalchemy.exc import DBAPIError

        from aggregators.chosen.names import ORGANISATION_NAME, TIME_ZONE
        from storage.chosen.store import name_and_zone_at

        try:
            names_and_zone = name_and_zone_at(self._database().web.url)
            self._chosen = ChosenNames(
                names_and_zone.get(ORGANISATION_NAME), names_and_zone.get(TIME_ZONE)
            )
        except DBAPIError as error:  # away, or not migrated yet
            log.debug("what was chosen could not be read", exc_info=error)
            return AWAY_SECONDS
        return SECONDS


def look_again(settings: Settings) -> None:
    """Has this process see at once what somebody has just chosen; the others do within seconds."""
    if isinstance(settings, InstalledSettings):
        settings.chosen.forget()


class InstalledSettings(Settings):
    """Settings with the name and the zone that hold now."""

    _chosen: StandingNames = PrivateAttr()

    @classmethod
    def over(cls, settings: Settings, database: Callable[[], Database]) -> InstalledSettings:
        """Settings of the environment, in an installation with this database. A class of settings with a
        clock of its own keeps it."""
        given = type(settings)
        kind: Any = cls if given is Settings else type(cls.__name__, (cls, given), {})
        made: InstalledSettings = kind.model_construct(settings.model_fields_set, **dict(settings))
        made._chosen = StandingNames(database)
        return made

    @property
    def chosen(self) -> StandingNames:
        """Names that people have chosen."""
        return self._chosen

    @property
    def organisation(self) -> str:
        """The organisation's name."""
        return self._chosen.now().organisation or self.org_name

    @property
    def zone(self) -> ZoneInfo:
        """The reporting time zone."""
        return ZoneInfo(self._chosen.now().zone or self.time_zone)
