"""Servers with certificates of the tests' own: nginx as deploy/ has it, PostgreSQL, a mail server."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from aiosmtpd.controller import Controller
from cryptography import x509

from tests.exports.work.postbox import Postbox
from tests.exports.work.test_killed_workers import free_port
from tests.ingest.formats.test_x509 import PRIVATE, certificate, pem
from tests.runbook.test_nginx import NGINX, written
from tests.served import until

NAMES = x509.SubjectAlternativeName(
    [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
)
LASTING = timedelta(days=300)


def put(folder: Path, lasts: timedelta = LASTING, user: str | None = None) -> Path:
    """A certificate for this machine and its key in a folder, the key for ``user`` alone; its file."""
    made = certificate("localhost", datetime.now(UTC) + lasts, extensions=(NAMES,))
    shown, key = folder / "fullchain.pem", folder / "privkey.pem"
    shown.write_bytes(pem(made))
    key.write_bytes(PRIVATE)
    key.chmod(0o600)
    if user:
        shutil.chown(key, user)
    return shown


@contextmanager
def nginx(folder: Path, inside: int, lasts: timedelta = LASTING) -> Iterator[str]:
    """Address of an nginx with deploy/nginx.conf before a port of this machine."""
    plain, tls = free_port(), free_port()
    path = written(folder, {"80": plain, "443": tls, "8050": inside})
    put(folder, lasts)
    process = subprocess.Popen([str(NGINX), "-p", str(folder), "-c", str(path)])
    try:
        until(lambda: (folder / "nginx.pid").exists() and (folder / "nginx.pid").read_text())
        yield f"https://localhost:{tls}"
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def mail_server(folder: Path, lasts: timedelta = LASTING) -> Iterator[str]:
    """Address of a mail server that demands TLS."""
    put(folder, lasts)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "fullchain.pem", folder / "privkey.pem")
    port = free_port()
    server = Controller(
        Postbox(), hostname="127.0.0.1", port=port, tls_context=context, require_starttls=True
    )
    server.start()
    try:
        yield f"smtp://localhost:{port}?tls=required"
    finally:
        server.stop()


@contextmanager
def database_certificate(user: str | None, lasts: timedelta) -> Iterator[Mapping[str, str]]:
    """Lines of postgresql.conf for a server that shows such a certificate."""
    folder = Path(tempfile.mkdtemp(prefix="vigilo-certificate-"))
    folder.chmod(0o755)
    shown = put(folder, lasts, user)
    yield {
        "ssl": "on",
        "ssl_cert_file": str(shown),
        "ssl_key_file": str(folder / "privkey.pem"),
    }
    shutil.rmtree(folder)
