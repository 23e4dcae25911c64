"""Certificates in all that people keep them in, and nothing of the keys beside them."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ingest.importer import load
from ingest.kinds import KINDS
from tests.deep import every
from tests.ingest.formats.telling import rows

KEY = ec.generate_private_key(ec.SECP256R1())
TWIN = rsa.generate_private_key(65537, 2048)
PRIVATE = KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)
SECRET_LINE = PRIVATE.splitlines()[1].decode()


def certificate(
    name: str = "inn.example",
    until: datetime = datetime(2027, 1, 1, tzinfo=UTC),
    key=KEY,
    extensions=(),
) -> x509.Certificate:
    """A certificate that is signed with its own key."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    for extension in extensions:
        made = made.add_extension(extension, critical=False)
    dated = made.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC)).not_valid_after(until)
    return dated.sign(key, hashes.SHA256())


def pem(made: x509.Certificate) -> bytes:
    return made.public_bytes(serialization.Encoding.PEM)


def der(made: x509.Certificate) -> bytes:
    return made.public_bytes(serialization.Encoding.DER)


def digest(made: x509.Certificate) -> str:
    return made.fingerprint(hashes.SHA256()).hex()


ONE, TWO = certificate("one.example"), certificate("two.example")
PEM_LINES = pem(ONE).decode()
TRUSTED = (
    b"-----BEGIN TRUSTED CERTIFICATE-----\n"
    + base64.encodebytes(der(ONE) + bytes.fromhex("300c300a06082b06010505070301"))
    + b"-----END TRUSTED CERTIFICATE-----\n"
)


def secret(kind: str = "kubernetes.io/tls", body: bytes | None = None) -> dict:
    """A secret as a cluster writes it."""
    coded = base64.b64encode(pem(ONE) if body is None else body).decode()
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": kind,
        "metadata": {"name": "inn"},
        "data": {"tls.crt": coded, "tls.key": base64.b64encode(PRIVATE).decode()},
    }


def as_yaml(made: dict) -> bytes:
    data = "".join(f"  {name}: {text}\n" for name, text in made["data"].items())
    return f"kind: Secret\ntype: {made['type']}\ndata:\n{data}".encode()


BUNDLE = pkcs7.serialize_certificates([ONE, TWO], serialization.Encoding.DER)
HELD = {
    "pem": (pem(ONE), 1),
    "text around": (b"Bag Attributes\n    x: y - z\n" + pem(ONE) + b"\nmore -- words\n", 1),
    "line ends of Windows": (pem(ONE).replace(b"\n", b"\r\n"), 1),
    "line ends of old Macs": (pem(ONE).replace(b"\n", b"\r"), 1),
    "byte order mark": (b"\xef\xbb\xbf" + pem(ONE), 1),
    "key before": (PRIVATE + pem(ONE), 1),
    "key after": (pem(ONE) + PRIVATE, 1),
    "parameters": (
        b"-----BEGIN EC PARAMETERS-----\nBgg=\n-----END EC PARAMETERS-----\n" + pem(ONE),
        1,
    ),
    "x509 label": (pem(ONE).replace(b" CERT", b" X509 CERT"), 1),
    "trusted": (TRUSTED, 1),
    "utf-16 little": (PEM_LINES.encode("utf-16"), 1),
    "utf-16 big": (b"\xfe\xff" + PEM_LINES.encode("utf-16-be"), 1),
    "utf-16 without mark": (PEM_LINES.encode("utf-16-le"), 1),
    "der": (der(ONE), 1),
    "der and a line end": (der(ONE) + b"\n", 1),
    "der and zeros": (der(ONE) + b"\0\0\0", 1),
    "two der": (der(ONE) + der(TWO), 2),
    "bare base64": (base64.encodebytes(der(ONE)), 1),
    "pkcs7 der": (BUNDLE, 2),
    "pkcs7 pem": (pkcs7.serialize_certificates([ONE, TWO], serialization.Encoding.PEM), 2),
    "pkcs7 base64": (base64.encodebytes(BUNDLE), 2),
    "pkcs7 signed": (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(b"words")
        .add_signer(ONE, KEY, hashes.SHA256())
        .sign(serialization.Encoding.DER, []),
        1,
    ),
    "pkcs12 without password": (
        pkcs12.serialize_key_and_certificates(
            b"inn", KEY, ONE, [TWO], serialization.NoEncryption()
        ),
        2,
    ),
    "secret in json": (json.dumps(secret()).encode(), 1),
    "secret in yaml": (as_yaml(secret()), 1),
    "secret of a chain": (json.dumps(secret(body=pem(ONE) + pem(TWO))).encode(), 2),
    "secrets in a list": (
        json.dumps({"kind": "List", "items": [secret(), secret("Opaque"), secret()]}).encode(),
        2,
    ),
    "secrets one after another": (as_yaml(secret()) + b"---\n" + as_yaml(secret("Opaque")), 1),
    "secret in words": (
        b"kind: Secret\ntype: kubernetes.io/tls\nstringData:\n  tls.crt: |\n"
        + b"".join(b"    " + line + b"\n" for line in pem(ONE).splitlines()),
        1,
    ),
}


