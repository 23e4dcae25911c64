"""Certificates (DER) in the files that people keep them in: PEM, DER, PKCS#7, PKCS#12, Kubernetes secrets.

Private keys that stand beside them are passed over: nothing of a key is decoded, kept or shown.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7, pkcs12

from ingest.documents import YAML, cell_text, json_document, value_at, yaml_documents
from ingest.formats.strangers import KEYSTORE, KEYSTORES
from ingest.reader import FormatInput, UnreadableFile

LARGEST = 16 * 1024 * 1024
SECRET = b"kubernetes.io/tls"
PASSWORD = "VIGILO_IMPORT_PASSWORD"  # noqa: S105 -- the name of the variable
_BLOCK = re.compile(
    rb"-----BEGIN (?P<label>[A-Z0-9 #]+)-----(?P<body>[^-]*)(?P<end>-----END (?P=label)-----)?"
)
_ONE = (b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE")
_SEVERAL = (b"PKCS7", b"PKCS #7 SIGNED DATA", b"CMS")
_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]{64,}={0,2}\s*")
_UTF16 = (
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"-\0-\0-\0", "utf-16-le"),
    (b"\0-\0-\0-", "utf-16-be"),
)
_SEQUENCE, _OBJECT, _TAGGED = 0x30, 0x06, 0xA0
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_PFX = b"\x02\x01\x03"
_KEY_VERSIONS = (b"\x02\x01\x00", b"\x02\x01\x01")
_DAMAGED = "is no certificate: its text is damaged or cut off"


class HeldCertificate(NamedTuple):
    """A certificate in a file: its line, its DER, or the ``reason`` why there is none; the
    ``pointer`` to it within a document."""

    line: int
    der: bytes
    reason: str = ""
    pointer: str = ""


class NoCertificate(UnreadableFile):
    """A file has nothing but keys, requests or lists of revoked certificates."""


def certificates_of(reading: FormatInput, content: bytes) -> Iterator[HeldCertificate]:
    """The certificates of a file's bytes, in order. Raises NoCertificate where it holds other things alone,
    UnreadableFile where it is too large or nothing of ours."""
    if len(content) > LARGEST:
        raise UnreadableFile(f"is over {LARGEST // 2**20} MB: no certificate file")
    content = _of_utf16(content)
    if SECRET in content:
        yield from _of_secrets(replace(reading, content=content))
    elif b"-----BEGIN " in content:
        yield from _of_pem(content)
    else:
        yield from _of_der(_bare_base64(content), reading.password)


def _of_utf16(content: bytes) -> bytes:
    """Text of two bytes a character, as Windows editors save it, as ASCII."""
    for beginning, encoding in _UTF16:
        if content.startswith(beginning):
            return content.decode(encoding, "replace").encode("ascii", "replace")
    return content


def _bare_base64(content: bytes) -> bytes:
    """DER whose Base64 stands without BEGIN and END, as some programs export it."""
    if not _BASE64.fullmatch(content):
        return content
    try:
        decoded = base64.b64decode(b"".join(content.split()), validate=True)
    except binascii.Error:
        return content
    return decoded if decoded[:1] == bytes([_SEQUENCE]) else content


def _of_pem(content: bytes) -> Iterator[HeldCertificate]:
    """The certificates between the lines of a text; other blocks are none of ours."""
    blocks = [b for b in _BLOCK.finditer(content) if b["label"] in (*_ONE, *_SEVERAL)]
    if not blocks:
        raise NoCertificate("holds no certificate")
    for block in blocks:
        line = content.count(b"\n", 0, block.start()) + 1
        try:
            der = base64.b64decode(b"".join(block["body"].split()), validate=True)
        except binascii.Error:
            der = b""
        if not der or not block["end"]:
            yield HeldCertificate(line, b"", _DAMAGED)
        elif block["label"] in _ONE:
            yield HeldCertificate(line, _first(der))
        else:
            yield from _of_pkcs7(der, line)


def _of_der(content: bytes, password: str) -> Iterator[HeldCertificate]:
    """The certificates of a file without text: one after another, or in a bundle."""
    if content.startswith(KEYSTORES):
        raise UnreadableFile(KEYSTORE)
    kind = _first_of_all(content)
    if kind.startswith(_PFX):
        yield from _of_pkcs12(content, password)
    elif kind.startswith(_KEY_VERSIONS):
        raise NoCertificate("holds no certificate")
    elif kind[:1] == bytes([_OBJECT]):
        yield from _of_pkcs7(content, 0)
    else:
        rest = content
        while rest.strip(b"\0\r\n \t\x1a"):
            der = _first(rest)
            yield HeldCertificate(0, der)
            rest = rest[len(der) :]
        if not content:
            yield HeldCertificate(0, b"")


def _first_of_all(content: bytes) -> bytes:
    """The beginning of what stands first within the outermost sequence."""
    try:
        tag, start, _ = _element(content, 0)
    except ValueError:
        return b""
    return content[start : start + 16] if tag == _SEQUENCE else b""


def _element(data: bytes, start: int) -> tuple[int, int, int]:
    """Tag of the DER element that begins there, where its content begins and ends. Raises ValueError."""
    if start + 2 > len(data):
        raise ValueError("is cut off")
    tag, size, begin = data[start], data[start + 1], start + 2
    if size > 0x80:
        size, begin = int.from_bytes(data[begin : begin + size - 0x80]), begin + size - 0x80
    elif size == 0x80:
        raise ValueError("has no length")
    if begin + size > len(data):
        raise ValueError("is cut off")
    return tag, begin, begin + size


def _elements(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Each element between: where it begins, its tag, where its content begins and ends."""
    while start < end:
        tag, begin, stop = _element(data, start)
        yield start, tag, begin, stop
        start = stop


