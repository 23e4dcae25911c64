"""Certificates of the servers around the program: whether one ends soon. Whoever connects refuses one that
has ended; nobody else says so before that."""

from __future__ import annotations

import socket
import ssl
import struct
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from cryptography import x509
from sqlalchemy import URL

from settings import Settings
from storage.database import driver_url
from web.health.findings import HealthFinding

SOON = timedelta(days=14)
SHARE = 4
"""Part of a certificate's life, where that is sooner: one of six days is renewed each few of them."""
TLS_REQUEST = struct.pack("!ii", 8, 80877103)
"""First words of a client that asks a PostgreSQL, or a pgbouncer, to go on over TLS."""
POSTGRES_PORT, REDIS_PORT = 5432, 6379
VERIFYING = ("verify-ca", "verify-full")
"""Values of ``sslmode`` with which a certificate that has ended is refused."""
LOOK = "openssl s_client {start}-connect {server} </dev/null | openssl x509 -noout -dates -issuer"


def ending_findings(of: str, encoded: bytes | None, remedy: str) -> list[HealthFinding]:
    """Finding where the certificate, as it came over the wire, ends soon; nothing where none came."""
    if not encoded:
        return []
    certificate, now = x509.load_der_x509_certificate(encoded), datetime.now(UTC)
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if end - now > min(SOON, (end - begin) / SHARE):
        return []
    days = (end - now) / timedelta(days=1)
    ends = f"ends in {days:,.0f} days" if days > 1 else "ends within a day" if days > 0 else "ended"
    return [
        HealthFinding("certificate", remedy, f"that of {of} {ends}, on {end:%Y-%m-%d %H:%M} UTC")
    ]


def of_databases(settings: Settings, patience: float) -> list[HealthFinding]:
    """Findings about the databases whose certificates this program checks, each server once."""
    urls = (
        settings.database_url,
        settings.job_database_url,
        settings.owner_database_url,
        settings.read_database_url,
        settings.backup_database_url,
    )
    servers = {_server(driver_url(url)) for url in urls if url and _is_checked(driver_url(url))}
    problems: list[HealthFinding] = []
    for host, port in sorted(servers):
        look = LOOK.format(start="-starttls postgres ", server=f"{host}:{port}")
        remedy = f"{look}   (renew it there, then: select pg_reload_conf();)"
        served = _served_certificate(host, port, patience, asks=True)
        problems += ending_findings(f"the database server {host}:{port}", served, remedy)
    return problems


def of_redis(settings: Settings, patience: float) -> list[HealthFinding]:
    """Finding about a Redis that is spoken to over TLS."""
    if not (settings.redis_url or "").startswith("rediss://"):
        return []
    url = urlsplit(str(settings.redis_url))
    host, port = url.hostname or "localhost", url.port or REDIS_PORT
    remedy = f"{LOOK.format(start='', server=f'{host}:{port}')}   (renew it there)"
    return ending_findings(
        f"Redis {host}:{port}", _served_certificate(host, port, patience), remedy
    )


def _is_checked(url: URL) -> bool:
    mode, authorities = url.query.get("sslmode"), url.query.get("sslrootcert")
    return mode in VERIFYING or authorities is not None


def _server(url: URL) -> tuple[str, int]:
    host, port = url.query.get("host", url.host), url.query.get("port", url.port)
    return str(host or "localhost"), int(str(port or POSTGRES_PORT))


def _served_certificate(
    host: str, port: int, patience: float, *, asks: bool = False
) -> bytes | None:
    """The certificate that a server shows, whoever signed it; None where it is away or speaks no TLS:
    others look for that. ``asks`` as a client of PostgreSQL does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((host, port), timeout=patience) as plain:
            if asks:
                plain.sendall(TLS_REQUEST)
                if plain.recv(1) != b"S":
                    return None
            with context.wrap_socket(plain, server_hostname=host) as over:
                return over.getpeercert(binary_form=True)
    except (OSError, ValueError):
        return None
