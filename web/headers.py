"""Response headers that a browser enforces for us."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from flask import Flask, request
from werkzeug.wrappers import Response

from auth.sessions import STATIC

YEAR = 365 * 86400


def install(app: Flask, script_hashes: Sequence[str], *, secure: bool) -> None:
    """Adds them to every response; ``script_hashes`` are those of our inline scripts."""

    @app.after_request
    def add(answer: Response) -> Response:
        answer.headers.setdefault("Content-Security-Policy", policy(script_hashes))
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["X-Frame-Options"] = "DENY"
        answer.headers["Referrer-Policy"] = "same-origin"
        answer.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        answer.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        if secure:
            answer.headers["Strict-Transport-Security"] = f"max-age={YEAR}; includeSubDomains"
        if not request.path.startswith(STATIC):
            answer.headers.setdefault("Cache-Control", "private, no-store")
        return answer


def policy(hashes: Sequence[str], form_action: str = "") -> str:
    """No script but our own files and the inline ones of these hashes, nothing from elsewhere.
    ``form_action`` is an address that a form of the page is led on to."""
    parts = urlsplit(form_action)
    leads_to = f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
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
            f"form-action 'self'{leads_to}",
        )
    )
