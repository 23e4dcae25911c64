"""Everything that is served over HTTP, mounted on the application in the order in which it must stand."""

from __future__ import annotations

from flask import session
from flask_compress import Compress
from flask_login import LoginManager
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import Engine
from werkzeug.middleware.proxy_fix import ProxyFix

from aggregators.vocabulary import formats
from api import deliveries as api_deliveries
from api import desk as api_desk
from api import exports as api_exports
from api import ingest as api_ingest
from api import records as api_records
from api import routes as api_routes
from api import signals as api_signals
from api.assistant import routes as api_assistant
from api.export_desk import Desk
from api.figures import routes as api_figures
from api.platform import annotations as api_annotations
from api.platform import metrics as api_metrics
from api.platform import settings as api_settings
from api.platform import sources as api_sources
from auth import accounts
from auth.accounts import Account
from auth.secret_key import secret_keys
from auth.sessions import DatabaseSessions
from callbacks.dash_app import create_dash
from exports.runner import Runner
from exports.worker import ExportContext
from ingest.door.drainer import Drainer
from scheduling.context import ScheduleContext
from scheduling.scheduler import Scheduler
from web import document, errors, guard, headers, members, metrics, plain_text, sign_in
from web.bounds.streams import Downloads
from web.chosen import annotation_page
from web.chosen import page as settings_page
from web.desk import delivery as delivery_page
from web.desk import frameworks as frameworks_page
from web.desk import page as desk_page
from web.first_run import page as first_run_page
from web.help import page as help_page
from web.people import account, csrf_cookie, denials, invited
from web.people.provider import Providers
from web.platform import audit as audit_page
from web.platform import digest as digest_page
from web.platform import nights as nights_page
from web.platform import signals as signals_page
from web.platform.sources import page as sources_page
from web.server import logs
from web.server.application import DRAINER, ROOT, RUNNER, SCHEDULER, Application
from web.services import Services
from web.shell import frame
from web.shell.pages import count_beside

CONFIG = {
    "MAX_CONTENT_LENGTH": guard.MAX_BODY,
    "WTF_CSRF_CHECK_DEFAULT": False,
    "WTF_CSRF_TIME_LIMIT": None,
    "WTF_CSRF_SSL_STRICT": False,
    "COMPRESS_MIMETYPES": ["application/json", "text/html", "text/css", "text/javascript"],
}
"""Flask's, Flask-WTF's and Flask-Compress's: the gate itself asks for the token."""


def mount(app: Application) -> None:
    """Mounts the pages and the API. Raises SystemExit without a secret key."""
    settings, services = app.installation.settings, Services(app.installation)
    keys = secret_keys(settings)
    app.config.update(CONFIG, SECRET_KEY=keys.current, WTF_CSRF_SECRET_KEY=keys.oldest_first)
    if settings.proxies:
        proxied = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=0)
        app.wsgi_app = proxied  # type: ignore[method-assign]
    plain_text.install(app)
    metrics.install(app, lambda: services.database, settings)
    logs.install(app)
    _people(app, services)
    create_dash(app, services)
    frame.install(app, services.engine, settings)
    providers = Providers.on(app, settings, lambda: services.database.job)
    sign_in.install(app, lambda: services.database, settings, providers)
    csrf_cookie.install(app, keys, secure=settings.is_secure)
    errors.install(app)
    denials.install(app, lambda: services.database.job)
    _api(app, services)
    app.register_blueprint(
        members.blueprint(lambda: services.web, lambda: services.database.job, settings)
    )
    app.register_blueprint(invited.blueprint(lambda: services.database.job, settings, providers))
    app.register_blueprint(
        help_page.blueprint(lambda: services.web, lambda: services.database, settings)
    )
    app.register_blueprint(account.blueprint(lambda: services.database.job, keys, settings))
    app.jinja_env.globals["theme_script"], digest = document.theme(ROOT / "assets")
    app.jinja_env.globals |= {
        "day_in_words": formats.day,
        "clock_in_words": formats.clock,
        "instant_in_words": formats.instant,
    }
    headers.install(app, (digest,), secure=settings.is_secure)
    Compress(app)


