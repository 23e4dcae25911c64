"""GET /metrics for the operator: requests and their time by route, nights, exports and mails; nothing of
the data. With several processes on a machine PROMETHEUS_MULTIPROC_DIR names the folder where they add up,
which deploy/gunicorn.conf.py makes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from flask import Flask, Response, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from werkzeug.wrappers import Response as AnyResponse

from settings import Settings
from storage.database import Database
from web.health.measured import DatabaseCollector
from web.operation import Operation, Outcome

METRICS = Operation(
    "metrics",
    "Requests by route, nights, exports and mails, for Prometheus on this machine",
    {200: Outcome("Counters", "text/plain"), 403: Outcome("From elsewhere", "text/plain")},
)
LOCAL = ("127.0.0.1", "::1", None)


def install(app: Flask, database: Callable[[], Database], settings: Settings) -> None:
    """Counts every request; the figures are given to this machine only."""
    own, registries = CollectorRegistry(), [CollectorRegistry()]
    requests = Counter("vigilo_requests_total", "Requests", ("route", "status"), registry=own)
    seconds = Histogram("vigilo_request_seconds", "Time to answer", ("route",), registry=own)
    registries[0].register(DatabaseCollector(database, settings))
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registries[0])  # type: ignore[no-untyped-call]
    else:
        registries.append(own)

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def count(answer: AnyResponse) -> AnyResponse:
        route = str(request.url_rule) if request.url_rule else "none"
        requests.labels(route, answer.status_code).inc()
        seconds.labels(route).observe(time.perf_counter() - g.get("began", time.perf_counter()))
        return answer

    @app.route("/metrics")
    @METRICS
    def metrics() -> Response:
        if request.remote_addr not in LOCAL or "X-Forwarded-For" in request.headers:
            return Response("only from this machine\n", 403)
        text = b"".join(map(generate_latest, registries))
        return Response(text, content_type=CONTENT_TYPE_LATEST)
