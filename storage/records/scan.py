"""Asks hosts over TLS for the certificate that they serve: ``records scan certificates``.

Only what the list names is asked, and nothing but a handshake: no certificate is verified (an expired one
is what one looks for) and no address within one is followed.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
import time
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select as query
from sqlalchemy import update

from storage.context import job_in
from storage.database import Database
from storage.models import certificate
from storage.records.documents import text_lines
from storage.records.fields import shown
from storage.records.formats.form import Format
from storage.records.formats.x509 import of_der
from storage.records.importer import load, workspace_id
from storage.records.kinds import CERTIFICATES, Fault
from storage.records.reader import Raw, Reading
from storage.records.report import Outcome

AT_ONCE, PORT = 32, 443
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


def address(text: str) -> Address:
    """``host``, ``host:port``, or ``[address of IPv6]:port``. Raises ValueError."""
    found = _ADDRESS.fullmatch(text)
    port = int(found["port"] or PORT) if found else 0
    if found is None or not 0 < port < 65536:
        raise ValueError(f"takes HOST or HOST:PORT, not {shown(text)}")
    return Address((found["six"] or found["host"]).lower(), port)


def served(to: Address, timeout: float) -> bytes:
    """The certificate (DER) that the host serves, within ``timeout`` seconds in all. Raises Silent."""
    deadline = time.monotonic() + timeout
    try:
        with (
            socket.create_connection(to, timeout) as plain,
            _context().wrap_socket(
                plain, server_hostname=to.host, do_handshake_on_connect=False
            ) as tls,
        ):
            _shake(tls, deadline)
            found = tls.getpeercert(binary_form=True)
    except TimeoutError:
        raise Silent(f"did not answer within {timeout:g} s") from None
    except ssl.SSLError as error:
        raise Silent(f"made no TLS connection: {error.reason or error}") from None
    except (OSError, UnicodeError) as error:
        raise Silent(f"can not be reached: {getattr(error, 'strerror', None) or error}") from None
    if not found:
        raise Silent("serves no certificate")
    return found


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


def scan(database: Database, hosts: Path, slug: str, timeout: float, now: datetime) -> Outcome:
    """Asks every host of the file and keeps what it serves; what the same place served before is
    superseded from ``now`` on. A host that does not answer is a rejected row and changes nothing.

    Raises NoSuchWorkspace.
    """
    found = workspace_id(database, slug)
    with job_in(database.job, found) as connection:
        columns = (certificate.c.host, certificate.c.port, certificate.c.fingerprint)
        known = {(Address(h, p), f) for h, p, f in connection.execute(query(*columns))}
    seen: dict[Address, str] = {}

    def read(reading: Reading) -> Iterator[Raw]:
        for raw in _asked(reading, timeout):
            if raw.fault is not None:
                yield raw
                continue
            place, print_ = _place(raw.cells), raw.cells["fingerprint"]
            seen[place] = print_
            first = {} if (place, print_) in known else {"first_seen": now.isoformat()}
            yield replace(raw, cells={**raw.cells, **first, "last_seen": now.isoformat()})

    form = Format("tls", {CERTIFICATES.name: read})
    (outcome,) = load(database, CERTIFICATES, [hosts], workspace=slug, form=form)
    with job_in(database.job, found) as connection:
        for place, print_ in seen.items():
            connection.execute(
                update(certificate)
                .where(
                    certificate.c.host == place.host,
                    certificate.c.port == place.port,
                    certificate.c.fingerprint != print_,
                    certificate.c.superseded_at.is_(None),
                )
                .values(superseded_at=now)
            )
    return outcome


def _place(cells: Mapping[str, str]) -> Address:
    return Address(cells["host"], int(cells["port"]))


def _asked(reading: Reading, timeout: float) -> Iterator[Raw]:
    """A row for each line that names a host; ``#`` begins a comment."""
    lines = (
        (number, said)
        for number, line in enumerate(text_lines(reading), 1)
        if (said := line.partition("#")[0].strip())
    )
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while some := list(islice(lines, 4 * AT_ONCE)):
            yield from pool.map(partial(_row, reading, timeout), some)


def _row(reading: Reading, timeout: float, line: tuple[int, str]) -> Raw:
    number, said = line
    try:
        to = address(said)
        return of_der(
            reading, reading.path, number, served(to, timeout), host=to.host, port=str(to.port)
        )
    except ValueError as error:
        return Raw(reading.path, number, {}, Fault("host", str(error)))
    except Silent as error:
        return Raw(reading.path, number, {}, Fault("host", f"{shown(said)} {error}"))
