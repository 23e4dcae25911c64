"""A real nginx with certificates of a private authority, and a proxy that only tunnels."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.ingest.pulling.senders.prometheus import free_port, wait_for

SERVER = """
server {{ listen 127.0.0.1:{port} ssl{default}; server_name {name};
  ssl_certificate {folder}/{cert}.pem; ssl_certificate_key {folder}/{cert}.key;
  location / {{ root {folder}/files; autoindex on; autoindex_format json; }} {behind} }}
"""
BEHIND = "location /behind/ {{ proxy_pass {address}/; client_max_body_size 0; }}"
CONFIG = """
{user} pid {folder}/nginx.pid; daemon off; error_log {folder}/error.log; events {{}}
http {{ access_log off;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{plain};
    location / {{ root {folder}/files; autoindex on; autoindex_format json; }}
    location /moved/ {{ return 302 http://127.0.0.1:1/; }} }}
  {servers} }}
"""


@dataclass
class Nginx:
    """A running server: a folder of ``files``, over HTTP and over TLS. At ``tls`` the name decides which
    certificate is served: ``localhost`` has one of the authority, all other names a stranger's."""

    files: Path
    authority: Path
    plain: int
    tls: int
    expired: int


def signed(folder: Path, name: str, host: str, issuer: tuple | None, days: int) -> tuple:
    """A certificate and its key, as files and as objects."""
    key = ec.generate_private_key(ec.SECP256R1())
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(issuer[0].subject if issuer else own)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=90))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer:
        built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), False)
    certificate = built.sign(issuer[1] if issuer else key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(pem))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, key


@contextmanager
def running(folder: Path, behind: str = "") -> Iterator[Nginx]:
    """The server, for as long as the block lasts; over TLS /behind/ leads to an address, where there is
    one."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
    if program is None:
        pytest.skip("nginx is not installed: .ci/system-packages nginx")
    (folder / "files").mkdir()
    authority = signed(folder, "authority", "Private authority", None, 900)
    signed(folder, "good", "localhost", authority, 60)
    signed(folder, "stranger", "stranger.example", authority, 60)
    signed(folder, "expired", "localhost", authority, -3)
    plain, tls, expired = free_port(), free_port(), free_port()
    more = BEHIND.format(address=behind) if behind else ""
    each = [
        SERVER.format(
            port=tls, default=" default_server", name="_", cert="stranger", folder=folder, behind=""
        ),
        SERVER.format(
            port=tls, default="", name="localhost", cert="good", folder=folder, behind=more
        ),
        SERVER.format(
            port=expired, default="", name="localhost", cert="expired", folder=folder, behind=""
        ),
    ]
    config = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    config.write_text(CONFIG.format(user=user, folder=folder, plain=plain, servers="".join(each)))
    process = subprocess.Popen([program, "-c", str(config), "-p", str(folder)])
    try:
        wait_for(f"http://127.0.0.1:{plain}/")
        yield Nginx(folder / "files", folder / "authority.pem", plain, tls, expired)
    finally:
        process.terminate()
        process.wait(20)


@dataclass
class Tunnel:
    """A proxy that takes CONNECT alone; ``asked`` are the places that it was asked for."""

    port: int = 0
    asked: list[str] = field(default_factory=list)


@contextmanager
def proxy() -> Iterator[Tunnel]:
    """The proxy, for as long as the block lasts."""
    tunnel, listener = Tunnel(), socket.create_server(("127.0.0.1", 0))
    tunnel.port = listener.getsockname()[1]

    def pump(one: socket.socket, other: socket.socket) -> None:
        try:
            while piece := one.recv(65_536):
                other.sendall(piece)
        except OSError:
            pass
        finally:
            other.close()

    def serve() -> None:
        while True:
            try:
                asker, _ = listener.accept()
            except OSError:
                return
            head = b""
            while b"\r\n\r\n" not in head:
                head += asker.recv(4096)
            place = head.split()[1].decode()
            tunnel.asked.append(place)
            host, _, port = place.rpartition(":")
            target = socket.create_connection((host, int(port)))
            asker.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            for pair in ((asker, target), (target, asker)):
                threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield tunnel
    finally:
        listener.shutdown(socket.SHUT_RDWR)  # closing alone would let one more in
        listener.close()
