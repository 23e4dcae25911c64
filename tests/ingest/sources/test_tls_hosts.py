"""``records scan certificates`` against real servers on this machine."""

from __future__ import annotations

import hashlib
import http.server
import socket
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ingest.sources.tls_hosts import Address, address, scan
from storage.context import NoSuchWorkspace

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def made(folder, name, end):
    """A self-signed certificate that ends then: the PEM file with its key, and its fingerprint."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    der = certificate.public_bytes(serialization.Encoding.DER)
    return path, hashlib.sha256(der).hexdigest()


@contextmanager
def serving(pem=None, port=0):
    """A server on this machine, over TLS where there is a certificate; its port."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", port), http.server.BaseHTTPRequestHandler
    )
    server.handle_error = lambda *_: None
    if pem:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def ask(database, workspaces, tmp_path):
    def run(*lines, now=NOW, timeout=3.0, slug="payments"):
        path = tmp_path / "hosts.txt"
        path.write_text("\n".join(lines), encoding="utf-8")
        return scan(database, path, slug, timeout, now)

    return run


def test_a_served_certificate_is_kept_with_its_place(ask, stored, tmp_path):
    end = datetime(2026, 12, 1, tzinfo=UTC)
    pem, fingerprint = made(tmp_path, "shop", end)
    with serving(pem) as port:
        outcome = ask("# ours", "", f"LOCALHOST:{port}  # the shop")
        again = ask(f"localhost:{port}", now=NOW + timedelta(days=1))
    assert (outcome.written, outcome.rejected, again.written) == (1, 0, 1)
    (row,) = stored("certificates")
    assert (row["host"], row["port"], row["fingerprint"]) == ("localhost", port, fingerprint)
    assert (row["not_after"], row["subject"]) == (end, "CN=shop")
    assert (row["first_seen"], row["last_seen"]) == (NOW, NOW + timedelta(days=1))


def test_an_expired_certificate_is_read_too(ask, stored, tmp_path):
    pem, _ = made(tmp_path, "old", datetime(2026, 2, 1, tzinfo=UTC))
    with serving(pem) as port:
        assert ask(f"127.0.0.1:{port}").written == 1
    assert stored("certificates")[0]["not_after"] < NOW


def test_a_renewed_certificate_supersedes_the_one_before_it_at_its_place_alone(
    ask, stored, tmp_path
):
    end = datetime(2026, 12, 1, tzinfo=UTC)
    old, before = made(tmp_path, "old", end)
    new, after = made(tmp_path, "new", datetime(2027, 12, 1, tzinfo=UTC))
    later = NOW + timedelta(days=1)
    with serving(old) as elsewhere:
        with serving(old) as port:
            ask(f"127.0.0.1:{port}", f"127.0.0.1:{elsewhere}")
        with serving(new, port):
            ask(f"127.0.0.1:{port}", f"127.0.0.1:{elsewhere}", now=later)
    found = {(r["port"], r["fingerprint"]): r["superseded_at"] for r in stored("certificates")}
    assert found == {(port, before): later, (port, after): None, (elsewhere, before): None}


def test_a_certificate_that_is_served_again_is_in_service_again(ask, stored, tmp_path):
    end = datetime(2026, 12, 1, tzinfo=UTC)
    first, one = made(tmp_path, "one", end)
    second, two = made(tmp_path, "two", datetime(2027, 12, 1, tzinfo=UTC))
    with serving(first) as port:
        ask(f"127.0.0.1:{port}")
    with serving(second, port):
        ask(f"127.0.0.1:{port}", now=NOW + timedelta(days=1))
    with serving(first, port):
        ask(f"127.0.0.1:{port}", now=NOW + timedelta(days=2))
    found = {r["fingerprint"]: r["superseded_at"] for r in stored("certificates")}
    assert found == {one: None, two: NOW + timedelta(days=2)}


def test_a_later_word_of_another_file_leaves_a_certificate_superseded(ask, bring, stored, tmp_path):
    old, before = made(tmp_path, "old", datetime(2026, 12, 1, tzinfo=UTC))
    new, _ = made(tmp_path, "new", datetime(2027, 12, 1, tzinfo=UTC))
    later = NOW + timedelta(days=1)
    with serving(old) as port:
        ask(f"127.0.0.1:{port}")
    with serving(new, port):
        ask(f"127.0.0.1:{port}", now=later)
    dates = "2025-12-01T00:00:00Z,2026-12-01T00:00:00Z"
    bring(
        "certificates",
        "workspace,host,port,fingerprint,not_before,not_after,subject\n"
        f"payments,127.0.0.1,{port},{before},{dates},CN=renamed\n",
    )
    found = {r["fingerprint"]: (r["subject"], r["superseded_at"]) for r in stored("certificates")}
    assert found[before] == ("CN=renamed", later)


def test_each_host_that_gives_none_is_named_with_its_line_and_why(ask, stored):
    silent = socket.create_server(("127.0.0.1", 0))
    closed = socket.create_server(("127.0.0.1", 0))
    gone = closed.getsockname()[1]
    closed.close()
    with serving() as plain:
        outcome = ask(
            f"127.0.0.1:{gone}",
            f"127.0.0.1:{silent.getsockname()[1]}",
            f"127.0.0.1:{plain}",
            "nowhere.invalid",
            "10.0.0.0/8",
            "host:99999",
            "https://example.com/",
            timeout=0.5,
        )
    silent.close()
    reasons = {r.line: r.reason for r in outcome.rejects}
    assert sorted(reasons) == [1, 2, 3, 4, 5, 6, 7]
    assert "refused" in reasons[1]
    assert "did not answer within 0.5 s" in reasons[2]
    assert "made no TLS connection" in reasons[3] or "did not answer" in reasons[3]
    assert "can not be reached" in reasons[4]
    assert all("takes HOST or HOST:PORT" in reasons[n] for n in (5, 6, 7))
    assert stored("certificates") == []


def test_a_host_that_does_not_answer_supersedes_nothing(ask, stored, tmp_path):
    pem, _ = made(tmp_path, "shop", datetime(2026, 12, 1, tzinfo=UTC))
    with serving(pem) as port:
        ask(f"127.0.0.1:{port}")
    ask(f"127.0.0.1:{port}", now=NOW + timedelta(days=1))
    assert stored("certificates")[0]["superseded_at"] is None


def test_a_host_that_drips_bytes_does_not_hold_the_scan(ask):
    drip = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def one_byte_at_a_time():
        peer, _ = drip.accept()
        record = b"\x16\x03\x03\x40\x00" + b"\x02" * 60
        for byte in record:
            if stop.wait(0.1):
                break
            peer.sendall(bytes([byte]))
        peer.close()

    thread = threading.Thread(target=one_byte_at_a_time, daemon=True)
    thread.start()
    outcome = ask(f"127.0.0.1:{drip.getsockname()[1]}", timeout=0.6)
    still = thread.is_alive()
    stop.set()
    thread.join()
    drip.close()
    assert "did not answer within 0.6 s" in outcome.rejects[0].reason
    assert still  # it would have gone on


def test_an_unknown_workspace(ask):
    with pytest.raises(NoSuchWorkspace, match="nowhere"):
        ask("localhost", slug="nowhere")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Shop.Example", Address("shop.example", 443)),
        ("shop.example:8443", Address("shop.example", 8443)),
        ("[::1]:8443", Address("::1", 8443)),
        ("[::1]", Address("::1", 443)),
    ],
)
def test_addresses(text, found):
    assert address(text) == found
