"""Gate before every request: deny by default, then what each route needs.

Dash's own routes are plain Flask routes and open by default; here they are not. A route that this
file does not know is refused.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from enum import Enum
from urllib.parse import quote, urlsplit

from flask import Flask, Request, g, redirect, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import Engine
from werkzeug.wrappers import Response as AnyResponse

from auth import tokens
from auth.accounts import Account
from ingest.documents import LARGEST
from layouts.paths import EXECUTIVE, WORKSPACE_PAGES
from storage import context
from storage.database import Database
from storage.executive import memberships
from storage.executive.scope import ViewerRights, viewer_rights
from web.errors import AWAY, wants_json
from web.plain_text import check_request
from web.problem import Problem, needs_platform_admin, response

MAX_BODY = 64 * 1024
MAX_BODIES = {"ingest.take": 1024 * 1024, "first_run.load": LARGEST}
"""Events are as large as their senders make them."""
CHANGING = ("POST", "PUT", "PATCH", "DELETE")


class Needs(Enum):
    """Demand of a route on its caller."""

    NOTHING = "nothing"
    SIGN_IN = "sign-in"
    SIGN_IN_OR_TOKEN = "sign-in or token"  # noqa: S105 - no secret
    TOKEN = "token"  # noqa: S105 - no secret
    BY_PATH = "decided by the path"


ROUTES: dict[str, Needs] = {
    "login": Needs.NOTHING,
    "static": Needs.NOTHING,
    "_dash_assets.static": Needs.NOTHING,
    "asset": Needs.NOTHING,
    "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>": Needs.NOTHING,
    "/_favicon.ico": Needs.NOTHING,
    "healthz": Needs.NOTHING,
    "readyz": Needs.NOTHING,
    "metrics": Needs.NOTHING,
    "shell.logo": Needs.NOTHING,
    "shell.workspaces": Needs.SIGN_IN,
    "frameworks.page": Needs.SIGN_IN,
    "frameworks.seed": Needs.SIGN_IN,
    "help.index": Needs.SIGN_IN,
    "help.article": Needs.SIGN_IN,
    "home": Needs.SIGN_IN,
    "logout": Needs.SIGN_IN,
    "/_dash-layout": Needs.SIGN_IN,
    "/_dash-dependencies": Needs.SIGN_IN,
    "/_dash-update-component": Needs.SIGN_IN,
    "/_reload-hash": Needs.SIGN_IN,
    "/": Needs.BY_PATH,
    "/<path:path>": Needs.BY_PATH,
    "api.executive_dashboard": Needs.SIGN_IN_OR_TOKEN,
    "platform_metrics.read": Needs.SIGN_IN_OR_TOKEN,
    "api.openapi": Needs.SIGN_IN_OR_TOKEN,
    "api.docs": Needs.SIGN_IN,
    "exports.create": Needs.SIGN_IN,
    "exports.download": Needs.SIGN_IN,
    "exports.page": Needs.SIGN_IN,
    "exports.state": Needs.SIGN_IN,
    "exports.act": Needs.SIGN_IN,
    "exports.subscribe": Needs.SIGN_IN,
    "exports.comment": Needs.SIGN_IN,
    "exports.unsubscribe": Needs.SIGN_IN,
    "records.csv": Needs.SIGN_IN,
    "by_provider": Needs.NOTHING,
    "from_provider": Needs.NOTHING,
    "second_step": Needs.NOTHING,
    "invitation.page": Needs.NOTHING,
    "invitation.accept": Needs.NOTHING,
    "account.enrol": Needs.SIGN_IN,
    "account.confirm": Needs.SIGN_IN,
    "account.recovery_codes": Needs.SIGN_IN,
    "account.switch_off": Needs.SIGN_IN,
    "account.page": Needs.SIGN_IN,
    "account.password": Needs.SIGN_IN,
    "account.end": Needs.SIGN_IN,
    "account.end_others": Needs.SIGN_IN,
    "account.everywhere": Needs.SIGN_IN,
    "account.new_token": Needs.SIGN_IN,
    "account.revoke": Needs.SIGN_IN,
    "members.page": Needs.SIGN_IN,
    "members.change": Needs.SIGN_IN,
    "ingest.take": Needs.NOTHING,
    "deliveries.each": Needs.NOTHING,
    "deliveries.one": Needs.NOTHING,
    "deliveries.content": Needs.SIGN_IN,
    "deliveries.replay": Needs.SIGN_IN,
    "desk.quarantine": Needs.SIGN_IN,
    "desk.replay": Needs.SIGN_IN,
    "desk.drop": Needs.SIGN_IN,
    "desk.mapping": Needs.SIGN_IN,
    "desk.map": Needs.SIGN_IN,
    "desk.record": Needs.SIGN_IN,
    "desk.correct": Needs.SIGN_IN,
    "delivery_page.page": Needs.SIGN_IN,
    "desk_page.page": Needs.SIGN_IN,
    "desk_page.act": Needs.SIGN_IN,
    "desk_page.record": Needs.SIGN_IN,
    "desk_page.change": Needs.SIGN_IN,
    "nights.page": Needs.SIGN_IN,
    "nights.take": Needs.SIGN_IN,
    "first_run.page": Needs.SIGN_IN,
    "first_run.act": Needs.SIGN_IN,
    "first_run.load": Needs.SIGN_IN,
    "first_run.join": Needs.NOTHING,
    "first_run.create": Needs.NOTHING,
    "sources_api.every": Needs.SIGN_IN,
    "sources_api.late": Needs.SIGN_IN_OR_TOKEN,
    "sources_api.connect": Needs.SIGN_IN,
    "sources_api.preview": Needs.SIGN_IN,
    "sources_api.one": Needs.SIGN_IN,
    "sources_api.change": Needs.SIGN_IN,
    "sources_api.remove": Needs.SIGN_IN,
    "sources_api.sync": Needs.SIGN_IN,
    "sources.page": Needs.SIGN_IN,
    "sources.new": Needs.SIGN_IN,
    "sources.create": Needs.SIGN_IN,
    "sources.one": Needs.SIGN_IN,
    "sources.act": Needs.SIGN_IN,
    "annotations.page": Needs.SIGN_IN,
    "annotations.write": Needs.SIGN_IN,
    "annotations_api.each": Needs.SIGN_IN,
    "annotations_api.add": Needs.SIGN_IN,
    "annotations_api.edit": Needs.SIGN_IN,
    "annotations_api.withdraw": Needs.SIGN_IN,
    "settings_api.each": Needs.SIGN_IN,
    "settings_api.change": Needs.SIGN_IN,
    "settings.page": Needs.SIGN_IN,
    "settings.change": Needs.SIGN_IN,
    "audit.page": Needs.SIGN_IN,
    "audit.csv": Needs.SIGN_IN,
    "digest.page": Needs.SIGN_IN,
    "digest.add": Needs.SIGN_IN,
    "digest.act": Needs.SIGN_IN,
    "digest.stop_page": Needs.NOTHING,
    "digest.stop": Needs.NOTHING,
    "signals.page": Needs.SIGN_IN,
    "signals.change": Needs.SIGN_IN,
    "signals.csv": Needs.SIGN_IN,
    "api_signals.list": Needs.SIGN_IN_OR_TOKEN,
    "figures.workspaces": Needs.SIGN_IN_OR_TOKEN,
    "figures.definitions": Needs.SIGN_IN_OR_TOKEN,
    "figures.workspace": Needs.SIGN_IN_OR_TOKEN,
    "figures.records": Needs.SIGN_IN_OR_TOKEN,
    "figures.why": Needs.SIGN_IN_OR_TOKEN,
    "assistant.exchange": Needs.TOKEN,
    "assistant.unasked": Needs.TOKEN,
}


def install(app: Flask, database: Callable[[], Database], csrf: CSRFProtect, address: str) -> None:
    """Puts the gate before every request of the app."""
    allowed = _origins(address)

    @app.before_request
    def gate() -> ResponseReturnValue | None:
        g.request_id = secrets.token_hex(8)
        check_request(request)
        if getattr(session, "is_away", False):
            raise Problem(503, AWAY)
        _limit_body()
        if request.method in CHANGING:
            _same_site(request, allowed)
        if request.routing_exception is not None and not request.path.startswith(
            ("/ws/", "/_dash")
        ):
            is_known = current_user.is_authenticated or _token_holder(database().job, request)
            return None if is_known else _sign_in_first()
        needs = ROUTES.get(request.endpoint or "")
        if needs is None:
            raise Problem(404)
        return None if needs is Needs.NOTHING else _admit(needs, database, csrf)


def _limit_body() -> None:
    """Bounds what Flask reads of the body. Raises Problem 413."""
    most = MAX_BODIES.get(request.endpoint or "", MAX_BODY)
    request.max_content_length = most
    if request.content_length is not None and request.content_length > most:
        raise Problem(413, f"A body has at most {most // 1024} KB.")


def _admit(
    needs: Needs, database: Callable[[], Database], csrf: CSRFProtect
) -> ResponseReturnValue | None:
    """Lets the caller in as the account that their token or session proves, or sends them to sign in."""
    is_program = needs is Needs.TOKEN or "Authorization" in request.headers
    if is_program and needs in (Needs.TOKEN, Needs.SIGN_IN_OR_TOKEN):
        g.account, g.by_token = _token_holder(database().job, request), True
        if g.account is None:
            raise Problem(401, "The token is not valid.")
        return None
    if not current_user.is_authenticated:
        return _sign_in_first()
    g.account = current_user._get_current_object()
    if request.method in CHANGING:
        csrf.protect()
    if needs is Needs.BY_PATH:
        if request.path == "/":
            return redirect("/start")
        _admit_by_path(database().web, g.account, request.path)
    return None


def _origins(address: str) -> set[str]:
    parts = urlsplit(address)
    return {f"{parts.scheme}://{parts.netloc}"}


def _same_site(sent: Request, allowed: set[str]) -> None:
    """A change comes from this site's own pages: by Sec-Fetch-Site where the browser says it, by
    Origin where not; a program without either carries no cookies of ours by accident."""
    site = sent.headers.get("Sec-Fetch-Site")
    origin = sent.headers.get("Origin")
    # A name that leads here by a trick of the name service is no name of ours; pages are left as many
    # names as lead to them, since their cookies are bound to one of them.
    is_program = ROUTES.get(sent.endpoint or "") is Needs.TOKEN
    own = allowed if is_program else allowed | {f"{sent.scheme}://{sent.host}"}
    if (site and site not in ("same-origin", "none")) or (origin and origin not in own):
        raise Problem(403, "The request comes from another site.", "cross_site")


def _token_holder(jobs: Engine, sent: Request) -> Account | None:
    scheme, _, token = sent.headers.get("Authorization", "").partition(" ")
    return tokens.holder(jobs, token.strip()) if scheme.lower() == "bearer" else None


def _sign_in_first() -> ResponseReturnValue:
    if wants_json():
        return response(Problem(401, "Sign in first."))
    target = local_target(request.full_path.rstrip("?"))
    return redirect("/login" if target == "/" else f"/login?next={quote(target, safe='/')}")


def local_target(target: str | None) -> str:
    """A path on this site to go on to after sign-in; anything else is the start."""
    if not target or len(target) > 2000 or not target.startswith("/") or target.startswith("//"):
        return "/"
    if "\\" in target or any(ord(c) < 32 for c in target) or urlsplit(target).netloc:
        return "/"
    return target


def rights_in(engine: Engine, account: Account, slug: str) -> ViewerRights:
    """Rights in a workspace, looked up on every page request: a revoked membership is gone with the next.
    The frame around the page is told the memberships of the same moment, so that it need not ask."""
    with context.as_viewer(engine, account.viewer) as connection:
        g.memberships = tuple(memberships.memberships(connection))
        return viewer_rights(connection, slug)


def _admit_by_path(engine: Engine, account: Account, path: str) -> None:
    """Lets them see the executive page as platform admin, a workspace's page as its member. Raises Problem
    403, and 404 for everything else."""
    if matched := EXECUTIVE.fullmatch(path):
        if not rights_in(engine, account, matched[1]).is_platform_admin:
            raise needs_platform_admin()
        return
    for pattern in WORKSPACE_PAGES.values():
        matched = pattern.fullmatch(path)
        if matched and rights_in(engine, account, matched[1]).is_member:
            return
    raise Problem(404)


def finish(answer: AnyResponse) -> AnyResponse:
    """Says which request it was."""
    answer.headers["X-Request-Id"] = g.get("request_id", "")
    return answer
