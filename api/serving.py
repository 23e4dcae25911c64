"""The server behind ``make run``: threads in one process, which stops cleanly on a signal, and the
embedded PostgreSQL with it. Deployments use gunicorn."""

from __future__ import annotations

import logging
import signal
import sys
from types import FrameType

from flask import Flask
from werkzeug.serving import make_server, run_simple

from settings import Settings


def run(app: Flask, settings: Settings, *, reloads: bool) -> None:
    """Serves until SIGINT or SIGTERM. Raises SystemExit when the address is taken."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    if reloads:
        run_simple(settings.host, settings.port, app, threaded=True, use_reloader=True)
        return
    try:
        server = make_server(settings.host, settings.port, app, threaded=True)
    except OSError as error:
        raise SystemExit(
            f"HOST, PORT: {settings.host}:{settings.port} can not be served: {error}"
        ) from error
    server.serve_forever()


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)
