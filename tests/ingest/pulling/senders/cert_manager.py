"""Fake of a Kubernetes API with cert-manager: Certificates, and the requests that they made."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.ingest.pulling.senders.fake import Fake, Reply

VERSION = "cert-manager.io/v1"
KEY = ec.generate_private_key(ec.SECP256R1())


def issued_pem(name: str, begin: datetime, end: datetime) -> bytes:
    """A certificate for a name, and that of who issued it, as one chain."""
    chain = b""
    for subject in (name, "Issuer of all"):
        own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Issuer of all")])
        built = (
            x509.CertificateBuilder()
            .subject_name(own)
            .issuer_name(issuer)
            .public_key(KEY.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
        )
        chain += built.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return chain


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class FakeKubernetes(Fake):
    """A cluster. ``forgets`` are pages behind which the cluster forgets the list that is read; ``hidden``
    are namespaces that the token may not see."""

    certificates: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    requests: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    forgets: int = 0
    hidden: frozenset[str] = frozenset()
    largest: int = 500

    def __post_init__(self) -> None:
        super().__init__()

    def refused(self, status: int, message: str) -> Reply:
        """A Status, as Kubernetes refuses."""
        told = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        return Reply(status, told | {"message": message, "code": status})

    def certificate(self, namespace: str, name: str) -> None:
        """A Certificate without anything that was issued to it."""
        self.certificates[namespace, name] = {
            "apiVersion": VERSION,
            "kind": "Certificate",
            "metadata": {"namespace": namespace, "name": name},
            "spec": {
                "secretName": f"{name}-tls", "dnsNames": [f"{name}.example"],
                "issuerRef": {"name": "letsencrypt"},
            },
        }  # fmt: skip

    def issue(
        self, namespace: str, name: str, revision: int, at: datetime, days: int = 90, **more: Any
    ) -> None:
        """A revision that was granted; ``owned`` False is a pod's own request."""
        if more.get("owned", True):
            self.certificate(namespace, name)
        pem = issued_pem(f"{name}.example", at, at + timedelta(days=days))
        notes = {
            "cert-manager.io/certificate-name": name,
            "cert-manager.io/certificate-revision": str(revision),
        }
        self.requests[namespace, f"{name}-{revision}"] = {
            "apiVersion": VERSION,
            "kind": "CertificateRequest",
            "metadata": {
                "namespace": namespace, "name": f"{name}-{revision}",
                "creationTimestamp": _stamp(at - timedelta(seconds=20)),
                "annotations": notes if more.get("owned", True) else {},
            },
            "spec": {"request": "QQ==", "issuerRef": {"name": "letsencrypt"}},
            "status": {
                "certificate": base64.b64encode(pem).decode(),
                "conditions": [
                    {"type": "Approved", "status": "True", "lastTransitionTime": _stamp(at)},
                    {"type": "Ready", "status": "True", "lastTransitionTime": _stamp(at)},
                ],
            },
        }  # fmt: skip

    def get(self, path: str, query: dict[str, str], headers: Any) -> Reply:
        parts = path.removeprefix(f"/apis/{VERSION}/").split("/")
        namespace = parts[1] if parts[0] == "namespaces" else ""
        if namespace in self.hidden:
            return self.refused(403, f"cannot list resource {parts[-1]!r} in {namespace!r}")
        match parts[-1]:
            case "certificates":
                return self._list("CertificateList", self.certificates, namespace, query)
            case "certificaterequests":
                return self._list("CertificateRequestList", self.requests, namespace, query)
        return self.refused(404, "the server could not find the requested resource")

    def _list(
        self, kind: str, things: dict[tuple[str, str], Any], namespace: str, query: dict[str, str]
    ) -> Reply:
        begin = int(query.get("continue", 0))
        if begin and self.forgets:
            self.forgets -= 1
            return self.refused(410, "The provided continue parameter is too old")
        own = [thing for key, thing in sorted(things.items()) if namespace in ("", key[0])]
        end = begin + min(int(query.get("limit", len(own) or 1)), self.largest)
        meta = {"resourceVersion": "7"} | ({"continue": str(end)} if end < len(own) else {})
        document = {"apiVersion": VERSION, "kind": kind, "metadata": meta, "items": own[begin:end]}
        return Reply(200, document)