def _people(app: Application, services: Services) -> None:
    """Sessions, who is signed in, and the gate in front of every route that is mounted after it."""

    def jobs() -> Engine:
        return services.database.job

    app.session_interface = DatabaseSessions(
        jobs, secret_keys(services.settings), secure=services.settings.is_secure
    )
    manager = LoginManager(app)
    manager.session_protection = None

    @manager.user_loader
    def load_user(user_id: str) -> Account | None:
        known: Account | None = session.account  # type: ignore[attr-defined]
        if known is not None and known.id == int(user_id):
            return known
        return accounts.by_id(jobs(), int(user_id))

    guard.install(app, lambda: services.database, CSRFProtect(app), services.settings.address)


def _api(app: Application, services: Services) -> None:
    """Mounts the routes of the API."""
    settings = services.settings
    runner = Runner(lambda: ExportContext(services.database, settings))
    app.extensions[RUNNER] = runner
    drainer = Drainer(lambda: services.database, settings)
    app.extensions[DRAINER] = drainer
    downloads = Downloads(settings.data_dir / "downloads", settings.downloads_a_person)
    scheduler = Scheduler(lambda: ScheduleContext(services.database, settings))
    app.extensions[SCHEDULER] = scheduler
    desk = Desk(lambda: services.database, settings, runner, downloads)
    keys = secret_keys(settings)
    for read_alone in (api_routes, api_metrics, api_signals, api_figures, signals_page):
        app.register_blueprint(read_alone.blueprint(services))
    app.register_blueprint(api_assistant.blueprint(services, lambda: services.database.job))
    app.register_blueprint(api_exports.blueprint(desk))
    app.register_blueprint(api_records.blueprint(services, downloads))
    app.register_blueprint(api_ingest.blueprint(lambda: services.database, keys, drainer.wake))
    app.register_blueprint(
        api_deliveries.blueprint(lambda: services.web, lambda: services.database)
    )
    app.register_blueprint(
        api_desk.blueprint(lambda: services.web, lambda: services.database, drainer.wake)
    )
    app.register_blueprint(
        frameworks_page.blueprint(
            lambda: services.web, lambda: services.database, settings, drainer.wake
        )
    )
    app.register_blueprint(
        delivery_page.blueprint(lambda: services.web, lambda: services.database, settings)
    )
    app.register_blueprint(
        desk_page.blueprint(lambda: services.web, lambda: services.database, settings, drainer.wake)
    )
    app.register_blueprint(audit_page.blueprint(lambda: services.database, settings, downloads))
    _organisation(app, services, scheduler)
    _mount_choices(app, services, drainer)


def _mount_choices(app: Application, services: Services, drainer: Drainer) -> None:
    """Pages and routes of what people choose and note; the drainer makes the days again that a change
    marks."""
    for noted in (annotation_page, api_annotations):
        app.register_blueprint(
            noted.blueprint(lambda: services.web, lambda: services.database, services.settings)
        )
    for chosen in (settings_page, api_settings):
        app.register_blueprint(
            chosen.blueprint(
                lambda: services.web, lambda: services.database, services.settings, drainer.wake
            )
        )


def _organisation(app: Application, services: Services, scheduler: Scheduler) -> None:
    """Pages and routes of what is the whole organisation's: nights, sources, the first day."""
    settings = services.settings
    for pages in (nights_page, sources_page, api_sources, digest_page):
        app.register_blueprint(
            pages.blueprint(
                lambda: services.web, lambda: services.database, settings, scheduler.wake
            )
        )
    count_beside(app, sources_page.PATH, services.broken_sources)
    app.register_blueprint(
        first_run_page.blueprint(
            lambda: services.database, settings, secret_keys(settings), scheduler.wake
        )
    )
