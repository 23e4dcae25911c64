"""Certificates as they are: PEM and DER files, bundles, Kubernetes secrets, or a directory of them.

A certificate is the SHA-256 of its DER. Read are PEM (with text around, ``TRUSTED CERTIFICATE`` too), DER,
PKCS#7, PKCS#12 (``--password``, or ``VIGILO_IMPORT_PASSWORD``), UTF-16, and secrets of type
``kubernetes.io/tls`` in YAML or JSON. Every certificate of a chain counts, those of authorities too.
Private keys are passed over: nothing of them is read.

Of a directory, files that end in a certificate's suffix are read, and YAML and JSON that hold such secrets.
A link is followed to a file, as certbot's ``live`` leads to its ``archive``; one to a folder is not.

The record has the names (those of the SAN, else the common name) and the key usage, with the family of the
key: a certificate of equal names and usage that begins after another began and before it ended renews it.
Of two extended usages client authentication is left out beside server authentication, which authorities
now drop at renewals. A certificate of an authority renews only one of the same subject by the same issuer.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from aggregators.records.kinds import Fault
from aggregators.vocabulary.fields import QUERY, TITLE
from ingest.formats.certificate_files import LARGEST, SECRET, NoCertificate, certificates_of
from ingest.formats.form import Format
from ingest.reader import FormatInput, RawRecord, UnreadableFile, open_bytes

E = TypeVar("E", bound=x509.ExtensionType)
SUFFIXES = frozenset(
    {".pem", ".crt", ".cer", ".cert", ".der", ".p7b", ".p7c", ".p7s", ".p12", ".pfx"}
)
SECRET_SUFFIXES = frozenset({".yaml", ".yml", ".json"})
KEY_SUFFIX = ".key"
_UNDATED = ("not_before", "not_after")
_CERTIFICATE = re.compile(rb"\x30(\x82..|\x81.|.)\x30(\x82..|\x81.|.)\xa0\x03\x02\x01", re.DOTALL)
"""How a DER certificate of version 2 or 3 begins; a request or a revocation list does not."""
_LOOKS = re.compile(rb"^-----BEGIN (TRUSTED |X509 )?(CERTIFICATE|PKCS7)-----", re.MULTILINE)
FAMILIES = {
    "1.2.840.113549.1.1.1": "RSA",
    "1.2.840.113549.1.1.10": "RSA",
    "1.2.840.10040.4.1": "DSA",
    "1.2.840.10045.2.1": "EC",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
}
PURPOSES = {
    ExtendedKeyUsageOID.SERVER_AUTH: "server",
    ExtendedKeyUsageOID.CLIENT_AUTH: "client",
    ExtendedKeyUsageOID.CODE_SIGNING: "code",
    ExtendedKeyUsageOID.EMAIL_PROTECTION: "mail",
    ExtendedKeyUsageOID.TIME_STAMPING: "time",
    ExtendedKeyUsageOID.OCSP_SIGNING: "OCSP",
}
USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)


def read(reading: FormatInput) -> Iterator[RawRecord]:
    """The certificates of a file, or of every certificate file below a directory.

    Raises UnreadableFile without a workspace, or where the path is neither.
    """
    if not reading.workspace_given:
        raise UnreadableFile("certificates name no workspace: add --workspace SLUG")
    if reading.content is None and reading.path.is_dir():
        yield from _folder_rows(reading)
    else:
        yield from _of_file(reading.path, reading)


@dataclass(slots=True)
class _Folder:
    """Files of a directory and what became of those that are none of ours."""

    others: int = 0
    without: int = 0
    known: set[str] = field(default_factory=set)

    def tell(self, reading: FormatInput) -> None:
        """Says what was left out."""
        if self.others:
            ends = ", ".join(sorted(SUFFIXES))
            reading.warn(f"left out {self.others} links and files that end in none of {ends}")
        if self.without:
            reading.warn(f"left out {self.without} files without a certificate")


def _folder_rows(reading: FormatInput) -> Iterator[RawRecord]:
    """Rows of every certificate file below a folder; at the end it is told what was in none."""
    folder = _Folder()
    for path in _files(reading, folder):
        rows = _of_file(path, reading)
        try:
            yield from _of_link(path, rows, reading) if path.is_symlink() else rows
        except NoCertificate:
            folder.without += not _holds_key(path)
        except UnreadableFile as problem:
            if not _is_key_of_another(path, problem):
                yield RawRecord(path, 0, {}, Fault("", str(problem)))
    folder.tell(reading)


def _of_link(path: Path, rows: Iterator[RawRecord], reading: FormatInput) -> Iterator[RawRecord]:
    """The certificates that a link leads to. Where it leads to anything else, the link alone is told."""
    try:
        for raw in rows:
            if raw.fault is None:
                yield raw
            else:
                reading.warn(f"left out the link {path}: not all that it leads to can be read")
    except NoCertificate:
        raise
    except UnreadableFile:
        if "key" not in path.stem.lower():
            reading.warn(f"left out the link {path}: it leads to nothing that can be read")


def _files(reading: FormatInput, seen: _Folder) -> Iterator[Path]:
    """The certificate files below the directory, in order, each once however many links lead to it."""

    def unlisted(error: OSError) -> None:
        reading.warn(f"left out {error.filename}: {error.strerror}")

    for folder, folders, names in os.walk(reading.path, onerror=unlisted):
        seen.others += sum(Path(folder, name).is_symlink() for name in folders)
        folders.sort()
        for path in (Path(folder) / name for name in sorted(names)):
            if path.suffix.lower() == KEY_SUFFIX:
                continue
            if not _may_hold(path):
                seen.others += path.suffix.lower() not in SECRET_SUFFIXES
            elif (real := os.path.realpath(path)) not in seen.known:
                seen.known.add(real)
                yield path


def _may_hold(path: Path) -> bool:
    """Whether it is a file, or a link to one, whose name or beginning says that it holds certificates."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES | SECRET_SUFFIXES or not _is_file(path):
        return False
    if suffix in SUFFIXES:
        return True
    try:
        with open_bytes(path) as file:
            return SECRET in file.read(LARGEST)
    except UnreadableFile:
        return False