@pytest.mark.parametrize("name", HELD)
def test_a_certificate_is_found_by_its_digest_in_whatever_it_is_kept(name):
    content, count = HELD[name]
    warnings: list[str] = []
    read = rows("x509", "certificates", content, warnings)
    assert [raw.fault for raw in read] == [None] * count
    known = {digest(ONE), digest(TWO)} if count == 2 else {digest(ONE)}
    assert digest(ONE) in {raw.cells["fingerprint"] for raw in read} <= known
    assert warnings == []


def test_pkcs12_is_opened_by_its_password(bring, stored):
    closed = pkcs12.serialize_key_and_certificates(
        b"inn", KEY, ONE, None, serialization.BestAvailableEncryption(b"open sesame")
    )
    refused = bring("certificates", closed, "inn.p12", workspace="payments")
    assert "asks for a password; give it as --password, or in VIGILO_IMPORT_PASSWORD" in str(
        refused.problem
    )
    wrong = bring("certificates", closed, "inn.pfx", workspace="payments", password="mellon")
    assert "the password given does not open it" in str(wrong.problem)
    assert "mellon" not in str(wrong)
    right = bring("certificates", closed, "inn.p12", workspace="payments", password="open sesame")
    assert (right.written, right.problem) == (1, None)
    assert [row["fingerprint"] for row in stored("certificates")] == [digest(ONE)]


NOTHING = {
    "a key": PRIVATE,
    "a key in DER": KEY.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ),
    "a request": x509.CertificateSigningRequestBuilder(ONE.subject)
    .sign(KEY, hashes.SHA256())
    .public_bytes(serialization.Encoding.PEM),
    "a secret of another type": json.dumps(
        {"items": [secret("Opaque"), {"type": "kubernetes.io/tls", "data": {}}]}
    ).encode(),
}


@pytest.mark.parametrize("name", NOTHING)
def test_a_file_without_a_certificate_says_so_and_nothing_of_a_key(name, bring):
    outcome = bring("certificates", NOTHING[name], "some.pem", workspace="payments")
    assert outcome.problem == "holds no certificate"
    assert outcome.failed


@pytest.mark.parametrize(
    ("name", "content", "line", "reason"),
    [
        ("garbage.der", b"not a certificate", 0, "is no X.509 certificate"),
        ("empty.crt", b"", 0, "is no X.509 certificate"),
        ("cut.pem", pem(ONE)[:200], 1, "damaged or cut off"),
        ("star.pem", pem(ONE).replace(b"M", b"*"), 1, "damaged or cut off"),
        ("secret.json", json.dumps(secret(body=b"words")).encode(), 0, "is no certificate"),
    ],
)
def test_what_is_no_certificate_is_reported_by_file(name, content, line, reason, bring):
    outcome = bring("certificates", content, name, workspace="payments", form="x509")
    (reject,) = outcome.rejects
    assert reject.file.endswith(name)
    assert (reject.line, outcome.written) == (line, 0)
    assert reason in reject.reason


def test_a_java_keystore_is_named(bring):
    outcome = bring("certificates", b"\xfe\xed\xfe\xed\0\0\0\2", "store.der", workspace="payments")
    assert "is a Java keystore: export each with keytool" in str(outcome.problem)


