"""Asks hosts over TLS for the certificate that they serve: ``records scan certificates``.

Only what the list names is asked, and nothing but a handshake: no certificate is verified (an expired one
is what one looks for) and no address within one is followed.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, text
from sqlalchemy import select as query

from aggregators.records.kinds import Fault
from aggregators.records.statements import ROW, Statement
from aggregators.vocabulary.fields import printable
from ingest import words
from ingest.documents import text_lines
from ingest.formats.form import Format
from ingest.formats.x509 import of_der
from ingest.importer import load, workspace_id
from ingest.kinds import KINDS
from ingest.pulling.problems import SourceProblem
from ingest.pulling.shape import Pull, PulledPiece, Setting, Source
from ingest.reader import FormatInput, RawRecord
from ingest.report import ImportOutcome
from ingest.statements import Told, identity_of, tell
from storage.context import job_in
from storage.database import Database

CERTIFICATES = KINDS["certificates"]
AT_ONCE, PORT = 32, 443
SCANNED = "tls"
"""Source of what a scan tells."""
_ADDRESS = re.compile(
    r"(\[(?P<six>[0-9a-f:.]+)\]|(?P<host>[a-z0-9_](?:[a-z0-9._-]{0,251}[a-z0-9])?))(:(?P<port>\d{1,5}))?",
    re.IGNORECASE,
)


class Address(NamedTuple):
    """A host, in lower case, and a port."""

    host: str
    port: int


class Silent(Exception):
    """A host gave no certificate; the message says why."""


def address(spelt: str) -> Address:
    """``host``, ``host:port``, or ``[address of IPv6]:port``; a name of other letters by what it is in the
    domain name system. Raises ValueError."""
    match = _ADDRESS.fullmatch(spelt if spelt.isascii() else _in_ascii(spelt))
    port = int(match["port"] or PORT) if match else 0
    if match is None or not 0 < port < 65536:
        raise ValueError(f"takes HOST or HOST:PORT, not {printable(spelt)}")
    return Address((match["six"] or match["host"]).lower(), port)


def _in_ascii(spelt: str) -> str:
    try:
        return spelt.encode("idna").decode()
    except UnicodeError:
        return ""


Pin = Callable[[Address], Sequence[str]]
"""Checks a host and gives the addresses to connect to, in order. Raises SourceProblem."""


def served_certificate(to: Address, timeout: float, pin: Pin | None = None) -> bytes:
    """The certificate (DER) that the host serves, within ``timeout`` seconds in all. Raises Silent,
    SourceProblem."""
    deadline = time.monotonic() + timeout
    try:
        with (
            _connect_to_first(pin(to) if pin else (to.host,), to.port, deadline) as plain,
            _context().wrap_socket(
                plain, server_hostname=to.host, do_handshake_on_connect=False
            ) as tls,
        ):
            _shake(tls, deadline)
            certificate = tls.getpeercert(binary_form=True)
    except TimeoutError:
        raise Silent(f"did not answer within {timeout:g} s") from None
    except ssl.SSLError as error:
        raise Silent(f"made no TLS connection: {error.reason or error}") from None
    except (OSError, UnicodeError) as error:
        raise Silent(f"can not be reached: {getattr(error, 'strerror', None) or error}") from None
    if not certificate:
        raise Silent("serves no certificate")
    return certificate


def _connect_to_first(addresses: Sequence[str], port: int, deadline: float) -> socket.socket:
    """A connection to the first of the addresses at which somebody answers; each has its share of the time
    that is left. Raises OSError."""
    for number, each in enumerate(addresses, 1):
        left = max(deadline - time.monotonic(), 0.001)
        try:
            return socket.create_connection((each, port), left / (len(addresses) - number + 1))
        except OSError:
            if number == len(addresses):
                raise
    raise OSError("no address")


def _context() -> ssl.SSLContext:
    """Takes whatever certificate and whatever age of TLS: it is the date that counts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def _shake(tls: ssl.SSLSocket, deadline: float) -> None:
    """The handshake, to its end or to the deadline: a host that drips bytes does not hold us."""
    tls.setblocking(False)
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        try:
            return tls.do_handshake()
        except ssl.SSLWantReadError:
            select.select([tls], [], [], left)
        except ssl.SSLWantWriteError:
            select.select([], [tls], [], left)