def _is_file(path: Path) -> bool:
    """Whether it is a regular file, or a link that ends at one: no pipe, no device, no loop."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def _holds_key(path: Path) -> bool:
    """Whether a file without certificates is a private key."""
    with open_bytes(path) as file:
        content = file.read(LARGEST)
    return b"PRIVATE KEY" in content or b"-----BEGIN " not in content


def _is_key_of_another(path: Path, problem: UnreadableFile) -> bool:
    """Whether it is a key that only its owner may read, by its name."""
    return isinstance(problem.__cause__, PermissionError) and "key" in path.stem.lower()


def _of_file(path: Path, reading: FormatInput) -> Iterator[RawRecord]:
    """Every certificate of one file. Raises UnreadableFile where there is none."""
    if reading.content is not None:
        content = reading.content
    else:
        with open_bytes(path) as file:
            content = file.read(LARGEST + 1)
    for each in certificates_of(reading, content):
        if each.reason:
            yield RawRecord(path, each.line, {}, Fault("", each.reason), pointer=each.pointer)
        else:
            yield of_der(reading, path, each.line, each.der)


def of_der(reading: FormatInput, path: Path, line: int, der: bytes, **where: str) -> RawRecord:
    """Record of a certificate, with the host and port ``where`` it was served; where its content can not
    be read it is kept by its fingerprint, undated."""
    fingerprint = hashlib.sha256(der).hexdigest()
    try:
        with warnings.catch_warnings():  # a serial number of 0 is no concern of ours
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            certificate = x509.load_der_x509_certificate(der)
        cells = {
            "subject": _printable(certificate.subject),
            "issuer": _printable(certificate.issuer),
            "not_before": certificate.not_valid_before_utc.isoformat(),
            "not_after": certificate.not_valid_after_utc.isoformat(),
        }
    except (ValueError, TypeError, x509.InvalidVersion) as error:
        if not _CERTIFICATE.match(der):
            return RawRecord(path, line, {}, Fault("", "is no X.509 certificate"))
        pointer = f"{path}:{line}" if line else str(path)
        reading.warn(f"kept {pointer} as unreadable: {str(error)[:200]}")
        return RawRecord(path, line, {"fingerprint": fingerprint, **where}, waived=_UNDATED)
    cells |= {"names": names_of(certificate), "key_usage": key_usage_of(certificate)}
    return RawRecord(path, line, {"fingerprint": fingerprint, **cells, **where})


def _printable(name: x509.Name) -> str:
    """A distinguished name as one short line."""
    return _one_line(name.rfc4514_string()[:TITLE])


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text).strip()


def names_of(certificate: x509.Certificate) -> str:
    """The names that it is for, sorted, in lower case: those of its SAN, else its common name. Nothing for
    an authority without a SAN: it is its whole subject."""
    names = {_one_line(name).lower().rstrip(".") for name in _alternative_names(certificate)}
    if not names and not _is_authority(certificate):
        common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        names = {_one_line(str(each.value)).lower() for each in common}
    return _bounded_text(", ".join(sorted(filter(None, names))), QUERY)


def _alternative_names(certificate: x509.Certificate) -> list[str]:
    san = _extension(certificate, x509.SubjectAlternativeName)
    if san is None:
        return []
    kinds = (x509.DNSName, x509.IPAddress, x509.UniformResourceIdentifier, x509.RFC822Name)
    return [str(name.value) for name in san if isinstance(name, kinds)]


def key_usage_of(certificate: x509.Certificate) -> str:
    """The family of its key and what the key may be used for; of an authority also who issued it."""
    family = certificate.public_key_algorithm_oid.dotted_string
    parts = [FAMILIES.get(family, family)]
    usage = _extension(certificate, x509.KeyUsage)
    if usage is not None:
        parts.append(", ".join(name for name in USAGES if getattr(usage, name)))
    extended = _extension(certificate, x509.ExtendedKeyUsage)
    if extended is not None:
        purposes = {PURPOSES.get(p, p.dotted_string) for p in extended}
        if "server" in purposes:
            purposes.discard("client")
        parts.append(", ".join(sorted(purposes)))
    if _is_authority(certificate):
        parts.append(f"authority issued by {_printable(certificate.issuer)}")
    return _bounded_text("; ".join(filter(None, parts)), TITLE)


def _is_authority(certificate: x509.Certificate) -> bool:
    constraints = _extension(certificate, x509.BasicConstraints)
    return constraints is not None and constraints.ca


def _extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    """An extension, or None where it has none or none that can be read."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError, TypeError):
        return None


def _bounded_text(text: str, most: int) -> str:
    """A text that is compared: too long a one ends in its digest."""
    if len(text) <= most:
        return text
    return f"{text[: most - 33]}~{hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}"


def looks_like_certificates(head: bytes) -> bool:
    """Whether a text begins with a certificate, or holds a secret that does."""
    return bool(_LOOKS.search(head)) or SECRET in head


FORMAT = Format(
    "x509",
    {"certificates": read},
    "PEM, DER, PKCS#7, PKCS#12, Kubernetes secrets, and directories of them",
    suffixes=SUFFIXES,
    directories=True,
    sniff=looks_like_certificates,
)
