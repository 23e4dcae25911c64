"""One gate before every request: deny by default, then what each route needs.

Dash's own routes are plain Flask routes and open by default; here they are not. A route that this
file does not know is refused.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from enum import Enum
from urllib.parse import quote, urlsplit

from flask import Flask, Request, g, redirect, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import CSRFError, CSRFProtect
from sqlalchemy import Engine
from werkzeug.wrappers import Response as AnyResponse

from aggregators.domains import DOMAINS
from api.problem import Problem, response
from auth import tokens
from auth.accounts import Account
from storage import context, executive

SLUG = "[a-z0-9]+(?:-[a-z0-9]+)*"
EXECUTIVE = re.compile(rf"/ws/({SLUG})/platform/executive/?")
WORKSPACE_PAGES = [
    re.compile(re.escape(d.workspace_page).replace(r"\{slug\}", f"({SLUG})") + "/?")
    for d in DOMAINS
]
MAX_BODY = 64 * 1024
MAX_BODIES = {"ingest.take": 1024 * 1024}
"""Events are as large as their senders make them."""
CHANGING = ("POST", "PUT", "PATCH", "DELETE")


class Needs(Enum):
    """What a route asks of the caller."""

    NOTHING = "nothing"
    SIGN_IN = "sign-in"
    SIGN_IN_OR_TOKEN = "sign-in or token"  # noqa: S105 - no secret
    BY_PATH = "decided by the path"


ROUTES: dict[str, Needs] = {
    "login": Needs.NOTHING,
    "static": Needs.NOTHING,
    "_dash_assets.static": Needs.NOTHING,
    "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>": Needs.NOTHING,
    "/_favicon.ico": Needs.NOTHING,
    "healthz": Needs.NOTHING,
    "readyz": Needs.NOTHING,
    "metrics": Needs.NOTHING,
    "home": Needs.SIGN_IN,
    "logout": Needs.SIGN_IN,
    "/_dash-layout": Needs.SIGN_IN,
    "/_dash-dependencies": Needs.SIGN_IN,
    "/_dash-update-component": Needs.SIGN_IN,
    "/_reload-hash": Needs.SIGN_IN,
    "/": Needs.BY_PATH,
    "/<path:path>": Needs.BY_PATH,
    "api.executive_dashboard": Needs.SIGN_IN_OR_TOKEN,
    "api.openapi": Needs.SIGN_IN_OR_TOKEN,
    "api.docs": Needs.SIGN_IN,
    "exports.create": Needs.SIGN_IN,
    "exports.download": Needs.SIGN_IN,
    "exports.page": Needs.SIGN_IN,
    "exports.state": Needs.SIGN_IN,
    "exports.act": Needs.SIGN_IN,
    "exports.subscribe": Needs.SIGN_IN,
    "exports.unsubscribe": Needs.SIGN_IN,
    "records.csv": Needs.SIGN_IN,
    "members.page": Needs.SIGN_IN,
    "ingest.take": Needs.NOTHING,
}


def install(app: Flask, engine: Callable[[], Engine], csrf: CSRFProtect, address: str) -> None:
    """Puts the gate before every request of the app."""
    allowed = _origins(address)

    @app.before_request
    def gate() -> ResponseReturnValue | None:
        g.request_id = secrets.token_hex(8)
        if getattr(session, "is_away", False):
            raise Problem(503, "The database does not answer.")
        needs = ROUTES.get(request.endpoint or "")
        most = MAX_BODIES.get(request.endpoint or "", MAX_BODY)
        request.max_content_length = most
        if request.content_length is not None and request.content_length > most:
            raise Problem(413, f"A body has at most {most // 1024} KB.")
        if request.method in CHANGING:
            _same_site(request, allowed)
        if request.routing_exception is not None and not request.path.startswith(
            ("/ws/", "/_dash")
        ):
            if not current_user.is_authenticated and not _token_holder(engine(), request):
                return _sign_in_first()
            return None
        if needs is None:
            raise Problem(404)
        if needs is Needs.NOTHING:
            return None
        if needs is Needs.SIGN_IN_OR_TOKEN and "Authorization" in request.headers:
            g.account, g.by_token = _token_holder(engine(), request), True
            if g.account is None:
                raise Problem(401, "The token is not valid.")
            return None
        if not current_user.is_authenticated:
            return _sign_in_first()
        g.account = current_user._get_current_object()
        if request.method in CHANGING:
            _protect(csrf)
        if needs is Needs.BY_PATH:
            if request.path == "/":
                return redirect("/start")
            _by_path(engine(), g.account, request.path)
        return None


def _origins(address: str) -> set[str]:
    parts = urlsplit(address)
    return {f"{parts.scheme}://{parts.netloc}"}


def _same_site(asked: Request, allowed: set[str]) -> None:
    """A change comes from this site's own pages: by Sec-Fetch-Site where the browser says it, by
    Origin where not; a program without either carries no cookies of ours by accident."""
    site = asked.headers.get("Sec-Fetch-Site")
    origin = asked.headers.get("Origin")
    own = allowed | {f"{asked.scheme}://{asked.host}"}
    if (site and site not in ("same-origin", "none")) or (origin and origin not in own):
        raise Problem(403, "The request comes from another site.", "cross_site")


def _protect(csrf: CSRFProtect) -> None:
    try:
        csrf.protect()
    except CSRFError as error:
        raise Problem(403, "The form has expired. Reload the page.", "csrf_failed") from error


def _token_holder(engine: Engine, asked: Request) -> Account | None:
    scheme, _, token = asked.headers.get("Authorization", "").partition(" ")
    return tokens.holder(engine, token.strip()) if scheme.lower() == "bearer" else None


def wants_json() -> bool:
    """Whether the caller is a program: the API, the export and Dash's own routes."""
    if request.path.startswith("/exports"):  # a mailed link is followed by a browser
        return "text/html" not in request.headers.get("Accept", "")
    return request.path.startswith(("/api/v1/", "/_dash", "/api/openapi"))


def _sign_in_first() -> ResponseReturnValue:
    if wants_json():
        return response(Problem(401, "Sign in first."))
    target = request.full_path.rstrip("?")
    return redirect("/login" if target == "/" else f"/login?next={quote(target, safe='/')}")


def local_target(target: str | None) -> str:
    """A path on this site to go on to after sign-in; anything else is the start."""
    if not target or len(target) > 2000 or not target.startswith("/") or target.startswith("//"):
        return "/"
    if "\\" in target or any(ord(c) < 32 for c in target) or urlsplit(target).netloc:
        return "/"
    return target


def standing(engine: Engine, account: Account, slug: str) -> executive.Standing:
    """Looked up on every page request: a revoked membership is gone with the next one."""
    with context.as_viewer(engine, account.viewer) as connection:
        return executive.standing(connection, slug)


def _by_path(engine: Engine, account: Account, path: str) -> None:
    """The pages: executive for platform admins, a workspace's for its members, nothing else."""
    if matched := EXECUTIVE.fullmatch(path):
        known = standing(engine, account, matched[1])
        if not known.is_platform_admin:
            raise Problem(403, "You need the platform_admin role.", "platform_admin_required")
        if not (known.is_member or known.is_its_admin):
            raise Problem(404)
        return
    for pattern in WORKSPACE_PAGES:
        matched = pattern.fullmatch(path)
        if matched and standing(engine, account, matched[1]).is_member:
            return
    raise Problem(404)


def finish(answer: AnyResponse) -> AnyResponse:
    """Says which request it was."""
    answer.headers["X-Request-Id"] = g.get("request_id", "")
    return answer
