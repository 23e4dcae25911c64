"""A provider's description of itself: a few parts of it, checked, and nothing else.

It comes from the network, so that it decides nothing that this client decides: neither how codes are asked
for nor which signatures count. Its issuer is the one that the operator named, its addresses are of the web,
as well guarded as the issuer's own, and lead into this machine only where the issuer is there, too.
"""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

SIGNATURES = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
              "ES256", "ES384", "ES512", "EdDSA", "Ed25519")  # fmt: skip
"""Signatures that only the provider can make; one by a shared secret, or none, is no word of it."""
BY_DEFAULT = "RS256"
"""Signature that every provider can make, used where it names none."""
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
LONGEST = 2000
MOST_KEYS = 100
OWN_NAMES = ("localhost", "ip6-localhost")


def checked_parts(issuer: str, document: Any) -> dict[str, Any]:
    """Parts of a discovery document that are used. Raises ValueError where it is not that of the issuer."""
    if not isinstance(document, dict):
        raise ValueError("the discovery document is no object")
    named = document.get("issuer")
    if not isinstance(named, str) or named.rstrip("/") != issuer.rstrip("/"):
        raise ValueError("the discovery document is that of another issuer")
    taken: dict[str, Any] = {"issuer": named}
    for field in NEEDED:
        taken[field] = address(issuer, document.get(field))
    try:
        taken["end_session_endpoint"] = address(issuer, document.get("end_session_endpoint"))
    except ValueError:
        taken["end_session_endpoint"] = (
            None  # then the session there goes on, as with those without
        )
    announced = document.get("id_token_signing_alg_values_supported", [BY_DEFAULT])
    algorithms = [name for name in SIGNATURES if isinstance(announced, list) and name in announced]
    if not algorithms:
        raise ValueError("the provider signs in no way that only itself can")
    names_itself = document.get("authorization_response_iss_parameter_supported") is True
    return taken | {
        "id_token_signing_alg_values_supported": algorithms,
        "authorization_response_iss_parameter_supported": names_itself,
    }


def address(issuer: str, url: Any) -> str:
    """An address of the provider. Raises ValueError where it is none, or worse than the issuer's own."""
    if (
        not isinstance(url, str)
        or len(url) > LONGEST
        or any(c <= " " or c in '";<>\\' for c in url)
    ):
        raise ValueError("an address of the provider is none")
    parts, own = urlsplit(url), urlsplit(issuer)
    allowed = ("https",) if own.scheme == "https" else ("https", "http")
    if (
        parts.scheme not in allowed
        or not parts.hostname
        or parts.username is not None
        or parts.fragment
    ):
        raise ValueError("an address of the provider is none of the web, or not over TLS")
    if _is_within(parts.hostname) and parts.hostname != own.hostname:
        raise ValueError("an address of the provider leads into this machine")
    return url


def _is_within(host: str) -> bool:
    """Whether a host, as it is written, is this machine or a link-local address."""
    if host in OWN_NAMES or host.endswith(".localhost"):
        return True
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return host.rpartition(".")[2].isdigit()  # an odd spelling of an address: 127.1, 2130706433
    return ip.is_loopback or ip.is_link_local or ip.is_unspecified


def checked_keys(document: Any) -> dict[str, Any]:
    """A provider's key set. Raises ValueError where it is none, or holds more than anybody has."""
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise ValueError("the provider's key set is none")
    if len(keys) > MOST_KEYS:
        raise ValueError(f"the provider's key set has more than {MOST_KEYS} keys")
    return {"keys": keys}
