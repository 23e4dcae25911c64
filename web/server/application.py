"""The Flask application of an installation: commands at once, pages when it first serves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from flask import Flask

from web.server.collector import without_collector
from web.server.installation import Installation

ROOT = Path(__file__).parents[2]
INSTALLATION, RUNNER, DRAINER, SCHEDULER = (
    "vigilo",
    "vigilo.exports",
    "vigilo.deliveries",
    "vigilo.schedule",
)
"""Where the application's extensions hold its installation and, once mounted, its export runner, the
reader of its deliveries and its clock."""


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
                with without_collector():
                    self._mount(self)
                self._mount = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answers a WSGI request."""
        if self._mount is not None:
            self.mount()
        return super().__call__(environ, start_response)
