"""Certificates as they are: PEM and DER files, or a directory of them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning

from storage.records.fields import TITLE
from storage.records.formats.form import Format
from storage.records.kinds import Fault
from storage.records.reader import Raw, Reading, Unreadable, opened

SUFFIXES = frozenset({".pem", ".crt", ".cer", ".der"})
LARGEST = 16 * 1024 * 1024
_UNDATED = ("not_before", "not_after")
_BLOCK = re.compile(
    rb"-----BEGIN (?P<label>[A-Z0-9 ]+)-----(?P<body>[^-]*)(?P<end>-----END (?P=label)-----)?"
)
_LABELS = (b"CERTIFICATE", b"X509 CERTIFICATE")
_CERTIFICATE = re.compile(rb"\x30(\x82..|\x81.|.)\x30(\x82..|\x81.|.)\xa0\x03\x02\x01", re.DOTALL)
"""How a DER certificate of version 2 or 3 begins; a request or a revocation list does not."""


def read(reading: Reading) -> Iterator[Raw]:
    """The certificates of a file, or of every certificate file below a directory.

    Raises Unreadable without a workspace, or where the path is neither.
    """
    if not reading.workspace_given:
        raise Unreadable("certificates name no workspace: add --workspace SLUG")
    if not reading.path.is_dir():
        yield from _of_file(reading.path, reading)
        return
    for path in _files(reading):
        try:
            yield from _of_file(path, reading)
        except Unreadable as problem:
            yield Raw(path, 0, {}, Fault("", str(problem)))


def _files(reading: Reading) -> Iterator[Path]:
    """The certificate files below the directory, in order.

    No link is followed: one that leads to a file inside is redundant, any other leads out.
    """
    others = 0

    def unlisted(error: OSError) -> None:
        reading.warn(f"left out {error.filename}: {error.strerror}")

    for folder, folders, names in os.walk(reading.path, onerror=unlisted):
        folders.sort()
        for path in (Path(folder) / name for name in sorted(names)):
            if path.suffix.lower() in SUFFIXES and not path.is_symlink() and path.is_file():
                yield path
            else:
                others += 1
    if others:
        reading.warn(
            f"left out {others} links and files that end in none of {', '.join(sorted(SUFFIXES))}"
        )


def _of_file(path: Path, reading: Reading) -> Iterator[Raw]:
    """Every certificate of one file. Raises Unreadable where there is none."""
    with opened(path) as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise Unreadable(f"is over {LARGEST // 2**20} MB: no certificate file")
    if b"-----BEGIN " not in content:
        yield of_der(reading, path, 0, content)
        return
    blocks = [b for b in _BLOCK.finditer(content) if b["label"] in _LABELS]
    if not blocks:
        raise Unreadable("holds no certificate")
    for block in blocks:
        line = content.count(b"\n", 0, block.start()) + 1
        try:
            der = base64.b64decode(b"".join(block["body"].split()), validate=True)
        except binascii.Error:
            der = b""
        if der and block["end"]:
            yield of_der(reading, path, line, der)
        else:
            yield Raw(
                path, line, {}, Fault("", "is no certificate: its text is damaged or cut off")
            )


def of_der(reading: Reading, path: Path, line: int, der: bytes, **where: str) -> Raw:
    """One certificate, with the host and port ``where`` it was found; one whose content can not be read
    is kept by its fingerprint, undated."""
    fingerprint = hashlib.sha256(der).hexdigest()
    try:
        with warnings.catch_warnings():  # a serial number of 0 is no concern of ours
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            found = x509.load_der_x509_certificate(der)
        cells = {
            "subject": _printable(found.subject),
            "issuer": _printable(found.issuer),
            "not_before": found.not_valid_before_utc.isoformat(),
            "not_after": found.not_valid_after_utc.isoformat(),
        }
    except (ValueError, TypeError, x509.InvalidVersion) as error:
        if not _CERTIFICATE.match(der):
            return Raw(path, line, {}, Fault("", "is no X.509 certificate"))
        place = f"{path}:{line}" if line else str(path)
        reading.warn(f"kept {place} as unreadable: {str(error)[:200]}")
        return Raw(path, line, {"fingerprint": fingerprint, **where}, waived=_UNDATED)
    return Raw(path, line, {"fingerprint": fingerprint, **cells, **where})


def _printable(name: x509.Name) -> str:
    """A distinguished name as one short line."""
    said = name.rfc4514_string()[:TITLE]
    return "".join(c if c.isprintable() else "?" for c in said).strip()


FORMAT = Format(
    "x509",
    {"certificates": read},
    "PEM bundles, DER files, and directories of them",
    suffixes=SUFFIXES,
    directories=True,
)
