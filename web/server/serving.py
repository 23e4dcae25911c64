"""The server behind ``make run``: threads in one process, which stops cleanly on a signal, and the
embedded PostgreSQL with it. Deployments use gunicorn."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType

from flask import Flask
from werkzeug.serving import make_server, run_simple

from settings import Settings


def run(app: Flask, settings: Settings, announce: Callable[[], None], *, reloads: bool) -> None:
    """Serves until SIGINT or SIGTERM, and announces it once the address is its own. Raises SystemExit
    when the address is taken or none."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    if reloads:
        announce()
        run_simple(settings.host, settings.port, app, threaded=True, use_reloader=True)
        return
    host, port = settings.host, settings.port
    with _listening(host, port) as address:
        server = make_server(host, port, app, threaded=True, fd=address.fileno())
        announce()
        server.serve_forever()


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        # gaierror counts below 0, and Python repeats the address in the text of the others.
        code = error.errno or 0
        wrong = os.strerror(code) if code > 0 else error.strerror
        raise SystemExit(f"HOST, PORT: {host}:{port} can not be served on: {wrong}.") from error


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)
