"""cert-manager: certificates that it issued inside a Kubernetes cluster, read from their requests.

A Certificate tells its end and no fingerprint; the CertificateRequest that it made holds what was issued,
without a key. Of a Certificate the newest revision counts, earlier ones are superseded by it. Secrets hold
private keys and are never asked for.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import Connection

from aggregators.records.statements import ROW, Statement
from ingest import words
from ingest.documents import value_at
from ingest.formats.form import Format
from ingest.formats.x509 import of_der
from ingest.kinds import KINDS
from ingest.pulling.client import Client
from ingest.pulling.problems import SourceProblem
from ingest.pulling.shape import FoundScope, Pull, PulledPiece, PullScope, Setting, Source
from ingest.pulling.wire.turning import PageTurns
from ingest.reader import FormatInput, RawRecord
from ingest.statements import Told, identity_of, tell

CERTIFICATES = KINDS["certificates"]
MANAGER = "cert-manager"
API, PAGE, STREAM = "/apis/cert-manager.io/v1", 500, "certificates"
NAME, REVISION = (
    "cert-manager.io/certificate-name",
    "cert-manager.io/certificate-revision",
)
STARTS = 3
"""How often a list is begun that the cluster forgets while it is read."""


class Issued(NamedTuple):
    """A certificate (DER) of one revision, and when it was issued; in the order of revisions."""

    revision: int
    issued_at: datetime
    der: bytes

    @property
    def fingerprint(self) -> str:
        """Digest by which the certificate is known."""
        return hashlib.sha256(self.der).hexdigest()


def _client(pull: Pull) -> Client:
    token = pull.secret.strip()
    if not token or any(c.isspace() for c in token):
        raise SourceProblem(
            "setting", "The secret is the service account's token alone, no kubeconfig."
        )
    return pull.client(
        pull.settings["address"].rstrip("/"),
        {"Authorization": f"Bearer {token}"},
        authority=_authority(pull.settings["authority"]),
    )


def _authority(pem: str) -> str:
    """The cluster's authority in PEM, which a kubeconfig has in base64. Raises SourceProblem."""
    if not pem or "-----BEGIN CERTIFICATE-----" in pem:
        return pem
    try:
        return base64.b64decode("".join(pem.split()), validate=True).decode("ascii")
    except ValueError as error:
        raise SourceProblem(
            "setting",
            "Authority is neither PEM nor the certificate-authority-data of a kubeconfig.",
        ) from error


def _list_objects(client: Client, path: str) -> list[Any]:
    """Every object of a list. One that the cluster forgot meanwhile (410) is begun again."""
    for _ in range(STARTS):
        objects: list[Any] = []
        following, turns = "", PageTurns()
        while True:
            parameters = {"limit": str(PAGE)} | ({"continue": following} if following else {})
            answer = client.get(path, parameters, accepts=(410,))
            if answer.status == 410:
                break
            turns.turn(following, answer.body)
            items = value_at(answer.json, "items")
            if not isinstance(items, list):
                raise SourceProblem("changed_shape", f"{path} is no list.")
            objects += [_used_part(each) for each in items]
            following = str(value_at(answer.json, "metadata.continue") or "")
            if not following:
                return objects
    raise SourceProblem("unreachable", f"The cluster forgets {path} while it is read.")


def _used_part(thing: Any) -> dict[str, Any]:
    """The part of an object that is used; the rest, such as its managed fields, is large."""
    return {
        "namespace": str(value_at(thing, "metadata.namespace") or ""),
        "name": str(value_at(thing, "metadata.name") or ""),
        "made": value_at(thing, "metadata.creationTimestamp"),
        "annotations": (thing.get("metadata") or {}).get("annotations") or {},
        "conditions": value_at(thing, "status.conditions") or [],
        "certificate": value_at(thing, "status.certificate"),
    }


def _list_path(pull: Pull, kind: str) -> str:
    """Path of a list: of the whole cluster, or of the one namespace that the token may see."""
    namespace = pull.settings["namespace"]
    return f"{API}/namespaces/{quote(namespace)}/{kind}" if namespace else f"{API}/{kind}"


def scopes(pull: Pull) -> list[FoundScope]:
    """Namespaces that have certificates, or had them at the last sync; their own list is not asked for,
    which would need more rights."""
    numbers = Counter(
        c["namespace"] for c in _list_objects(_client(pull), _list_path(pull, "certificates"))
    )
    for scope in pull.scopes:
        if pull.memory.cursor(scope.external_id, STREAM).get("held"):
            numbers[scope.external_id] += 0
    return [FoundScope(name, name, number) for name, number in sorted(numbers.items())]


def test_connection(pull: Pull) -> list[str]:
    """Asks what the sync asks, once each."""
    namespaces = scopes(pull)
    _client(pull).get(_list_path(pull, "certificaterequests"), {"limit": "1"})
    number = sum(each.recent or 0 for each in namespaces)
    return [
        f"{number} certificates in {len(namespaces)} namespaces.",
        "Certificate requests can be read.",
    ]


def pull_pieces(pull: Pull) -> Iterator[PulledPiece]:
    """Namespace after namespace; one that may not be read stops none of the others."""
    client = _client(pull)
    for scope in pull.scopes:
        if pull.is_over():
            return
        try:
            yield _namespace(pull, client, scope)
        except SourceProblem as problem:
            if problem.code not in ("not_found_or_hidden", "scope_missing"):
                raise
            pull.note(f"{scope.name}: {problem}")


