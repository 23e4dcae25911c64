"""The only file that wires everything: the Flask app, Dash in it, the API, and the commands."""

from __future__ import annotations

import ctypes
import gc
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property, partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import click
from dash import Dash
from flask import Flask, Response, current_app, g, make_response, session
from flask.typing import ResponseReturnValue
from flask_compress import Compress
from flask_login import LoginManager, current_user
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from werkzeug.middleware.proxy_fix import ProxyFix

import callbacks
from aggregators.asking import InvalidRequest
from aggregators.figures import Dashboard, LiveView, WorkspaceView
from aggregators.kept import Kept
from aggregators.listing import Page, Request
from aggregators.period import Ask, InvalidPeriod
from aggregators.read import (
    Drawn,
    NotPlatformAdmin,
    draw_kept,
    each_record,
    read_kept,
    read_live,
    read_records,
    read_workspace,
    version,
)
from api import exports as api_exports
from api import ingest as api_ingest
from api import metrics
from api import records as api_records
from api import routes as api_routes
from api.problem import Problem, response
from api.serving import run
from auth import accounts, guard, headers, members, pages
from auth.commands import member, token, user
from auth.dash_guard import strict_callbacks
from auth.sessions import DatabaseSessions
from auth.viewer import Viewer
from exports.commands import export, worker
from exports.runner import Runner
from exports.worker import Place
from layouts.focus import MalformedView
from layouts.shell import shell
from settings import Settings, WrongSetting, strangers
from settings import load as load_settings
from storage import demo as demo_organisation
from storage.commands.demo import demo
from storage.commands.records import records
from storage.commands.snapshot import snapshot
from storage.database import Database, connect, refuse_unsafe
from storage.demo import people
from storage.schema import is_current

PATIENCE_SECONDS = 60
TURN_SECONDS = 0.0005
M_ARENA_MAX, HEAPS = -8, 2
"""The parameter's name in glibc's malloc.h, and its value."""
CONFIG = {
    "MAX_CONTENT_LENGTH": guard.MAX_BODY,
    "WTF_CSRF_CHECK_DEFAULT": False,
    "WTF_CSRF_TIME_LIMIT": None,
    "WTF_CSRF_SSL_STRICT": False,
    "COMPRESS_MIMETYPES": ["application/json", "text/html", "text/css", "text/javascript"],
}
"""Flask's, Flask-WTF's and Flask-Compress's: the gate itself asks for the token."""
CONSTANT = ("/<path:path>", "/_dash-layout", "/_dash-dependencies")
"""Dash makes these anew for each request, though the page and its layout are the same for everyone."""
DEMO_ACCOUNTS = "select email from app_user where email like '%@demo.example' order by id"


class Services:
    """What the web edge needs, for the person who is signed in. The database is connected on first
    use, so that a forked server process has connections of its own."""

    runner: Runner

    def __init__(self, settings: Settings, database: Database | None = None) -> None:
        self.settings = settings
        self.kept = Kept(settings.cache_dir or settings.data_dir / "cache")
        if database is not None:
            self.database = database

    @cached_property
    def database(self) -> Database:
        """The installation's database."""
        return connect(self.settings)

    @property
    def web(self) -> Engine:
        """The web role's engine."""
        return self.database.web

    def viewer(self) -> Viewer:
        """The signed-in person, or the holder of the token."""
        account = g.get("account") or current_user
        return account.viewer  # type: ignore[no-any-return]

    def version(self, viewer: Viewer, ask: Ask) -> str:
        """The version of any viewer's dashboard."""
        return version(self.database, viewer, ask, self.settings)

    def read(self, viewer: Viewer, ask: Ask, domains: tuple[str, ...] = ()) -> Dashboard:
        """Any viewer's dashboard."""
        return read_kept(self.database, viewer, ask, self.settings, self.kept).only(domains)

    def drawn(
        self, ask: Ask, drawing: tuple[object, ...] | None, draw: Callable[[Dashboard], Drawn]
    ) -> Drawn:
        """What is drawn of the signed-in person's dashboard."""
        return draw_kept(self.database, self.viewer(), ask, self.settings, self.kept, drawing, draw)

    def workspace(self, slug: str, domain_key: str, ask: Ask) -> WorkspaceView:
        """One domain of one of their workspaces."""
        return read_workspace(self.database, self.viewer(), slug, domain_key, ask, self.settings)

    def live(self, slug: str, domain_key: str, ask: Ask) -> LiveView:
        """The same from the records as they stand now."""
        return read_live(self.database, self.viewer(), slug, domain_key, ask, self.settings)

    def records(
        self, slug: str, domain_key: str, ask: Ask, links: Mapping[str, str], asked: Request
    ) -> Page:
        """A page of the records behind it."""
        return read_records(
            self.database, self.viewer(), slug, domain_key, ask, self.settings, links, asked
        )

    def every_record(
        self, slug: str, domain_key: str, ask: Ask, links: Mapping[str, str], asked: Request
    ) -> Iterator[tuple[object, ...]]:
        """All of them, streamed."""
        return each_record(
            self.database, self.viewer(), slug, domain_key, ask, self.settings, links, asked
        )


