"""GET /metrics for the operator: requests and their time by route, nothing about data."""

from __future__ import annotations

import time

from flask import Flask, Response, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from werkzeug.wrappers import Response as AnyResponse

LOCAL = ("127.0.0.1", "::1", None)


def install(app: Flask) -> None:
    """Counts every request; the figures are given to this machine only."""
    registry = CollectorRegistry()
    requests = Counter("vigilo_requests_total", "Requests", ("route", "status"), registry=registry)
    seconds = Histogram("vigilo_request_seconds", "Time to answer", ("route",), registry=registry)

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
    def metrics() -> Response:
        if request.remote_addr not in LOCAL or "X-Forwarded-For" in request.headers:
            return Response("only from this machine\n", 403)
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