def scan(
    database: Database, hosts: Path, slug: str, timeout: float, now: datetime
) -> ImportOutcome:
    """Asks every host of the file and keeps what it serves; what the same place served before is
    superseded from ``now`` on. A host that does not answer is a rejected row and changes nothing.

    Raises NoSuchWorkspace.
    """
    workspace = workspace_id(database, slug)
    seen: dict[Address, str] = {}
    form = _form(_known_certificates(database, workspace), seen, timeout, now)
    (outcome,) = load(
        database, CERTIFICATES, [hosts], workspace=slug, form=form, as_deliveries=True
    )
    with job_in(database.job, workspace) as connection:
        _supersede(connection, workspace, seen, now)
    return outcome


def _supersede(
    connection: Connection, workspace: int, seen: Mapping[Address, str], now: datetime
) -> None:
    """Ends what the addresses served before what they serve now."""
    statements = _superseded_statements(connection, workspace, seen, now)
    tell(connection, CERTIFICATES, workspace, statements, words.of_workspace(connection, workspace))


def _known_certificates(database: Database, workspace: int) -> set[tuple[Address, str]]:
    """Certificates that are known at their addresses, by fingerprint."""
    with job_in(database.job, workspace) as connection:
        columns = (
            CERTIFICATES.table.c.host,
            CERTIFICATES.table.c.port,
            CERTIFICATES.table.c.fingerprint,
        )
        return {(Address(h, p), f) for h, p, f in connection.execute(query(*columns))}


def _form(
    known: set[tuple[Address, str]],
    seen: dict[Address, str],
    timeout: float,
    now: datetime,
    pin: Pin | None = None,
) -> Format:
    """Rows of what the hosts of a file serve; ``seen`` is filled with the fingerprints."""

    def read(reading: FormatInput) -> Iterator[RawRecord]:
        for raw in _rows(reading, timeout, pin):
            if raw.fault is not None:
                yield raw
                continue
            served_by, fingerprint = _address_of(raw.cells), raw.cells["fingerprint"]
            seen[served_by] = fingerprint
            first = {} if (served_by, fingerprint) in known else {"first_seen": now.isoformat()}
            served_now = {"last_seen": now.isoformat(), "superseded_at": ""}
            yield raw._replace(cells={**raw.cells, **first, **served_now})

    return Format(SCANNED, {CERTIFICATES.name: read})


SERVED_BEFORE = text("""
select c.fingerprint, c.host, c.port
from certificate c
join unnest(cast(:hosts as text[]), cast(:ports as int[]), cast(:fingerprints as text[]))
  as served(host, port, fingerprint)
  on c.host = served.host and c.port = served.port and c.fingerprint <> served.fingerprint
where c.workspace_id = :w and c.superseded_at is null
""")
"""Certificates that an address served before the one that it serves now."""


def _superseded_statements(
    connection: Connection, workspace: int, seen: Mapping[Address, str], now: datetime
) -> list[Told]:
    """Statements that end what the addresses served before; a refold keeps them like any other."""
    values = {
        "w": workspace,
        "hosts": [served_by.host for served_by in seen],
        "ports": [served_by.port for served_by in seen],
        "fingerprints": list(seen.values()),
    }
    received_at = datetime.now(UTC)
    keys = [dict(row) for row in connection.execute(SERVED_BEFORE, values).mappings()]
    return [
        Told(
            identity_of(CERTIFICATES, key),
            Statement(SCANNED, {**key, "superseded_at": now}, received_at, now, manner=ROW),
        )
        for key in keys
    ]


def _address_of(cells: Mapping[str, str]) -> Address:
    return Address(cells["host"], int(cells["port"]))


