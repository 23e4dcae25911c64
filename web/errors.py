"""Every error that a route or a callback may raise, as the problem that its caller is told: one table."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from dash.exceptions import DependencyException
from flask import Flask, current_app, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from psycopg2.errors import QueryCanceled
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoFreeConnection
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from aggregators.vocabulary.period import InvalidPeriod
from exports.downloads import NoSuchExport, OutOfScope
from exports.queue import TooManyExports
from ingest.desk.corrections import NoSuchRecord, RefusedCorrection
from ingest.desk.meanings import NoSuchMeaning
from ingest.door.deliveries import NoSuchDelivery
from ingest.door.quarantine import BodyIsGone, NoSuchPart
from layouts.focus import MalformedView
from reading.dashboard import NotPlatformAdmin
from reading.grid_request import InvalidRequest
from reading.workspace_page import NotAMember
from storage.audit import NotTheirs
from storage.bounds.away import NOT_THERE, first_line
from storage.bounds.statement import TooCostly
from storage.bounds.turns import Busy
from storage.context import NoSuchWorkspace, NotIdentified
from web.bounds.pace import TooFast
from web.bounds.streams import TooManyDownloads
from web.plain_text import NotText
from web.problem import PLATFORM_ADMIN_REQUIRED, Problem, invalid, needs_platform_admin, response

AGAIN = "Try again in a moment."
BUSY = f"Too much is under way. {AGAIN}"


AWAY = "The database does not answer, or has no connection left. Nothing is lost."


def took_too_long() -> Problem:
    """Problem of an answer that was given up."""
    return Problem(503, "That took too long and was given up.", "took_too_long")


def unavailable_problem(error: Exception) -> Problem:
    """Problem of a database that is away, or that a statement kept too long."""
    if isinstance(getattr(error, "orig", None), QueryCanceled):
        return took_too_long()
    return Problem(503, AWAY)


def of_another_schema(error: Exception) -> Problem:
    """Problem of a statement for a schema that is older or newer than the program; else a fault of ours."""
    if getattr(getattr(error, "orig", None), "pgcode", None) in NOT_THERE:
        return Problem(503, "The program is being upgraded. Try again in a moment.", "upgrading")
    return Problem(500)


PROBLEMS: Mapping[type[Exception], Callable[..., Problem]] = {
    Problem: lambda error: error,
    NotText: lambda error: Problem(error.status, str(error), field=error.field),
    MalformedView: lambda error: Problem(400, str(error)),
    InvalidPeriod: lambda error: invalid(error.field, str(error)),
    InvalidRequest: lambda error: invalid(error.field, str(error)),
    NotPlatformAdmin: lambda _: needs_platform_admin(),
    OutOfScope: lambda _: Problem(
        403, "You no longer see every workspace in it.", PLATFORM_ADMIN_REQUIRED
    ),
    CSRFError: lambda _: Problem(403, "The form has expired. Reload the page.", "csrf_failed"),
    NotIdentified: lambda _: Problem(401, "Sign in again."),
    NotAMember: lambda _: Problem(404),
    NotTheirs: lambda _: Problem(404),
    NoSuchWorkspace: lambda _: Problem(404),
    NoSuchExport: lambda _: Problem(404),
    NoSuchDelivery: lambda _: Problem(404),
    NoSuchPart: lambda _: Problem(404),
    NoSuchRecord: lambda error: Problem(404, str(error)),
    BodyIsGone: lambda error: Problem(410, str(error)),
    RefusedCorrection: lambda error: invalid(error.field or "correct", error.reason),
    NoSuchMeaning: lambda error: invalid(error.field, error.reason),
    DependencyException: lambda _: Problem(404),
    TooManyExports: lambda error: Problem(429, str(error)),
    TooManyDownloads: lambda error: Problem(429, str(error)),
    TooFast: lambda error: Problem(429, str(error), retry_after=math.ceil(error.seconds)),
    TooCostly: lambda error: Problem(422, str(error), "too_costly"),
    Busy: lambda _: Problem(503, BUSY, "busy"),
    NoFreeConnection: lambda _: Problem(503, BUSY, "busy"),
    OperationalError: lambda error: unavailable_problem(error),
    ProgrammingError: lambda error: of_another_schema(error),
    MethodNotAllowed: lambda error: Problem(405, methods=tuple(error.valid_methods or ())),
    HTTPException: lambda error: Problem(error.code or 500),
    Exception: lambda _: Problem(500),
}
"""An error takes the entry of its own class, or of the nearest one that it is derived from."""
WORDS = {
    403: ("You can not see this page", "You need a role that you do not hold."),
    404: ("There is no such page", "The address leads nowhere, or to a place that is not yours."),
    500: ("Something went wrong", "The error has been noted. Try again in a moment."),
    503: ("Nothing can be shown at the moment", AWAY),
}
"""Title and text of the page that people are shown."""
UNREADABLE = "The address can not be read", "Follow the link again, or go on from the start."
"""Title, and what to do, where somebody's address is no text; a form that holds none is another matter."""


def install(app: Flask) -> None:
    """Answers every error of the table by it."""
    for kind in PROBLEMS:
        app.register_error_handler(kind, answer)


def answer(error: Exception) -> ResponseReturnValue:
    """Problem of an error, as JSON to programs, as a page to people."""
    problem = problem_of(error)
    if isinstance(error, OperationalError) and problem.status == 503:
        current_app.logger.error("request %s: %s", g.get("request_id"), first_line(error))
    elif problem.status >= 500 and not isinstance(error, Problem):
        current_app.logger.error("request %s failed", g.get("request_id"), exc_info=error)
    if wants_json() or (isinstance(error, NotText) and not is_browser()):
        return response(problem)
    return page(unreadable_page(problem) if isinstance(error, NotText) else problem)


def unreadable_page(problem: Problem) -> Problem:
    """Problem of what is no text, in a sentence for the person who followed or typed it."""
    what = f"The {problem.detail}" if problem.more["field"] == "path" else problem.detail
    title, advice = UNREADABLE if request.method == "GET" else ("", "Go back and try again.")
    words = f"{what[:1].upper()}{what[1:].rstrip('.')}. {advice}"
    return Problem(problem.status, words, problem.code, title=title)


def problem_of(error: Exception) -> Problem:
    """Entry of the table for an error; for one that came after its view, of what it was at first."""
    error = getattr(error, "original_exception", None) or error
    kind = next(kind for kind in type(error).__mro__ if kind in PROBLEMS)
    return PROBLEMS[kind](error)


def page(problem: Problem) -> ResponseReturnValue:
    """Problem in words, without layout or number."""
    title, words = WORDS.get(problem.status, ("That did not work", problem.detail or "Try again."))
    title = problem.more.get("title") or title
    text = problem.detail or words
    if problem.status == 503 and not text.endswith(AGAIN):
        text = f"{text} {AGAIN}"
    shown = render_template(
        "message.html",
        title=title,
        text=text,
        code=problem.code,
        request_id=g.get("request_id", ""),
        link="/",
        link_text="Start",
    )
    return shown, problem.status, problem.headers


def is_browser() -> bool:
    """Whether somebody is to read the answer."""
    return "text/html" in request.headers.get("Accept", "")


def wants_json() -> bool:
    """Whether the caller is a program: of the API, of Dash's own routes, or of a file that is not asked for
    by a browser, which follows mailed links and links of pages."""
    if request.path.startswith("/exports") or request.path.endswith(".csv"):
        return not is_browser()
    return request.path.startswith(("/api/v1/", "/_dash", "/api/openapi", "/mcp"))