def create_app(settings: Settings | None = None, database: Database | None = None) -> Flask:
    """The whole application. Raises SystemExit on a wrong setting."""
    settings = settings or _from_environment()
    app = Flask(__name__, static_folder=None, root_path=str(Path(__file__).parent))
    services = Services(settings, database)
    app.extensions["vigilo"] = services
    app.config.update(CONFIG, SECRET_KEY=secret_key(settings))

    def engine() -> Engine:
        return services.web

    if settings.proxies:
        proxied = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=0)
        app.wsgi_app = proxied  # type: ignore[method-assign]
    metrics.install(app)
    app.session_interface = DatabaseSessions(engine, secure=settings.is_secure)
    _login(app, engine)
    csrf = CSRFProtect(app)
    guard.install(app, engine, csrf, settings.address)
    dash_app = _dash(app, services)
    pages.install(app, engine, settings)
    _client_errors(app)
    app.register_blueprint(api_routes.blueprint(services))
    services.runner = Runner(lambda: Place(services.database, settings))
    desk = api_exports.Desk(lambda: services.database, settings, services.runner)
    app.register_blueprint(api_exports.blueprint(desk))
    app.register_blueprint(api_records.blueprint(services))
    app.register_blueprint(
        api_ingest.blueprint(engine, lambda: services.database, app.config["SECRET_KEY"])
    )
    app.register_blueprint(members.blueprint(engine, lambda: services.database.job))
    headers.install(app, cache(dash_app.csp_hashes), secure=settings.is_secure)
    Compress(app)
    for command in (db, serve, user, member, token, export, worker, records, snapshot, demo):
        app.cli.add_command(command)
    return app


def _from_environment() -> Settings:
    """The settings, with a word about what looks like one and is none."""
    for sentence in strangers():
        click.echo(sentence, err=True)
    settings = load_settings()
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=settings.data_dir):
            pass
    except OSError as error:
        folder = settings.data_dir
        raise WrongSetting(
            f"VIGILO_DATA_DIR: {folder} can not be made or written: {error.strerror}."
        ) from error
    return settings


def _client_errors(app: Flask) -> None:
    """What a callback raises because of its caller is the caller's error."""

    @app.errorhandler(MalformedView)
    def malformed(error: MalformedView) -> ResponseReturnValue:
        return response(Problem(400, str(error)))

    @app.errorhandler(InvalidRequest)
    def invalid_request(error: InvalidRequest) -> ResponseReturnValue:
        return response(Problem(422, str(error), field="request"))

    @app.errorhandler(InvalidPeriod)
    def invalid(error: InvalidPeriod) -> ResponseReturnValue:
        return response(Problem(422, f"{error.field} {error}", field=error.field))

    @app.errorhandler(NotPlatformAdmin)
    def forbidden(_error: NotPlatformAdmin) -> ResponseReturnValue:
        return response(Problem(403, "", "platform_admin_required"))


def secret_key(settings: Settings) -> str:
    """VIGILO_SECRET_KEY, or one made once for the embedded database; an external one needs it."""
    if settings.secret_key:
        return settings.secret_key
    if settings.database_url:
        raise SystemExit(
            "VIGILO_SECRET_KEY: needed with VIGILO_DATABASE_URL; takes at least 32 random characters."
        )
    path = settings.data_dir / "secret-key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48), encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()


def _login(app: Flask, engine: Callable[[], Engine]) -> None:
    manager = LoginManager(app)
    manager.session_protection = None

    @manager.user_loader
    def load_user(user_id: str) -> accounts.Account | None:
        known: accounts.Account | None = session.account  # type: ignore[attr-defined]
        if known is not None and known.id == int(user_id):
            return known
        return accounts.by_id(engine(), int(user_id))


