"""VIGILO_BASE_URL asked as a browser would: whether the name leads here, its certificate holds, and a
process serves behind whatever stands in front."""

from __future__ import annotations

import socket
import ssl
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from web.health.certificates import LOOK, ending_findings
from web.health.findings import HealthFinding

BRIEF = "public address"
ALIVE = "/healthz"
ANSWER = b"ok\n"
NOBODY_BEHIND = (502, 503, 504)
"""Answers of a proxy behind which nobody serves."""
RENEW = "{look} (renew it, then: nginx -t && systemctl reload nginx)"
NAME = "getent hosts {host}   (set VIGILO_BASE_URL right, or the name's entry in the DNS)"
FRONT = "systemctl status nginx   (or whatever else takes {host}:{port}; VIGILO_BASE_URL names it)"
SERVICE = "systemctl status vigilo-web; journalctl -u vigilo-web -n 50"
OTHER = "curl -i {url}   (set VIGILO_BASE_URL right, or what is in front of the program)"


def findings(address: str, patience: float) -> list[HealthFinding]:
    """Everything that keeps people from the program at its address, and a certificate that ends soon."""
    parts = urlsplit(address)
    is_secure, host = parts.scheme == "https", parts.hostname or ""
    port = parts.port or (443 if is_secure else 80)
    where = {"host": host, "port": port, "url": address + ALIVE}
    server = f"{host}:{port} -servername {host}"
    renew = RENEW.format(look=LOOK.format(start="", server=server))
    connection = (
        HTTPSConnection(host, port, timeout=patience, context=ssl.create_default_context())
        if is_secure
        else HTTPConnection(host, port, timeout=patience)
    )
    try:
        connection.connect()
        secure = connection.sock if isinstance(connection.sock, ssl.SSLSocket) else None
        shown = secure.getpeercert(binary_form=True) if secure else None
        connection.request("GET", ALIVE)
        problem = _of_answer(connection.getresponse(), where)
    except ssl.SSLCertVerificationError as error:
        why = error.verify_message
        return [HealthFinding("certificate", renew, f"browsers refuse that of {address}: {why}")]
    except socket.gaierror as error:
        return [HealthFinding(BRIEF, NAME.format(**where), f"{host}: {error.strerror}")]
    except (OSError, HTTPException) as error:
        why = str(error) or type(error).__name__
        return [HealthFinding(BRIEF, FRONT.format(**where), f"{address} does not answer: {why}")]
    finally:
        connection.close()
    return [*problem, *ending_findings(address, shown, renew)]


def _of_answer(answer: HTTPResponse, where: dict[str, object]) -> list[HealthFinding]:
    """Finding about an answer that is not the program's own."""
    if answer.status in NOBODY_BEHIND:
        brief = f"{where['url']} answers {answer.status}: no process serves behind it"
        return [HealthFinding(BRIEF, SERVICE, brief)]
    if answer.status != 200 or answer.read(len(ANSWER) + 1) != ANSWER:
        brief = f"{where['url']} answers {answer.status}, which is not this program"
        return [HealthFinding(BRIEF, OTHER.format(**where), brief)]
    return []