def _rows(reading: FormatInput, timeout: float, pin: Pin | None) -> Iterator[RawRecord]:
    """A row for each line that names a host; ``#`` begins a comment."""
    lines = (
        (number, host)
        for number, line in enumerate(text_lines(reading), 1)
        if (host := line.partition("#")[0].strip())
    )
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while some := list(islice(lines, 4 * AT_ONCE)):
            yield from pool.map(partial(_row, reading, timeout, pin), some)


def _row(reading: FormatInput, timeout: float, pin: Pin | None, line: tuple[int, str]) -> RawRecord:
    number, host = line
    try:
        to = address(host)
        certificate = served_certificate(to, timeout, pin)
        return of_der(reading, reading.path, number, certificate, host=to.host, port=str(to.port))
    except (ValueError, SourceProblem) as error:
        return RawRecord(reading.path, number, {}, Fault("host", str(error)))
    except Silent as error:
        return RawRecord(reading.path, number, {}, Fault("host", f"{printable(host)} {error}"))


PATIENCE = 10.0


def _pull_pieces(pull: Pull) -> Iterator[PulledPiece]:
    """Every host of the list, and what each served before as superseded."""
    for scope in pull.scopes:
        workspace = workspace_id(pull.database, scope.workspace)
        seen: dict[Address, str] = {}
        with tempfile.TemporaryDirectory(prefix="vigilo-source-") as folder:
            hosts = Path(folder) / "hosts"
            hosts.write_text(pull.settings["hosts"] + "\n", encoding="utf-8")
            form = _form(
                _known_certificates(pull.database, workspace), seen, PATIENCE, pull.now, _pin(pull)
            )
            yield PulledPiece(
                scope,
                "hosts",
                {"at": pull.now.isoformat()},
                form=form,
                kind=CERTIFICATES.name,
                path=hosts,
                after=partial(_supersede_all, seen=seen, now=pull.now),
                progress=f"{len(pull.settings['hosts'].splitlines())} hosts",
            )


def _supersede_all(
    connection: Connection, workspace: int, *, seen: Mapping[Address, str], now: datetime
) -> None:
    _supersede(connection, workspace, seen, now)


def _pin(pull: Pull) -> Pin:
    """Addresses as the guard lets them be asked."""

    def addresses(to: Address) -> Sequence[str]:
        target = pull.guard.host(to.host, to.port)
        return (target.ip, *target.others)

    return addresses


def _test_connection(pull: Pull) -> list[str]:
    sentences, silent = [], 0
    lines = [line.partition("#")[0].strip() for line in pull.settings["hosts"].splitlines()]
    for host in [line for line in lines if line][:TESTED]:
        try:
            served_certificate(address(host), PATIENCE, _pin(pull))
            sentences.append(f"{host} serves a certificate.")
        except ValueError as error:
            raise SourceProblem("setting", f"Hosts: {error}.", "settings.hosts") from error
        except Silent as error:
            silent += 1
            sentences.append(f"{host} {error}.")
    if silent and silent == len(sentences):
        raise SourceProblem("unreachable", " ".join(sentences)[:500])
    return sentences


def _some_hosts(pull: Pull) -> None:
    """Have a look ahead ask the first hosts of a long list."""
    lines = [line for line in pull.settings["hosts"].splitlines() if line.partition("#")[0].strip()]
    if len(lines) > AT_ONCE:
        pull.settings = {**pull.settings, "hosts": "\n".join(lines[:AT_ONCE])}
        pull.note(f"The first {AT_ONCE} hosts of {len(lines):,} were asked.")


TESTED = 5
"""Hosts that a test asks."""
SOURCE = Source(
    kind="tls",
    title="Certificates of TLS hosts",
    about="The certificate that each host of a list serves. Nothing but a handshake is made; what the same"
    " host served before is superseded.",
    fills=("certificates",),
    settings=(
        Setting("hosts", "Hosts", "lines", help="HOST or HOST:PORT a line; # begins a comment."),
    ),
    pull=_pull_pieces,
    test=_test_connection,
    permissions=("None: certificates are public",),
    history="The certificate of now.",
    limits="32 hosts at once, 10 seconds a host.",
    minutes=24 * 60,
    lighten=_some_hosts,
)  # fmt: skip
