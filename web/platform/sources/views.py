"""Parts that the pages and the API of sources have in common."""

from __future__ import annotations

from collections.abc import Callable

from flask_login import current_user
from sqlalchemy import Engine

from ingest.pulling.runner import SourceContext
from settings import Settings
from storage.database import Database
from web.platform.sources.rights import SourceRights


class ViewsOfSources:
    """An installation's sources, as the signed-in person may look after them."""

    def __init__(
        self,
        engine: Callable[[], Engine],
        database: Callable[[], Database],
        settings: Settings,
        wake: Callable[[str], None],
    ) -> None:
        self._engine, self._database, self._settings, self._wake = engine, database, settings, wake

    def _rights(self) -> SourceRights:
        return SourceRights.of(self._engine(), self._database(), current_user.viewer)

    def _context(self) -> SourceContext:
        return SourceContext(self._database(), self._settings)
