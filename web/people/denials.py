"""Denials of people who are signed in: the audit says who asked for something that is not theirs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from flask import Flask, current_app, g, request
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError, TimeoutError
from werkzeug.wrappers import Response

from aggregators.vocabulary.fields import SLUG_WORD
from storage.audit.bounded import record_refusal

OF_WORKSPACE = re.compile(rf"/(?:api/v1/)?ws/({SLUG_WORD})(?:/|$)")
NOTED_THERE = ("exports.download",)
"""Endpoints that note their refusals themselves."""


def install(app: Flask, jobs: Callable[[], Engine]) -> None:
    """Notes every 403, and every 404 below a workspace's address, of somebody who is known."""

    @app.after_request
    def note(answer: Response) -> Response:
        matched = OF_WORKSPACE.match(request.path)
        is_denial = answer.status_code == 403 or (answer.status_code == 404 and matched)
        account = g.get("account")
        if is_denial and account is not None and request.endpoint not in NOTED_THERE:
            details = {"method": request.method, "status": answer.status_code}
            if matched:
                details["workspace"] = matched[1]
            deny(jobs, account.email, request.path, details)
        return answer


def deny(
    jobs: Callable[[], Engine], email: str, subject: str, details: Mapping[str, object]
) -> None:
    """Notes a denial in the audit, within its bounds; a database that is away is told to the log."""
    try:
        with jobs().begin() as connection:
            record_refusal(connection, email, "access.deny", subject, details)
    except (OperationalError, TimeoutError) as error:
        current_app.logger.warning("a denial could not be noted", exc_info=error)