def _namespace(pull: Pull, client: Client, scope: PullScope) -> PulledPiece:
    """A namespace: all that its certificates were issued, and the end of those that it has no more."""
    base = f"{API}/namespaces/{quote(scope.external_id)}"
    names = {each["name"] for each in _list_objects(client, f"{base}/certificates")}
    issued = _issued_by_name(_list_objects(client, f"{base}/certificaterequests"), names)
    if without := len(names - issued.keys()):
        pull.note(f"{scope.name}: {without} certificates have no request that was granted.")
    rows = [
        (one, following)
        for revisions in issued.values()
        for one, following in zip(revisions, [*revisions[1:], None], strict=True)
    ]
    current = {name: revisions[-1].fingerprint for name, revisions in issued.items()}
    before: dict[str, str] = pull.memory.cursor(scope.external_id, STREAM).get("held", {})
    standing = {n: f for n, f in before.items() if n in names and n not in current}
    ended = [f for n, f in before.items() if n not in standing and current.get(n) != f]
    return PulledPiece(
        scope,
        STREAM,
        {"held": standing | current},
        form=_form(rows, pull.now),
        kind=CERTIFICATES.name,
        after=partial(_supersede, ended=ended, now=pull.now),
        progress=f"{scope.name}: {len(current)} certificates",
    )


def _issued_by_name(requests: list[Any], names: set[str]) -> dict[str, list[Issued]]:
    """Certificates that were issued, by the name of their Certificate, in order of revisions. Requests of
    none, such as those of pods, are left out, and so is what can not be read."""
    granted: dict[str, list[Issued]] = {}
    for request in requests:
        name = request["annotations"].get(NAME, "")
        der = _leaf(request["certificate"])
        if name in names and der:
            revision = str(request["annotations"].get(REVISION, ""))
            number = int(revision) if revision.isdecimal() else 0
            granted.setdefault(name, []).append(Issued(number, _granted_at(request), der))
    return {name: sorted(revisions) for name, revisions in granted.items()}


def _leaf(encoded: Any) -> bytes:
    """The certificate itself (DER) of a chain that a request was granted; nothing where there is none."""
    try:
        pem = base64.b64decode(str(encoded or ""), validate=True)
        return x509.load_pem_x509_certificates(pem)[0].public_bytes(Encoding.DER)
    except (ValueError, binascii.Error):
        return b""


def _granted_at(request: Any) -> datetime:
    """When a request was granted: since when it is ready, else when it was made."""
    ready = [c for c in request["conditions"] if value_at(c, "type") == "Ready"]
    granted_text = (value_at(ready[0], "lastTransitionTime") if ready else None) or request["made"]
    return datetime.fromisoformat(str(granted_text).replace("Z", "+00:00")).astimezone(UTC)


def _form(rows: list[tuple[Issued, Issued | None]], now: datetime) -> Format:
    """Rows of what was issued, each with what followed it."""

    def read(reading: FormatInput) -> Iterator[RawRecord]:
        for issued, following in rows:
            raw = of_der(reading, reading.path, 0, issued.der)
            first = issued.issued_at
            seen = {"first_seen": first.isoformat(), "last_seen": max(first, now).isoformat()}
            if following is not None:
                ended = following.issued_at.isoformat()
                seen = {"first_seen": first.isoformat(), "superseded_at": ended}
            yield raw._replace(cells={**raw.cells, **seen}) if raw.fault is None else raw

    return Format(MANAGER, {CERTIFICATES.name: read})


def _supersede(connection: Connection, workspace: int, *, ended: list[str], now: datetime) -> None:
    """Ends the certificates that their Certificate has no more, or that have none."""
    statements = [
        Told(
            identity_of(CERTIFICATES, {"fingerprint": fingerprint, "host": "", "port": 0}),
            Statement(
                MANAGER,
                {"fingerprint": fingerprint, "host": "", "port": 0, "superseded_at": now},
                datetime.now(UTC),
                now,
                manner=ROW,
            ),
        )
        for fingerprint in ended
    ]
    tell(connection, CERTIFICATES, workspace, statements, words.of_workspace(connection, workspace))


SOURCE = Source(
    kind="cert-manager",
    title="cert-manager",
    about="Certificates that cert-manager issued inside a Kubernetes cluster, and which renewed which. One"
    " source may read a whole cluster and feed each namespace into its workspace by patterns. Secrets hold"
    " private keys and are never asked for; requests of pods are left out.",
    fills=("certificates",),
    settings=(
        Setting("address", "Kubernetes API", "address", help="The server of your kubeconfig, such as"
                " https://10.0.0.1:6443. A private address needs VIGILO_SOURCE_ALLOW."),
        Setting("authority", "Authority", "lines", required=False, help="The cluster's own authority:"
                " certificate-authority-data of your kubeconfig, or PEM. Empty: those of the system."),
        Setting("namespace", "Namespace", required=False,
                help="Where the token may see only one. Empty: the whole cluster."),
    ),
    pull=pull_pieces,
    test=test_connection,
    scopes=scopes,
    credential="Token of a service account (kubectl create token)",
    permissions=("get, list of certificates and certificaterequests in cert-manager.io", "No secrets"),
    history="The certificates of now, and the revisions before them that the cluster keeps.",
    limits="500 objects a request; two lists a namespace.",
    minutes=6 * 60,
)  # fmt: skip
