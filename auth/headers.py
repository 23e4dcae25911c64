"""Response headers that a browser enforces for us."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Flask, request
from werkzeug.wrappers import Response

YEAR = 365 * 86400


def install(app: Flask, script_hashes: Callable[[], Sequence[str]], *, secure: bool) -> None:
    """Adds them to every response; ``script_hashes`` are those of Dash's own inline scripts."""

    @app.after_request
    def add(answer: Response) -> Response:
        answer.headers.setdefault("Content-Security-Policy", policy(script_hashes()))
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["X-Frame-Options"] = "DENY"
        answer.headers["Referrer-Policy"] = "same-origin"
        answer.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        answer.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        if secure:
            answer.headers["Strict-Transport-Security"] = f"max-age={YEAR}; includeSubDomains"
        if not request.path.startswith(("/assets/", "/_dash-component-suites/")):
            answer.headers.setdefault("Cache-Control", "private, no-store")
        return answer


def policy(hashes: Sequence[str]) -> str:
    """No script but our own files and Dash's known inline ones, nothing from elsewhere."""
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' {' '.join(hashes)}".strip(),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "object-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        )
    )