def test_certificates_need_a_workspace(bring):
    assert "add --workspace SLUG" in bring("certificates", pem(ONE), "one.pem").problem


def test_a_file_without_a_suffix_is_known_by_its_look(bring):
    assert bring("certificates", pem(ONE), "one", workspace="payments").written == 1
    assert bring("certificates", as_yaml(secret()), "inn.yaml", workspace="payments").unchanged == 1


def test_a_certificate_with_unreadable_dates_is_kept_without_them(bring, stored):
    content = der(ONE).replace(b"270101000000Z", b"279901000000Z")
    outcome = bring("certificates", content, "odd.cer", workspace="payments")
    assert (outcome.written, outcome.rejected) == (1, 0)
    assert "as unreadable" in outcome.warnings[0]
    (row,) = stored("certificates")
    assert (row["not_before"], row["not_after"]) == (None, None)


def test_names_and_use_are_told():
    names = [
        x509.DNSName("www.Inn.example"),
        x509.DNSName("inn.example"),
        x509.IPAddress(ip_address("2001:db8::1")),
    ]
    usage = x509.KeyUsage(True, False, True, False, False, False, False, False, False)
    server, client = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
    told = [
        rows("x509", "certificates", der(certificate(key=key, extensions=extensions)))[0].cells
        for key, extensions in (
            (KEY, [x509.SubjectAlternativeName(names), usage, x509.ExtendedKeyUsage([server])]),
            (
                TWIN,
                [
                    x509.SubjectAlternativeName(names[::-1]),
                    x509.ExtendedKeyUsage([client, server]),
                    usage,
                ],
            ),
            (KEY, []),
            (KEY, [x509.BasicConstraints(ca=True, path_length=None)]),
        )
    ]
    assert [cells["names"] for cells in told] == [
        "2001:db8::1, inn.example, www.inn.example",
        "2001:db8::1, inn.example, www.inn.example",
        "inn.example",
        "",
    ]
    assert [cells["key_usage"] for cells in told] == [
        "EC; digital_signature, key_encipherment; server",
        "RSA; digital_signature, key_encipherment; server",
        "EC",
        "EC; authority issued by CN=inn.example",
    ]


def test_the_names_of_a_thousand_hosts_are_told_apart():
    def cells(count: int):
        san = x509.SubjectAlternativeName([x509.DNSName(f"host-{n}.example") for n in range(count)])
        (raw,) = rows("x509", "certificates", der(certificate(extensions=[san])))
        return raw.cells["names"]

    assert len(cells(1_000)) <= 4_000
    assert cells(1_000) == cells(1_000) != cells(1_001)


SPELLED = [
    "{hex}",
    "{HEX}",
    "{colons}",
    "{COLONS}",
    "{spaces}",
    "SHA256 Fingerprint={COLONS}",
    "sha256 Fingerprint={COLONS}",
    "SHA-256: {hex}",
    "sha256:{hex}",
    "SHA2-256 {hex}",
    "urn:sha256:{hex}",
    "0x{hex}",
    "'{hex}",
    "“{hex}”",
    "\u200e{hex}",
    "{COLONS}:",
    "{commas}",
    "{unbroken}",
]


@pytest.mark.parametrize("spelling", every(3, SPELLED))
def test_every_spelling_of_a_fingerprint_is_one_certificate(spelling, bring, stored):
    pairs = [digest(ONE)[n : n + 2] for n in range(0, 64, 2)]
    told = spelling.format(
        hex="".join(pairs),
        HEX="".join(pairs).upper(),
        colons=":".join(pairs),
        COLONS=":".join(pairs).upper(),
        spaces=" ".join(pairs),
        commas='"' + ", ".join(pairs) + '"',
        unbroken="\u00a0".join(pairs),
    )
    bring("certificates", pem(ONE), "one.pem", workspace="payments")
    line = f"{told},2026-01-01T00:00:00Z,2027-01-01T00:00:00Z\n"
    bring("certificates", "fingerprint,not_before,not_after\n" + line, workspace="payments")
    (row,) = stored("certificates")
    assert row["fingerprint"] == digest(ONE)