def _first(der: bytes) -> bytes:
    """The first DER element: what follows a certificate (what OpenSSL trusts it for, a line end) is no part
    of it. Bytes that are no DER as they are."""
    try:
        tag, _, end = _element(der, 0)
    except ValueError:
        return der
    return der[:end] if tag == _SEQUENCE else der


def _of_pkcs7(der: bytes, line: int) -> Iterator[HeldCertificate]:
    """The certificates of a PKCS#7 bundle (``.p7b``)."""
    try:
        certificates = list(_signed_data(der))
    except (ValueError, IndexError):
        certificates = _by_library(der)
    if not certificates:
        yield HeldCertificate(line, b"", "is PKCS#7 and holds no certificate that can be read")
    for each in certificates:
        yield HeldCertificate(line, each)


def _signed_data(der: bytes) -> Iterator[bytes]:
    """The certificates of a SignedData (RFC 5652, section 5.1), byte for byte. Raises ValueError, and
    IndexError where parts are missing."""
    _, start, end = _element(der, 0)
    oid, tagged = list(_elements(der, start, end))[:2]
    if der[oid[2] : oid[3]] != _SIGNED_DATA:
        return
    _, signed, signed_end = _element(der, tagged[2])
    for _, tag, begin, stop in _elements(der, signed, signed_end):
        if tag == _TAGGED:
            for first, kind, _, last in _elements(der, begin, stop):
                if kind == _SEQUENCE:
                    yield der[first:last]


def _by_library(der: bytes) -> list[bytes]:
    """The certificates of a bundle whose lengths are left open (BER)."""
    try:
        return [c.public_bytes(Encoding.DER) for c in pkcs7.load_der_pkcs7_certificates(der)]
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return []


def _of_pkcs12(content: bytes, password: str) -> Iterator[HeldCertificate]:
    """The certificates of a PKCS#12 file (``.p12``, ``.pfx``), opened by the password or without one."""
    for attempt in dict.fromkeys((password.encode(), b"", None)):
        try:
            store = pkcs12.load_pkcs12(content, attempt)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
        entries = [each for each in (store.cert, *store.additional_certs) if each is not None]
        if not entries:
            raise NoCertificate("holds no certificate")
        for each in entries:
            yield HeldCertificate(0, each.certificate.public_bytes(Encoding.DER))
        return
    opened = "the password given does not open it" if password else "it asks for a password"
    raise UnreadableFile(f"is PKCS#12: {opened}; give it as --password, or in {PASSWORD}")


def _of_secrets(reading: FormatInput) -> Iterator[HeldCertificate]:
    """The certificates of Kubernetes secrets of type ``kubernetes.io/tls``, alone or in lists."""
    holds_some = False
    for line, above, secret in _secrets(reading):
        for where in ("data", "stringData"):
            if not isinstance(names := value_at(secret, where), dict) or "tls.crt" not in names:
                continue
            holds_some = True
            pointer = f"{above}/{where}/tls.crt"
            try:
                yield from _of_secret(names["tls.crt"], where == "data", line, pointer)
            except (UnreadableFile, binascii.Error):
                yield HeldCertificate(line, b"", "is no certificate", pointer)
    if not holds_some:
        raise NoCertificate("holds no certificate")


def _of_secret(text: Any, coded: bool, line: int, pointer: str) -> Iterator[HeldCertificate]:
    pem = text if isinstance(text, bytes) else cell_text(text).encode()
    if coded and not isinstance(text, bytes):
        pem = base64.b64decode(b"".join(pem.split()), validate=True)
    for each in _of_pem(pem):
        yield each._replace(line=line, pointer=pointer)


def _secrets(reading: FormatInput) -> Iterator[tuple[int, str, Any]]:
    """Each secret with its line and the pointer to it."""
    content = reading.content or b""
    if content.lstrip().startswith((b"{", b"[")):
        documents: Iterator[tuple[int, Any]] = iter([(0, json_document(reading))])
    else:
        if len(content) > YAML:
            raise UnreadableFile(f"is YAML of over {YAML // 2**20} MB: write it as JSON (-o json)")
        documents = yaml_documents(content)
    for line, document in documents:
        listed = value_at(document, "items") if isinstance(document, dict) else document
        if not isinstance(listed, list):
            above, listed = "", [document]
        else:
            above = "/items" if isinstance(document, dict) else ""
        for number, item in enumerate(listed):
            if value_at(item, "type") == SECRET.decode():
                yield line, above if listed == [document] else f"{above}/{number}", item