def _dash(app: Flask, services: Services) -> Dash:
    dash_app = Dash(
        __name__,
        server=app,  # type: ignore[arg-type] # Dash annotates its own default only
        assets_folder=str(Path(__file__).parent / "assets"),
        assets_ignore="follow.js",
        title="Vigilo Executive",
        update_title=None,  # type: ignore[arg-type]
        suppress_callback_exceptions=True,
        serve_locally=True,
    )
    dash_app.index_string = dash_app.index_string.replace("<html>", '<html lang="en">')
    dash_app.layout = shell()
    callbacks.register(dash_app, services)
    strict_callbacks(app, dash_app)
    # Dash sets itself up within the first request, and says that it is done before it is: of several first
    # requests at once, which a browser sends for the scripts, all but one would meet a server error.
    with app.test_request_context():
        dash_app._setup_server()  # type: ignore[no-untyped-call]
    for endpoint in CONSTANT:
        app.view_functions[endpoint] = _made_once(app.view_functions[endpoint])
    return dash_app


def _made_once(view: Callable[..., Any]) -> Callable[..., Response]:
    """A view whose answer is the same for everyone, whatever the path."""
    made: list[tuple[bytes, str]] = []

    def answer(**_path: str) -> Response:
        if not made:
            first = make_response(view(**_path))
            made.append((first.get_data(), first.content_type))
        body, kind = made[0]
        return Response(body, content_type=kind)

    return answer


@click.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
def upgrade() -> None:
    """Runs the migrations, as the owner."""
    services = current_app.extensions["vigilo"]
    services.database.upgrade(services.settings)
    click.echo("The schema is up to date.")


@click.command()
@click.option("--reload", "reloads", is_flag=True, help="Restart when a file changes.")
def serve(reloads: bool) -> None:
    """Serves; with the embedded database it migrates and loads the demo organisation first."""
    few_heaps()
    services: Services = current_app.extensions["vigilo"]
    prepare(services, demo_when_empty=services.settings.database_url is None)
    services.runner.keep()
    settle()
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    run(app, services.settings, partial(announce, services), reloads=reloads)


def wsgi() -> Flask:
    """What a WSGI server runs: ``gunicorn "app:wsgi()"``. Refuses to start as ``serve`` does."""
    few_heaps()
    app = create_app()
    prepare(app.extensions["vigilo"])
    settle()
    app.extensions["vigilo"].runner.keep()
    return app


def settle() -> None:
    """What the start has made lives as long as the process: the collector need not look at it again.
    Threads take turns often: one that computes would else hold up, for 5 ms after each answer of the
    database, those who only wait for the database."""
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(TURN_SECONDS)


def few_heaps() -> None:
    """Two heaps for all threads that begin from now on: glibc would give each its own (up to eight for each
    core), and each would hold as much as the largest read that it ever made. Other allocators are left
    alone, and whoever has set MALLOC_ARENA_MAX."""
    if sys.platform != "linux" or "MALLOC_ARENA_MAX" in os.environ:
        return
    if hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(M_ARENA_MAX, HEAPS)


def prepare(services: Services, *, demo_when_empty: bool = False) -> None:
    """A database that answers, has the schema, and is safe to serve from. Raises SystemExit."""
    wait_for_database(services)
    settings, database = services.settings, services.database
    if database.owner is not None:
        database.upgrade(settings)
    with database.web.connect() as connection:
        refuse_unsafe(connection)
        if not is_current(connection):
            raise SystemExit("The schema is not up to date: run flask --app app db upgrade.")
    database.refuse_unsafe_replica()
    if demo_when_empty and demo_organisation.is_empty(database):
        click.echo("Loading the demo organisation ...")
        try:
            demo_organisation.load(database, settings)
        except (demo_organisation.NotEmpty, demo_organisation.Interrupted) as error:
            raise SystemExit(str(error)) from error


def wait_for_database(services: Services) -> None:
    """Retries for a minute, saying so; then gives up with a non-zero exit."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with services.database.web.connect() as connection:
                connection.execute(text("select 1"))
            return
        except OperationalError as error:
            reason = str(error.orig).strip().splitlines()[0]
            if services.settings.database_url is None and "does not exist" in reason:
                return
            if time.monotonic() > deadline:
                raise SystemExit(f"The database does not answer: {reason}") from error
            click.echo(f"Waiting for the database: {reason}", err=True)
            time.sleep(2)


def announce(services: Services) -> None:
    """The address, and how to sign in."""
    settings = services.settings
    click.echo(f"\nVigilo Executive on {settings.address}")
    with services.database.job.connect() as connection:
        emails = connection.execute(text(DEMO_ACCOUNTS)).scalars().all()
        anybody = connection.execute(text("select exists (select from app_user)")).scalar()
    if emails:
        password = people.password(settings.demo_password, settings.data_dir)
        click.echo(f"Sign in as {emails[0]} with the password {password}")
        click.echo(f"(or {', '.join(emails[1:])}: what they may see differs).")
    elif not anybody:
        click.echo("Create an account with flask --app app user create EMAIL.")
    click.echo("Stop with Ctrl+C.\n")
    sys.stdout.flush()