OTHER_DIGESTS = [
    ("ab" * 20, "is a SHA-1 fingerprint; SHA-256 is taken"),
    (":".join(["AB"] * 20), "is a SHA-1 fingerprint; SHA-256 is taken"),
    ("SHA1 Fingerprint=" + ":".join(["AB"] * 20), "is a SHA-1 fingerprint; SHA-256 is taken"),
    ("cd" * 16, "is an MD5 fingerprint; SHA-256 is taken"),
    ("MD5:" + ":".join(["cd"] * 16), "is an MD5 fingerprint; SHA-256 is taken"),
    ("ef" * 64, "is a SHA-512 fingerprint; SHA-256 is taken"),
    ("ab" * 31, "takes a SHA-256 of 64 hexadecimal digits"),
    ("SHA256:" + base64.b64encode(b"k" * 32).decode()[:43], "of 64 hexadecimal digits"),
    (base64.b64encode(b"k" * 32).decode(), "of 64 hexadecimal digits"),
    ("sha256//" + base64.b64encode(b"k" * 32).decode(), "of 64 hexadecimal digits"),
    ("ab" * 31 + "a", "takes a SHA-256 of 64 hexadecimal digits"),
    ("ab" * 32 + "a", "takes a SHA-256 of 64 hexadecimal digits"),
    ("SHA3-256=" + "ab" * 32, "is a SHA3-256 fingerprint; SHA-256 is taken"),
]


@pytest.mark.parametrize(("told", "reason"), OTHER_DIGESTS)
def test_another_digest_is_refused_with_its_name(told, reason, bring):
    line = f"{told},2026-01-01T00:00:00Z,2027-01-01T00:00:00Z\n"
    outcome = bring(
        "certificates", "fingerprint,not_before,not_after\n" + line, workspace="payments"
    )
    assert [r.column for r in outcome.rejects] == ["fingerprint"]
    assert reason in outcome.rejects[0].reason


@pytest.mark.parametrize(
    "name", ["edge-1", "04:AB", "1.2", "123e4567-e89b-12d3-a456-426614174000", "arn:aws:acm:1/2"]
)
def test_an_own_name_is_no_digest(name, bring, stored):
    line = f"{name},2026-01-01T00:00:00Z,2027-01-01T00:00:00Z\n"
    bring("certificates", "fingerprint,not_before,not_after\n" + line, workspace="payments")
    (row,) = stored("certificates")
    assert row["fingerprint"] == {"04:AB": "04ab"}.get(name, name)


@pytest.mark.parametrize("folder", ["pyca", "pkits", "roots"])
def test_real_certificates(folder, database, workspaces, stored, acceptance_data):
    path = acceptance_data / "certificates" / folder
    if not path.is_dir():
        pytest.skip(f"no {folder}")
    (outcome,) = load(database, KINDS["certificates"], [path], workspace="payments")
    stored_rows = stored("certificates")
    assert outcome.rejected == 0
    assert len(stored_rows) == outcome.written == outcome.read - outcome.unchanged > 0
    undated = [row for row in stored_rows if row["not_after"] is None]
    assert len(undated) == sum("as unreadable" in w for w in outcome.warnings)
    assert len(undated) <= 2
    _agrees_with_openssl(path, stored_rows)


def _agrees_with_openssl(path, stored_rows) -> None:
    """The last days of DER and PEM files with a single certificate, as another program reads them."""
    openssl = shutil.which("openssl")
    if openssl is None:
        return
    known = {row["fingerprint"]: row["not_after"] for row in stored_rows}
    for file in [p for p in sorted(path.iterdir()) if p.suffix in (".crt", ".pem")][:25]:
        words = [openssl, "x509", "-in", str(file), "-noout", "-enddate", "-fingerprint", "-sha256"]
        said = subprocess.run(words, capture_output=True, text=True)
        lines = dict(line.split("=", 1) for line in said.stdout.splitlines() if "=" in line)
        fingerprint = next((v for k, v in lines.items() if k.lower().startswith("sha256")), "")
        until = known[fingerprint.replace(":", "").lower()] if fingerprint else None
        if until is not None and lines["notAfter"] != "Bad time value":
            spoken = datetime.strptime(lines["notAfter"], "%b %d %H:%M:%S %Y %Z").replace(
                tzinfo=UTC
            )
            assert until == spoken
