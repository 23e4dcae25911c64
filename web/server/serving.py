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
from typing import NoReturn

from flask import Flask
from werkzeug.serving import make_server, run_simple

from settings import Settings
from storage import embedded
from web.server.application import Application
from web.server.startup import leave


class Stopped(SystemExit):
    """A signal has ended the serving."""


def run(app: Flask, settings: Settings, announce: Callable[[], None], *, reloads: bool) -> None:
    """Serves, and announces it once the address is its own. Raises Stopped on SIGINT or SIGTERM,
    SystemExit when the address is taken or none."""
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
    raise Stopped(0)


def end(app: Application, settings: Settings) -> NoReturn:
    """Ends the process at once, and the embedded PostgreSQL with it where nobody else uses it.

    Threads that sync a source, make a snapshot or draw an export would hold the process up for minutes:
    Python waits for those of a pool. Whatever they write is whole or not there, and goes on at the next
    start, as after a SIGKILL.
    """
    leave(app)
    if settings.database_url is None:
        embedded.stop(settings.data_dir)
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)
