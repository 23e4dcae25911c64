"""An installation, and its Flask application: commands at once, pages when it first serves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask

from settings import Settings
from web.server.installed import InstalledSettings

if TYPE_CHECKING:
    from storage.database import Database

ROOT = Path(__file__).parents[2]
INSTALLATION, RUNNER, DRAINER, SCHEDULER = (
    "vigilo",
    "vigilo.exports",
    "vigilo.deliveries",
    "vigilo.schedule",
)
"""Where the application's extensions hold its installation and, once mounted, its export runner, the
reader of its deliveries and its clock."""


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
        from storage.database import connect

        return connect(self.settings)


class Application(Flask):
    """Flask whose pages and API are mounted once, before the first request: a command needs none of them,
    and Dash, plotly and pandas take two seconds to import."""

    def __init__(self, installation: Installation, mount: Callable[[Application], None]) -> None:
        super().__init__("app", static_folder=None, root_path=str(ROOT))
        self.extensions[INSTALLATION] = installation
        self._mount: Callable[[Application], None] | None = mount
        self._mounting = threading.Lock()

    @property
    def installation(self) -> Installation:
        """The installation that is served."""
        installation: Installation = self.extensions[INSTALLATION]
        return installation

    def mount(self) -> None:
        """Mounts the pages and the API; a second time does nothing."""
        with self._mounting:
            if self._mount is not None:
                self._mount(self)
                self._mount = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answers a WSGI request."""
        if self._mount is not None:
            self.mount()
        return super().__call__(environ, start_response)
