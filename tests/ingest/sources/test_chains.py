"""Certificates of servers whose chains are not in order, of several names, at several addresses."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ingest.pulling.client import Client
from ingest.pulling.guard import AddressGuard
from ingest.pulling.problems import SourceProblem
from ingest.sources.tls_hosts import Address, Silent, address, served_certificate
from tests.ingest.pulling.senders.fake import Fake, Reply
from tests.ingest.pulling.senders.fake import served as served_over_http

NAMES = ("localhost", "shop.example", "*.shop.example")


def issued(
    name: str, by: SimpleNamespace | None, *, names: tuple[str, ...] = ()
) -> SimpleNamespace:
    """A certificate with its key, in PEM and apart."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False
        )
    certificate = builder.sign((by.key if by else key), hashes.SHA256())
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    return SimpleNamespace(certificate=certificate, key=key, pem=pem)


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """Root, intermediate and leaf; the leaf with any others as a file that a server takes."""
    root = issued("Root", None)
    middle = issued("Middle", root)
    leaf = issued("leaf", middle, names=NAMES)
    folder = tmp_path_factory.mktemp("chain")
    (folder / "root.crt").write_bytes(root.pem)
    key = leaf.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

    def file(name: str, *others: SimpleNamespace):
        path = folder / f"{name}.pem"
        path.write_bytes(b"".join(each.pem for each in (leaf, *others)))
        path.with_suffix(".key").write_bytes(key)
        return path

    return SimpleNamespace(
        leaf=leaf.certificate.public_bytes(serialization.Encoding.DER),
        authority=root.pem.decode(),
        orders={
            "in order": file("whole", middle),
            "root before the one between": file("turned", root, middle),
            "one twice, and a stranger": file("odd", middle, middle, issued("Stranger", None)),
            "without the one between": file("short"),
        },
    )


@contextmanager
def handshaking(pem):
    """A server of TLS that says nothing beyond; its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, pem.with_suffix(".key"))
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    plain, _ = server.accept()
                    with plain, context.wrap_socket(plain, server_side=True):
                        pass
                except ssl.SSLError:
                    continue
                except OSError:
                    return

        threading.Thread(target=answer, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


ORDERS = ("in order", "root before the one between", "one twice, and a stranger",
          "without the one between")  # fmt: skip


@pytest.mark.parametrize("order", ORDERS)
def test_whatever_stands_behind_it_the_certificate_is_the_servers_own(chain, order):
    with handshaking(chain.orders[order]) as port:
        assert served_certificate(Address("localhost", port), 5) == chain.leaf


@pytest.mark.parametrize("order", ORDERS)
def test_a_source_is_read_where_the_chain_leads_to_the_authority(chain, order):
    fake = Fake()
    fake.get = lambda *_: Reply(200, [1])
    with served_over_http(fake, chain.orders[order]):
        guard = AddressGuard.of(["127.0.0.0/8"])
        headers = {"Authorization": fake.token}
        client = Client(fake.base, guard, headers, authority=chain.authority, sleep=lambda _: None)
        if order == "without the one between":
            with pytest.raises(SourceProblem) as problem:
                client.get("/")
            assert problem.value.code == "tls_untrusted"
            assert "VIGILO_SOURCE_CA" in str(problem.value)
        else:
            assert client.get("/").json == [1]


def unused() -> str:
    """An address of this machine at which nobody listens."""
    return "127.0.0.9"


def test_a_host_of_several_addresses_is_asked_at_the_one_that_answers(chain):
    with handshaking(chain.orders["in order"]) as port:
        to = Address("shop.example", port)
        assert served_certificate(to, 5, lambda _: (unused(), "127.0.0.1")) == chain.leaf
        with pytest.raises(Silent, match="can not be reached"):
            served_certificate(to, 5, lambda _: (unused(), "127.0.0.8"))


def test_a_sender_of_several_addresses_is_asked_at_the_one_that_answers():
    fake = Fake()
    fake.get = lambda *_: Reply(200, [1])
    with served_over_http(fake):
        guard = AddressGuard.of(["127.0.0.0/8"])
        guard = AddressGuard(guard.networks, resolve=lambda *_: [unused(), "127.0.0.1"])
        base = fake.base.replace("127.0.0.1", "shop.example")
        headers = {"Authorization": fake.token}
        client = Client(base, guard, headers, sleep=lambda _: None)
        assert client.get("/").json == [1]
        assert client.get("/").json == [1]
        assert client.requests == 3, "and from then on there alone"


@pytest.mark.parametrize(
    ("spelt", "to"),
    [
        ("münchen.example", Address("xn--mnchen-3ya.example", 443)),
        ("MÜNCHEN.example:8443", Address("xn--mnchen-3ya.example", 8443)),
        ("例え.example:443", Address("xn--r8jz45g.example", 443)),
        ("xn--mnchen-3ya.example", Address("xn--mnchen-3ya.example", 443)),
    ],
)
def test_a_name_of_other_letters_is_asked_for_as_it_is_registered(spelt, to):
    assert address(spelt) == to


@pytest.mark.parametrize("spelt", ["ü" * 80 + ".example", "münchen..example", "ü example", "ü:x"])
def test_what_is_no_name_in_any_letters_is_refused(spelt):
    with pytest.raises(ValueError, match="takes HOST or HOST:PORT"):
        address(spelt)
