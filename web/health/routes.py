"""GET /healthz and /readyz: whether the process lives, and whether it may serve."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask
from flask.typing import ResponseReturnValue

from settings import Settings
from storage.database import Database
from storage.scheduled import nights
from web.health import checkup, surroundings
from web.health.checkup import UNREACHABLE
from web.health.looks import Looks
from web.operation import Operation, Outcome

ALIVE = Operation("alive", "Whether the process answers", {200: Outcome("It does", "text/plain")})
READY = Operation(
    "ready",
    "Whether the database answers, has the schema and may be served from; how the last night went,"
    " and what an operator should look at: flask --app app doctor says more",
    {200: Outcome("All of it", "text/plain"), 503: Outcome("Not now", "text/plain")},
)
KEPT_SECONDS = 30.0
"""How long ``/readyz`` repeats its findings about the surroundings: a server that is away costs seconds."""
ROOM_SECONDS = 600.0
"""How long it repeats its finding about the database's disk, which it has to write to for that."""
SECRETS_SECONDS = 600.0
"""How long it repeats its finding about secrets that no key opens: it tries each."""
CLUSTER_SECONDS = 60.0
"""How long a look at a cluster stands while the next one is under way: it visits every shard of every
table, which takes longer than a probe waits."""
PLAIN = {"Content-Type": "text/plain"}


def install(app: Flask, database: Callable[[], Database], settings: Settings) -> None:
    """Mounts both."""
    inside = Looks(
        lambda: checkup.of_the_database(database, settings),
        meanwhile=CLUSTER_SECONDS if settings.distributed else 0.0,
    )
    around = Looks(lambda: list(surroundings.findings(settings)), KEPT_SECONDS)
    room = Looks(lambda: checkup.of_the_databases_disk(database), ROOM_SECONDS)
    secrets = Looks(lambda: checkup.of_the_secrets(database, settings), SECRETS_SECONDS)

    @app.route("/healthz")
    @ALIVE
    def healthz() -> ResponseReturnValue:
        return "ok\n", 200, PLAIN

    @app.route("/readyz")
    @READY
    def readyz() -> ResponseReturnValue:
        problems = inside.findings(lambda: [checkup.silence_finding(database)])
        if wrong := [finding.brief for finding in problems if finding.must_not_serve]:
            for finding in problems:
                app.logger.error("not ready: %s", finding)
            body = f"not ready\n{', '.join(dict.fromkeys(wrong))}\n"
            return body, 503, {**PLAIN, "Retry-After": "5"}
        to_look_at = dict.fromkeys(
            f.brief for f in (*problems, *room.findings(), *secrets.findings(), *around.findings())
        )
        warnings = [f"look at: {', '.join(to_look_at)}"] if to_look_at else []
        return "\n".join(["ready", *_night(database, settings), *warnings, ""]), 200, PLAIN


def _night(database: Callable[[], Database], settings: Settings) -> list[str]:
    try:
        with database().web.connect() as connection:
            return nights.state(connection, settings.now()).lines()
    except UNREACHABLE as error:
        return [f"snapshot: unknown ({type(error).__name__})"]
